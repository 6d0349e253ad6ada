import Kernel
import Platform
import Storage

/// Orders in the timeline of the customer page, at the time they were placed.
struct OrderTimeline: TimelineSource {
    let catalog: any CatalogReading

    var kind: TimelineKind { TimelineKind("order", Words(en: "Orders", zh: "订单"), icon: "bill") }

    func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]> {
        guard !customers.isEmpty, limit > 0, principal.may(OrdersPermissions.viewOrders) else { return Asked { [] } }
        var builder = SQLBuilder(OrdersPanel.orders)
        builder.appendIn("AND o.customer_id", customers.prefix(Limits.sqlListChunk).map { .id($0) })
        if let place {
            // `7311-88`: the customer and the order.
            let parts = (place.key ?? "").split(separator: "-").compactMap { Int64($0) }
            if parts.count == 2 {
                builder.append(
                    "AND (o.ordered_at, o.customer_id, o.id) < (?, ?, ?)", .time(place.at), .int(parts[0]), .int(parts[1]))
            } else {
                builder.append("AND o.ordered_at < ?", .time(place.at))
            }
        }
        builder.append("ORDER BY o.ordered_at DESC, o.customer_id DESC, o.id DESC LIMIT ?", .int(limit))
        return try session.asking(builder) { OrdersPanel.OrderLine($0) }.map { lines in
            guard let newest = lines.first else { return [] }
            return try OrdersPanel.OrderLine.named(lines, catalog, at: newest.orderedAt, session).map(Self.entry)
        }
    }

    private static func entry(_ line: OrdersPanel.OrderLine) -> TimelineEntry {
        let state = line.state?.words ?? Words(en: line.code, zh: line.code)
        let more = line.items > 1 ? " +\(line.items - 1)" : ""
        let subject = line.subject.map { " " + $0 } ?? ""
        let isWrong = line.state == .failed || line.state == .partial
        return TimelineEntry(
            customer: line.customer, at: line.orderedAt, key: "\(line.customer)-\(line.id)",
            tone: isWrong ? "bad" : line.state == .completed ? "ok" : "",
            title: Words(en: "Order: \(line.what.en)\(subject)\(more)", zh: "订单：\(line.what.zh)\(subject)\(more)"),
            note: Words(en: "\(line.number) · \(state.en)", zh: "\(line.number) · \(state.zh)"))
    }
}
