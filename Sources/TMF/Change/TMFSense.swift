import Kernel
import Web

/// What a document of the right kinds cannot mean: times that end before they begin, prices below nothing, relations to items that are not
/// there. For all resources; what only one domain knows to be nonsense is that domain's.
struct TMFSense {
    let schema: TMFSchema

    /// Attributes of one object, the second of which is not before the first.
    private static let periods = [
        ("startDateTime", "endDateTime"), ("startDate", "terminationDate"), ("startDate", "endDate"),
        ("requestedStartDate", "requestedCompletionDate"), ("birthDate", "deathDate"),
    ]
    /// Numbers and amounts that are never below zero, by the type they are of.
    private static let amounts: [String: Set<String>] = [
        "Price": ["dutyFreeAmount", "taxIncludedAmount", "taxRate"], "ProductPriceValue": ["dutyFreeAmount", "taxIncludedAmount"],
        "ProductOfferingPrice": ["price", "recurringChargePeriodLength"], "ProductOfferingPriceRefOrValue": ["recurringChargePeriodLength"],
        "Duration": ["amount"], "SalesLead": ["estimatedRevenue"],
    ]
    private static let anywhere: Set<String> = ["quantity", "creditLimit"]
    /// Prices of these types give something back, and are the ones below zero that mean something.
    private static let given = ["discount", "credit", "allowance", "refund", "rebate", "adjust", "promotion"]

    /// - Parameter old: what was there before: nobody has to mend what they do not touch.
    /// - Throws: 400 with every place.
    func check(_ document: JSONObject, from old: JSONObject = [:], of type: String) throws {
        var problems = TMFCheck.Problems()
        let reader = Reader(schema: schema, items: Self.items(document))
        let changed = document.filter { old[$0.key] != $0.value }
        // The two ends of a period are one.
        reader.periods(document, type, "", &problems) { changed[$0] != nil || changed[$1] != nil }
        reader.read(changed, type, "", isGiven: reader.isGiven(document), &problems)
        try problems.thrown()
    }

    /// The ids of the elements of each array of the document that has more of itself inside, by its name: `productOrderItem`.
    private static func items(_ document: JSONObject) -> [String: Set<String>] {
        func ids(_ name: String, _ items: [JSONValue]) -> Set<String> {
            items.reduce(into: []) { found, item in
                if let id = item["id"]?.string { found.insert(id) }
                if let inner = item[name]?.array { found.formUnion(ids(name, inner)) }
            }
        }
        return document.reduce(into: [:]) { result, one in
            if let items = one.value.array { result[one.key] = ids(one.key, items) }
        }
    }

    private struct Reader {
        let schema: TMFSchema
        let items: [String: Set<String>]

        func isGiven(_ object: JSONObject) -> Bool {
            let type = object["priceType"]?.string?.lowercased() ?? ""
            return TMFSense.given.contains { type.contains($0) }
        }

        func periods(
            _ object: JSONObject, _ type: String, _ place: String, _ problems: inout TMFCheck.Problems, _ isAsked: (String, String) -> Bool
        ) {
            guard let known = schema.types[type] else { return }
            func isTime(_ name: String) -> Bool { known[name]?.kind == .dateTime }
            for (first, last) in TMFSense.periods where isTime(first) && isTime(last) && isAsked(first, last) {
                guard let start = object[first]?.string.flatMap({ TMFTime($0) }), let end = object[last]?.string.flatMap({ TMFTime($0) }),
                    end.milliseconds < start.milliseconds
                else { continue }
                problems.add(
                    join(place, last), "wrong_period", Words(en: "is before “\(first)”: it ends before it begins", zh: "早于“\(first)”，结束时间不能早于开始时间"))
            }
        }

        func read(_ object: JSONObject, _ type: String, _ place: String, isGiven: Bool, _ problems: inout TMFCheck.Problems) {
            guard let known = schema.types[type] else { return }
            for (name, value) in object.sorted(by: { $0.key < $1.key }) {
                guard let attribute = known[name] else { continue }
                let here = join(place, name)
                if TMFSense.anywhere.contains(name) || TMFSense.amounts[type]?.contains(name) == true, !isGiven, isNegative(value) {
                    problems.add(here, "negative", Words(en: "cannot be below zero", zh: "不能为负数"))
                }
                guard case .object(let inner) = attribute.kind else { continue }
                let gives = isGiven || name.hasSuffix("Alteration")
                for (offset, element) in (value.array ?? [value]).enumerated() {
                    guard let fields = element.object else { continue }
                    let at = value.array == nil ? here : "\(here)[\(offset)]"
                    relation(fields, name, at, &problems)
                    periods(fields, inner, at, &problems) { _, _ in true }
                    read(fields, inner, at, isGiven: gives || self.isGiven(fields), &problems)
                }
            }
        }

        /// `productOrderItemRelationship` is to another `productOrderItem` of the same document.
        private func relation(_ fields: JSONObject, _ name: String, _ place: String, _ problems: inout TMFCheck.Problems) {
            guard name.hasSuffix("ItemRelationship"), let id = fields["id"]?.string,
                fields["href"]?.string?.contains("://") != true
            else { return }
            let array = String(name.dropLast("Relationship".count))
            guard let known = items[array], !known.contains(id) else { return }
            problems.add(
                place + ".id", "unknown_item",
                Words(en: "is “\(id.prefix(60))”, and there is no “\(array)” of this id", zh: "为“\(id.prefix(60))”，但不存在该 id 的“\(array)”"))
        }

        private func isNegative(_ value: JSONValue) -> Bool {
            (value.double ?? value["value"]?.double ?? 0) < 0
        }

        private func join(_ place: String, _ name: String) -> String { place.isEmpty ? name : place + "." + name }
    }
}
