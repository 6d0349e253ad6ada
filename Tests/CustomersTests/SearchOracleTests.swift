import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

/// The search against the plainest reading of what it promises, over invented customers.
@Suite("search against an oracle")
struct SearchOracleTests {
    struct Person: Sendable {
        let name: String
        let number: String
        let reference: String
        let region: String
    }

    private static let characters = Array("王李张欧阳小明红德华國国強强曾单海龙龍芳燕")
    private static let words = ["Wang", "Ann", "Johnson", "Johnsen", "Öz", "Zoë", "Smith", "Smithers", "li", "O'Neil", "Ma"]
    private static let regions = ["浙江", "江苏", "California"]

    private static func person(_ index: Int, _ random: inout SeededGenerator) -> Person {
        let isChinese = Int.random(in: 0..<10, using: &random) < 6
        var name = isChinese
            ? String((0..<Int.random(in: 1...4, using: &random)).map { _ in characters.randomElement(using: &random) ?? "王" })
            : (0..<Int.random(in: 1...3, using: &random)).map { _ in words.randomElement(using: &random) ?? "Ann" }
                .joined(separator: " ")
        if Int.random(in: 0..<12, using: &random) == 0 { name += " 有限公司" }
        let digits = (0..<9).map { _ in "\(Int.random(in: 0...2, using: &random))" }.joined()
        return Person(
            name: name, number: "+8613" + digits, reference: "R-\(index)",
            region: regions.randomElement(using: &random) ?? "浙江")
    }

    // MARK: The oracle

    /// Runs of simplified Chinese characters and words in letters, by a way of their own: no word of the index is used here.
    private static func runs(_ name: String) -> (han: [[Unicode.Scalar]], letters: [String]) {
        var han: [[Unicode.Scalar]] = []
        var letters: [String] = []
        for word in Folding.fold(name).replacing("'", with: "").split(separator: " ") {
            let scalars = word.unicodeScalars.map { Han.simplified($0) }
            if scalars.allSatisfy({ Han.contains($0) }) { han.append(scalars) } else { letters.append(String(word)) }
        }
        return (han, letters)
    }

    /// Everything that the characters from each place on may be read as, with the initials of it.
    private static func readings(_ name: String) -> [(text: String, initials: String, start: Int, count: Int)] {
        runs(name).han.enumerated().flatMap { place, run -> [(text: String, initials: String, start: Int, count: Int)] in
            run.indices.flatMap { start -> [(text: String, initials: String, start: Int, count: Int)] in
                var all: [(String, String)] = [("", "")]
                for index in start..<run.count {
                    let one = Han.readings(run[index], isFirst: place == 0 && index == 0)
                        .map { String(decoding: $0, as: UTF8.self) }
                    all = all.flatMap { head in one.map { (head.0 + $0, head.1 + $0.prefix(1)) } }
                }
                return all.map { ($0.0, $0.1, start, run.count - start) }
            }
        }
    }

    /// First letters of the words of a name in letters, also with the last word first. None of the words above has two syllables.
    private static func latinInitials(_ name: String) -> [String] {
        let (han, letters) = runs(name)
        guard han.isEmpty, letters.count > 1, letters.allSatisfy({ $0.utf8.allSatisfy { (97...122).contains($0) } }) else { return [] }
        let heads = letters.map { String($0.prefix(1)) }
        return [heads.joined(), (heads.suffix(1) + heads.dropLast()).joined()]
    }

    private static func isNamed(_ person: Person, _ query: String) -> Bool {
        let (han, letters) = runs(person.name)
        let asked = runs(query)
        if let run = asked.han.first {
            return han.contains { own in
                guard own.count >= run.count else { return false }
                return (0...(own.count - run.count)).contains { Array(own[$0..<$0 + run.count]) == run }
            }
        }
        guard let word = asked.letters.first else { return false }
        let isPart = letters.contains { own in
            own.hasPrefix(word)
                || own.indices.dropFirst().contains { own[$0...].count >= 3 && own[$0...].hasPrefix(word) }
        }
        let reads = readings(person.name).contains { reading in
            // Two letters are a syllable or initials.
            (word.count > 2 && reading.text.hasPrefix(word)) || (reading.count >= 2 && reading.initials.hasPrefix(word))
        }
        let syllable = Array(word.utf8)
        let isRead = han.enumerated().contains { place, run in
            run.enumerated().contains { Han.readings($1, isFirst: place == 0 && $0 == 0).contains(syllable) }
        }
        let isInitials = word.count >= 2 && latinInitials(person.name).contains { $0.hasPrefix(word) }
        return isPart || reads || isRead || isInitials || (letters + han.map { String(String.UnicodeScalarView($0)) }).joined() == word
    }

    private static func isNear(_ person: Person, _ query: String) -> Bool {
        let word = Folding.fold(query)
        return runs(person.name).letters.contains { own in
            own.utf8.count >= 4 && word.utf8.count >= 4
                && SearchWords.edits(Array(own.utf8), Array(word.utf8))
                    <= (min(own.utf8.count, word.utf8.count) >= 8 ? 2 : 1)
        }
    }

    /// A whole name as it is read with a letter too many, or two that changed places.
    private static func isSlipped(_ person: Person, _ query: String) -> Bool {
        let word = Array(Folding.fold(query).utf8)
        guard word.count >= 6, runs(query).letters.count == 1 else { return false }
        return readings(person.name).contains { reading in
            let own = Array(reading.text.utf8)
            guard reading.start == 0, (2...4).contains(reading.count) else { return false }
            if own.count + 1 == word.count { return word.indices.contains { Array(word[..<$0] + word[($0 + 1)...]) == own } }
            return own.count == word.count && own != word && word.indices.dropLast().contains { place in
                var other = word
                other.swapAt(place, place + 1)
                return other == own
            }
        }
    }

    /// Three characters or more of a name, in their order, with others between.
    private static func isGapped(_ person: Person, _ query: String) -> Bool {
        let typed = runs(query)
        guard typed.letters.isEmpty, typed.han.count == 1, typed.han[0].count >= 3 else { return false }
        return runs(person.name).han.contains { own in
            var wanted = typed.han[0].map(Han.simplified)[...]
            for scalar in own.map(Han.simplified) where scalar == wanted.first { wanted = wanted.dropFirst() }
            return wanted.isEmpty
        }
    }

    private static func expected(_ query: String, _ people: [Person], _ masking: Masking) -> Set<String> {
        let isNumber = query.utf8.allSatisfy { (48...57).contains($0) }
        if isNumber, masking.contacts {
            func holders(_ part: some StringProtocol) -> [Person] { people.filter { $0.number.contains(part) } }
            let found = holders(query)
            // As people write it before an area code.
            let isTrunk = found.isEmpty && query.hasPrefix("0") && query.count > 4
            return Set((isTrunk ? holders(query.dropFirst()) : found).map(\.reference))
        }
        if isNumber {
            return Set(
                people.filter { person in
                    let digits = String(person.number.dropFirst())
                    return query.count == 4 ? digits.hasSuffix(query) : [digits, String(digits.dropFirst(2))].contains(query)
                }.map(\.reference))
        }
        guard masking.names else { return [] }
        let named = people.filter { isNamed($0, query) }
        let found = named.isEmpty ? people.filter { isNear($0, query) || isSlipped($0, query) || isGapped($0, query) } : named
        return Set(found.map(\.reference))
    }

    private static func query(_ people: [Person], _ random: inout SeededGenerator) -> String {
        let person = people.randomElement(using: &random) ?? people[0]
        func piece(_ text: String, _ least: Int) -> String {
            let all = Array(text)
            guard all.count > least else { return text }
            let count = Int.random(in: least...all.count, using: &random)
            let start = Int.random(in: 0...(all.count - count), using: &random)
            return String(all[start..<start + count])
        }
        let (han, letters) = runs(person.name)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return piece(String(person.number.dropFirst()), 4)
        case 1, 2:
            guard let run = han.first else { break }
            let text = piece(String(String.UnicodeScalarView(run)), 1)
            return Bool.random(using: &random) ? text : text.replacing("国", with: "國").replacing("龙", with: "龍")
        case 3:
            guard let reading = readings(person.name).randomElement(using: &random) else { break }
            return String(reading.text.prefix(Int.random(in: 2...20, using: &random)))
        case 4:
            guard let reading = readings(person.name).filter({ $0.count >= 2 }).randomElement(using: &random) else { break }
            return reading.initials.uppercased()
        default: break
        }
        guard let word = letters.randomElement(using: &random) else { return piece(String(person.number.dropFirst()), 4) }
        if word.count > 4, Bool.random(using: &random) {
            var typed = Array(word)
            let place = Int.random(in: 1..<typed.count, using: &random)
            typed.swapAt(place, place - 1)
            return String(typed)
        }
        return piece(word, 2)
    }

    @Test("what is found is what the promise says, for every right to see and region", arguments: 1...6)
    func oracle(round: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("search oracle \(round): seed \(seed)")
        var random = SeededGenerator(seed: seed)
        let people = (0..<150).map { Self.person($0, &random) }
        let bench = try await ImportBench()
        let outcomes = try await bench.apply(
            people.map { person in
                [
                    "source_id": .text(person.reference), "full_name": .text(person.name),
                    "phone": .text(person.number), "region": .text(person.region),
                ]
            })
        var references: [CustomerID: String] = [:]
        for (outcome, person) in zip(outcomes, people) {
            references[try #require(outcome.customer, "\(person) \(outcome)")] = person.reference
        }
        let view = CustomerPermissions.view
        let principals = [
            TestTenant.principal([view, Masking.seeNames, Masking.seeContacts]),
            TestTenant.principal([view, Masking.seeNames]), TestTenant.principal([view, Masking.seeContacts]),
            TestTenant.principal([view], roles: [.analyst]),
            TestTenant.principal([view, Masking.seeNames, Masking.seeContacts], regions: ["浙江"]),
            TestTenant.principal([view, Masking.seeNames, Masking.seeContacts], regions: ["江苏", "California"]),
        ]
        var hits = 0
        for _ in 0..<60 {
            let query = Self.query(people, &random)
            for principal in principals {
                let reach = people.filter { principal.scope.regions?.contains($0.region) ?? true }
                let expected = Self.expected(query, reach, Masking(principal))
                let found = Set(try await SearchBench.find(query, bench, principal).compactMap { references[$0] })
                hits += found.count
                let rights = principal.permissions.map(\.rawValue).sorted().joined(separator: " ")
                #expect(
                    found == expected,
                    """
                    “\(query)” \(rights) \(principal.scope.regions ?? []), seed \(seed): \
                    missed \(people.filter { expected.subtracting(found).contains($0.reference) }.map(\.name)), \
                    too many \(people.filter { found.subtracting(expected).contains($0.reference) }.map(\.name))
                    """)
            }
        }
        #expect(hits > 200, "the queries find somebody")
    }
}
