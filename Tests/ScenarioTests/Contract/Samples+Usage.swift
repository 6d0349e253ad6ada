import Kernel
import Web

/// Usages, what they may be, and what is used of allowances.
extension Samples {
    static let usage: [Sample] = [
        Sample(
            "usage", change: ["description": "Corrected", "usageCharacteristic": [["name": "duration", "value": 90], ["name": "unit", "value": "SEC"]]],
            illegal: "billed"
        ) { world, context in
            context.number += 1
            return [
                "description": "Call \(context.number)", "usageDate": "2025-11-03T10:00:00+08:00", "usageType": "VOICE",
                "usageSpecification": ["id": "101", "name": "voice", "href": "x"], "relatedParty": [party(world)],
                "usageCharacteristic": [
                    ["name": "duration", "value": .int(60 + Int64(context.number)), "valueType": "number"], ["name": "unit", "value": "SEC"],
                    ["id": "c3", "name": "destinationNumber", "value": "+491701234567", "x-own": 1], ["name": "roaming", "value": false],
                ],
            ]
        },
        Sample("usageSpecification", change: ["description": "other", "specCharacteristic": [["name": "only"]]]) { world, context in
            context.number += 1
            return [
                "name": "Parking \(context.number)", "description": "d", "version": "2", "lifecycleStatus": "In test", "isBundle": false, "validFor": period,
                "relatedParty": [["id": "org", "role": "owner", "name": "Acme", "@referredType": "Organization"]],
                "attachment": [["name": "sheet", "url": "https://example.com/a.pdf"]],
                "specCharacteristic": [
                    ["name": "hours", "valueType": "number", "characteristicValueSpecification": [["unitOfMeasure": "h", "valueFrom": 0]]], ["name": "place"],
                ],
            ]
        },
        Sample("queryUsageConsumption", change: [:]) { world, context in
            context.number += 1
            return [
                "relatedParty": [party(world)], "partyAccount": [["id": "a\(context.number)", "name": "Home"]],
                "searchCriteria": ["name": "all", "relatedParty": [party(world)], "validPeriod": ["startDateTime": "2025-10-01T00:00:00+08:00"]],
            ]
        },
    ]
}
