import Foundation
import Kernel
import TMF
import Web

/// Accounts and party roles.
extension Samples {
    /// TMF666 wants a name of everybody who is named.
    private static func named(_ world: ContractWorld, _ role: String = "customer", at place: Int = 0) -> JSONValue {
        ["id": .string(world.customers[place].description), "name": "As sent", "role": .string(role), "@referredType": "Customer", "href": "x"]
    }

    private static let relatives: JSONValue = [
        "id": "EMP-7", "name": "Wang", "role": "salesAgent", "@referredType": "Individual", "href": "http://other/7",
    ]
    private static let exemption: JSONValue = [
        ["certificateNumber": "T-1", "issuingJurisdiction": "EU", "reason": "r", "validFor": period], ["issuingJurisdiction": "CN", "validFor": period, "x-own": 1],
    ]
    private static let contacts: JSONValue = [
        [
            "contactName": "Li", "contactType": "primary", "partyRoleType": "payer", "validFor": period,
            "relatedParty": ["id": "p", "name": "Li", "@referredType": "Individual"],
            "contactMedium": [
                ["mediumType": "phone", "preferred": true, "characteristic": ["phoneNumber": "+8613812348000", "contactType": "home"]],
                ["mediumType": "email", "characteristic": ["emailAddress": "li@example.com"], "validFor": period],
            ],
        ], ["contactType": "other", "validFor": period],
    ]

    /// What party accounts have besides their parties.
    private static func account(_ world: ContractWorld, _ context: inout SampleContext) throws -> JSONObject {
        let cycle = try context.id(of: "billingCycleSpecification", world)
        let format = try context.id(of: "billFormat", world)
        let media = try context.id(of: "billPresentationMedia", world)
        let financial = try context.id(of: "financialAccount", world)
        context.number += 1
        let structure: JSONValue = [
            "cycleSpecification": ["id": .string(cycle), "isRef": true, "name": "Monthly", "href": "x"],
            "format": ["id": .string(format), "isRef": true, "name": "Short"],
            "presentationMedia": [["id": .string(media), "isRef": true, "name": "Paper"], ["isRef": false, "name": "By e-mail", "description": "d"]],
        ]
        let plan: JSONValue = [
            [
                "planType": "instalments", "status": "effective", "paymentFrequency": "monthly", "numberOfPayments": 12, "priority": 1,
                "totalAmount": ["unit": "EUR", "value": 99.9], "paymentMethod": ["id": "pm", "name": "n"], "validFor": period,
            ], ["planType": "other"],
        ]
        let sibling: JSONValue = [
            ["relationshipType": "sibling", "account": ["id": "other-1", "name": "n", "href": "https://other.example/1"], "validFor": period]
        ]
        let balance: JSONValue = [["balanceType": "deposit balance", "amount": ["unit": "EUR", "value": 5], "validFor": period]]
        return [
            "name": .string("Account \(context.number)"), "description": "d", "accountType": "Business", "state": "Active",
            "accountNumber": .string("BA-" + UUID().uuidString), "validFor": period,
            "relatedParty": [named(world), named(world, "payer", at: 1), relatives], "creditLimit": ["unit": "EUR", "value": 120.5],
            "defaultPaymentMethod": ["id": "pm\(context.number)", "name": "SEPA", "href": "x"], "paymentStatus": "due",
            "financialAccount": ["id": .string(financial), "name": "Receivables", "href": "x"],
            "accountRelationship": sibling, "taxExemption": exemption, "contact": contacts, "accountBalance": balance,
            "billStructure": structure, "paymentPlan": plan,
        ]
    }

    private static let change: JSONObject = [
        "description": "other", "creditLimit": ["unit": "EUR", "value": 7], "contact": [["contactType": "only", "validFor": ["startDateTime": "2026-01-01T00:00:00Z"]]],
        "paymentPlan": [["planType": "only", "priority": 3]], "accountType": "joint",
    ]

    private static func own(_ name: String) -> Sample {
        Sample(name, change: change, illegal: "Defined") { world, context in try account(world, &context) }
    }

    private static func plain(_ name: String, _ first: String) -> Sample {
        Sample(name, change: ["description": "other"]) { _, context in
            context.number += 1
            return ["name": .string("\(first) \(context.number)"), "description": "d"]
        }
    }

    static let accounts: [Sample] = [
        own("billingAccount"), own("partyAccount"), own("settlementAccount"), plain("billFormat", "Short"),
        plain("billPresentationMedia", "Paper"), financial, cycle, role,
    ]

    private static let financial = Sample(
        "financialAccount", change: ["description": "other", "accountType": "payable"], illegal: "Defined"
    ) { world, context in
        context.number += 1
        let balances: JSONValue = [
            ["balanceType": "receivable balance", "amount": ["unit": "CNY", "value": 12.34], "validFor": period],
            ["balanceType": "deposit balance", "amount": ["unit": "CNY", "value": 1], "validFor": period, "x-own": 1],
        ]
        return [
            "name": .string("Receivables \(context.number)"), "description": "d", "accountType": "receivable", "state": "Active",
            "relatedParty": [named(world), relatives], "creditLimit": ["unit": "CNY", "value": 5000], "taxExemption": exemption,
            "contact": contacts, "accountBalance": balances,
            "accountRelationship": [
                ["relationshipType": "sibling", "account": ["id": "o", "href": "https://other.example/1"], "validFor": period]
            ],
        ]
    }

    private static let cycle = Sample("billingCycleSpecification", change: ["description": "other", "billingDateShift": 9]) { _, context in
        context.number += 1
        return [
            "name": .string("Monthly \(context.number)"), "description": "d", "billingPeriod": "month", "frequency": "every month",
            "billingDateShift": 4, "chargeDateOffset": 1, "creditDateOffset": 2, "mailingDateOffset": 3, "paymentDueDateOffset": 20,
            "validFor": period,
        ]
    }

    private static let role = Sample(
        "partyRole", change: ["statusReason": "other", "characteristic": [["name": "only", "value": ["a": 1]]]], illegal: "Rejected"
    ) { world, context in
        let organisation = try Contract.make("organization", world, &context)
        let account = try context.id(of: "billingAccount", world)
        context.number += 1
        let characteristics: JSONValue = [
            ["name": "tier", "value": "gold", "valueType": "string"], ["name": "deep", "value": [1, ["x": 2]], "x-own": 1],
        ]
        let credit: JSONValue = [["creditProfileDate": "2026-01-01T00:00:00Z", "creditRiskRating": 3, "creditScore": 640, "validFor": period]]
        return [
            "name": .string("Supplier \(context.number)"), "status": "Active", "statusReason": "signed", "validFor": period,
            "engagedParty": ["id": .string(organisation.id), "name": "Acme", "@referredType": "Organization", "href": "x"],
            "relatedParty": [party(world), ["id": "org", "role": "owner", "@referredType": "Organization"]],
            "account": [["id": .string(account), "name": "Ours", "@referredType": "BillingAccount"], ["name": "by name"]],
            "agreement": [["id": .string("ag\(context.number)"), "name": "Frame", "href": "x"], ["id": "ag0"]],
            "characteristic": characteristics, "contactMedium": media, "paymentMethod": [["id": "pm", "name": "SEPA", "href": "x"]],
            "creditProfile": credit,
        ]
    }
}
