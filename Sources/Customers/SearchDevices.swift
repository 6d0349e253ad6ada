import Kernel
import Storage

/// The words of what a device is called (`Xiaomi 14`, `华为 Mate 60`), stored or typed.
struct DeviceName: Sendable {
    /// Nobody names a device in more words.
    static let wordsMax = 8
    /// From so many letters on, what was typed may be the beginning of a word.
    static let prefixMin = 3

    let words: [SearchName.Word]

    init(_ text: String) { words = Array(SearchName(text).words.prefix(Self.wordsMax)) }

    /// What stands in the index: each word, a word with those behind it (`mate60`), and pairs of Chinese characters.
    var tokens: [String] {
        var result: [String] = []
        func add(_ text: String) { if !text.isEmpty, !result.contains(text) { result.append(text) } }
        for (place, word) in words.enumerated() {
            add(word.text)
            add(SearchText.cut(words[place...].map(\.whole).joined()))
            guard word.script == .han else { continue }
            let letters = word.scalars.prefix(SearchText.hanMax).map { String($0) }
            for (one, next) in zip(letters, letters.dropFirst()) { add(one + next) }
        }
        return result
    }

    /// Whether what was typed says enough to look for: two characters and a letter at least.
    var isAskable: Bool {
        let all = words.flatMap(\.scalars)
        return all.count >= 2 && all.contains { $0.properties.isAlphabetic } && words.contains { $0.scalars.count >= 2 }
    }

    /// - Parameter unfinished: whether the words may be beginnings.
    func term(unfinished: Bool) -> SearchTerm {
        .all(
            words.map { word in
                if word.script == .han, word.scalars.count > 1 {
                    let letters = word.scalars.prefix(SearchText.hanMax).map { String($0) }
                    return .all(zip(letters, letters.dropFirst()).map { .token(.device, $0 + $1) })
                }
                return unfinished && word.scalars.count >= Self.prefixMin
                    ? .prefix(.device, word.text) : .token(.device, word.text)
            })
    }

    /// Whether this is meant by what was typed.
    func isMeant(by typed: DeviceName) -> Bool {
        let tokens = tokens
        return typed.words.allSatisfy { word in
            word.script == .han
                ? words.contains { $0.whole.contains(word.whole) }
                : tokens.contains { $0 == word.text || (word.scalars.count >= Self.prefixMin && $0.hasPrefix(word.text)) }
        }
    }
}

extension SearchText {
    /// The words of all devices of a customer, each once.
    static func devices(_ record: CustomerRecord) -> [String] {
        var seen: Set<String> = []
        return record.subscriptions.compactMap(\.device).flatMap { DeviceName($0).tokens }.filter { seen.insert($0).inserted }
    }
}

extension IndexedSearch {
    /// By brand and model. A word of it is found at once, however many have such a device; its beginning only when that was not enough.
    mutating func lookForDevices(_ text: String) throws {
        let typed = DeviceName(text)
        guard typed.isAskable else { return }
        for unfinished in [false, true] where found.count < limit {
            let session = session
            try look(typed.term(unfinished: unfinished), rowsMax: NumberIndex.rowsMax) { ids in
                let devices = try Self.devices(of: ids, meant: typed, session)
                return ids.compactMap { id in devices[id].map { (id, .device($0)) } }
            }
        }
    }

    /// What of these customers' devices was meant.
    private static func devices(
        of ids: [CustomerID], meant typed: DeviceName, _ session: any SQLSession
    ) throws -> [CustomerID: String] {
        var result: [CustomerID: String] = [:]
        for chunk in ids.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(CustomerSearch.devices)
            builder.appendIn("AND customer_id", chunk.map { .id($0) })
            try session.forEach(builder.sql, builder.arguments) { row in
                guard result[row.id(0)] == nil, let device = row.optionalText(1) else { return true }
                if DeviceName(device).isMeant(by: typed) { result[row.id(0)] = device }
                return true
            }
        }
        return result
    }
}
