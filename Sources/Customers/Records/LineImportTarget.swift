import Contracts
import Kernel
import Platform
import Storage
import Web

/// Lines of customers as a target of imports: subscriptions with number, SIM or eSIM and device. A line is found by its id at
/// the source or by its number; a new one needs its customer.
struct LineImportTarget: ImportTarget {
    let tenant: Tenant

    init(_ tenant: Tenant) { self.tenant = tenant }

    static let entity = "lines"
    var entity: String { Self.entity }
    var title: Words { Words(en: "Lines and SIM cards", zh: "业务与 SIM 卡") }
    var takesAttributes: Bool { false }
    var needsMatchKey: Bool { true }
    var fields: [ImportField] { Self.fields }

    private static let synonyms: [String: [String]] = [
        "service": ["service type", "product type", "line type", "业务", "业务种类"],
        "technology": ["access", "network", "网络制式", "接入类型"],
        "status": ["line status", "state", "subscription status", "状态", "用户状态"],
        "started_on": ["start date", "activation date", "activated on", "active from", "入网时间", "开通时间", "激活日期"],
        "iccid": ["sim", "sim card", "sim number", "icc id", "SIM卡号", "卡号"],
        "imsi": ["imsi number"], "imei": ["device imei", "imei number", "终端串号"],
        "device": ["device model", "handset", "phone model", "terminal", "终端", "机型", "手机型号"],
        "sim_kind": ["sim type", "card type", "esim", "SIM类型", "卡类型"],
    ]

    static let fields: [ImportField] =
        [
            ImportField(
                "line_id", Words(en: "Line number at the source", zh: "来源业务编号"), .text(60), canMatch: true,
                synonyms: ["line id", "subscription id", "service id", "product instance", "业务标识", "订购实例编号"]),
            ImportField(
                "msisdn", OwnerFields.msisdn.words, .phone, canMatch: true, synonyms: OwnerFields.msisdn.synonyms),
            OwnerFields.reference, OwnerFields.source,
        ]
        + LineFields.all.filter { $0.key != "msisdn" }.map { field in
            ImportField(
                field.key, field.words, field.kind, mask: field.look == .none ? nil : field.look.rawValue,
                synonyms: (synonyms[field.key] ?? []) + (CustomerFields.byKey[field.key]?.field.synonyms ?? []))
        } + [
            ImportField(
                "ended_on", Words(en: "Ended on", zh: "终止日期"), .date,
                synonyms: ["end date", "termination date", "deactivated on", "销户日期", "拆机日期"])
        ]

    func attributeFields(_ session: any SQLSession) throws -> [ImportField] { [] }
    func defineAttribute(title: String, kind: ImportFieldKind, _ session: any SQLSession) throws -> ImportField {
        throw CRMError.invalid(
            "columns", "no_attributes",
            Words(
                en: "Column “\(title)” cannot become a custom attribute: only customers have those. Leave it out.",
                zh: "列“\(title)”不能成为自定义属性（仅客户支持），请忽略该列。"))
    }
    func removeUnusedAttributes(
        _ keys: [String], principal: Principal, _ session: any SQLSession
    ) throws -> [Words] { [] }
    func holdsRecords(_ session: any SQLSession) throws -> Bool { false }
    func importer(_ options: ImportOptions, principal: Principal) -> any Importer {
        LineImporter(tenant: tenant, options: options, principal: principal)
    }

    // MARK: Taking it back

    func forecastRevert(
        created: [(CustomerID, revision: Int64, undo: [ImportChange])], updated: [(CustomerID, undo: [ImportChange])],
        _ memory: inout RevertMemory, _ session: any SQLSession
    ) throws -> RevertForecast? {
        func own(_ undo: [ImportChange]) -> [ImportChange] { undo.filter { !$0.field.hasPrefix(Self.key) } }
        let base = CustomerImportTarget(tenant)
        let came = created.map { ($0.0, undo: own($0.undo)) }, changed = updated.map { ($0.0, undo: own($0.undo)) }
        guard var forecast = try base.forecastRevert(created: [], updated: came, &memory, session),
            let others = try base.forecastRevert(created: [], updated: changed, &memory, session)
        else { return nil }
        (forecast.removed, forecast.restored) = (forecast.restored, others.restored)
        forecast.issues += others.issues
        return forecast
    }

    /// A line that came is a change of its customer, and is taken back as one.
    func revertCreated(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], principal: Principal,
        _ session: any SQLSession
    ) throws -> [RevertIssue] {
        try revertUpdated(records.map { ($0.0, undo: $0.undo) }, principal: principal, session)
    }

    func revertUpdated(
        _ records: [(CustomerID, undo: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] {
        let issues = try CustomerImportTarget(tenant).revertUpdated(
            records.map { ($0.0, undo: $0.undo.filter { !$0.field.hasPrefix(Self.key) }) }, principal: principal,
            session)
        try session.executeMany(
            CustomerFinder.delete,
            records.flatMap { record in
                record.undo.filter { $0.field.hasPrefix(Self.key) }.map {
                    [.text(Self.entity), .text(String($0.field.dropFirst(Self.key.count))), $0.after]
                }
            })
        return issues
    }

    /// In the journal: the key a line was given, behind it the name of the source.
    static let key = "line key/"
}
