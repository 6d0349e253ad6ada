import Kernel
import Web

extension Samples {
    static let privacy: [Sample] = [
        Sample("partyPrivacyProfileSpecification", change: ["description": "Shorter", "productOffering": [["id": "o9"]]], illegal: "retired") { _, context in
            context.number += 1
            return [
                "name": .string("Home customers \(context.number)"), "description": "What we ask", "version": "2", "lastUpdate": "2026-01-01T08:00:00+08:00",
                "validFor": ["startDateTime": "2026-01-01T00:00:00Z"], "productOffering": [["id": "o1", "name": "Fibre"], ["id": "o2"]],
                "relatedParty": [["id": "dpo", "role": "owner", "name": "Eve", "@referredType": "Individual"]], "applicableRole": [["name": "Shop agent"]],
                "partyPrivacyProfileSpecCharacteristic": [
                    [
                        "id": "1", "name": "sms", "privacyUsagePurpose": "MARKETING", "privacyType": "Internal Purpose", "criticalityLevel": "low",
                        "partyPrivacyProfileSpecCharacteristicValue": [["value": "true", "isDefault": false, "valueType": "boolean"], ["value": "false"]],
                    ], ["name": "location", "privacyUsagePurpose": "PROFILING"],
                ],
            ]
        },
        Sample(
            "partyPrivacyProfile",
            change: ["description": "Said again", "partyPrivacyProfileCharacteristic": [["name": "email", "privacyUsagePurpose": "MARKETING", "value": "false"]]],
            illegal: "suspended"
        ) { world, context in
            context.number += 1
            return [
                "name": "Consents", "description": .string("At the shop \(context.number)"), "agreedByParty": party(world),
                "applicableForParty": party(world, role: "child", at: 1), "agreement": ["id": "a1", "name": "A"],
                "partyPrivacyProfileSpecification": ["id": .string("s\(context.number)"), "name": "S"], "collectionChannel": "shop", "noticeVersion": "4",
                "creationDate": "2026-01-05T00:00:00Z", "validFor": ["startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2036-01-01T00:00:00Z"],
                "partyPrivacyProfileCharacteristic": [
                    ["id": "1", "name": "sms", "privacyUsagePurpose": "MARKETING", "valueType": "boolean", "value": "true"],
                    ["name": "location", "privacyUsagePurpose": "PROFILING", "value": "no", "relatedParty": [["id": "p", "@referredType": "Individual"]]],
                ],
            ]
        },
        Sample("partyPrivacyAgreement", change: ["description": "Signed", "agreementAuthorization": [["state": "approved"]]], illegal: "validated") { world, context in
            context.number += 1
            return [
                "name": "Terms", "agreementType": "privacy", "documentNumber": .int(Int64(context.number)), "initialDate": "2026-01-01T00:00:00Z", "version": "1",
                "statementOfIntent": "why", "agreementPeriod": ["startDateTime": "2026-01-01T00:00:00+08:00"], "completionDate": ["startDateTime": "2026-02-01T00:00:00Z"],
                "agreementSpecification": ["id": "t1", "name": "T"], "engagedParty": [party(world), ["id": "op", "role": "operator", "@referredType": "Organization"]],
                "partyPrivacyProfile": [["id": "p1", "name": "P"]],
                "agreementAuthorization": [["date": "2026-01-01T00:00:00Z", "signatureRepresentation": "digital", "state": "open"]],
                "agreementItem": [["id": "1", "termOrCondition": [["id": "t", "description": "d"]], "product": [["id": "x"]]], ["id": "2"]],
                "characteristic": [["name": "n", "value": "v"]],
            ]
        },
    ]

    static let channels: [Sample] = [
        Sample(
            "communicationMessage", change: ["content": "Another text", "subject": "Reminder"], illegal: "completed"
        ) { world, context in
            context.number += 1
            return [
                "messageType": "SMS", "subject": "Bill", "content": .string("Dear customer \(context.number)"), "description": "d", "priority": "1", "logFlag": true,
                "tryTimes": 3, "scheduledSendTime": "2099-01-01T08:00:00+08:00",
                "sender": ["id": "op", "name": "Op", "phoneNumber": "10086", "party": ["id": "p", "@referredType": "Organization"]],
                "receiver": [
                    ["id": "r1", "name": "Ann", "phoneNumber": "+8613900000001", "ip": "10.0.0.1", "party": party(world)],
                    ["phoneNumber": "+8613900000002", "appUserId": "u"],
                ], "characteristic": [["id": "1", "name": "lang", "valueType": "string", "value": "zh"], ["name": "purpose", "value": "service"]],
                "attachment": [["id": "a", "name": "bill.pdf", "mimeType": "application/pdf", "url": "https://x/y", "size": ["amount": 1, "units": "MB"]]],
            ]
        }
    ]

    static let sales: [Sample] = [
        Sample("salesLead", change: ["rating": "cold", "note": [["id": "9", "text": "only"]]], illegal: "accepted") { world, context in
            context.number += 1
            return [
                "name": .string("Fibre for the mill \(context.number)"), "description": "Asked at the fair", "type": "fair", "priority": "high", "rating": "hot",
                "referredDate": "2026-01-02T03:04:05+08:00",
                "validFor": ["startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2036-06-01T00:00:00Z"],
                "estimatedRevenue": ["unit": "EUR", "value": 1234.5], "category": ["id": "c1", "name": "fibre"], "channel": ["id": "fair", "name": "Fair"],
                "marketSegment": ["id": "m1"], "marketingCampaign": ["id": "k1", "name": "Spring"], "product": ["id": "p1"],
                "productOffering": ["id": "o1", "name": "Fibre 1000", "@referredType": "ProductOffering"], "productSpecification": ["id": "s1", "version": "2"],
                "salesOpportunity": ["id": "x1"], "note": notes,
                "relatedParty": [party(world), ["id": "e9", "role": "seller", "name": "Eve", "@referredType": "Individual"]],
                "prospectContact": [
                    ["mediumType": "phone", "preferred": true, "characteristic": ["contactType": "work", "phoneNumber": "+86139"]],
                    ["mediumType": "email", "characteristic": ["emailAddress": "a@b.cn", "city": "Xi'an"]],
                ],
            ]
        }
    ]

    static let insights: [Sample] = [
        Sample("queryProductRecommendation", change: [:]) { world, context in
            context.number += 1
            return [
                "name": .string("Before the call \(context.number)"), "description": "d", "recommendationType": "retention", "instantSyncRecommendation": true,
                "relatedParty": party(world), "category": [["id": "c1", "name": "fibre"], ["id": "c2"]], "channel": [["id": "hotline"]],
                "place": ["id": "p1", "role": "home"], "shoppingCart": [["id": "k1"]],
            ]
        }
    ]
}
