import Kernel
import Platform
import Storage
import Web

/// Master data of the customer: who they are, how to reach them, where they live, papers, custom attributes.
enum ProfilePanel {
    static let party: SQL = """
        SELECT p.kind, p.display_name, p.gender, p.birth_date, p.language, p.industry, p.size_tier, c.reference,
          c.segment, c.region, c.city, c.since, c.payment_method, c.source, p.id
        FROM customers_party p JOIN customers_customer c ON c.id = p.id WHERE TRUE
        """
    static let contacts: SQL = """
        SELECT kind, value, preferred FROM customers_contact_medium WHERE TRUE
        """
    static let addresses: SQL = """
        SELECT lines, city, region, postcode, country FROM customers_address WHERE TRUE
        """
    static let documents: SQL = "SELECT kind, number FROM customers_identity_document WHERE TRUE"
    static let attributes: SQL = """
        SELECT attribute_id, text_value, int_value, double_value FROM customers_attribute_value WHERE TRUE
        """

    /// One labelled value with the mask it is under.
    struct Field {
        /// Kept in the audit when it was shown whole.
        let name: String
        let label: String
        let value: String
        let mask: MaskKind
        var mono = false
        /// How else the value is written, for those who see it whole.
        var others: [String] = []
    }

    static func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        let ids = request.customers.map { SQLValue.id($0) }
        let golden = ids.count > 1 ? try GoldenRecord.load(request.customers, session) : nil
        let main = try master(ids, golden, request, session)
        let reach = try contactFields(ids, request, session)
        let custom = try attributeFields(ids, request, session)
        return Asked { content(try main.value(), try reach.value(), try custom.value(), request) }.staged
    }

    private static func content(_ main: [Field], _ reach: [Field], _ custom: [Field], _ request: PanelRequest)
        -> PanelContent
    {
        var sink = Sink(request: request)
        let views = (
            main: main.map { sink.view($0) }, reach: reach.map { sink.view($0) }, custom: custom.map { sink.view($0) }
        )
        return PanelContent(
            template: "customers/panel-profile",
            view: [
                "main": .list(views.main), "reach": .list(views.reach), "hasReach": .bool(!views.reach.isEmpty),
                "attributes": .list(views.custom), "hasAttributes": .bool(!views.custom.isEmpty),
                "attributeCount": .int(views.custom.count), "unfold": .bool(views.custom.count <= 12),
            ],
            unmasked: sink.unmasked)
    }

    /// Masks values and remembers what was shown whole.
    struct Sink {
        let request: PanelRequest
        private(set) var unmasked: [String] = []

        init(request: PanelRequest) { self.request = request }

        mutating func view(_ field: Field) -> View {
            let whole = request.masking.shows(field.mask)
            if field.mask != .none, whole, !unmasked.contains(field.name) { unmasked.append(field.name) }
            let shown =
                field.mask == .phone
                ? PanelParts.phone(field.value, request.masking) : request.masking.apply(field.mask, field.value)
            let others = whole && !field.others.isEmpty ? field.others.joined(separator: "; ") : nil
            return [
                "others": .text(others),
                "label": .text(field.label), "value": .text(shown), "masked": .bool(!whole), "mono": .bool(field.mono),
            ]
        }
    }

    private static func query<T>(
        _ start: SQL, _ key: SQL, _ ids: [SQLValue], order: SQL, _ session: any SQLSession,
        _ map: @escaping (Row) -> T
    ) throws -> Asked<[T]> {
        var builder = SQLBuilder(start)
        builder.appendIn(key, ids)
        builder.append(order)
        return try session.asking(builder, map)
    }

    private static func master(
        _ ids: [SQLValue], _ golden: GoldenRecord?, _ request: PanelRequest, _ session: any SQLSession
    ) throws
        -> Asked<[Field]>
    {
        let language = request.language
        let rows = try query(party, "AND p.id", ids, order: "ORDER BY p.id", session) { row -> (CustomerID, [Field]) in
            let kind = CustomerKind(rawValue: row.text(0)) ?? .individual
            var fields: [Field] = []
            func add(
                _ name: String, _ value: String?, label: Words? = nil, mask: MaskKind = .none, mono: Bool = false
            ) {
                guard let value, !value.isEmpty else { return }
                fields.append(
                    Field(
                        name: name, label: (label ?? PageWords.field(name))[language], value: value, mask: mask,
                        mono: mono))
            }
            add("full_name", row.text(1), mask: kind == .individual ? .name : .none)
            add("kind", PageWords.of(kind)[language])
            add("gender", row.optionalText(2).map { PageWords.choice("gender", $0)[language] })
            add("birth_date", row.optionalText(3), mask: .date)
            add("language", row.optionalText(4).map { PageWords.choice("language", $0)[language] })
            add("industry", row.optionalText(5).map { PageWords.of(code: $0, language) })
            add("size_tier", row.optionalText(6).flatMap(SizeTier.init).map { PageWords.of($0)[language] })
            add("source_id", row.optionalText(7), mono: true)
            add("segment", row.optionalText(8).map { PageWords.of(code: $0, language) })
            add("region", [row.optionalText(9), row.optionalText(10)].compactMap { $0 }.joined(separator: " "))
            add("start_date", row.optionalText(11))
            add("payment_method", row.optionalText(12).map { PageWords.of(code: $0, language) })
            add("source", row.optionalText(13), label: Words(en: "Source", zh: "来源"))
            return (row.id(14), fields)
        }
        // Of records linked by a merge that one speaks which the rules name; of what there are no rules for the
        // oldest.
        return rows.map { rows in
            let byRecord = Dictionary(rows, uniquingKeysWith: { first, _ in first })
            var known: Set<String> = []
            return rows.flatMap(\.1).filter { known.insert($0.name).inserted }.map { field in
                let chosen = golden?.choice(field.name).flatMap { byRecord[$0.from] }
                return chosen?.first { $0.name == field.name } ?? field
            }
        }
    }

    private static func contactFields(_ ids: [SQLValue], _ request: PanelRequest, _ session: any SQLSession) throws
        -> Asked<[Field]>
    {
        let language = request.language
        let reach = try query(
            contacts, "AND customer_id", ids, order: "ORDER BY preferred DESC, customer_id, id LIMIT 20", session
        ) { row -> Field in
            let isPhone = row.text(0) == ContactKind.phone.rawValue
            return Field(
                name: isPhone ? "phone" : "email",
                label: isPhone ? PageWords.field("phone")[language] : PageWords.field("email")[language],
                value: row.text(1), mask: isPhone ? .phone : .email, mono: isPhone)
        }
        let places = try query(
            addresses, "AND customer_id", ids, order: "ORDER BY customer_id, id LIMIT 10", session
        ) { row in
            AddressForms.Written(
                region: row.optionalText(2), city: row.optionalText(1), lines: row.optionalText(0),
                postcode: row.optionalText(3))
        }
        let papers = try query(
            documents, "AND customer_id", ids, order: "ORDER BY customer_id, id LIMIT 10", session
        ) { row -> Field in
            let kind = DocumentKind(rawValue: row.text(0)) ?? .other
            return Field(
                name: "identity", label: PageWords.of(kind)[language], value: row.text(1), mask: .identity, mono: true)
        }
        return Asked {
            // Linked records tell the same more than once.
            var known: Set<[String]> = []
            let addresses = try AddressForms.places(places.value()).map { place in
                Field(
                    name: "address", label: PageWords.field("address")[language], value: place.shown, mask: .address,
                    others: place.others)
            }
            return try (reach.value() + addresses + papers.value())
                .filter { known.insert([$0.label, Folding.fold($0.value)]).inserted }
        }
    }

    private static func attributeFields(_ ids: [SQLValue], _ request: PanelRequest, _ session: any SQLSession) throws
        -> Asked<[Field]>
    {
        let language = request.language
        // Few definitions, many values: the titles are looked up once.
        let definitions = try AttributeStore.asking(session)
        let values = try query(attributes, "AND customer_id", ids, order: "ORDER BY attribute_id", session) { row in
            (row.id(0, AttributeKind.self), CustomerLoader.content(row, 1))
        }
        return Asked {
            let definitions = Dictionary(
                try definitions.value().map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            var known: Set<AttributeID> = []
            return try values.value().compactMap { id, content in
                guard let attribute = definitions[id], known.insert(id).inserted else { return nil }
                return Field(
                    name: attribute.fieldKey, label: attribute.title[language],
                    value: attribute.displayed(content, language), mask: attribute.mask)
            }
        }
    }
}
