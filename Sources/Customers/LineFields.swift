import Kernel
import Platform
import Storage

/// One fact of a line that people edit: as `CustomerField`, of one subscription.
struct LineField: Sendable {
    let key: String
    let words: Words
    let kind: ImportFieldKind
    let mask: MaskKind
    /// How it looks to those who may not see it.
    let look: MaskKind
    let get: @Sendable (Subscription, FieldContext) -> SQLValue
    let set: @Sendable (inout Subscription, SQLValue, FieldContext) throws(FieldRefusal) -> Void
}

/// The fields of a line. What a customer's main line has as import fields means the same here.
enum LineFields {
    static let service = own(
        "service", Words(en: "Service", zh: "业务类型"),
        .choice(ServiceCode.allCases.map { ImportChoice($0.rawValue, PageWords.of($0), synonyms: synonyms($0)) }),
        get: { .text($0.service.rawValue) },
        set: { line, value, _ throws(FieldRefusal) in
            guard let service = value.asText.flatMap(ServiceCode.init) else {
                throw FieldRefusal("required", en: "Please choose the service.", zh: "请选择业务类型。")
            }
            line.service = service
        })
    static let status = own(
        "status", Words(en: "Status of the line", zh: "业务状态"),
        .choice(SubscriptionStatus.allCases.map { ImportChoice($0.rawValue, PageWords.of($0), synonyms: synonyms($0)) }),
        get: { .text($0.status.rawValue) },
        set: { line, value, _ throws(FieldRefusal) in
            guard let status = value.asText.flatMap(SubscriptionStatus.init) else { return }
            line.status = status
            if status != .terminated { line.endedOn = nil }
        })

    static let all: [LineField] =
        ([
            service,
            own(
                "technology", Words(en: "Technology", zh: "接入方式"), .text(40), get: { .text($0.technology) },
                set: { line, value, _ throws(FieldRefusal) in line.technology = value.asText.map { Folding.fold($0) } }),
            shared("plan"), status,
            own(
                "started_on", Words(en: "Started on", zh: "开通日期"), .date, get: { .date($0.startedOn) },
                set: { line, value, context throws(FieldRefusal) in
                    if let date = value.asDate, date > context.today.adding(days: 366) {
                        throw FieldRefusal(
                            "started_on", en: "The start lies too far in the future.", zh: "开通日期过于靠后。")
                    }
                    line.startedOn = value.asDate
                }),
            shared("msisdn"),
            sim(
                "iccid", Words(en: "SIM card (ICCID)", zh: "SIM 卡号（ICCID）"), \.iccid, lengths: 18...22, letters: true,
                Words(en: "An ICCID has 18 to 22 characters and begins with 89.", zh: "ICCID 为 18 至 22 位，以 89 开头。"),
                begins: "89"),
            sim(
                "imsi", Words(en: "IMSI", zh: "IMSI"), \.imsi, lengths: 14...15, letters: false,
                Words(en: "An IMSI has 15 digits.", zh: "IMSI 为 15 位数字。")),
            sim(
                "imei", Words(en: "Device number (IMEI)", zh: "设备号（IMEI）"), \.imei, lengths: 14...16, letters: false,
                Words(en: "An IMEI has 15 digits.", zh: "IMEI 为 15 位数字。")),
            own(
                "sim_kind", Words(en: "Kind of SIM", zh: "SIM 类型"),
                .choice([
                    ImportChoice(
                        "physical", Words(en: "SIM card", zh: "实体 SIM 卡"),
                        synonyms: ["card", "sim", "usim", "nano sim", "实体", "实体卡", "普卡", "普通卡"]),
                    ImportChoice(
                        "esim", Words(en: "eSIM", zh: "eSIM"),
                        synonyms: ["e-sim", "embedded", "virtual", "虚拟", "虚拟卡", "eSIM卡", "电子卡"]),
                ]), mask: .none,
                get: { .text($0.simKind?.rawValue) },
                set: { line, value, _ throws(FieldRefusal) in line.simKind = value.asText.flatMap(SIMKind.init) }),
            own(
                "device", Words(en: "Device", zh: "终端型号"), .text(60), get: { .text($0.device) },
                set: { line, value, _ throws(FieldRefusal) in line.device = value.asText }),
        ] as [LineField?]).compactMap { $0 } + ["contract_term", "contract_end", "monthly_charge"].compactMap(shared)

    /// What systems write for a service; a line of the operator's own mobile network is what most of them call a number.
    private static func synonyms(_ service: ServiceCode) -> [String] {
        switch service {
        case .mobile: ["cell", "cellular", "mobile line", "mobile voice", "gsm", "手机", "手机业务", "手机号码", "手机号码业务", "移动", "移动业务", "移动电话"]
        case .broadband: ["internet", "fixed broadband", "fibre", "fiber", "dsl", "宽带", "宽带业务", "家庭宽带", "光纤", "光宽带", "宽频"]
        case .fixedVoice: ["fixed line", "landline", "fixed", "固话", "固定电话", "固话业务", "市话", "座机"]
        case .tv: ["iptv", "television", "电视", "电视业务", "互联网电视"]
        case .iot: ["m2m", "iot sim", "物联网", "物联网卡", "物联卡"]
        default: []
        }
    }

    private static func synonyms(_ status: SubscriptionStatus) -> [String] {
        switch status {
        case .pending: ["ordered", "not active yet", "待开通", "未激活", "预开通", "待激活"]
        case .active: ["normal", "in service", "in use", "正常", "正常使用", "在用", "在网", "使用中", "开通", "已开通", "已激活", "开机"]
        case .suspended: ["suspend", "barred", "停机", "停机保号", "欠费停机", "单停", "双停", "暂停"]
        case .terminated: ["ended", "closed", "cancelled", "canceled", "deactivated", "销户", "已销户", "拆机", "已拆机", "注销", "已注销", "离网", "退租"]
        }
    }

    static let byKey = Dictionary(all.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    /// Keys of what differs between the lines of two states of a customer, `line.<key>`; what a field of the customer
    /// tells of the main line is left out.
    static func changed(from before: CustomerRecord, to after: CustomerRecord, _ context: FieldContext) -> [String] {
        guard before.subscriptions != after.subscriptions else { return [] }
        let old = Dictionary(before.subscriptions.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var result: Set<String> = []
        for (offset, line) in after.subscriptions.enumerated() {
            guard let was = old[line.id] else {
                result.insert("line.added")
                continue
            }
            guard was != line else { continue }
            for field in all where field.get(was, context) != field.get(line, context) {
                let isTold = offset == 0 && (CustomerFields.byKey[field.key] != nil && field.key != "status")
                if !isTold { result.insert("line." + field.key) }
            }
            if was.addons != line.addons { result.insert("line.addons") }
            if was.endedOn != line.endedOn { result.insert("line.ended_on") }
        }
        return result.sorted()
    }

    /// Words of a key of `changed`.
    static func words(_ key: String) -> Words {
        switch key {
        case "line.added": Words(en: "New line", zh: "新增业务")
        case "line.addons": Words(en: "Add-ons", zh: "增值业务")
        case "line.ended_on": Words(en: "End of a line", zh: "业务终止日期")
        default: byKey[String(key.dropFirst("line.".count))]?.words ?? Words(en: key, zh: key)
        }
    }

    private static func own(
        _ key: String, _ words: Words, _ kind: ImportFieldKind, mask: MaskKind = .none, look: MaskKind? = nil,
        get: @escaping @Sendable (Subscription) -> SQLValue,
        set: @escaping @Sendable (inout Subscription, SQLValue, FieldContext) throws(FieldRefusal) -> Void
    ) -> LineField {
        LineField(
            key: key, words: words, kind: kind, mask: mask, look: look ?? mask, get: { line, _ in get(line) }, set: set)
    }

    /// ICCID, IMSI and IMEI: the right of a contact, the look of an identity number.
    private static func sim(
        _ key: String, _ words: Words, _ path: any WritableKeyPath<Subscription, String?> & Sendable,
        lengths: ClosedRange<Int>, letters: Bool, _ refusal: Words, begins: String = ""
    ) -> LineField {
        own(
            key, words, .text(40), mask: .phone, look: .identity, get: { .text($0[keyPath: path]) },
            set: { line, value, _ throws(FieldRefusal) in
                guard let text = value.asText else {
                    line[keyPath: path] = nil
                    return
                }
                let number = SearchTokens.simToken(text).uppercased()
                let fits = letters || number.utf8.allSatisfy { (48...57).contains($0) }
                guard lengths.contains(number.utf8.count), fits, number.hasPrefix(begins) else {
                    throw FieldRefusal(key, en: refusal.en, zh: refusal.zh)
                }
                line[keyPath: path] = number
            })
    }

    /// A field of the customer's main line, applied to this one.
    private static func shared(_ key: String) -> LineField? {
        guard let field = CustomerFields.byKey[key] else { return nil }
        return LineField(
            key: key, words: field.words, kind: field.kind, mask: field.mask, look: field.mask,
            get: { line, context in field.get(alone(line), context) },
            set: { line, value, context throws(FieldRefusal) in
                var record = alone(line)
                var named = context
                named.line = line.id
                try field.set(&record, value, named)
                if let changed = record.subscriptions.first { line = changed }
            })
    }

    private static func alone(_ line: Subscription) -> CustomerRecord {
        var record = CustomerRecord(
            id: CustomerID(0), party: Party(kind: .individual, displayName: ""),
            customer: Customer(currency: line.currency, source: "", createdAt: Instant(milliseconds: 0)))
        record.subscriptions = [line]
        return record
    }
}
