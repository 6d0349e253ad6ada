import Kernel
import Platform
import Storage
import Web

/// Who left, when, why and where to (port-outs), as a target of imports: the same fields as the import of customers has, of
/// customers who are there.
struct OutcomeImportTarget: ImportTarget {
    private let base: CustomerImportTarget

    init(_ tenant: Tenant) { base = CustomerImportTarget(tenant) }

    static let entity = "outcomes"
    var entity: String { Self.entity }
    var title: Words { Words(en: "Departures and port-outs", zh: "离网与携出") }
    var takesAttributes: Bool { false }
    var needsMatchKey: Bool { true }

    private static let extra: [String: [String]] = [
        "left_on": ["port-out date", "ported on", "left", "携出日期", "携出时间"],
        "competitor": ["recipient", "recipient operator", "ported to", "new operator", "携入运营商", "携入方"],
        "leave_reason": ["port-out reason", "携出原因", "离网理由"],
    ]

    static let fields: [ImportField] = ["source_id", "msisdn", "left", "left_on", "leave_reason", "competitor"]
        .compactMap { CustomerFields.byKey[$0]?.field }.map { field in
            ImportField(
                field.key, field.words, field.kind, canMatch: field.canMatch,
                synonyms: field.synonyms + (extra[field.key] ?? []))
        }
    var fields: [ImportField] { Self.fields }

    func attributeFields(_ session: any SQLSession) throws -> [ImportField] { [] }
    func defineAttribute(title: String, kind: ImportFieldKind, _ session: any SQLSession) throws -> ImportField {
        try LineImportTarget(base.tenant).defineAttribute(title: title, kind: kind, session)
    }
    func removeUnusedAttributes(
        _ keys: [String], principal: Principal, _ session: any SQLSession
    ) throws -> [Words] { [] }
    func holdsRecords(_ session: any SQLSession) throws -> Bool { false }

    func importer(_ options: ImportOptions, principal: Principal) -> any Importer {
        // Somebody whom nobody knows cannot leave.
        let known = ImportOptions(
            matchKey: options.matchKey, createsNew: false, updatesExisting: options.updatesExisting,
            source: options.source)
        return OutcomeImporter(
            CustomerImporter(tenant: base.tenant, options: known, principal: principal), matchKey: options.matchKey)
    }

    func forecastRevert(
        created: [(CustomerID, revision: Int64, undo: [ImportChange])], updated: [(CustomerID, undo: [ImportChange])],
        _ memory: inout RevertMemory, _ session: any SQLSession
    ) throws -> RevertForecast? { try base.forecastRevert(created: [], updated: updated, &memory, session) }

    func revertCreated(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], principal: Principal,
        _ session: any SQLSession
    ) throws -> [RevertIssue] { [] }

    func revertUpdated(
        _ records: [(CustomerID, undo: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] { try base.revertUpdated(records, principal: principal, session) }
}

/// Rows of departures become rows about customers.
private final class OutcomeImporter: Importer {
    private let customers: CustomerImporter
    private let matchKey: String?

    init(_ customers: CustomerImporter, matchKey: String?) {
        self.customers = customers
        self.matchKey = matchKey
    }

    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        try judged(rows, session) { try customers.plan($0, session) }
    }

    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        try judged(rows, session) { try customers.apply($0, session) }
    }

    private func judged(
        _ rows: [ImportRow], _ session: any SQLSession, _ work: ([ImportRow]) throws -> [ImportOutcome]
    ) throws -> [ImportOutcome] {
        let others = try matchKey == "msisdn" ? linesBeside(rows, session) : []
        let known = rows.map { row -> ImportRow? in
            if case .text(let number)? = row.values["msisdn"], others.contains(number) { return nil }
            var values = row.values
            // A number beside the key tells whose it was; it is not to be changed.
            for key in ["source_id", "msisdn"] where key != matchKey { values[key] = nil }
            // A row of such a file says that somebody left, unless it says otherwise.
            if values["left"] == nil { values["left"] = .bool(true) }
            return ImportRow(line: row.line, values: values)
        }
        var done = try work(known.compactMap { $0 })[...]
        return known.map { row in
            guard row != nil, let outcome = done.popFirst() else {
                return .rejected(
                    field: "msisdn", code: "has_other_lines",
                    Words(
                        en: "The customer has other lines in service and has not left: import the end of this line under Lines.",
                        zh: "该客户还有其他在用业务，并未离网：请在“业务”中导入该号码的终止。"))
            }
            return outcome
        }
    }

    /// Numbers of customers who have more than this line in service.
    private func linesBeside(_ rows: [ImportRow], _ session: any SQLSession) throws -> Set<String> {
        let numbers = rows.compactMap { $0.values["msisdn"]?.asText }
        let owners = try IdentifierStore.owners(numbers.map { .msisdn($0) }, session)
        var result: Set<String> = []
        let records = Dictionary(
            try CustomerLoader.records(Set(owners.values).sorted(), session).map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first })
        for (number, id) in owners {
            let standing = records[id]?.subscriptions.filter { $0.status != .terminated && $0.msisdn != number.value } ?? []
            if !standing.isEmpty { result.insert(number.value) }
        }
        return result
    }
}

extension CustomersModule {
    /// What can be imported besides customers.
    package static func importTargets(_ tenant: Tenant) -> [any ImportTarget] {
        let names = CustomerFinder()
        return [
            RecordTarget(AccountRecords.accounts, tenant, naming: names),
            RecordTarget(AccountRecords.roles, tenant, naming: names),
            LineImportTarget(tenant),
            RecordTarget(ChargeRecords.bills, tenant, naming: names),
            RecordTarget(ChargeRecords.payments, tenant, naming: names),
            OutcomeImportTarget(tenant),
        ]
    }
}
