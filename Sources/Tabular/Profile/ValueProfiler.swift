/// What `ColumnProfiler` does not watch: frequent values, quantiles, outliers, shapes, date orders, broken text.
struct ValueProfiler: Sendable {
    private static let shapesMax = 200, extremesMax = 8

    private var distinct = HyperLogLog()
    private var top = TopValues()
    private var numbers = NumberSample()
    private var lowest: [(value: Double, line: Int)] = [], highest: [(value: Double, line: Int)] = []
    private var shapes: [String: Int] = [:], otherShapes = 0
    private var dates = DateEvidence()
    private var repairable = 0, lost = 0, causes: [String: Int] = [:]
    private var damaged: [FileProfile.Place] = [], repaired: String?
    private var phones = 0, emails = 0, present = 0
    private var identities = IdentityEvidence()
    private var addresses = 0, notAddresses: [FileProfile.Place] = []
    private var codes = MissingCodes()

    /// - Returns: a hash of the value, for the row's.
    mutating func add(_ bytes: Bytes, line: Int) -> UInt64 {
        let text = TextTrim.trimmed(bytes)
        let hash = ValueProfiler.hash(text)
        guard MissingValue(text) == nil else { return hash }
        present += 1
        distinct.add(ValueProfiler.mixed(hash))
        top.add(hash, text)
        if let number = NumberText(text), let value = number.value(text) {
            add(value, line)
            codes.add(value)
        }
        let shape = ValueShape.shape(text)
        if shapes[shape] != nil || shapes.count < Self.shapesMax {
            shapes[shape, default: 0] += 1
        } else {
            otherShapes += 1
        }
        dates.add(text, line: line)
        notePersonal(text)
        identities.add(text, line: line)
        if EmailShape.matches(text) {
            addresses += 1
        } else if notAddresses.count < 5 {
            notAddresses.append(.init(line: line, value: TextTrim.beginning(text, 80)))
        }
        if text.contains(where: { $0 >= 0x80 }) { noteDamage(text, line) }
        return hash
    }

    static func mixed(_ hash: UInt64) -> UInt64 {
        var z = hash &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// 64-bit FNV-1a.
    private static func hash(_ text: Bytes) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    private mutating func add(_ value: Double, _ line: Int) {
        numbers.add(value)
        if lowest.count < Self.extremesMax || value < lowest[lowest.count - 1].value {
            lowest.insert((value, line), at: lowest.firstIndex { $0.value > value } ?? lowest.count)
            if lowest.count > Self.extremesMax { lowest.removeLast() }
        }
        if highest.count < Self.extremesMax || value > highest[highest.count - 1].value {
            highest.insert((value, line), at: highest.firstIndex { $0.value < value } ?? highest.count)
            if highest.count > Self.extremesMax { highest.removeLast() }
        }
    }

    private mutating func noteDamage(_ bytes: Bytes, _ line: Int) {
        let text = TextTrim.beginning(bytes, 2_000)
        let cause: TextRepair.Cause
        var meant: String?
        switch TextRepair.judge(text) {
        case .fine: return
        case .repaired(let result, let found):
            repairable += 1
            (cause, meant) = (found, result)
        case .refused(let found):
            lost += 1
            cause = found
        }
        causes[cause.rawValue, default: 0] += 1
        if damaged.isEmpty { repaired = meant }
        if damaged.count < 5 { damaged.append(.init(line: line, value: String(text.prefix(80)))) }
    }

    private mutating func notePersonal(_ text: Bytes) {
        var digits = 0, others = 0, at = 0
        for byte in text {
            switch byte {
            case Ascii.zero...Ascii.nine: digits += 1
            case UInt8(ascii: "@"): at += 1
            case Ascii.plus, Ascii.minus, Ascii.space, UInt8(ascii: "("), UInt8(ascii: ")"): break
            default: others += 1
            }
        }
        if at == 1, others > 3, text.last != UInt8(ascii: "@") { emails += 1 }
        let isMobile = digits == 11 && text.first == UInt8(ascii: "1") && text.count > 1 && text[1] >= UInt8(ascii: "3")
        if others == 0, at == 0, isMobile || (digits >= 8 && digits <= 15 && text.first == Ascii.plus) { phones += 1 }
    }

    // MARK: The result

    func column(_ basic: ColumnProfile, rows: Int, topMax: Int) -> FileProfile.Column {
        let isNumeric = basic.type == .integer || basic.type == .decimal
        let estimate = basic.isDistinctCapped ? min(basic.present, max(basic.distinct, distinct.estimate)) : basic.distinct
        let isKey =
            basic.present > 1 && basic.missing * 20 <= rows && estimate * 20 >= basic.present * 19
            && basic.type != .decimal && basic.longest <= 64
            // A column that is called a number of something names it even where every third value comes twice.
            || basic.present > 1 && estimate < basic.present && estimate * 3 >= basic.present * 2
                && basic.type != .decimal && basic.longest <= 64 && KeyNames.isKey(basic.name)
        let shown = top.top(topMax).filter { $0.count > 1 || basic.distinct <= topMax }
        let personal = personal(basic.name)
        return FileProfile.Column(
            name: basic.name, type: basic.type, personal: personal, total: basic.total,
            missing: basic.missing,
            missingKinds: Dictionary(uniqueKeysWithValues: basic.missingKinds.map { ($0.key.rawValue, $0.value) }),
            distinct: estimate, isDistinctEstimate: basic.isDistinctCapped, topShortfall: top.shortfall,
            top: shown.map { .init(value: $0.value, count: $0.count) }, minimum: basic.minimum, maximum: basic.maximum,
            mean: basic.mean, quantiles: isNumeric ? numbers.quantiles([0.05, 0.25, 0.5, 0.75, 0.95]) : nil,
            isQuantileEstimate: isNumeric && !numbers.isExact, outliers: isNumeric ? outliers : nil,
            earliest: basic.earliest, latest: basic.latest, shortest: basic.shortest, longest: basic.longest,
            shapes: shapes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(8)
                .map { .init(value: $0.key, count: $0.value) },
            dates: basic.dateOrder == .minguo ? nil : evidence, mojibake: mojibake,
            identities: personal == "identity" ? identities.found : nil,
            wrongEmails: personal == "email" && addresses > 0 && addresses < present
                ? .init(count: present - addresses, examples: notAddresses) : nil,
            missingCodes: isNumeric ? codes.found : [],
            notices: basic.notices.map { .init(value: $0.code, count: $0.count ?? 0) },
            exceptions: basic.exceptions.map { .init(line: $0.record, value: $0.value) }, isLikelyKey: isKey,
            keyDuplicates: isKey && !basic.isDistinctCapped ? basic.present - basic.distinct : nil)
    }

    private var outliers: FileProfile.Outliers? {
        let middle = numbers.quantiles([0.25, 0.75])
        guard middle.count == 2, middle[1] > middle[0], numbers.count >= 20 else { return nil }
        let width = middle[1] - middle[0]
        let range = (middle[0] - 3 * width)...(middle[1] + 3 * width)
        let count = numbers.outside(range)
        let extremes = (lowest + highest).filter { !range.contains($0.value) }.prefix(5)
        guard count > 0 || !extremes.isEmpty else { return nil }
        return .init(
            count: max(count, extremes.count), low: range.lowerBound, high: range.upperBound,
            examples: extremes.map { .init(line: $0.line, value: Self.plain($0.value)) })
    }

    /// `1575`, `0.22`.
    private static func plain(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    /// Only where most values are dates.
    private var evidence: FileProfile.Dates? {
        guard present > 0, dates.total * 10 >= present * 8, dates.possible * 2 >= dates.total else { return nil }
        let ambiguous = dates.ambiguous
        return .init(
            verdict: dates.verdict, dayFirst: dates.dayFirst, monthFirst: dates.monthFirst, yearFirst: dates.yearFirst,
            ambiguous: ambiguous.count, ambiguousLines: ambiguous.lines, impossible: dates.impossible,
            impossibleExamples: dates.impossibleExamples)
    }

    private var mojibake: FileProfile.Mojibake? {
        guard repairable + lost > 0 else { return nil }
        return .init(repairable: repairable, lost: lost, causes: causes, examples: damaged, repaired: repaired)
    }

    static func personal(_ name: String, _ values: [String]) -> String? {
        var profiler = ValueProfiler()
        for value in values where !value.isEmpty {
            profiler.present += 1
            var value = value
            value.withUTF8 { profiler.notePersonal($0) }
        }
        return profiler.personal(name)
    }

    /// By what most values look like, else by the column's name.
    private func personal(_ name: String) -> String? {
        func most(_ count: Int) -> Bool { present > 0 && count * 2 > present }
        if most(emails) { return "email" }
        if most(identities.count) { return "identity" }
        if most(phones) { return "phone" }
        let folded = name.lowercased()
        let words = folded.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        return PersonalNames.kinds.first { kind in
            kind.parts.contains { folded.contains($0) } || kind.words.contains { words.contains($0) }
        }?.kind
    }
}

/// Headers under which files carry what belongs to a person.
enum PersonalNames {
    static let kinds: [(kind: String, parts: [String], words: [String])] = [
        ("phone", ["phone", "mobile", "msisdn", "手机", "电话", "電話", "号码", "號碼", "手機", "門號"], ["tel", "cell"]),
        ("email", ["email", "e-mail", "mail address", "邮箱", "郵箱"], ["mail"]),
        ("identity", ["passport", "身份证", "身分證", "身份證", "证件", "證件", "soc_sec", "imsi", "imei", "iccid"], ["ssn", "idcard"]),
        ("birth", ["birth", "出生", "生日"], ["dob"]),
        (
            "name",
            ["surname", "given_name", "givenname", "first name", "first_name", "last name", "last_name", "full name",
             "full_name", "customer name", "customer_name", "姓名", "客户名", "客戶名", "戶名"],
            ["name", "forename"]
        ),
        ("address", ["address", "street", "地址", "住址", "latitude", "longitude", "lat long"], ["addr"]),
    ]
}
