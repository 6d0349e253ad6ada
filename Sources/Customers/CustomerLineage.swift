import Kernel
import Platform
import Storage

/// What the lineage page of another domain is told of customers.
package enum CustomerLineage {
    package struct Record: Sendable {
        package let id: CustomerID
        package let name: String
        package let source: String
        /// By field, as `ImportField` names them.
        package let values: [String: SQLValue]
    }

    /// The records that are shown as one with this, as far as the principal reaches them.
    /// - Throws: `CRMError.notFound`.
    package static func records(
        _ id: CustomerID, _ tenant: Tenant, _ principal: Principal, _ session: any SQLSession
    ) throws -> [Record] {
        try principal.require(CustomerPermissions.view)
        let ids = try CustomerPages.reachable(id, principal, session)
        let attributes = try AttributeStore.all(session)
        return try CustomerLoader.records(ids, session).map { record in
            let context = FieldContext(
                ids: tenant.ids, today: tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes),
                currency: tenant.currency, source: record.customer.source)
            var values: [String: SQLValue] = [:]
            for field in CustomerFields.all where !field.derived { values[field.key] = field.get(record, context) }
            for attribute in attributes {
                if let content = record.attributes[attribute.id] {
                    values[attribute.fieldKey] = CustomerUndo.value(content)
                }
            }
            return Record(
                id: record.id, name: record.party.displayName, source: record.customer.source, values: values)
        }
    }

    /// What a row of an import told of a record in a word that is kept as something else: the state of a bill.
    package static func told(_ entity: String, _ changed: [String: SQLValue]) -> [String: SQLValue] {
        guard entity == "bills", let state = BillState.told(changed) else { return [:] }
        return ["paid_state": .text(state)]
    }

    /// The field that a change of an import's journal is about (`party/0/full_name`, `attr/5`).
    package static func fields(_ session: any SQLSession) throws -> @Sendable (ImportChange) -> String? {
        let attributes = Dictionary(
            try AttributeStore.all(session).map { ("\($0.id)", $0.fieldKey) }, uniquingKeysWith: { first, _ in first })
        return { change in
            let parts = change.field.split(separator: "/").map(String.init)
            switch parts.first {
            case "attr"? where parts.count == 2: return attributes[parts[1]]
            case "source"? where parts.count == 2: return "source_id"
            case "contact"? where parts.last == "value":
                let text = CustomerUndo.text(change.before) ?? CustomerUndo.text(change.after) ?? ""
                return text.contains("@") ? "email" : "phone"
            case "document"? where parts.last == "number": return "document_number"
            default: return parts.count == 3 ? parts.last : nil
            }
        }
    }
}

/// The order in which sources are trusted where joined records differ.
package enum SourcePriority {
    package static func read(_ session: any SQLSession) throws -> [String] {
        Survivorship(stored: try MatchStore.setting(session).survivorship).sources
    }

    package static func write(_ sources: [String], _ session: any SQLSession) throws {
        let setting = try MatchStore.setting(session)
        var rules = Survivorship(stored: setting.survivorship)
        rules.sources = sources
        try session.execute(MatchStore.setSurvivorship, [.text(rules.encoded), .bool(setting.isKept)])
    }
}
