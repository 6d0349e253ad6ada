import Kernel
import Web

/// A sample of each resource. A resource without one fails the coverage test.
enum Samples {
    static let all: [Sample] = desk + privacy + channels + sales + insights

    static func party(_ world: ContractWorld, role: String = "customer", at place: Int = 0) -> JSONValue {
        ["id": .string(world.customers[place].description), "role": .string(role), "@referredType": "Customer", "href": "http://other/1"]
    }

    static let notes: JSONValue = [
        ["id": "1", "author": "Wang", "date": "2026-01-02T03:04:05+08:00", "text": "first"], ["id": "2", "text": "第二"],
    ]
}

extension Samples {
    static let desk: [Sample] = [
        Sample("troubleTicket", change: ["severity": "Critical", "note": [["id": "9", "text": "only"]]], illegal: "closed") { world, context in
            context.number += 1
            return [
                "name": "No signal", "description": "No signal in the cellar \(context.number)", "ticketType": "fault", "severity": "Major",
                "priority": "High", "externalId": .string("EXT-\(context.number)"), "requestedResolutionDate": "2027-01-01",
                "relatedParty": [party(world), ["id": "EMP-7", "role": "reporter", "@referredType": "Individual", "href": "x"]], "note": notes,
                "relatedEntity": [["id": "line-\(context.number)", "role": "affected", "@referredType": "Product", "href": "x"]],
                "channel": ["id": "7", "name": "Hotline"],
            ]
        },
        Sample("partyInteraction", change: ["description": "More was said", "note": [["id": "9", "text": "only"]]]) { world, context in
            context.number += 1
            return [
                "description": "Asked for the bill", "reason": "bill", "direction": "inbound", "status": "completed",
                "interactionDate": ["startDateTime": "2026-03-04T05:06:07+08:00", "endDateTime": "2026-03-04T05:16:07+08:00"],
                "channel": [["id": "phone-1", "name": "Phone", "href": "x", "role": "in"]], "relatedParty": [party(world)], "note": notes,
            ]
        },
    ]
}
