import Contracts
import Kernel
import Platform
import Storage
import Web

/// Customers as the target of imports (O1-O3).
package struct CustomerImportTarget: ImportTarget {
    let tenant: Tenant
    let holds: [CustomerHold]

    /// - Parameter holds: what keeps a customer whom an import made from going when it is taken back.
    package init(_ tenant: Tenant, holds: [CustomerHold] = []) {
        self.tenant = tenant
        self.holds = holds
    }

    package var entity: String { "customer" }
    package var fields: [ImportField] { CustomerFields.all.map(\.field) }

    package func attributeFields(_ session: any SQLSession) throws -> [ImportField] {
        try AttributeStore.all(session).map(\.importField)
    }

    package func defineAttribute(title: String, kind: ImportFieldKind, _ session: any SQLSession) throws -> ImportField
    {
        let (type, codes) = Self.attributeKind(kind)
        let name = title.trimmed.isEmpty ? "column" : String(title.trimmed.prefix(120))
        let known = try session.count(AttributeStore.count)
        let attribute = try AttributeStore(ids: tenant.ids, clock: tenant.clock).defineForColumn(
            title: name, kind: type, codes: codes, by: "import", session)
        if try session.count(AttributeStore.count) > known {
            try tenant.audit.record(
                AuditEntry(
                    "customers.attribute.create", [AuditSubject(kind: "attribute", id: attribute.id.rawValue)],
                    facts: ["key": .string(attribute.key), "kind": .string(type.rawValue)]),
                by: .system(tenant: tenant.name, "import"), session)
        }
        return attribute.importField
    }

    package func removeUnusedAttributes(
        _ keys: [String], principal: Principal, _ session: any SQLSession
    ) throws -> [Words] {
        try AttributeStore.all(session).filter { keys.contains($0.importField.key) }.compactMap { attribute in
            guard try session.execute(AttributeStore.removeUnused, [.id(attribute.id)]) == 1 else { return nil }
            try tenant.audit.record(
                AuditEntry(
                    "customers.attribute.remove", [AuditSubject(kind: "attribute", id: attribute.id.rawValue)],
                    facts: ["key": .string(attribute.key), "cause": .string("import_revert")]),
                by: principal, session)
            return attribute.title
        }
    }

    /// Money becomes a decimal: an attribute has no currency.
    private static func attributeKind(_ kind: ImportFieldKind) -> (CustomAttribute.Kind, [CustomAttribute.Code]) {
        switch kind {
        case .text, .phone, .email: (.text, [])
        case .integer: (.integer, [])
        case .decimal, .money: (.decimal, [])
        case .boolean: (.boolean, [])
        case .date, .time: (.date, [])
        case .choice(let choices): (.code, choices.map { CustomAttribute.Code(code: $0.code, words: $0.words) })
        }
    }

    package func importer(_ options: ImportOptions, principal: Principal) -> any Importer {
        CustomerImporter(tenant: tenant, options: options, principal: principal)
    }

    package func prepare(_ options: ImportOptions, progress: @escaping PrepareProgress) async throws {
        guard options.matches else { return }
        let setting = try await tenant.database.read { try MatchStore.setting($0) }
        guard !setting.isKept || setting.filledAt == nil else { return }
        _ = try await MatchFill.run(tenant) { done, total in
            try await progress(
                done, total, Words(en: "preparing customers for matching", zh: "正在准备客户匹配索引"))
        }
    }

    package func known(
        _ values: [String], by field: String, source: String, _ session: any SQLSession
    ) throws -> Set<String>? {
        guard let identifier = Self.identifier(field, source) else { return nil }
        let owners = try IdentifierStore.owners(values.map(identifier), session)
        return Set(values.filter { owners[identifier($0)] != nil })
    }

    /// Records of one person, which are linked, are not others; and a number whose line has ended is nobody's.
    package func areTaken(
        _ claims: [ImportClaim], by field: String, matchKey: String?, source: String, _ session: any SQLSession
    ) throws -> [Bool]? {
        guard let identifier = Self.identifier(field, source) else { return nil }
        var ownKey: ((String) -> Identifier)?
        if let matchKey {
            ownKey = Self.identifier(matchKey, source)
            if ownKey == nil { return nil }
        }
        func own(_ claim: ImportClaim) -> Identifier? { ownKey.flatMap { name in claim.key.map(name) } }
        let asked = Set(claims.map { identifier($0.value) } + claims.compactMap(own))
        let owners = try IdentifierStore.owners(Array(asked), session)
        let sets = try MatchSets(Set(owners.values), session)
        let isOther = claims.map { claim in
            guard let owner = owners[identifier(claim.value)] else { return false }
            return own(claim).flatMap { owners[$0] }.map { sets.root($0) != sets.root(owner) } ?? true
        }
        guard field == "msisdn" else { return isOther }
        let others = Set(zip(claims, isOther).filter(\.1).map { identifier($0.0.value) })
        let free = try IdentifierStore.released(owners.filter { others.contains($0.key) }, session)
        return zip(claims, isOther).map { $1 && !free.contains(identifier($0.value)) }
    }

    private static func identifier(_ field: String, _ source: String) -> ((String) -> Identifier)? {
        switch field {
        case "source_id": { .source(source, $0) }
        case "msisdn": { .msisdn($0) }
        case "document_number": { .document($0) }
        default: nil
        }
    }

    package func holdsRecords(_ session: any SQLSession) throws -> Bool {
        try session.first(Self.anyRecord) { _ in true } ?? false
    }

    static let anyRecord: SQL = "SELECT id FROM customers_customer LIMIT 1"
}
