import Contracts
import Kernel
import Platform
import Storage

/// What other domains are told of offerings.
package struct CatalogReader: CatalogReading {
    static let offerings: SQL = """
        SELECT id, name, status, is_sellable, is_bundle, valid_from, valid_to, specification_id, specification_name
        FROM catalog_offering WHERE TRUE
        """
    static let links: SQL = "SELECT owner_id, price_id FROM catalog_offering_price WHERE TRUE"
    static let prices: SQL = """
        SELECT id, name, price_type, amount_minor, currency, period_type, period_length FROM catalog_price WHERE TRUE
        """

    package init() {}

    package func offerings(
        _ ids: [OfferingID], at instant: Instant, _ session: any SQLSession
    ) throws -> [OfferingID: OfferingCard] {
        var result: [OfferingID: OfferingCard] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            let prices = try prices(chunk, session)
            var builder = SQLBuilder(Self.offerings)
            builder.appendIn("AND id", chunk.map { .id($0) })
            for card in try session.query(builder, { Self.card($0, instant, prices) }) { result[card.id] = card }
        }
        return result
    }

    private static func card(_ row: Row, _ instant: Instant, _ prices: [OfferingID: [OfferingCard.Price]]) -> OfferingCard {
        let id: OfferingID = row.id(0)
        let begins = row.optionalTime(5).map { $0 <= instant } ?? true
        let ends = row.optionalTime(6).map { instant <= $0 } ?? true
        let isOffered = Lifecycle.sold.contains(row.text(2)) && begins && ends
        return OfferingCard(
            id: id, name: row.text(1), status: row.text(2), isOffered: isOffered,
            isSellable: isOffered && row.optionalBool(3) != false,
            isBundle: row.optionalBool(4) == true, specificationID: row.optionalText(7), specificationName: row.optionalText(8),
            prices: prices[id] ?? [])
    }

    private func prices(_ ids: [OfferingID], _ session: any SQLSession) throws -> [OfferingID: [OfferingCard.Price]] {
        var builder = SQLBuilder(Self.links)
        builder.appendIn("AND owner_id", ids.map { .id($0) })
        builder.append("ORDER BY owner_id, place")
        // An offering may name a price of another system: of that nothing is known here.
        let links = try session.query(builder) { ($0.id(0, OfferingKind.self), $0.optionalText(1).flatMap { Int64($0) }) }
        var known: [Int64: OfferingCard.Price] = [:]
        for chunk in Set(links.compactMap(\.1)).sorted().chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(Self.prices)
            builder.appendIn("AND id", chunk.map { .int($0) })
            for price in try session.query(builder, { Self.price($0) }) { known[price.id] = price }
        }
        return links.reduce(into: [:]) { result, link in
            if let price = link.1.flatMap({ known[$0] }) { result[link.0, default: []].append(price) }
        }
    }

    private static func price(_ row: Row) -> OfferingCard.Price {
        let amount = row.optionalInt(3).flatMap { minor in row.optionalText(4).map { Money(minor: minor, currency: $0) } }
        let length = row.optionalInt(6) ?? 1
        return OfferingCard.Price(
            id: row.int(0), name: row.text(1), type: row.optionalText(2), amount: amount,
            period: row.optionalText(5).map { length == 1 ? $0 : "\(length) \($0)" })
    }
}
