import Contracts
import Crypto
import Foundation
import Kernel
import Platform
import Storage
import TMF
import Web

/// What customers agreed to, as TMF644 has it.
enum Privacy {
    static let api = TMFAPI(644, "privacyManagement")
    static let profileType = "PartyPrivacyProfile"

    static let profileStates = TMFStates("status", first: "created", next: ["created": ["terminated"]])
    static let specificationStates = TMFStates(
        "status", first: "inDesign", initial: ["active"],
        next: ["inDesign": ["active", "rejected"], "active": ["retired"], "rejected": ["inDesign"]])
    static let agreementStates = TMFStates(
        "status", first: "initialized", initial: ["inProgress", "validated"],
        next: [
            "initialized": ["inProgress", "rejected"], "inProgress": ["pendingUpdate", "rejected", "validated"],
            "pendingUpdate": ["inProgress", "rejected"], "validated": ["pendingUpdate"],
        ])

    static func resources(_ schema: TMFSchema, _ customers: any CustomerReading) -> [TMFResource] {
        let profiles = ProfileStore(customers)
        let specifications = SpecificationStore()
        let agreements = AgreementStore.rows(customers)
        return [
            TMFResource(
                api, "partyPrivacyProfile", type: profileType,
                schema: schema.adding([.init("collectionChannel", .text), .init("noticeVersion", .text)], to: profileType),
                view: PrivacyPermissions.view, edit: PrivacyPermissions.edit, states: profileStates,
                subjects: { id, document in
                    let named = ["applicableForParty", "agreedByParty"].compactMap { name in
                        document[name]?["@referredType"]?.string == "Customer" ? document[name]?["id"]?.string : nil
                    }
                    return [AuditSubject(kind: "consent", id: id)] + named.compactMap { CustomerID($0[...]) }.map { .customer($0) }
                }, store: { _ in profiles }),
            TMFResource(
                api, "partyPrivacyProfileSpecification", type: "PartyPrivacyProfileSpecification", schema: schema,
                view: PrivacyPermissions.view, edit: PrivacyPermissions.edit, states: specificationStates,
                subjects: { id, _ in [AuditSubject(kind: "notice", id: id)] }, store: { _ in specifications }),
            TMFResource(
                api, "partyPrivacyAgreement", type: "PartyPrivacyAgreement", schema: schema, view: PrivacyPermissions.view,
                edit: PrivacyPermissions.edit, states: agreementStates,
                subjects: TMFResource.subjects("consent_agreement", "engagedParty"), store: { _ in agreements }),
        ]
    }
}

/// The texts that are agreed to.
struct SpecificationStore: TMFWritingStore {
    static let used: SQL = "SELECT EXISTS (SELECT 1 FROM privacy_profile WHERE specification_id = $1)"

    let rows = TMFRows(
        "privacy_specification",
        [
            TMFField("name", "name", isIndexed: true), TMFField("description", "description"),
            TMFField("status", "status", isIndexed: true), TMFField("version", "version"),
            TMFField("lastUpdate", "updated_at", .time, stamp: .changed, sorts: true),
            TMFField("validFor.startDateTime", "valid_from", .time), TMFField("validFor.endDateTime", "valid_until", .time),
        ],
        items: [
            TMFItems(
                "partyPrivacyProfileSpecCharacteristic", "privacy_specification_characteristic",
                [
                    TMFField("id", "characteristic_id"), TMFField("name", "name"), TMFField("description", "description"),
                    TMFField("criticalityLevel", "criticality"), TMFField("privacyType", "privacy_type"),
                    TMFField("privacyUsagePurpose", "purpose", isIndexed: true),
                ],
                items: [
                    TMFItems(
                        "partyPrivacyProfileSpecCharacteristicValue", "privacy_specification_value",
                        [
                            TMFField("value", "value", .json), TMFField("valueType", "value_type"),
                            TMFField("isDefault", "is_default", .boolean),
                        ])
                ]),
            .parties("privacy_specification_party"),
            TMFItems(
                "productOffering", "privacy_specification_offering",
                [
                    TMFField("id", "offering_id", isIndexed: true), TMFField("name", "name"),
                    TMFField("@referredType", "referred_type"),
                ]),
        ])

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws { try rows.change(id, from: old, to: new, context, session) }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        if try session.first(Self.used, [.text(String(id))], { $0.bool(0) }) ?? false {
            throw CRMError.conflict(
                "in_use",
                Words(
                    en: "Profiles were made from this specification; retire it instead (status “retired”).",
                    zh: "已有隐私档案引用该规范，请改为停用（status “retired”）。"))
        }
        try rows.remove(id, document, context, session)
    }
}

/// The contracts behind profiles.
enum AgreementStore {
    static func rows(_ customers: any CustomerReading) -> TMFRows {
        TMFRows(
            "privacy_agreement",
            [
                TMFField("agreementType", "agreement_type", isIndexed: true), TMFField("name", "name"),
                TMFField("description", "description"), TMFField("documentNumber", "document_number", .integer, isIndexed: true),
                TMFField("initialDate", "initial_at", .time), TMFField("statementOfIntent", "statement"),
                TMFField("status", "status", isIndexed: true), TMFField("version", "version"),
                TMFField("agreementPeriod.startDateTime", "period_from", .time),
                TMFField("agreementPeriod.endDateTime", "period_until", .time),
                TMFField("completionDate.startDateTime", "completed_from", .time),
                TMFField("completionDate.endDateTime", "completed_until", .time),
                TMFField("agreementSpecification.id", "specification_id"),
                TMFField("agreementSpecification.name", "specification_name"),
            ],
            items: [
                .parties("privacy_agreement_party", "engagedParty", isIndexed: true),
                TMFItems(
                    "partyPrivacyProfile", "privacy_agreement_profile",
                    [
                        TMFField("id", "profile_id", isIndexed: true), TMFField("name", "name"),
                        TMFField("@referredType", "referred_type"),
                    ]),
                TMFItems(
                    "agreementItem", "privacy_agreement_item", [TMFField("id", "item_id")],
                    items: [
                        TMFItems(
                            "termOrCondition", "privacy_agreement_term",
                            [
                                TMFField("id", "term_id"), TMFField("description", "description"),
                                TMFField("validFor.startDateTime", "valid_from", .time),
                                TMFField("validFor.endDateTime", "valid_until", .time),
                            ])
                    ]),
                TMFItems(
                    "agreementAuthorization", "privacy_agreement_authorization",
                    [
                        TMFField("date", "signed_at", .time), TMFField("signatureRepresentation", "signature"),
                        TMFField("state", "state"),
                    ]),
            ],
            owner: .init(customers, paths: ["engagedParty.id"], shown: "engagedParty"))
    }
}

/// What somebody agreed to, and what a change of it means for what may be done with a customer's data.
struct ProfileStore: TMFWritingStore {
    private let rows: TMFRows
    private let specifications = SpecificationStore()

    init(_ customers: any CustomerReading) {
        rows = TMFRows(
            "privacy_profile",
            [
                TMFField("name", "name", mask: .name), TMFField("description", "description", mask: .name),
                TMFField("status", "status", isIndexed: true),
                TMFField("creationDate", "created_at", .time, stamp: .created, sorts: true),
                TMFField("validFor.startDateTime", "valid_from", .time), TMFField("validFor.endDateTime", "valid_until", .time),
                TMFField("agreedByParty.id", "agreed_id", isIndexed: true), TMFField("agreedByParty.role", "agreed_role"),
                TMFField("agreedByParty.name", "agreed_name", mask: .name), TMFField("agreedByParty.@referredType", "agreed_type"),
                TMFField("applicableForParty.id", "applies_id", isIndexed: true),
                TMFField("applicableForParty.role", "applies_role"),
                TMFField("applicableForParty.name", "applies_name", mask: .name),
                TMFField("applicableForParty.@referredType", "applies_type"),
                TMFField("agreement.id", "agreement_id", isIndexed: true), TMFField("agreement.name", "agreement_name"),
                TMFField("partyPrivacyProfileSpecification.id", "specification_id", isIndexed: true),
                TMFField("partyPrivacyProfileSpecification.name", "specification_name"),
                TMFField("collectionChannel", "collected_on"), TMFField("noticeVersion", "notice_version"),
            ],
            items: [
                TMFItems(
                    "partyPrivacyProfileCharacteristic", "privacy_profile_characteristic",
                    [
                        TMFField("id", "characteristic_id"), TMFField("name", "name", isIndexed: true),
                        TMFField("privacyUsagePurpose", "purpose", isIndexed: true), TMFField("valueType", "value_type"),
                        TMFField("value", "value", .json),
                    ])
            ],
            // A parent who agrees for a child agrees to nothing for themselves.
            owner: .init(
                customers, paths: ["applicableForParty.id", "agreedByParty.id"], shown: nil, firstDecides: true))
    }

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        try rows.documents(ids, principal, session)
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let text = try notice(document, context, session)
        if let status = text?["status"]?.string, status == "retired" || status == "rejected" { throw Self.retired(status) }
        let id = try rows.create(document, context, session)
        if let customer = try rows.customer(of: document, context, session) {
            try ConsentLedger(context: context).say(
                ConsentWords.statements(document), customer, source(id, document, text), .created, session)
        }
        return id
    }

    private static func retired(_ status: String) -> CRMError {
        let words = Words(
            en: "The specification is \(status): nobody can agree to it any more. Take one that is active.",
            zh: "该隐私规范状态为 \(status)，不能再据此征得同意，请使用有效的规范。")
        return CRMError(
            "specification_ended", status: 409, words,
            fields: [.init(field: "partyPrivacyProfileSpecification.id", code: "specification_ended", message: words)])
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let (before, after) = (
            try rows.customer(of: old, context, session), try rows.customer(of: new, context, session)
        )
        try rows.change(id, from: old, to: new, context, session)
        let ledger = ConsentLedger(context: context)
        let source = source(id, new, try notice(new, context, session))
        let isEnded = new["status"]?.string == "terminated"
        if before != after {
            if let before { try ledger.end(before, nil, source, .moved, session) }
            if let after, !isEnded { try ledger.say(ConsentWords.statements(new), after, source, .moved, session) }
            return
        }
        guard let after else { return }
        let (was, now) = (ConsentWords.statements(old), ConsentWords.statements(new))
        let isOtherTime = old["validFor"] != new["validFor"]
        // What is repeated is not said again: a later word elsewhere stands.
        let said = isEnded ? now.filter { was[$0.key] != $0.value && $0.value == .refused }
            : now.filter { was[$0.key] != $0.value }
        try ledger.say(said, after, source, .changed, session)
        if isOtherTime, !isEnded { try retime(now.filter { was[$0.key] == $0.value }, after, source, ledger, session) }
        if isEnded {
            try ledger.end(after, nil, source, .ended, session)
        } else {
            try ledger.end(after, Set(was.keys).subtracting(now.keys), source, .changed, session)
        }
    }

    /// Another time for what was said before, where it is still this profile's word.
    private func retime(
        _ said: [ConsentKey: ConsentDecision], _ customer: CustomerID, _ source: ConsentLedger.Source, _ ledger: ConsentLedger,
        _ session: any SQLSession
    ) throws {
        let own = try session.query(ConsentLedger.ofProfile, [.int(source.profile)]) { Consent($0) }
            .filter { $0.decision == .given }.map(\.key)
        try ledger.say(said.filter { own.contains($0.key) }, customer, source, .changed, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        if let customer = try rows.customer(of: document, context, session) {
            let source = source(id, document, try notice(document, context, session))
            try ConsentLedger(context: context).end(customer, nil, source, .removed, session)
        }
        try rows.remove(id, document, context, session)
    }

    // MARK: Evidence

    /// The text that is agreed to, where it is one of ours.
    private func notice(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> JSONObject? {
        guard let text = document["partyPrivacyProfileSpecification"]?["id"]?.string, let id = Int64(text) else { return nil }
        return try specifications.documents([id], Masking.lifted(context.principal), session).first?.1
    }

    private func source(_ id: Int64, _ document: JSONObject, _ notice: JSONObject?) -> ConsentLedger.Source {
        func time(_ name: String) -> Instant? {
            document["validFor"]?[name]?.string.flatMap { TMFTime($0) }.map { Instant(milliseconds: $0.milliseconds) }
        }
        // The words alone: when and in which state they are says nothing about what was read.
        let hash = notice.map { notice in
            let words = notice.filter { !["id", "status", "lastUpdate", "validFor"].contains($0.key) }
            return Hex.text(SHA256.hash(data: Data(JSONValue.object(words).encoded().utf8)))
        }
        return ConsentLedger.Source(
            profile: id, from: time("startDateTime"), until: time("endDateTime"), agreedBy: document["agreedByParty"]?["id"]?.string,
            collectedOn: document["collectionChannel"]?.string,
            specification: document["partyPrivacyProfileSpecification"]?["id"]?.string,
            noticeVersion: document["noticeVersion"]?.string ?? notice?["version"]?.string, noticeHash: hash)
    }
}

extension ProfileStore {
    func forget(_ customers: [CustomerID], _ session: any SQLSession) throws {
        try rows.forget(customers, resource: "partyPrivacyProfile", session)
    }
}
