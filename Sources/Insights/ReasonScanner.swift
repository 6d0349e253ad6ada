import Foundation

/// Reads reasons as `StoredReasons.encoded` writes them: one object a customer, read on each of their pages, and Foundation's
/// decoder took a third of what the panel costs. What it does not expect (an escape, another key, blanks) it leaves to that
/// decoder.
struct ReasonScanner {
    /// Behind the last byte stands NUL.
    private var at: UnsafePointer<CChar>

    /// `nil` = not in the form expected.
    static func scan(_ text: String) -> StoredReasons? {
        text.withCString { start in
            var scanner = ReasonScanner(at: start)
            guard let reasons = scanner.reasons(), scanner.at == start + text.utf8.count else { return nil }
            return reasons
        }
    }

    private mutating func reasons() -> StoredReasons? {
        var raising: [StoredReasons.Item]?
        var lowering: [StoredReasons.Item]?
        var changes: [StoredReasons.Change]?
        let read = object { key, scanner in
            switch key {
            case UInt8(ascii: "r"): raising = scanner.list { $0.item() }
            case UInt8(ascii: "l"): lowering = scanner.list { $0.item() }
            case UInt8(ascii: "x"):
                changes = scanner.list { $0.change() }
                return changes != nil
            default: return false
            }
            return true
        }
        guard read, let raising, let lowering else { return nil }
        return StoredReasons(raising: raising, lowering: lowering, changes: changes)
    }

    private mutating func item() -> StoredReasons.Item? {
        var (column, value, kind): (String?, String?, ColumnKind?)
        var (contribution, below, above): (Double?, Double?, Double?)
        let read = object { key, scanner in
            switch key {
            case UInt8(ascii: "c"): column = scanner.string()
            case UInt8(ascii: "v"):
                value = scanner.string()
                return value != nil
            case UInt8(ascii: "k"): kind = scanner.string().flatMap(ColumnKind.init(rawValue:))
            case UInt8(ascii: "w"): contribution = scanner.number()
            case UInt8(ascii: "b"):
                below = scanner.number()
                return below != nil
            case UInt8(ascii: "a"):
                above = scanner.number()
                return above != nil
            default: return false
            }
            return true
        }
        guard read, let column, let kind, let contribution else { return nil }
        return StoredReasons.Item(
            column: column, value: value, kind: kind, contribution: contribution, below: below, above: above)
    }

    private mutating func change() -> StoredReasons.Change? {
        var (column, value, probability): (String?, String?, Double?)
        let read = object { key, scanner in
            switch key {
            case UInt8(ascii: "c"): column = scanner.string()
            case UInt8(ascii: "v"): value = scanner.string()
            case UInt8(ascii: "p"): probability = scanner.number()
            default: return false
            }
            return true
        }
        guard read, let column, let value, let probability else { return nil }
        return StoredReasons.Change(column: column, value: value, probability: probability)
    }

    // MARK: The form

    private mutating func take(_ byte: UInt8) -> Bool {
        guard UInt8(bitPattern: at.pointee) == byte else { return false }
        at += 1
        return true
    }

    /// An object whose keys are one letter each. A key given twice is not expected.
    private mutating func object(_ field: (UInt8, inout ReasonScanner) -> Bool) -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        if take(UInt8(ascii: "}")) { return true }
        var seen: UInt64 = 0
        while true {
            guard take(UInt8(ascii: "\"")) else { return false }
            let key = UInt8(bitPattern: at.pointee)
            guard (97...122).contains(key), seen & (1 << UInt64(key - 97)) == 0 else { return false }
            seen |= 1 << UInt64(key - 97)
            at += 1
            guard take(UInt8(ascii: "\"")), take(UInt8(ascii: ":")), field(key, &self) else { return false }
            if take(UInt8(ascii: "}")) { return true }
            guard take(UInt8(ascii: ",")) else { return false }
        }
    }

    private mutating func list<T>(_ element: (inout ReasonScanner) -> T?) -> [T]? {
        guard take(UInt8(ascii: "[")) else { return nil }
        var items: [T] = []
        if take(UInt8(ascii: "]")) { return items }
        while let item = element(&self) {
            items.append(item)
            if take(UInt8(ascii: "]")) { return items }
            guard take(UInt8(ascii: ",")) else { return nil }
        }
        return nil
    }

    private mutating func string() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = at
        while true {
            switch UInt8(bitPattern: at.pointee) {
            case UInt8(ascii: "\""):
                defer { at += 1 }
                let bytes = UnsafeRawBufferPointer(start: start, count: at - start)
                return String(decoding: bytes, as: UTF8.self)
            // The end, a control character, an escape.
            case 0..<32, UInt8(ascii: "\\"): return nil
            default: at += 1
            }
        }
    }

    /// A JSON number: the decoder reads it with `strtod` too, which alone would take hexadecimal digits and words.
    private mutating func number() -> Double? {
        var end = at
        while (48...57).contains(end.pointee) || [43, 45, 46, 69, 101].contains(end.pointee) { end += 1 }
        let first = at.pointee == 45 ? at + 1 : at
        guard (48...57).contains(first.pointee), first.pointee != 48 || !(48...57).contains(first[1]), end[-1] != 46
        else { return nil }
        var read: UnsafeMutablePointer<CChar>?
        let value = strtod(at, &read)
        guard let read, UnsafePointer(read) == end, value.isFinite else { return nil }
        at = end
        return value
    }
}
