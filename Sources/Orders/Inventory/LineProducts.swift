import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Where the lines of customers stand among the products: in lists, in the rows that products of lines have, and in events.
struct LineProducts: Sendable {
    let lines: any LineKeeping
    private let rows: TMFTable

    init(_ lines: any LineKeeping, _ rows: TMFTable) {
        self.lines = lines
        self.rows = rows
    }

    /// - Parameter zone: minutes east of UTC, in which days begin.
    func table(_ zone: Int) -> TMFTable { Self.table(rows, lines.listing, zone) }

    static let there: SQL = "SELECT id FROM orders_product WHERE TRUE"

    // MARK: Lists

    /// Products and, by the same ids, the lines of which no row of a product says more: a union whose parts are each read by an index of
    /// their own, in the order of the ids. When something began and ended, lines know as a day and products as an instant: each is asked in
    /// its own form. By its number a product that is a line is found whether or not it has a row, as people write numbers.
    static func table(_ rows: TMFTable, _ listing: LineListing, _ zone: Int) -> TMFTable {
        let beside: SQL = """
            NOT EXISTS (SELECT 1 FROM orders_product p WHERE p.customer_id = \(listing.customer) AND p.id = \(listing.id))
            """
        func lines(_ path: String, _ source: SQL, _ column: SQL, _ stored: @escaping @Sendable (String) -> SQLValue?) -> TMFColumn {
            TMFColumn(path, .inside(owners: "SELECT \(listing.id) \(source) AND \(beside)", column: column), stored: stored)
        }
        let id: @Sendable (String) -> SQLValue? = { text in Int64(text).flatMap { String($0) == text ? .int($0) : nil } }
        func every(_ path: String, _ source: SQL, _ column: SQL, _ stored: @escaping @Sendable (String) -> SQLValue?) -> TMFColumn {
            TMFColumn(path, .inside(owners: "SELECT \(listing.id) \(source)", column: column), stored: stored)
        }
        let own: [String: [TMFColumn]] = [
            "realizingResource.id": [every("realizingResource.id", listing.all, listing.id, id)],
            "realizingResource.value": listing.numbered.map {
                every("realizingResource.value", $0.source, $0.number) { .text(PhoneNumber($0)?.e164 ?? $0) }
            },
            "relatedParty.id": [lines("relatedParty.id", listing.all, listing.customer, id)],
            "startDate": [lines("startDate", listing.all, listing.started) { TMFDay.stored($0, offsetMinutes: zone) }],
            "terminationDate": [lines("terminationDate", listing.ended.source, listing.ended.day) { TMFDay.stored($0, offsetMinutes: zone) }],
        ]
        // In both parts of the union.
        let both = ["id", "status", "name", "productOffering.id"]
        let columns = rows.columns.compactMap { column -> TMFColumn? in
            let path = column.path.description
            if both.contains(path) { return column }
            var parts = [column]
            if case .own(let name) = column.place {
                parts = [
                    TMFColumn(path, .inside(owners: "SELECT r.id FROM orders_product r WHERE TRUE", column: name), stored: column.stored)
                ]
            }
            return TMFColumn(
                path, .either(parts + (own[path] ?? [])), isOrdered: column.isOrdered && !path.hasPrefix("realizingResource."),
                mask: column.mask, stored: column.stored)
        }
        return TMFTable(
            from: """
                (SELECT o.id, o.status, o.name, o.offering_id FROM orders_product o
                UNION ALL SELECT \(listing.id), \(listing.status), \(listing.title), \(listing.title) \(listing.all) AND \(beside)) r
                """,
            id: "r.id", columns: columns, scope: rows.scope, needsDocuments: rows.needsDocuments)
    }

    // MARK: Changes by others

    /// Which of these ids have a row of a product.
    static func rows(_ ids: [Int64], _ session: any SQLSession) throws -> Set<Int64> {
        var result: Set<Int64> = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(there)
            builder.appendIn("AND id", chunk.map { .int($0) })
            result.formUnion(try session.query(builder) { $0.int(0) })
        }
        return result
    }

    /// What people on pages and imports changed of lines is written to the products that they are. Whoever asked is told.
    func follow(_ event: CustomersChanged, _ store: ProductStore, _ tenant: Tenant, _ session: any SQLSession) throws {
        guard event.program != Inventory.name, event.kind == .updated, let told = event.lines else { return }
        let known = try Self.rows(told.changed + told.moved, session)
        guard !known.isEmpty else { return }
        let system = Masking.lifted(.system(tenant: tenant.name, "orders"))
        let context = TMFContext(tenant: tenant, principal: system, now: tenant.clock.now())
        let shown = ProductLine(tenant)
        let documents = try store.rows.documents(known.sorted(), system, session)
        let lines = Dictionary(
            try lines.lines(known.sorted(), session).map { ($0.id.rawValue, $0) }, uniquingKeysWith: { first, _ in first })
        for (id, old) in documents {
            guard let line = lines[id] else { continue }
            let new = shown.follows(old, line)
            guard new != old else { continue }
            try store.rows.change(id, from: old, to: new, context, session)
            let attributes = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
            let isMore = attributes.contains { $0 != Inventory.states.attribute }
            let isMoved = attributes.contains(Inventory.states.attribute)
            try tenant.outbox.append(
                TMFChanged(
                    api: Inventory.api.number, resource: Inventory.name, id: id,
                    kinds: (isMore ? [.changed] : []) + (isMoved ? [.stateChanged] : []), attributes: attributes.sorted()), session)
        }
    }

    /// What is told of lines that no row of a product says more of; those that have one are told of when it follows.
    static func news(_ event: CustomersChanged, _ session: any SQLSession) throws -> [TMFChanged] {
        guard event.program != Inventory.name, let lines = event.lines else { return [] }
        let known = try rows(lines.changed + lines.moved, session)
        func told(_ ids: [Int64], _ kinds: [TMFChanged.Kind]) -> [TMFChanged] {
            ids.filter { !known.contains($0) }.map {
                TMFChanged(api: Inventory.api.number, resource: Inventory.name, id: $0, kinds: kinds, attributes: [])
            }
        }
        return told(lines.created, [.created]) + told(lines.changed, [.changed]) + told(lines.moved, [.changed, .stateChanged])
            + told(lines.removed, [.removed])
    }
}
