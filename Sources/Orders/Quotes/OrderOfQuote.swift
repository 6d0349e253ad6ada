import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

extension OrderStore {
    /// What was quoted to the customer, of the quotes of ours that an order names. Such a quote must have been accepted, by the same
    /// customer, and is ordered once.
    func quoted(
        _ document: JSONObject, _ customer: CustomerID, _ context: TMFContext, _ session: any SQLSession
    ) throws -> [JSONObject] {
        var items: [JSONObject] = []
        for quote in document["quote"]?.array ?? [] {
            let text = quote["id"]?.string ?? ""
            guard let id = Int64(text), String(id) == text,
                let found = try session.first(QuoteStore.owner, [.int(id)], { ($0.id(0, PartyKind.self), $0.text(1)) })
            else { continue }
            guard found.0 == customer else {
                throw OrderFlow.conflict(
                    "other_customer", Words(en: "Quote “\(text)” was made for another customer.", zh: "报价“\(text)”属于其他客户。"), field: "quote")
            }
            guard found.1 == "accepted" else {
                throw OrderFlow.conflict(
                    "quote_not_accepted",
                    Words(en: "Quote “\(text)” is “\(found.1)”: only an accepted one can be ordered.", zh: "报价“\(text)”状态为“\(found.1)”，只有已接受的报价才能下单。"),
                    field: "quote")
            }
            if let order = try session.first(QuoteStore.ordered, [.text(text)], { $0.int(0) }) {
                throw OrderFlow.conflict(
                    "quote_ordered", Words(en: "Quote “\(text)” was ordered already: order \(order).", zh: "报价“\(text)”已下单：订单 \(order)。"), field: "quote")
            }
            let whole = try TMFDesk(resource: quotes, tenant: context.tenant).find(id, Masking.lifted(context.principal), session)
            items += (whole?[Quotes.items]?.array ?? []).compactMap(\.object)
        }
        return items
    }

    /// The price that was quoted for an item: of the item that it names, or of the same id, when both are the same offering.
    static func price(_ item: JSONObject, _ quoted: [JSONObject]) -> JSONValue? {
        let id = item["quoteItem"]?["id"] ?? item["id"]
        let offering = Fulfilment.offering(item)?["id"]
        return quoted.first { $0["id"] == id && $0["productOffering"]?["id"] == offering }?["quoteItemPrice"]
    }
}
