import Kernel
import Web

/// The catalogue, orders and products.
extension Samples {
    static let period: JSONValue = ["startDateTime": "2026-01-01T00:00:00+08:00", "endDateTime": "2036-01-01T00:00:00Z"]

    static let trade: [Sample] = [
        Sample("promotion", change: ["description": "other", "promotionType": "Award"]) { world, context in
            context.number += 1
            return [
                "name": "Spring \(context.number)", "description": "d", "promotionType": "Discount", "lifecycleStatus": "Active", "validFor": period,
                "attachment": [["url": "https://example.com/a.png", "mimeType": "image/png"]],
                "pattern": [
                    [
                        "id": "1", "name": "n", "description": "d", "priority": 1, "criteriaGroupLogicalRelationship": "AND",
                        "criteriaGroup": [["id": "g", "groupName": "n", "criteria": [["criteriaOperator": "=", "criteriaParameter": "p", "criteriaValue": "v"]]]],
                        "action": [["id": "a", "actionType": "discount", "actionValue": "10", "actionEntityRef": ["id": "5", "href": "x"]]],
                    ]
                ],
            ]
        },
        Sample("quote", change: ["description": "other", "note": [["id": "9", "text": "only"]]], illegal: "accepted") { world, context in
            context.number += 1
            return [
                "externalId": "Q-\(context.number)", "category": "B2B", "description": "d", "version": "1", "instantSyncQuote": false,
                "requestedQuoteCompletionDate": "2026-01-01T00:00:00+08:00", "expectedFulfillmentStartDate": "2026-02-01T00:00:00Z",
                "relatedParty": [party(world)], "note": notes,
                "authorization": [["name": "a", "state": "granted", "givenDate": "2026-01-01T00:00:00+08:00"]],
                "quoteItem": [
                    [
                        "id": "1", "action": "add", "state": "inProgress", "quantity": 2, "product": ["id": "p", "name": "Line"],
                        "productOffering": ["id": "o\(context.number)", "name": "Fibre", "href": "x"],
                        "quoteItemPrice": [
                            ["name": "m", "priceType": "recurring", "recurringChargePeriod": "month", "price": ["taxIncludedAmount": ["unit": "EUR", "value": 9.99], "taxRate": 19]]
                        ],
                    ], ["id": "2"],
                ],
            ]
        },
        Sample("agreementSpecification", change: ["description": "other", "attachment": [["name": "only", "url": "https://example.com/b.pdf"]]]) { world, context in
            context.number += 1
            return [
                "name": "Terms \(context.number)", "description": "d", "version": "1", "lifecycleStatus": "active", "isBundle": false, "validFor": period,
                "attachment": [["name": "terms", "url": "https://example.com/a.pdf", "mimeType": "application/pdf", "validFor": period]],
                "serviceCategory": ["id": "c\(context.number)", "name": "n", "href": "x"],
                "specificationCharacteristic": [["name": "term", "valueType": "number", "specCharacteristicValue": [["value": 24, "default": true]]]],
            ]
        },
        Sample("agreement", change: ["description": "other", "agreementItem": [["termOrCondition": [["id": "only"]]]]]) { world, context in
            context.number += 1
            return [
                "name": "Frame \(context.number)", "agreementType": "commercial", "description": "d", "status": "approved", "version": "1",
                "documentNumber": .int(Int64(context.number)), "initialDate": "2026-01-01T00:00:00+08:00", "statementOfIntent": "s", "agreementPeriod": period,
                "completionDate": period, "agreementSpecification": ["id": "as\(context.number)", "name": "n", "href": "x"],
                "engagedParty": [
                    ["id": .string(world.customers[0].description), "role": "customer", "name": "Li", "@referredType": "Customer", "href": "x"]
                ],
                "agreementItem": [
                    [
                        "product": [["id": "p", "name": "n", "href": "x"]], "productOffering": [["id": "o", "href": "x"]],
                        "termOrCondition": [["id": "t", "description": "24 months", "validFor": period]],
                    ], ["x-own": 1],
                ], "characteristic": [["name": "c\(context.number)", "value": 5], ["name": "d", "value": "v"]],
                "agreementAuthorization": [["state": "s", "date": "2026-01-01T00:00:00Z"]],
            ]
        },
        Sample("catalog", change: ["description": "other", "category": [["id": "9", "name": "only"]]], illegal: "Obsolete") { world, context in
            context.number += 1
            return [
                "name": "Retail \(context.number)", "description": "d", "catalogType": "Product Catalog", "version": "1.0", "lifecycleStatus": "Active",
                "category": [["id": "c\(context.number)", "name": "Fixed", "href": "x", "version": "1"], ["id": "c0"]], "validFor": period,
                "relatedParty": [["id": "org", "role": "owner", "name": "Acme", "@referredType": "Organization"]],
            ]
        },
        Sample("category", change: ["description": "other", "subCategory": [["id": "9"]]], illegal: "Obsolete") { world, context in
            context.number += 1
            return [
                "name": "Fixed \(context.number)", "description": "d", "version": "1.0", "lifecycleStatus": "Launched", "isRoot": false,
                "parentId": "root-\(context.number)", "validFor": period, "subCategory": [["id": "s\(context.number)", "name": "n", "href": "x"], ["id": "s0"]],
                "productOffering": [["id": "o\(context.number)", "name": "n", "@referredType": "ProductOffering"], ["id": "o0"]],
            ]
        },
        Sample(
            "productSpecification", change: ["brand": "other", "productSpecCharacteristic": [["name": "only", "configurable": true]]], illegal: "Obsolete"
        ) { world, context in
            context.number += 1
            return [
                "name": "Line \(context.number)", "description": "d", "version": "2.1", "lifecycleStatus": "In design", "brand": "Acme", "isBundle": false,
                "productNumber": "PN-\(context.number)", "validFor": period,
                "relatedParty": [["id": "org", "role": "owner", "name": "Acme", "@referredType": "Organization", "href": "x"]],
                "productSpecCharacteristic": [
                    [
                        "id": "1", "name": "speed", "description": "d", "valueType": "number", "configurable": true, "minCardinality": 1, "maxCardinality": 1,
                        "isUnique": true, "regex": "[0-9]+", "extensible": false,
                        "productSpecCharacteristicValue": [
                            ["value": 100, "isDefault": true, "unitOfMeasure": "Mbit/s", "validFor": period], ["value": "500", "valueFrom": 1, "valueTo": 9],
                        ],
                    ], ["name": "colour", "x-own": ["a": 1]],
                ],
                "productSpecificationRelationship": [["id": "p\(context.number)", "relationshipType": "migration", "name": "n"], ["id": "p0"]],
                "bundledProductSpecification": [["id": "b\(context.number)", "name": "Router", "lifecycleStatus": "Active"]],
                "attachment": [["name": "sheet", "url": "https://example.com/a.pdf", "mimeType": "application/pdf"]],
            ]
        },
        Sample("productOfferingPrice", change: ["price": ["unit": "EUR", "value": 12]], illegal: "Obsolete") { world, context in
            context.number += 1
            return [
                "name": "Monthly \(context.number)", "description": "d", "version": "1", "lifecycleStatus": "Active", "priceType": "recurring",
                "isBundle": false, "price": ["unit": "EUR", "value": 29.95], "percentage": 0.5, "recurringChargePeriodType": "month",
                "recurringChargePeriodLength": 1, "unitOfMeasure": ["amount": 1, "units": "line"], "validFor": period,
                "tax": [["taxCategory": "VAT", "taxRate": 19, "taxAmount": ["unit": "EUR", "value": 4.789]], ["taxCategory": "other"]],
                "bundledPopRelationship": [["id": "b\(context.number)", "name": "n"]], "popRelationship": [["id": "r\(context.number)", "relationshipType": "discount"]],
            ]
        },
        Sample(
            "productOffering", change: ["statusReason": "other", "channel": [["id": "only", "name": "Shop"]]], illegal: "Obsolete"
        ) { world, context in
            context.number += 1
            return [
                "name": "Fibre \(context.number)", "description": "d", "version": "1.0", "lifecycleStatus": "Launched", "statusReason": "r", "isBundle": false,
                "isSellable": true, "validFor": period, "productSpecification": ["id": "s\(context.number)", "name": "Line", "version": "1", "href": "x"],
                "category": [["id": "c\(context.number)", "name": "Fixed", "@referredType": "Category"], ["id": "c0"]],
                "productOfferingPrice": [["id": "p\(context.number)", "name": "Monthly", "href": "x"], ["id": "p0"]],
                "bundledProductOffering": [
                    ["id": "b\(context.number)", "name": "TV", "bundledProductOfferingOption": ["numberRelOfferLowerLimit": 0, "numberRelOfferUpperLimit": 2]]
                ],
                "productOfferingRelationship": [["id": "r\(context.number)", "relationshipType": "requires"]], "channel": [["id": "web\(context.number)"], ["id": "shop"]],
                "marketSegment": [["id": "m\(context.number)", "name": "Home"]], "place": [["id": "pl\(context.number)", "name": "Berlin"]],
                "productOfferingTerm": [["name": "24 months", "duration": ["amount": 24, "units": "month"], "validFor": period]],
                "attachment": [["url": "https://example.com/a.png", "mimeType": "image/png"]],
            ]
        },
        Sample("productOrder", change: ["description": "other", "note": [["id": "9", "text": "only"]]], illegal: "completed") { world, context in
            let offering = try context.id(of: "productOffering", world)
            context.number += 1
            return [
                "externalId": "O-\(context.number)", "category": "B2C", "description": "d", "priority": "1", "requestedStartDate": "2026-01-01T00:00:00Z",
                "requestedCompletionDate": "2026-02-01T00:00:00+08:00", "notificationContact": "li@example.com",
                "billingAccount": ["id": "BA\(context.number)", "name": "b", "href": "x"], "relatedParty": [party(world)], "note": notes,
                "channel": [["id": "ch\(context.number)", "name": "Web", "role": "r"]], "quote": [["id": "q\(context.number)", "name": "n", "href": "x"]],
                "payment": [["id": "pay"]],
                "productOrderItem": [
                    [
                        "id": "1", "action": "add", "state": "acknowledged", "quantity": 1, "productOffering": ["id": .string(offering), "name": "Fibre", "href": "x"],
                        "product": [
                            "name": "My line",
                            "productCharacteristic": [["name": "MSISDN", "value": "8613800000001", "valueType": "string"], ["name": "speed", "value": 100, "x": 1]],
                        ], "itemTerm": [["name": "24 months"]],
                    ],
                    ["id": "2", "action": "add", "state": "acknowledged", "productOffering": ["id": .string(offering)]],
                ],
            ]
        },
        Sample("cancelProductOrder", change: [:]) { world, context in
            let order = try Contract.make("productOrder", world, &context)
            return [
                "productOrder": ["id": .string(order.id), "name": "n", "href": "x"], "cancellationReason": "moved away \(context.number)",
                "requestedCancellationDate": "2026-03-01T00:00:00+08:00",
            ]
        },
        Sample("product", change: ["name": "Other", "productCharacteristic": [["name": "only", "value": "v"]]], illegal: "created") { world, context in
            context.number += 1
            return [
                "status": "active", "name": "Line \(context.number)", "description": "d", "isBundle": false, "isCustomerVisible": true,
                "productSerialNumber": "SN-\(context.number)", "orderDate": "2026-01-01T00:00:00Z", "startDate": "2026-01-02T03:04:05+08:00",
                "productOffering": ["id": "o\(context.number)", "name": "Fibre", "href": "x"],
                "productSpecification": ["id": "s\(context.number)", "name": "Line", "version": "2"], "billingAccount": ["id": "BA\(context.number)", "name": "b"],
                "relatedParty": [party(world)],
                "productCharacteristic": [["name": .string(context.withoutLines ? "card" : "MSISDN"), "value": "86\(13_800_000_000 + context.number)"], ["name": "deep", "value": ["a": [1]], "x": 1]],
                "productPrice": [
                    [
                        "name": "m", "priceType": "recurring", "recurringChargePeriod": "month",
                        "price": ["taxIncludedAmount": ["unit": "EUR", "value": 9.99], "taxRate": 19], "productOfferingPrice": ["id": "p", "href": "x"],
                    ]
                ],
                "productRelationship": [["relationshipType": "reliesOn", "product": ["id": "rel\(context.number)", "name": "n"]]],
                "realizingResource": [["id": "r\(context.number)", "name": "number", "value": "86\(13_800_000_000 + context.number)", "href": "x"]],
                "realizingService": [["id": "sv\(context.number)", "name": "n", "href": "x"]],
                "productOrderItem": [["productOrderId": "po\(context.number)", "orderItemId": "1", "orderItemAction": "add", "role": "r", "productOrderHref": "x"]],
                "place": [["id": "pl", "role": "installed"]],
            ]
        },
    ]
}
