import Kernel
import Web

/// A sample of each resource. A resource without one fails the coverage test.
enum Samples {
    static let all: [Sample] = desk + parties + bills + trade + privacy + channels + sales + insights + usage + accounts

    static func party(_ world: ContractWorld, role: String = "customer", at place: Int = 0) -> JSONValue {
        ["id": .string(world.customers[place].description), "role": .string(role), "@referredType": "Customer", "href": "http://other/1"]
    }

    static let notes: JSONValue = [
        ["id": "1", "author": "Wang", "date": "2026-01-02T03:04:05+08:00", "text": "first"], ["id": "2", "text": "第二"],
    ]
}

extension Samples {
    static let media: JSONValue = [
        ["mediumType": "mobile", "preferred": true, "characteristic": ["phoneNumber": "+86 138 1234 8000"]],
        ["mediumType": "email", "characteristic": ["emailAddress": "wang@example.com"]],
        ["mediumType": "postal", "characteristic": ["street1": "1 Long Street", "city": "Wuhan", "postCode": "430000", "country": "CN"], "x-own": 1],
    ]

    static let parties: [Sample] = [
        Sample("individual", change: ["maritalStatus": "married", "gender": "female", "contactMedium": [["mediumType": "email", "characteristic": ["emailAddress": "new@example.com"]]]]) { world, context in
            context.number += 1
            return [
                "familyName": "欧阳", "givenName": .string("娜\(context.number)"), "gender": "female", "birthDate": "1990-02-03T00:00:00+08:00", "title": "Dr",
                "contactMedium": media, "individualIdentification": [["identificationType": "passport", "identificationId": "E12345678", "issuingAuthority": "MPS"]],
                "languageAbility": [["languageCode": "zh", "isFavouriteLanguage": true]], "nationality": "CN",
                "relatedParty": [["id": "1", "role": "friend", "@referredType": "Individual", "href": "x"]],
            ]
        },
        Sample("organization", change: ["organizationType": "Bank", "isHeadOffice": false]) { world, context in
            context.number += 1
            return [
                "tradingName": .string("Long River \(context.number) Ltd"), "name": "Long River", "organizationType": "Retail", "isLegalEntity": true,
                "contactMedium": media, "organizationIdentification": [["identificationType": "business_licence", "identificationId": "91420100MA4K"]],
            ]
        },
        Sample(
            "customer", change: ["statusReason": "asked for it", "characteristic": [["name": "segment", "value": "gold"], ["name": "x-own", "value": 5]]],
            illegal: "won_back"
        ) { world, context in
            let made = try Contract.make("individual", world, &context)
            context.number += 1
            return [
                "name": .string("欧阳娜\(context.number)"), "engagedParty": ["id": .string(made.id), "@referredType": "Individual", "href": "x"],
                "validFor": ["startDateTime": "2020-05-06T00:00:00Z"], "contactMedium": media,
                "characteristic": [["name": "region", "value": "north"], ["name": "colour", "value": "blue"]],
                "relatedParty": [["id": "1", "role": "agent", "@referredType": "Individual", "href": "x"]],
            ]
        },
    ]

    /// Billing makes them: there is nothing to send.
    static let bills: [Sample] = [
        Sample("customerBill", change: ["x-checked": true], illegal: "validated") { _, _ in [:] },
        Sample("appliedCustomerBillingRate", change: [:]) { _, _ in [:] },
    ]

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
                "interactionDate": ["startDateTime": "2023-03-04T05:06:07+08:00", "endDateTime": "2023-03-04T05:16:07+08:00"],
                "channel": [["id": "phone-1", "name": "Phone", "href": "x", "role": "in"]], "relatedParty": [party(world)], "note": notes,
            ]
        },
    ] + appointments
}
