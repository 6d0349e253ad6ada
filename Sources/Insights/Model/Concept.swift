import Synchronization

/// What a column is about, and how to speak of it. Columns nobody knows are spoken of by their own name.
struct Concept: Sendable {
    /// How two values compare in words.
    enum Scale: Sendable {
        case level, length, amount, age, order

        var more: Bilingual {
            switch self {
            case .level: Bilingual(zh: "高于", en: "higher than")
            case .length: Bilingual(zh: "长于", en: "longer than")
            case .amount: Bilingual(zh: "多于", en: "more than")
            case .age: Bilingual(zh: "年龄大于", en: "older than")
            case .order: Bilingual(zh: "晚于", en: "later than")
            }
        }

        var less: Bilingual {
            switch self {
            case .level: Bilingual(zh: "低于", en: "lower than")
            case .length: Bilingual(zh: "短于", en: "shorter than")
            case .amount: Bilingual(zh: "少于", en: "fewer than")
            case .age: Bilingual(zh: "年龄小于", en: "younger than")
            case .order: Bilingual(zh: "早于", en: "earlier than")
            }
        }
    }

    enum Unit: Sendable {
        case none, months, days, years, minutes, seconds, times, percent, gigabytes, megabytes

        func attached(to value: String) -> Bilingual {
            let isOne = value == "1"
            func plain(_ zh: String, _ one: String, _ many: String) -> Bilingual {
                Bilingual(zh: "\(value)\(zh)", en: "\(value) \(isOne ? one : many)")
            }
            switch self {
            case .none: return Bilingual(zh: value, en: value)
            case .months: return plain("个月", "month", "months")
            case .days: return plain("天", "day", "days")
            case .years: return plain("年", "year", "years")
            case .minutes: return plain("分钟", "minute", "minutes")
            case .seconds: return plain("秒", "second", "seconds")
            case .times: return Bilingual(zh: "\(value)次", en: value)
            case .percent: return Bilingual(zh: "\(value)%", en: "\(value) %")
            case .gigabytes: return plain("GB", "GB", "GB")
            case .megabytes: return plain("MB", "MB", "MB")
            }
        }
    }

    /// The subject of a sentence, in each language.
    let name: Bilingual
    var scale = Scale.level
    var unit = Unit.none
    /// Whole clauses for a yes and a no.
    var yes: Bilingual?
    var no: Bilingual?
    /// For columns that say where the customer is: lower is closer to how a person names a place.
    var placeRank: Int?
    /// A known concept; an unknown column's name is put in quotation marks.
    var isKnown = true

    static func measure(_ zh: String, _ en: String, _ scale: Scale = .level, _ unit: Unit = .none) -> Concept {
        Concept(name: Bilingual(zh: zh, en: en), scale: scale, unit: unit)
    }

    static func choice(_ zh: String, _ en: String) -> Concept {
        Concept(name: Bilingual(zh: zh, en: en))
    }

    static func service(_ zh: String, _ en: String) -> Concept {
        Concept(
            name: Bilingual(zh: zh, en: en), yes: Bilingual(zh: "已开通\(zh)", en: "Has \(en)"),
            no: Bilingual(zh: "未开通\(zh)", en: "Has no \(en)"))
    }

    static func fact(
        _ zh: String, _ en: String, yes: (String, String), no: (String, String), _ scale: Scale = .amount,
        _ unit: Unit = .none
    ) -> Concept {
        Concept(
            name: Bilingual(zh: zh, en: en), scale: scale, unit: unit, yes: Bilingual(zh: yes.0, en: yes.1),
            no: Bilingual(zh: no.0, en: no.1))
    }

    static func place(_ zh: String, _ en: String, rank: Int) -> Concept {
        Concept(name: Bilingual(zh: zh, en: en), placeRank: rank)
    }

    /// The concept of a column, by its name in English or Chinese; a plain one when the name is not known.
    static func named(_ column: String) -> Concept {
        if let known = names.withLock({ $0[column] }) { return known }
        let concept = found(column)
        names.withLock { names in
            // Nobody has so many columns; the next ones push the earlier ones out.
            if names.count >= 4_096 { names = [:] }
            names[column] = concept
        }
        return concept
    }

    /// What was looked up before: each customer page asks for the same few names.
    private static let names = Mutex<[String: Concept]>([:])

    private static func found(_ column: String) -> Concept {
        let folded = ColumnName(column).folded
        if let exact = TelecomConcepts.byName[folded] { return exact }
        let parts = TelecomConcepts.byPart.first { entry in entry.parts.allSatisfy { folded.contains($0) } }
        if let parts { return parts.concept }
        return Concept(name: Bilingual(zh: column, en: column), isKnown: false)
    }

    // MARK: Clauses

    /// A clause with the customer's value and, for ordered columns, where it stands among all customers.
    func clause(column: String, value: String?, kind: ColumnKind, standing: Standing?) -> Bilingual {
        let subjectZh = isKnown ? name.zh : "“\(column)”"
        let subjectEn = isKnown ? Self.capitalised(name.en) : "“\(column)”"
        guard let value else {
            return Bilingual(zh: "\(subjectZh)未记录", en: "\(subjectEn) is not recorded")
        }
        if kind == .presence {
            return Bilingual(zh: "\(subjectZh)有记录（\(value)）", en: "\(subjectEn) is filled in (\(value))")
        }
        if let clause = answer(value, kind: kind) { return clause }
        if placeRank != nil {
            return Bilingual(
                zh: "所在\(name.zh)为\(value)",
                en: placeRank == 0 ? "Is located in \(value)" : "Is located in the area of \(name.en) \(value)")
        }
        if kind == .numeric {
            let amount = unit.attached(to: Self.shortened(value))
            let comparison = comparison(standing, scale: scale)
            return Bilingual(
                zh: "\(subjectZh)为\(amount.zh)" + (comparison.map { "，\($0.zh)" } ?? ""),
                en: "\(subjectEn) is \(amount.en)" + (comparison.map { ", \($0.en)" } ?? ""))
        }
        if kind == .date {
            let comparison = comparison(standing, scale: .order)
            return Bilingual(
                zh: "\(subjectZh)为\(value)" + (comparison.map { "，\($0.zh)" } ?? ""),
                en: "\(subjectEn) is \(value)" + (comparison.map { ", \($0.en)" } ?? ""))
        }
        let spoken = TelecomConcepts.values[value.lowercased()]
        let zh = spoken.map { $0.zh == value ? value : "\($0.zh)（\(value)）" } ?? value
        return Bilingual(zh: "\(subjectZh)为\(zh)", en: "\(subjectEn) is \(spoken?.en ?? value)")
    }

    /// The clause for a yes, a no, or a service that another missing service rules out.
    private func answer(_ value: String, kind: ColumnKind) -> Bilingual? {
        guard let yes, let no else { return nil }
        switch value.lowercased() {
        case "no internet service", "无互联网服务", "未开通宽带":
            return Bilingual(zh: "未使用上网业务，因而没有\(name.zh)", en: "Has no internet service, so no \(name.en)")
        case "no phone service":
            return Bilingual(zh: "未使用电话业务，因而没有\(name.zh)", en: "Has no phone service, so no \(name.en)")
        default:
            // A count of 0 and 1 is an answer only where the whole column is one.
            guard kind == .boolean || kind == .categorical else { return nil }
            return CellText.boolean(value).map { $0 ? yes : no }
        }
    }

    /// "higher than 85 % of customers". Shares are rounded down, so that the sentence is never more than true.
    private func comparison(_ standing: Standing?, scale: Scale) -> Bilingual? {
        guard let standing else { return nil }
        let same = 1 - standing.below - standing.above
        func text(_ words: Bilingual, _ share: Double) -> Bilingual {
            let percent = Int((share * 100 + 1e-9).rounded(.down))
            return Bilingual(zh: "\(words.zh)\(percent)%的客户", en: "\(words.en) \(percent) % of customers")
        }
        if standing.below >= 0.6 { return text(scale.more, standing.below) }
        if standing.above >= 0.6 { return text(scale.less, standing.above) }
        if same >= 0.5 { return text(Bilingual(zh: "同", en: "the same as for"), same) }
        return Bilingual(zh: "处于中等水平", en: "close to the middle")
    }

    /// The customer's number as given, but without an empty fraction and with at most two decimals.
    private static func shortened(_ value: String) -> String {
        guard let point = value.firstIndex(of: "."), let number = Double(value) else { return value }
        if number == number.rounded(), abs(number) < 1e15 { return String(Int(number)) }
        let decimals = value.distance(from: point, to: value.endIndex) - 1
        guard decimals > 2, abs(number) >= 1 else { return value }
        return String(value.prefix(upTo: value.index(point, offsetBy: 3)))
    }

    private static func capitalised(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }
}
