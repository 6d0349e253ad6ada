import Kernel
import Platform
import Storage

/// A customer that a search found, and by what.
struct SearchMatch: Sendable, Equatable {
    enum Way: Sendable, Equatable {
        /// E.164, one of the customer's.
        case number(String)
        /// An ICCID, IMSI or IMEI.
        case card
        /// What the device of the customer's is called.
        case device(String)
        /// The number of a bill, a payment or an account.
        case record(NumberIndex.Kind, String)
        case reference, document, email, name
    }
    let id: CustomerID
    let way: Way
}

/// The search box's source of customers (Q11): any four digits and more of a number, names and parts of names in Chinese,
/// pinyin, initials and letters, mistyped ones too, numbers of the source systems, SIM cards, devices, documents, e-mail.
///
/// What is hidden from the caller cannot be found out by asking either (G25): who sees only the last four digits of a
/// number finds by these or by the whole number, names and documents are found by those who see them.
enum CustomerSearch {
    static let tailDigitsMin = 4
    static let devices: SQL = """
        SELECT customer_id, device, iccid, imsi, imei FROM customers_subscription WHERE TRUE
        """

    /// What somebody typed who may not find anybody by it. It is told by its form alone: it says nothing of whether somebody has it.
    static func refusal(_ query: String, _ principal: Principal) -> Words? {
        let masking = Masking(principal)
        func needed(_ what: Words, _ right: Permission) -> Words? {
            PlatformGrants.all.first { $0.permission == right }.map { grant in
                Words(
                    en:
                        "You may not look for \(what.en). That needs the right “\(grant.words.en)”; whoever manages the users can give it.",
                    zh: "您无权按\(what.zh)查找。需要权限“\(grant.words.zh)”，请联系管理员。")
            }
        }
        if !masking.identity, let number = IdentityNumber(query), number.isChecked {
            return needed(Words(en: "identity numbers", zh: "证件号码"), Masking.seeIdentity)
        }
        if !masking.contacts, query.wholeMatch(of: /[^@ ]+@[^@ ]+\.[^@ .]+/) != nil {
            return needed(Words(en: "e-mail addresses", zh: "邮箱"), Masking.seeContacts)
        }
        return nil
    }

    static func source(countryCode: String = "86") -> SearchSource {
        SearchSource(permission: CustomerPermissions.view, refusal: refusal) { query, limit, request, session in
            let found = try matches(query, limit: limit, request.principal, countryCode: countryCode, session)
            let ids = found.map(\.id)
            // Records of one customer lead to one page: the best of them stands for all.
            let sets = try MatchSets(Set(ids), session)
            var seen: Set<CustomerID> = []
            let lines = try CustomerListing.lines(ids, masking: request.masking, request.principal, session)
            let byID = Dictionary(lines.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            let cards = found.filter { $0.way == .card }.map(\.id)
            let known = try cards.isEmpty ? [:] : devices(cards, SearchTokens.simToken(query), session)
            return found.filter { seen.insert(sets.root($0.id)).inserted }.compactMap { match in
                byID[match.id].map { hit($0, match.way, known[match.id], request.masking, countryCode) }
            }
        }
    }

    private static func hit(
        _ line: CustomerLine, _ way: SearchMatch.Way, _ device: String?, _ masking: Masking, _ countryCode: String
    ) -> SearchHit {
        var group = "customers.search.group"
        var icon = line.kind == "organisation" ? "building" : "person"
        var notes = [line.phone, line.plan, line.region]
        switch way {
        case .number(let number):
            group = "customers.search.numbers"
            icon = "phone"
            let shown = PhoneNumber(number)?.national(countryCode: countryCode) ?? number
            let masked: String = masking.apply(.phone, shown)
            notes[0] = masked
        case .card:
            group = "customers.search.devices"
            icon = "sim"
            notes.insert(device, at: 0)
        case .device(let name):
            group = "customers.search.devices"
            icon = "sim"
            notes.insert(name, at: 0)
        case .record(let kind, let number):
            group = "customers.search.\(kind.rawValue)"
            icon = "bill"
            notes.insert(number, at: 0)
        case .reference: notes.insert(line.reference, at: 0)
        case .document, .email, .name: break
        }
        return SearchHit(
            title: line.name, subtitle: notes.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " · "),
            path: "/customers/\(line.id)", group: group, icon: icon, subject: .customer(line.id))
    }

    /// The device of the line that has the card; the line with the number itself where no device is known.
    private static func devices(_ ids: [CustomerID], _ card: String, _ session: any SQLSession) throws
        -> [CustomerID: String]
    {
        var result: [CustomerID: String] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(devices)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                let numbers = [2, 3, 4].compactMap { row.optionalText($0).map(SearchTokens.simToken) }
                if numbers.contains(where: { $0.contains(card) }), let device = row.optionalText(1) { result[row.id(0)] = device }
                return true
            }
        }
        return result
    }

    /// Ids in the order of relevance.
    static func find(
        _ query: String, limit: Int, _ principal: Principal, countryCode: String = "86", _ session: any SQLSession
    ) throws -> [CustomerID] {
        try matches(query, limit: limit, principal, countryCode: countryCode, session).map(\.id)
    }

    /// In the order of relevance: numbers, references and documents first, then names; each customer once.
    static func matches(
        _ query: String, limit: Int, _ principal: Principal, countryCode: String = "86", _ session: any SQLSession
    ) throws -> [SearchMatch] {
        // PostgreSQL stores no NUL, so nobody has one.
        let text = Folding.fold(String(query.prefix(Limits.searchTextMax)).replacing("\u{0}", with: " "))
        guard !text.isEmpty, limit > 0 else { return [] }
        guard try SearchStep.now(session).readsIndex else {
            return try FormerSearch.find(text, limit: limit, principal, countryCode: countryCode, session)
                .map { SearchMatch(id: $0, way: .name) }
        }
        // A word of one in ten is still found in the index: what is wanted is the first few.
        try session.preferIndexes()
        var search = IndexedSearch(limit, principal, countryCode, session)
        return try search.run(text)
    }
}

/// One search in the index: looks for one kind of thing after another until there are enough.
struct IndexedSearch {
    let limit: Int
    private let principal: Principal
    private let masking: Masking
    private let countryCode: String
    let session: any SQLSession
    private(set) var found: [SearchMatch] = []
    private var seen: Set<CustomerID> = []

    /// What the index gives more than is shown, because it says less than the stored value.
    private static let windowMin = 60
    private static let windowMax = 2_000
    static let wholeDigitsMin = 10
    static let cardLettersMin = 14
    static let cardPrefixMin = 10
    static let documentLettersMin = 6
    static let emailLettersMin = 3
    static let initialsMax = SearchText.initialsMax

    init(_ limit: Int, _ principal: Principal, _ countryCode: String, _ session: any SQLSession) {
        self.limit = limit
        self.principal = principal
        masking = Masking(principal)
        self.countryCode = countryCode
        self.session = session
    }

    /// - Parameter text: folded.
    mutating func run(_ text: String) throws -> [SearchMatch] {
        try lookForNameAndNumber(text)
        try lookForNumbers(text)
        try lookForCards(text)
        try lookForRecords(text)
        if text.unicodeScalars.count >= 2, !text.contains(" "), found.count < limit {
            let ids = try FormerSearch.scan(
                .reference, from: text, to: Folding.prefixEnd(text), limit: limit + seen.count, principal, session)
            for id in ids { add(id, .reference) }
        }
        let document = SearchText.compact(text)
        if masking.identity, document.unicodeScalars.count >= Self.documentLettersMin {
            try look(.token(.document, document), .document)
            // The place and the birth date stand at the beginning. Words of names are left to the names.
            if document.utf8.contains(where: { (48...57).contains($0) }) { try look(.prefix(.document, document), .document) }
        }
        let address = SearchText.compact(text)
        if masking.contacts, address.utf8.count >= Self.emailLettersMin, text.contains("@") || Self.isBeginningOfAddress(text) {
            try look(.prefix(.email, address), .email)
        }
        if masking.names, text.unicodeScalars.contains(where: { $0.properties.isAlphabetic }) {
            try lookForNames(SearchName(text))
        }
        try lookForDevices(text)
        return found
    }

    /// `zhangwei80`: no name, and no number, has both letters and digits in one word of that length.
    private static func isBeginningOfAddress(_ text: String) -> Bool {
        let letters = text.utf8
        return letters.count >= 6 && letters.first.map { (97...122).contains($0) } == true
            && letters.contains { (48...57).contains($0) }
            && letters.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 46 || $0 == 95 || $0 == 45 }
    }

    /// `李娜 13800010001`: of those with the number the ones who are called so.
    private mutating func lookForNameAndNumber(_ text: String) throws {
        let words = text.split(separator: " ").map(String.init)
        guard masking.names, words.count > 1 else { return }
        let digits = words.filter { $0.unicodeScalars.allSatisfy { !$0.properties.isAlphabetic } }
        let rest = SearchName(words.filter { $0.unicodeScalars.contains { $0.properties.isAlphabetic } }.joined(separator: " "))
        guard !digits.isEmpty, !rest.words.isEmpty, FormerSearch.numberDigits(digits.joined()) != nil else { return }
        var numbers = IndexedSearch(Self.windowMin, principal, countryCode, session)
        try numbers.lookForNumbers(digits.joined())
        let names = try CardStore.names(numbers.found.map(\.id), session)
        for one in numbers.found where names[one.id].map({ Self.isCalled(SearchName($0.displayName), rest) }) ?? false {
            add(one.id, one.way)
        }
    }

    private mutating func add(_ id: CustomerID, _ way: SearchMatch.Way) {
        guard found.count < limit, seen.insert(id).inserted else { return }
        found.append(SearchMatch(id: id, way: way))
    }

    /// Where the index alone tells who is meant.
    mutating func look(_ term: SearchTerm, _ way: SearchMatch.Way) throws {
        guard found.count < limit else { return }
        for id in try SearchIndex.find(term, limit: limit + seen.count, principal, session) { add(id, way) }
    }

    /// Where stored values have to be looked at: of those who are meant, in their order, by what they were found.
    /// - Parameter rowsMax: so many rows of PostgreSQL's index are looked at, where most of a base may be meant.
    mutating func look(
        _ term: SearchTerm, rowsMax: Int? = nil,
        checking meant: ([CustomerID]) throws -> [(CustomerID, SearchMatch.Way)]
    ) throws {
        var window = max(Self.windowMin, 2 * limit) + seen.count
        while found.count < limit {
            let ids = try SearchIndex.find(term, limit: window, rowsMax: rowsMax, principal, session)
            for (id, way) in try meant(ids.filter { !seen.contains($0) }) { add(id, way) }
            if ids.count < window || window == Self.windowMax { return }
            window = Self.windowMax
        }
    }

    // MARK: Numbers

    private mutating func lookForNumbers(_ text: String) throws {
        guard let digits = FormerSearch.numberDigits(text) else { return }
        let isTail = digits.utf8.count == CustomerSearch.tailDigitsMin
        if isTail { try lookForNumbers(.token(.tail, digits), [{ $0.hasSuffix(digits) }]) }
        let whole = FormerSearch.wholeNumbers(text, digits, countryCode).map { String($0.reversed()) }.sorted()
        if !isTail, !whole.isEmpty {
            try lookForNumbers(.any(whole.map { .token(.number, $0) }), [{ whole.contains($0) }])
            // Nobody's number has a whole one as its part.
            if !found.isEmpty, digits.utf8.count >= Self.wholeDigitsMin { return }
        }
        guard masking.contacts else { return }
        // The zero before an area code is not part of the number.
        let shorter = digits.hasPrefix("0") && digits.utf8.count > SearchText.gram ? String(digits.dropFirst()) : nil
        for part in [digits, shorter].compactMap({ $0 }) where part == digits || found.isEmpty {
            let letters = Array(part.utf8)
            var grams: [String] = []
            for start in 0...(letters.count - SearchText.gram) {
                let gram = String(decoding: letters[start..<start + SearchText.gram], as: UTF8.self)
                if !grams.contains(gram) { grams.append(gram) }
            }
            try lookForNumbers(.all(grams.map { .token(.digits, $0) }), [{ $0.hasSuffix(part) }, { $0.contains(part) }])
        }
    }

    /// - Parameter conditions: those whose number meets the first come first.
    private mutating func lookForNumbers(_ term: SearchTerm, _ conditions: [(String) -> Bool]) throws {
        let session = session
        try look(term) { ids in
            let numbers = try Self.numbers(ids, session)
            var left = ids
            var result: [(CustomerID, SearchMatch.Way)] = []
            for condition in conditions {
                left.removeAll { id in
                    let digits = { (number: String) in String(decoding: SearchText.digits(number), as: UTF8.self) }
                    guard let number = numbers[id]?.first(where: { condition(digits($0)) }) else { return false }
                    result.append((id, .number(number)))
                    return true
                }
            }
            return result
        }
    }

    /// The numbers of customers, of lines first.
    private static func numbers(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [String]] {
        var result: [CustomerID: [String]] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            for source in [CardStore.linePhones, CardStore.contactPhones] {
                var builder = SQLBuilder(source)
                builder.appendIn("AND customer_id", chunk.map { .id($0) })
                try session.forEach(builder.sql, builder.arguments) { row in
                    result[row.id(0), default: []].append(row.text(1))
                    return true
                }
            }
        }
        return result
    }

    /// A card is found as a whole; by any part of it by those who see whole numbers.
    private mutating func lookForCards(_ text: String) throws {
        let card = SearchTokens.simToken(text)
        let count = card.utf8.count
        if count >= Self.cardLettersMin { try look(.token(.card, card), .card) }
        let isDigits = card.utf8.allSatisfy { (48...57).contains($0) }
        guard masking.contacts, isDigits, FormerSearch.numberDigits(text) != nil else { return }
        if count >= Self.cardPrefixMin { try look(.prefix(.card, card), .card) }
        let pieces = SearchText.cover(card)
        guard pieces.count > 1 else { return try look(.all(pieces.map { .token(.piece, $0) }), .card) }
        let session = session
        try look(.all(pieces.map { .token(.piece, $0) })) { ids in
            let holders = try Self.holders(ofCards: card, ids, session)
            return ids.filter { holders.contains($0) }.map { ($0, .card) }
        }
    }

    /// Who of these has a card with this part.
    private static func holders(
        ofCards part: String, _ ids: [CustomerID], _ session: any SQLSession
    ) throws -> Set<CustomerID> {
        var result: Set<CustomerID> = []
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(CustomerSearch.devices)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                let numbers = [2, 3, 4].compactMap { row.optionalText($0).map(SearchTokens.simToken) }
                if numbers.contains(where: { $0.contains(part) }) { result.insert(row.id(0)) }
                return true
            }
        }
        return result
    }

    /// By any part of the number of a bill or an account: these stand on the customer's page for everybody who sees it.
    private mutating func lookForRecords(_ text: String) throws {
        guard let part = NumberIndex.part(text) else {
            guard NumberIndex.isShort(text) else { return }
            for one in try NumberIndex.exact(text, principal, session) {
                add(one.customer, .record(one.kind, one.number))
            }
            for one in try NumberIndex.named(text, limit: Self.windowMax, principal, session) {
                add(one.customer, .record(one.kind, one.number))
            }
            return
        }
        var window = max(Self.windowMin, 2 * limit) + seen.count
        while found.count < limit {
            let (numbers, isMore) = try NumberIndex.find(part, limit: window, principal, session)
            for one in numbers { add(one.customer, .record(one.kind, one.number)) }
            if !isMore || window == Self.windowMax { return }
            window = Self.windowMax
        }
    }
}
