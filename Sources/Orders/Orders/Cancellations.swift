import Kernel
import Platform
import Storage
import TMF
import Web

/// Orders that somebody wants cancelled (TMF622 cancelProductOrder): a task that says what came of it.
enum Cancellations {
    static let name = "cancelProductOrder"

    static func resource(_ schema: TMFSchema, _ customers: any CustomerReading, orders: TMFResource) -> TMFResource {
        let store = CancellationStore(customers, orders)
        return TMFResource(
            ProductOrders.api, name, type: "CancelProductOrder", schema: schema, verbs: [.list, .read, .create],
            view: OrdersPermissions.viewOrders, edit: OrdersPermissions.editOrders,
            subjects: { id, document in
                [AuditSubject(kind: "cancellation", id: id)]
                    + (document["productOrder"]?["id"]?.string.flatMap { Int64($0) }.map { [AuditSubject(kind: "order", id: $0)] } ?? [])
            }, store: { _ in store })
    }
}

struct CancellationStore: OwnedStore {
    static let waiting: SQL = "SELECT id FROM orders_cancellation WHERE order_id = $1 AND state = 'inProgress'"
    static let settled: SQL = "UPDATE orders_cancellation SET state = $2, effective_at = $3 WHERE id = $1"
    static let forgetOrder: SQL = "DELETE FROM orders_cancellation WHERE order_id = $1"
    static let owner: SQL = "SELECT customer_id FROM orders_order WHERE id = $1"
    /// Names the customer inside of this store: the one of the order.
    private static let customer = " customer"

    let rows: TMFRows
    private let orders: TMFResource

    init(_ customers: any CustomerReading, _ orders: TMFResource) {
        self.orders = orders
        rows = TMFRows(
            "orders_cancellation",
            [
                TMFField("productOrder.id", "order_id", isIndexed: true), TMFField("state", "state", isIndexed: true),
                TMFField("cancellationReason", "reason", mask: .name),
                TMFField("requestedCancellationDate", "requested_at", .time),
                TMFField("effectiveCancellationDate", "effective_at", .time),
            ],
            owner: .init(customers, paths: [Self.customer], shown: nil),
            hidden: [.init("created_at") { _, _, context in .time(context.now) }])
    }

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    /// Calls off what nobody has begun; where work has begun, whoever does it is asked, and the order says how it ends.
    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let text = document["productOrder"]?["id"]?.string ?? ""
        let desk = TMFDesk(resource: orders, tenant: context.tenant)
        let whole = TMFContext(tenant: context.tenant, principal: Masking.lifted(context.principal), now: context.now)
        guard let id = Int64(text), String(id) == text, let order = try desk.find(id, whole.principal, session) else {
            throw CRMError.unknownReference("ProductOrder", text, at: "productOrder.id")
        }
        let state = order["state"]?.string ?? ""
        if OrderFlow.ended.contains(state) {
            throw OrderFlow.conflict(
                "order_closed",
                Words(en: "The order is “\(state)”: there is nothing left to cancel.", zh: "订单状态为“\(state)”，没有可取消的内容。"), field: "productOrder")
        }
        if try session.exists(Self.waiting, [.text(text)]) || ["assessingCancellation", "pendingCancellation"].contains(state) {
            throw OrderFlow.conflict(
                "being_cancelled", Words(en: "The order is being cancelled already.", zh: "订单正在取消中。"), field: "productOrder")
        }
        var isWaiting = false
        let items = OrderFlow.mapped((order[OrderFlow.items]?.array ?? []).compactMap(\.object)) { item in
            var item = item
            guard OrderFlow.inside(item).isEmpty else { return item }
            let state = OrderFlow.state(item)
            if OrderFlow.ended.contains(state) { return item }
            let hasBegun = OrderFlow.begun.contains(state)
            isWaiting = isWaiting || hasBegun
            item["state"] = .string(hasBegun ? "assessingCancellation" : "cancelled")
            return item
        }
        var patch: JSONObject = [OrderFlow.items: .array(OrderFlow.gathered(items).map { .object($0) })]
        patch["cancellationReason"] = document["cancellationReason"]
        _ = try desk.change(id, .merge(patch), seen: nil, whole, session)
        var document = document
        document["state"] = .string(isWaiting ? "inProgress" : "done")
        if !isWaiting { document["effectiveCancellationDate"] = .string(context.now.iso8601) }
        let customer = try session.first(Self.owner, [.int(id)]) { String($0.int(0)) }
        document[Self.customer] = customer.map { .string($0) }
        return try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {}

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try rows.remove(id, document, context, session)
    }

    // MARK: What came of it

    /// An order that waits for being cancelled has gone on.
    static func settle(order: Int64, is state: String, _ context: TMFContext, _ session: any SQLSession) throws {
        if ["assessingCancellation", "pendingCancellation"].contains(state) { return }
        let isCancelled = ["cancelled", "partial"].contains(state)
        for id in try session.query(waiting, [.text(String(order))], { $0.int(0) }) {
            try session.execute(
                settled, [.int(id), .text(isCancelled ? "done" : "terminatedWithError"), isCancelled ? .time(context.now) : .null])
            try context.tenant.outbox.append(
                TMFChanged(
                    api: ProductOrders.api.number, resource: Cancellations.name, id: id, kinds: [.stateChanged],
                    attributes: isCancelled ? ["effectiveCancellationDate", "state"] : ["state"]), session)
        }
    }

    static func remove(order: Int64, _ session: any SQLSession) throws {
        try session.execute(forgetOrder, [.text(String(order))])
    }
}
