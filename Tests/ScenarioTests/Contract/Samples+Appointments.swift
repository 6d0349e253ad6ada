import Kernel
import Synchronization
import Web

extension Samples {
    private static let visits = Mutex(0)

    /// An hour of a working day that no other sample of this process has: four fit into each, and a base sees many samples.
    private static func hour() -> JSONValue {
        let number = visits.withLock { number in
            number += 1
            return number % 4_000
        }
        // The clock of tests stands at a Monday, 2026-03-02.
        let start = LocalDate("2026-03-09")!.adding(days: number / 5 / 5 * 7 + number / 5 % 5)
        return [
            "startDateTime": "\(start)T\(9 + number % 3 < 10 ? "0" : "")\(9 + number % 3):00:00+08:00",
            "endDateTime": "\(start)T\(10 + number % 3):00:00.000+08:00",
        ]
    }

    static let appointments: [Sample] = [
        Sample(
            "appointment",
            change: ["description": "Ring twice", "status": "confirmed", "note": [["id": "9", "text": "only"]]],
            illegal: "completed"
        ) { world, context in
            context.number += 1
            return [
                "externalId": "V-\(context.number)", "category": "intervention",
                "description": "New router \(context.number)", "validFor": hour(),
                "relatedParty": [
                    party(world),
                    ["id": "tech-7", "role": "technician", "name": "Zhao", "@referredType": "Individual", "href": "x"],
                ],
                "relatedPlace": [
                    "id": "pl\(context.number)", "name": "1 Long Street", "role": "interventionAddress",
                    "@referredType": "GeographicAddress", "x-own": 1,
                ],
                "relatedEntity": [
                    ["id": "t\(context.number)", "role": "cause", "@referredType": "TroubleTicket", "href": "x"],
                    ["id": "o1", "role": "order", "@referredType": "ProductOrder"],
                ],
                "contactMedium": media, "note": notes,
                "calendarEvent": ["id": "ev\(context.number)", "name": "Visit", "href": "x"],
                "attachment": [
                    ["name": "plan", "url": "https://example.com/plan.png", "size": ["amount": 2, "units": "MB"]]
                ],
            ]
        },
        Sample(
            "searchTimeSlot",
            change: ["relatedEntity": [["id": "t9", "role": "cause", "@referredType": "TroubleTicket"]]]
        ) { world, context in
            context.number += 1
            return [
                "relatedParty": party(world),
                "relatedPlace": ["id": "pl\(context.number)", "name": "n", "role": "interventionAddress"],
                "requestedTimeSlot": [
                    [
                        "id": "1",
                        "validFor": [
                            "startDateTime": "2030-03-04T09:00:00+08:00",
                            "endDateTime": "2030-03-06T17:00:00.000+08:00",
                        ],
                    ],
                    [
                        "validFor": ["startDateTime": "2030-04-01T00:00:00Z", "endDateTime": "2030-04-02T00:00:00Z"],
                        "x-own": 1,
                    ],
                ],
            ]
        },
    ]
}
