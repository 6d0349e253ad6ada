import Kernel
import TMF
import Web

/// The life of an order and of its items (TMF622). Pure: documents in, documents out.
enum OrderFlow {
    static let items = "productOrderItem"

    /// How an order may go on. `partial` is what its items come to.
    static let states = TMFStates("state", first: "acknowledged", next: steps(more: ["partial"]))
    /// The same of an item.
    static let itemStates = TMFStates("productOrderItem.state", first: "acknowledged", next: steps(more: []))

    private static func steps(more: [String]) -> [String: [String]] {
        [
            "acknowledged": ["inProgress", "pending", "held", "rejected", "cancelled", "assessingCancellation"],
            "inProgress": ["pending", "held", "completed", "failed"] + more + ["assessingCancellation"],
            "pending": ["inProgress", "held", "failed", "cancelled", "assessingCancellation"],
            "held": ["inProgress", "pending", "failed", "cancelled", "assessingCancellation"],
            "assessingCancellation": ["pendingCancellation", "inProgress", "pending", "held"],
            "pendingCancellation": ["cancelled"],
        ]
    }

    static let ended: Set<String> = ["rejected", "cancelled", "completed", "failed", "partial"]
    /// Somebody works on it, so it cannot just be called off.
    static let begun: Set<String> = ["inProgress", "assessingCancellation", "pendingCancellation"]

    static func state(_ item: JSONObject) -> String { item["state"]?.string ?? itemStates.first }

    static func inside(_ item: JSONObject) -> [JSONObject] {
        (item[items]?.array ?? []).compactMap(\.object)
    }

    /// All items, outer ones before those in them.
    static func all(_ list: [JSONObject]) -> [JSONObject] { list.flatMap { [$0] + all(inside($0)) } }

    /// Where an item stands: `productOrderItem[0].productOrderItem[2]`.
    static func place(of id: String, in list: [JSONObject], under outer: String = "") -> String? {
        for (number, item) in list.enumerated() {
            let here = "\(outer)\(items)[\(number)]"
            if item["id"]?.string ?? "" == id { return here }
            if let found = place(of: id, in: inside(item), under: here + ".") { return found }
        }
        return nil
    }

    /// Every item changed, inner ones first.
    static func mapped(_ list: [JSONObject], _ change: (JSONObject) throws -> JSONObject) rethrows -> [JSONObject] {
        try list.map { item in
            var item = item
            let inner = inside(item)
            if !inner.isEmpty { item[items] = .array(try mapped(inner, change).map { .object($0) }) }
            return try change(item)
        }
    }

    /// What states of items come to together.
    static func together(_ states: [String], isOrder: Bool) -> String {
        let open = states.filter { !ended.contains($0) }
        guard open.isEmpty else {
            for state in ["inProgress", "assessingCancellation", "pendingCancellation", "held", "pending"] where open.contains(state) {
                return state
            }
            return open.count == states.count ? "acknowledged" : "inProgress"
        }
        let kinds = Set(states)
        if kinds.count == 1, let one = kinds.first { return one }
        if kinds.contains("completed") { return isOrder ? "partial" : "failed" }
        return kinds.contains("failed") ? "failed" : "cancelled"
    }

    /// Brings what is still open to a state.
    /// - Throws: 409 for an item that cannot go there, naming it.
    static func led(_ list: [JSONObject], to target: String) throws -> [JSONObject] {
        try mapped(list) { item in
            var item = item
            let state = state(item)
            guard inside(item).isEmpty else { return item }
            if state == target || ended.contains(state) { return item }
            try step(item, from: state, to: target)
            item["state"] = .string(target)
            return item
        }
    }

    /// - Throws: 409 naming the item and what may follow.
    static func step(_ item: JSONObject, from old: String?, to new: String) throws {
        do { try itemStates.check(from: old, to: new) } catch let error as CRMError {
            let id = item["id"]?.string ?? ""
            throw CRMError(
                error.code, status: error.status,
                Words(en: "Item “\(id)”: \(error.message.en)", zh: "订单项“\(id)”：\(error.message.zh)"), fields: error.fields)
        }
    }

    /// Items that hold others get the state of those.
    static func gathered(_ list: [JSONObject]) -> [JSONObject] {
        mapped(list) { item in
            var item = item
            let inner = inside(item)
            if !inner.isEmpty { item["state"] = .string(together(inner.map(state), isOrder: false)) }
            return item
        }
    }
}

extension OrderFlow {
    static func conflict(_ code: String, _ words: Words, field: String = items) -> CRMError {
        CRMError(code, status: 409, words, fields: [.init(field: field, code: code, message: words)])
    }

    static func bad(_ code: String, _ field: String, _ words: Words) -> CRMError {
        CRMError(code, status: 400, words, fields: [.init(field: field, code: code, message: words)])
    }

    static func ended(product: String, _ status: String, _ item: JSONObject) -> CRMError {
        let id = item["id"]?.string ?? ""
        return conflict(
            "product_ended",
            Words(en: "Item “\(id)”: product “\(product)” is “\(status)”.", zh: "订单项“\(id)”：产品“\(product)”已为“\(status)”。"),
            field: "productOrderItem.product.id")
    }

    /// The items after a change of the order, in the states that its client led them to.
    /// - Returns: the items and the state that they come to.
    static func changed(from old: JSONObject, to new: JSONObject) throws -> (items: [JSONObject], state: String) {
        let before = old["state"]?.string ?? states.first
        let target = new["state"]?.string ?? before
        let oldItems = (old[items]?.array ?? []).compactMap(\.object)
        var list = (new[items]?.array ?? []).compactMap(\.object)
        if old[items] != new[items] {
            if ended.contains(before) {
                throw conflict(
                    "order_closed", Words(en: "The order is “\(before)”: its items do not change any more.", zh: "订单状态为“\(before)”，订单项不能再修改。"))
            }
            try checkUnique(list)
            list = try compared(list, with: oldItems, isFree: before == states.first)
        }
        if target != before { list = try led(list, to: target) }
        list = gathered(list)
        let state = together(list.map(Self.state), isOrder: true)
        guard target == before || state == target || state == "partial" else {
            throw conflict(
                "items_differ",
                Words(en: "“state” cannot become “\(target)”: the items come to “\(state)”.", zh: "“state”不能变为“\(target)”：各订单项的结果为“\(state)”。"),
                field: "state")
        }
        return (list, state)
    }

    /// Every item has a name of its own within its order: by it the states are told apart.
    static func checkUnique(_ list: [JSONObject]) throws {
        var seen: Set<String> = []
        for item in all(list) {
            let id = item["id"]?.string ?? ""
            guard seen.insert(id).inserted else {
                throw bad("duplicate_item", items, Words(en: "Two items have the id “\(id)”.", zh: "有两个订单项的 id 均为“\(id)”。"))
            }
        }
    }

    /// - Parameter isFree: nobody has begun, so items may come and go.
    private static func compared(_ list: [JSONObject], with old: [JSONObject], isFree: Bool) throws -> [JSONObject] {
        let known = Dictionary(all(old).map { ($0["id"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        let ids = Set(all(list).map { $0["id"]?.string ?? "" })
        let moved = Set(known.keys).symmetricDifference(ids).sorted()
        if !isFree, let one = moved.first {
            throw conflict(
                "order_begun",
                Words(
                    en: "Work on the order has begun: item “\(one)” can neither be added nor left out. Cancel it instead.",
                    zh: "订单已开始处理，不能增删订单项“\(one)”。请改为取消该项。"))
        }
        return try mapped(list) { item in
            var item = item
            let id = item["id"]?.string ?? ""
            guard let before = known[id] else {
                try step(item, from: nil, to: state(item))
                item["state"] = .string(state(item))
                return item
            }
            let was = state(before)
            // An array that was sent anew without its states means no change of them.
            let wanted = item["state"]?.string ?? was
            item["state"] = .string(wanted)
            if ended.contains(was), item != before, inside(item).isEmpty {
                throw conflict(
                    "item_closed", Words(en: "Item “\(id)” is “\(was)” and does not change any more.", zh: "订单项“\(id)”已为“\(was)”，不能再修改。"))
            }
            if !isFree {
                // Of an array that was sent anew: what the items are about is what people work on.
                let fixed = ["action", "productOffering", "quantity"].first { item[$0] != before[$0] }
                    ?? (item["product"]?["id"] != before["product"]?["id"] ? "product.id" : nil)
                if let name = fixed {
                    throw conflict(
                        "order_begun",
                        Words(
                            en: "Work on the order has begun: “\(name)” of item “\(id)” cannot change.",
                            zh: "订单已开始处理，订单项“\(id)”的“\(name)”不能修改。"))
                }
            }
            if wanted != was {
                try step(item, from: was, to: wanted)
                let inner = inside(item)
                if !inner.isEmpty { item[items] = .array(try led(inner, to: wanted).map { .object($0) }) }
            }
            return item
        }
    }
}
