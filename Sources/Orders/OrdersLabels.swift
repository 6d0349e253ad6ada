import Platform
import Storage

/// A label for every column (G31). Values of characteristics may be numbers of lines; what clients send besides may be anything.
enum OrdersLabels {
    static let all: [TableLabels] = [
        TableLabels(
            "orders_order",
            [
                "customer_id": .plain, "id": .plain, "external_id": .plain, "category": .plain,
                "description": .name, "priority": .plain, "state": .profile, "ordered_at": .plain,
                "requested_start": .plain, "requested_at": .plain, "expected_at": .plain, "completed_at": .plain,
                "cancelled_at": .plain, "cancellation_reason": .name, "notification_contact": .phone,
                "billing_account_id": .plain, "billing_account_name": .plain,
            ]),
        TableLabels(
            "orders_order_party",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain,
                "name": .name, "referred_type": .plain,
            ]),
        TableLabels(
            "orders_order_note",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "note_id": .plain, "author": .name,
                "written_at": .plain, "text": .name,
            ]),
        TableLabels(
            "orders_order_channel",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "channel_id": .plain, "name": .plain,
                "role": .plain, "more": .profile,
            ]),
        TableLabels(
            "orders_order_quote",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "quote_id": .plain, "name": .plain,
                "more": .profile,
            ]),
        TableLabels(
            "orders_item",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "item_id": .plain, "action": .profile,
                "state": .profile, "quantity": .plain, "product_id": .plain, "product_name": .profile,
                "offering_id": .plain, "offering_name": .profile, "more": .profile,
            ]),
        TableLabels(
            "orders_item_characteristic",
            [
                "customer_id": .plain, "owner_id": .plain, "item": .plain, "place": .plain, "name": .plain,
                "value": .phone, "value_type": .plain,
            ]),
        TableLabels(
            "orders_cancellation",
            [
                "customer_id": .plain, "id": .plain, "order_id": .plain, "state": .profile, "reason": .name,
                "requested_at": .plain, "effective_at": .plain, "created_at": .plain,
            ]),
        TableLabels(
            "orders_product",
            [
                "customer_id": .plain, "id": .plain, "name": .plain, "description": .name, "status": .profile,
                "is_bundle": .plain, "is_visible": .plain, "serial_number": .profile, "ordered_at": .plain,
                "started_at": .plain, "terminated_at": .plain, "offering_id": .plain, "offering_name": .profile,
                "specification_id": .plain, "specification_name": .profile, "billing_account_id": .plain,
                "billing_account_name": .plain,
            ]),
        TableLabels(
            "orders_product_party",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain,
                "name": .name, "referred_type": .plain,
            ]),
        TableLabels(
            "orders_product_characteristic",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "name": .plain, "value": .phone,
                "value_type": .plain, "more": .profile,
            ]),
        TableLabels(
            "orders_product_price",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "name": .plain, "price_type": .profile,
                "period": .plain, "amount_minor": .profile, "currency": .profile, "price_id": .plain,
                "more": .profile,
            ]),
        TableLabels(
            "orders_product_relation",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "relationship_type": .plain,
                "product_id": .plain, "more": .profile,
            ]),
        TableLabels(
            "orders_product_resource",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "resource_id": .plain, "name": .plain,
                "value": .phone, "more": .profile,
            ]),
        TableLabels(
            "orders_product_service",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "service_id": .plain, "name": .plain,
                "more": .profile,
            ]),
        TableLabels(
            "orders_product_origin",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "order_id": .plain, "item_id": .plain,
                "action": .profile, "role": .plain, "more": .profile,
            ]),
        TableLabels(
            "orders_quote",
            [
                "customer_id": .plain, "id": .plain, "external_id": .plain, "category": .plain,
                "description": .name, "version": .plain, "state": .profile, "quoted_at": .plain,
                "requested_at": .plain, "expected_at": .plain, "effective_at": .plain, "fulfil_at": .plain,
                "instant": .plain, "valid_from": .plain, "valid_to": .plain,
            ]),
        TableLabels(
            "orders_quote_party",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain,
                "name": .name, "referred_type": .plain,
            ]),
        TableLabels(
            "orders_quote_note",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "note_id": .plain, "author": .name,
                "written_at": .plain, "text": .name,
            ]),
        TableLabels(
            "orders_quote_item",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "item_id": .plain, "action": .profile,
                "state": .profile, "quantity": .plain, "product_id": .plain, "offering_id": .plain,
                "offering_name": .profile, "more": .profile,
            ]),
        TableLabels(
            "orders_quote_item_price",
            [
                "customer_id": .plain, "owner_id": .plain, "item": .plain, "place": .plain, "name": .plain,
                "price_type": .profile, "period": .plain, "amount_minor": .profile, "currency": .profile,
            ]),
        TableLabels(
            "orders_quote_total",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "name": .plain, "price_type": .profile,
                "period": .plain, "amount_minor": .profile, "currency": .profile,
            ]),
        TableLabels(
            "orders_quote_approval",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "name": .plain, "state": .profile,
                "approved_at": .plain, "more": .profile,
            ]),
        TableLabels(
            "orders_agreement",
            [
                "customer_id": .plain, "id": .plain, "name": .plain, "description": .name,
                "agreement_type": .plain, "status": .profile, "version": .plain, "document_number": .plain,
                "begins_at": .plain, "period_from": .plain, "period_to": .plain, "completed_from": .plain,
                "completed_to": .plain, "intent": .name, "specification_id": .plain,
                "specification_name": .profile,
            ]),
        TableLabels(
            "orders_agreement_party",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "party_id": .identity, "role": .plain,
                "name": .name, "referred_type": .plain,
            ]),
        TableLabels(
            "orders_agreement_item",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "more": .profile,
            ]),
        TableLabels(
            "orders_agreement_product",
            [
                "customer_id": .plain, "owner_id": .plain, "item": .plain, "place": .plain, "product_id": .plain,
                "name": .plain,
            ]),
        TableLabels(
            "orders_agreement_offering",
            [
                "customer_id": .plain, "owner_id": .plain, "item": .plain, "place": .plain, "offering_id": .plain,
                "name": .plain,
            ]),
        TableLabels(
            "orders_agreement_term",
            [
                "customer_id": .plain, "owner_id": .plain, "item": .plain, "place": .plain, "term_id": .plain,
                "description": .name,
            ]),
        TableLabels(
            "orders_agreement_characteristic",
            [
                "customer_id": .plain, "owner_id": .plain, "place": .plain, "name": .plain, "value": .phone,
                "value_type": .plain, "more": .profile,
            ]),
    ]

    /// Tables of nobody's rows.
    static let shared: [TableLabels] = [
        .plain(
            "orders_agreement_specification",
            [
                "id", "name", "description", "version", "status", "is_bundle", "category_id", "category_name", "valid_from",
                "valid_to", "updated_at",
            ]),
        .plain(
            "orders_agreement_specification_attachment", ["owner_id", "place", "name", "url", "mime_type", "more"]),
        .plain("orders_agreement_specification_characteristic", ["owner_id", "place", "name", "value_type", "more"]),
    ]
}
