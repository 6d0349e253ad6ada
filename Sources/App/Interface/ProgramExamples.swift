import Kernel
import TMF
import Web

/// What the collection for Postman sends where the mandatory attributes alone make no sense. `{{aCustomer}}` and `{{aPerson}}` are found by
/// its first requests.
package enum ProgramExamples {
    private static let customer = #"{"id": "{{aCustomer}}", "role": "customer", "name": "A customer", "@referredType": "Customer"}"#
    private static let offering = #"{"id": "fibre-1000", "name": "Fibre 1000", "href": "https://catalogue.example/productOffering/fibre-1000"}"#

    private static let texts: [(resource: String, body: String)] = [
        (
            "individual",
            #"""
            {"familyName": "Wang", "givenName": "Fang", "contactMedium": [{"mediumType": "mobile",
            "characteristic": {"phoneNumber": "+8613812348000"}}]}
            """#
        ),
        ("organization", #"{"tradingName": "Long River Ltd"}"#),
        ("customer", #"{"name": "Fang Wang", "engagedParty": {"id": "{{aPerson}}", "@referredType": "Individual"}}"#),
        ("partyRole", #"{"name": "Sales agent", "engagedParty": {"id": "{{aCustomer}}", "@referredType": "Individual"}}"#),
        (
            "troubleTicket",
            #"""
            {"description": "No signal in the cellar", "severity": "Major", "ticketType": "fault",
            "relatedParty": [CUSTOMER]}
            """#
        ),
        (
            "partyInteraction",
            #"""
            {"description": "Asked for the bill", "reason": "bill", "direction": "inbound", "status": "completed",
            "interactionDate": {"startDateTime": "{{$isoTimestamp}}"},
            "channel": [{"id": "hotline", "name": "Hotline", "href": "https://channels.example/hotline"}],
            "relatedParty": [{"id": "{{aCustomer}}", "role": "customer", "@referredType": "Customer",
            "href": "{{baseUrl}}/tmf-api/customerManagement/v4/customer/{{aCustomer}}"}]}
            """#
        ),
        (
            "appointment",
            #"""
            {"category": "intervention", "relatedParty": [CUSTOMER],
            "validFor": {"startDateTime": "2030-03-04T09:00:00+08:00", "endDateTime": "2030-03-04T10:00:00+08:00"}}
            """#
        ),
        (
            "searchTimeSlot",
            #"""
            {"requestedTimeSlot": [{"validFor": {"startDateTime": "2030-03-04T09:00:00+08:00",
            "endDateTime": "2030-03-06T17:00:00+08:00"}}]}
            """#
        ),
        (
            "communicationMessage",
            #"""
            {"messageType": "SMS", "content": "Your bill is ready", "sender": {"id": "billing"}, "receiver": [{"id": "1",
            "phoneNumber": "+8613812348000"}]}
            """#
        ),
        ("productOrder", #"{"productOrderItem": [{"id": "1", "action": "add", "productOffering": OFFERING}], "relatedParty": [CUSTOMER]}"#),
        ("cancelProductOrder", #"{"productOrder": {"id": "{{productOrderId}}"}}"#),
        (
            "product",
            #"""
            {"productOffering": OFFERING, "relatedParty": [CUSTOMER], "productCharacteristic": [{"name": "speed",
            "value": "1000"}]}
            """#
        ),
        ("quote", #"{"quoteItem": [{"id": "1", "action": "add", "productOffering": OFFERING}], "relatedParty": [CUSTOMER]}"#),
        (
            "agreement",
            #"""
            {"name": "Frame", "agreementType": "commercial", "engagedParty": [CUSTOMER],
            "agreementItem": [{"productOffering": [OFFERING]}]}
            """#
        ),
        ("salesLead", #"{"name": "Wants fibre", "relatedParty": [CUSTOMER]}"#),
        ("queryProductRecommendation", #"{"relatedParty": CUSTOMER}"#),
        (
            "usage",
            #"""
            {"usageDate": "{{$isoTimestamp}}", "usageSpecification": {"id": "101", "name": "voice"},
            "usageCharacteristic": [{"name": "msisdn", "value": "+8613812348000"}, {"name": "duration", "value": 61},
            {"name": "unit", "value": "SEC"}]}
            """#
        ),
        ("queryUsageConsumption", #"{"searchCriteria": {"relatedParty": [CUSTOMER]}}"#),
        (
            "partyPrivacyProfileSpecification",
            #"""
            {"name": "What we ask our customers", "partyPrivacyProfileSpecCharacteristic": [{"name": "sms",
            "privacyUsagePurpose": "MARKETING"}]}
            """#
        ),
        (
            "partyPrivacyProfile",
            #"""
            {"agreedByParty": CUSTOMER, "collectionChannel": "shop",
            "partyPrivacyProfileSpecification": {"id": "what-we-ask", "href": "https://legal.example/notices/1"},
            "partyPrivacyProfileCharacteristic": [{"name": "sms", "privacyUsagePurpose": "MARKETING", "value": "true"}]}
            """#
        ),
    ]

    /// By the name of the resource.
    /// - Throws: `CRMError` 400 for a text above that is no JSON.
    package static func bodies() throws -> [String: JSONObject] {
        try texts.reduce(into: [:]) { result, one in
            let text = one.body.replacing("CUSTOMER", with: customer).replacing("OFFERING", with: offering)
            result[one.resource] = try JSONValue.parse([UInt8](text.utf8)).object
        }
    }
}
