import Kernel
import Platform
import Storage

/// How customers are found by rows of `customers_search`, prefix after prefix: references still are (`SearchFill.kept`), all else
/// only as long as a base that is older than the index is being filled (ADR 0033).
enum FormerSearch {
    static let prefix: SQL = """
        SELECT s.customer_id FROM customers_search s JOIN customers_listing l ON l.customer_id = s.customer_id
        WHERE s.kind = $1 AND s.token >= $2 AND s.token < $3
        """
    /// A further word of the name: its holders are collected once and looked up.
    static let alsoNamed: SQL = """
        AND s.customer_id IN (SELECT o.customer_id FROM customers_search o
          WHERE o.kind = 1 AND o.token >= ? AND o.token < ?)
        """
    static let tailDigitsMin = 4
    /// Shorter ones are no ICCID, IMSI or IMEI.
    static let simDigitsMin = 14
    static let wordsMax = 6

    /// Ids in the order of relevance: numbers, references and documents first, then names.
    static func find(
        _ query: String, limit: Int, _ principal: Principal, countryCode: String = "86", _ session: any SQLSession
    ) throws -> [CustomerID] {
        let text = Folding.fold(String(query.prefix(Limits.searchTextMax)))
        guard !text.isEmpty, limit > 0 else { return [] }
        let masking = Masking(principal)
        var found: [CustomerID] = []
        func add(_ kind: SearchTokens.Kind, from: String, to: String) throws {
            guard found.count < limit else { return }
            for id in try scan(kind, from: from, to: to, limit: limit, principal, session) where !found.contains(id) {
                found.append(id)
            }
        }
        func addWhole(_ kind: SearchTokens.Kind, _ token: String) throws {
            try add(kind, from: token, to: token + "\u{1}")
        }
        if let digits = numberDigits(text) {
            let tail = String(digits.reversed())
            if masking.contacts || digits.count == tailDigitsMin {
                try add(.number, from: tail, to: Folding.prefixEnd(tail))
            } else {
                for whole in wholeNumbers(text, digits, countryCode) { try addWhole(.number, whole) }
            }
        }
        let card = SearchTokens.simToken(text)
        if card.utf8.count >= simDigitsMin { try addWhole(.sim, card) }
        if text.unicodeScalars.count >= 2, !text.contains(" ") {
            try add(.reference, from: text, to: Folding.prefixEnd(text))
        }
        if masking.identity, text.unicodeScalars.count >= 6 { try addWhole(.document, text) }
        if masking.names, found.count < limit, text.unicodeScalars.contains(where: { $0.properties.isAlphabetic }) {
            for id in try named(text, limit: limit, principal, session) where !found.contains(id) { found.append(id) }
        }
        return Array(found.prefix(limit))
    }

    /// The digits of what looks like a telephone number, without the trunk zero or the international prefix.
    static func numberDigits(_ text: String) -> String? {
        guard text.unicodeScalars.allSatisfy({ "0123456789+-() ./".unicodeScalars.contains($0) }) else { return nil }
        var digits = Folding.digits(text)
        if digits.count >= 10 { while digits.hasPrefix("0") { digits.removeFirst() } }
        return digits.count >= tailDigitsMin ? digits : nil
    }

    /// Tokens of the whole numbers that the text may mean: with our own country's prefix, and as it was written.
    static func wholeNumbers(_ text: String, _ digits: String, _ countryCode: String) -> Set<String> {
        var result: Set<String> = []
        if let number = PhoneNumber(text, defaultCountryCode: countryCode) {
            result.insert(SearchTokens.reversedDigits(number.e164))
        }
        if digits.count > 10 { result.insert(String(digits.reversed())) }
        return result
    }

    static func scan(
        _ kind: SearchTokens.Kind, from: String, to: String, limit: Int, _ principal: Principal,
        _ session: any SQLSession
    ) throws -> [CustomerID] {
        var builder = SQLBuilder(prefix, [.int(kind.rawValue), .text(from), .text(to)])
        CustomerScope.narrow(&builder, principal, column: "AND l.region")
        builder.append("ORDER BY s.token, s.customer_id LIMIT ?", .int(limit))
        return try session.query(builder) { $0.id(0) }
    }

    /// Every word must occur in a word of the name; of Latin words, parts of one or two letters only at its beginning or
    /// where a part of three letters begins.
    private static func named(_ text: String, limit: Int, _ principal: Principal, _ session: any SQLSession) throws
        -> [CustomerID]
    {
        let words = text.split(separator: " ").prefix(wordsMax).map(String.init)
            .sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
        guard let longest = words.first else { return [] }
        var builder = SQLBuilder(
            prefix, [.int(SearchTokens.Kind.name.rawValue), .text(longest), .text(Folding.prefixEnd(longest))])
        for word in words.dropFirst() {
            builder.append(alsoNamed, .text(word), .text(Folding.prefixEnd(word)))
        }
        CustomerScope.narrow(&builder, principal, column: "AND l.region")
        // One customer may come several times, once for each part that begins so.
        builder.append("ORDER BY s.token, s.customer_id LIMIT ?", .int(limit * SearchTokens.tokensMax))
        var unique: [CustomerID] = []
        var seen: Set<CustomerID> = []
        try session.forEach(builder.sql, builder.arguments) { row in
            let id = row.id(0, PartyKind.self)
            if seen.insert(id).inserted { unique.append(id) }
            return unique.count < limit
        }
        return unique
    }
}
