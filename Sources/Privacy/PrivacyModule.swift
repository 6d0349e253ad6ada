import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// The rights of this domain.
enum PrivacyPermissions {
    static let view = Permission("privacy.consent.view")
    static let edit = Permission("privacy.consent.edit")
}

/// What customers agreed to, and what may therefore be done with their data.
package struct PrivacyModule: TMFModule {
    private let customers: any CustomerReading
    /// What programs reach (TMF644).
    package let resources: [TMFResource]

    package init(customers: any CustomerReading, schemas: TMFSchemas) throws {
        self.customers = customers
        resources = Privacy.resources(try schemas.schema(Privacy.api.number), customers)
    }

    /// What other domains ask.
    package var consents: any ConsentReading { ConsentReader(customers) }

    package var name: String { "Privacy" }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                PrivacyPermissions.view, Words(en: "See what customers agreed to", zh: "查看客户同意记录"),
                roles: [.agent, .supervisor, .marketer, .analyst, .administrator]),
            PermissionGrant(
                PrivacyPermissions.edit, Words(en: "Write down and take back consents", zh: "登记和撤回客户同意"),
                roles: [.agent, .supervisor, .administrator]),
        ]
    }

    package var scopes: [APIScope] {
        TMFAccess.scopes(
            Privacy.api, Words(en: "consents", zh: "客户同意"), view: PrivacyPermissions.view, edit: PrivacyPermissions.edit)
    }

    package var labels: [TableLabels] { PrivacyLabels.all }

    package var layouts: [TableLayout] {
        TableLayout.all(
            [
                "privacy_specification", "privacy_specification_characteristic", "privacy_specification_value",
                "privacy_specification_party", "privacy_specification_offering",
            ], .reference)
            + TableLayout.all(
                [
                    "privacy_profile", "privacy_profile_characteristic", "privacy_consent", "privacy_agreement",
                    "privacy_agreement_party", "privacy_agreement_profile", "privacy_agreement_item", "privacy_agreement_term",
                    "privacy_agreement_authorization",
                ], .customer(key: "customer_id"))
            + [TableLayout("privacy_consent_evidence", .customer(key: "customer_id"), isAppendOnly: true)]
    }

    package func eventHandlers(_ tenant: Tenant) -> [EventHandler] {
        let customers = self.customers
        return [
            EventHandler(name: "privacy.customers.removed", CustomersChanged.self) { event, session in
                guard event.kind == .removed else { return }
                try PrivacyStore.forget(event.ids, customers, session)
            }
        ]
    }

    package func panels(_ tenant: Tenant) -> [CustomerPanel] {
        [ConsentsPanel(zone: tenant.timeZoneOffsetMinutes).panel()]
    }

    /// Whoever said something stays when the import that made them is taken back.
    package var hold: CustomerHold {
        CustomerHold(Words(en: "consents", zh: "同意记录")) { ids, session in
            var result: Set<CustomerID> = []
            for chunk in ids.chunked(Limits.sqlListChunk) {
                var builder = SQLBuilder(ConsentLedger.holders)
                builder.appendIn("AND customer_id", chunk.map { .id($0) })
                result.formUnion(try session.query(builder) { $0.id(0, PartyKind.self) })
            }
            return result
        }
    }
}

/// What goes with a customer.
enum PrivacyStore {
    static let forgetConsents: SQL = "DELETE FROM privacy_consent WHERE customer_id = $1"

    /// The evidence stays: it has ids and codes, and with the customer gone its number points to nobody. The law wants the proof that
    /// somebody had agreed when it was used (PIPL 55-56, GDPR 7(1)).
    static func forget(_ ids: [CustomerID], _ customers: any CustomerReading, _ session: any SQLSession) throws {
        try session.executeMany(forgetConsents, ids.map { [.id($0)] })
        try ProfileStore(customers).forget(ids, session)
        try AgreementStore.rows(customers).forget(ids, resource: "partyPrivacyAgreement", session)
    }
}

/// A label for every column (G31).
enum PrivacyLabels {
    static let all: [TableLabels] = [
        .plain(
            "privacy_specification",
            ["id", "name", "description", "status", "version", "updated_at", "valid_from", "valid_until"]),
        .plain(
            "privacy_specification_characteristic",
            ["owner_id", "place", "characteristic_id", "name", "description", "criticality", "privacy_type", "purpose"]),
        .plain("privacy_specification_value", ["owner_id", "item", "place", "value", "value_type", "is_default"]),
        TableLabels(
            "privacy_specification_party",
            [
                "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain, "name": .name,
                "referred_type": .plain,
            ]),
        .plain("privacy_specification_offering", ["owner_id", "place", "offering_id", "name", "referred_type"]),
        TableLabels(
            "privacy_profile",
            [
                "customer_id": .plain, "id": .plain, "name": .name, "description": .name, "status": .profile,
                "created_at": .plain, "valid_from": .plain, "valid_until": .plain, "agreed_id": .identity, "agreed_role": .plain,
                "agreed_name": .name, "agreed_type": .plain, "applies_id": .identity, "applies_role": .plain,
                "applies_name": .name, "applies_type": .plain, "agreement_id": .plain, "agreement_name": .plain,
                "specification_id": .plain, "specification_name": .plain, "collected_on": .plain, "notice_version": .plain,
            ]),
        TableLabels(
            "privacy_profile_characteristic",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "characteristic_id": .plain, "name": .profile,
                "purpose": .profile, "value_type": .plain, "value": .profile,
            ]),
        TableLabels(
            "privacy_consent",
            [
                "customer_id": .plain, "purpose": .profile, "topic": .profile, "decision": .profile, "since": .plain,
                "valid_from": .plain, "valid_until": .plain, "profile_id": .plain,
            ]),
        TableLabels(
            "privacy_consent_evidence",
            [
                "customer_id": .plain, "id": .plain, "happened_at": .plain, "purpose": .profile, "topic": .profile,
                "decision": .profile, "step": .plain, "valid_from": .plain, "valid_until": .plain, "profile_id": .plain,
                "agreed_party": .identity, "collected_on": .plain, "specification_id": .plain, "notice_version": .plain,
                "notice_hash": .plain, "actor_id": .plain, "actor_name": .name, "request_id": .plain,
            ]),
        TableLabels(
            "privacy_agreement",
            [
                "customer_id": .plain, "id": .plain, "agreement_type": .plain, "name": .plain, "description": .profile,
                "document_number": .plain, "initial_at": .plain, "statement": .profile, "status": .profile, "version": .plain,
                "period_from": .plain, "period_until": .plain, "completed_from": .plain, "completed_until": .plain,
                "specification_id": .plain, "specification_name": .plain,
            ]),
        TableLabels(
            "privacy_agreement_party",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain, "name": .name,
                "referred_type": .plain,
            ]),
        .plain(
            "privacy_agreement_profile", ["customer_id", "owner_id", "place", "profile_id", "name", "referred_type"]),
        .plain("privacy_agreement_item", ["customer_id", "owner_id", "place", "item_id"]),
        TableLabels(
            "privacy_agreement_term",
            [
                "customer_id": .plain, "owner_id": .plain, "item": .plain, "place": .plain, "term_id": .plain,
                "description": .profile, "valid_from": .plain, "valid_until": .plain,
            ]),
        TableLabels(
            "privacy_agreement_authorization",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "signed_at": .plain, "signature": .name,
                "state": .plain,
            ]),
    ]
}
