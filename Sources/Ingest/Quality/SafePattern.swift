import Kernel

/// A pattern that a text as a whole must match, in time that grows with its length and never explodes: an automaton that
/// follows all alternatives at once (Thompson, "Regular Expression Search Algorithm", 1968), so there is nothing to backtrack
/// into. Steps are at most length x states, both bounded.
///
/// Literals, `.`, `[a-z0-9_]`, `[^...]`, `\d \w \s \D \W \S`, `\` before a sign, `( )`, `|`, `? * +`, `{n}`, `{n,}`, `{n,m}`.
struct SafePattern: Sendable {
    static let patternMax = 200
    static let statesMax = 256
    static let textMax = 1_000

    struct Invalid: Error {
        let words: Words
        init(_ en: String, _ zh: String) { words = Words(en: en, zh: zh) }
    }

    /// What one scalar may be.
    enum Symbol: Sendable, Equatable {
        case any
        case one(UInt32)
        case set([ClosedRange<UInt32>], negated: Bool)

        func matches(_ scalar: UInt32) -> Bool {
            switch self {
            case .any: true
            case .one(let other): scalar == other
            case .set(let ranges, let negated): ranges.contains { $0.contains(scalar) } != negated
            }
        }
    }

    private enum State: Sendable {
        case symbol(Symbol, next: Int)
        case split(Int, Int)
        case accept
    }

    private let states: [State]
    /// States reached before the first scalar.
    private let start: [Int]

    init(_ pattern: String) throws(Invalid) {
        guard !pattern.isEmpty else { throw Invalid("the pattern is empty", "模式为空") }
        guard pattern.unicodeScalars.count <= Self.patternMax else {
            throw Invalid("longer than \(Self.patternMax) characters", "超过 \(Self.patternMax) 个字符")
        }
        var parser = PatternParser(pattern)
        let tree = try parser.whole()
        var builder = Builder()
        let accept = try builder.add(.accept)
        let entry = try builder.build(tree, accept)
        states = builder.states
        start = Self.closure([entry], states)
    }

    /// Whether the whole text matches; a text longer than `textMax` does not.
    func matches(_ text: String) -> Bool {
        var current = start
        var seen = [Int](repeating: -1, count: states.count)
        var next: [Int] = []
        var stack: [Int] = []
        var length = 0
        for scalar in text.unicodeScalars {
            length += 1
            guard length <= Self.textMax else { return false }
            next.removeAll(keepingCapacity: true)
            for state in current {
                guard case .symbol(let symbol, let after) = states[state], symbol.matches(scalar.value) else {
                    continue
                }
                stack.append(after)
                while let top = stack.popLast() {
                    guard seen[top] != length else { continue }
                    seen[top] = length
                    if case .split(let one, let other) = states[top] {
                        stack.append(other)
                        stack.append(one)
                    } else {
                        next.append(top)
                    }
                }
            }
            guard !next.isEmpty else { return false }
            swap(&current, &next)
        }
        return current.contains { if case .accept = states[$0] { true } else { false } }
    }

    private static func closure(_ from: [Int], _ states: [State]) -> [Int] {
        var result: [Int] = []
        var seen: Set<Int> = []
        var stack = from
        while let top = stack.popLast() {
            guard seen.insert(top).inserted else { continue }
            if case .split(let one, let other) = states[top] { stack += [other, one] } else { result.append(top) }
        }
        return result
    }

    /// What the parser makes of the text.
    indirect enum Node: Sendable {
        case symbol(Symbol)
        case sequence([Node])
        case choice([Node])
        case repeated(Node, min: Int, max: Int?)
    }

    private struct Builder {
        var states: [State] = []

        mutating func add(_ state: State) throws(Invalid) -> Int {
            guard states.count < SafePattern.statesMax else {
                throw Invalid("the pattern is too large (repetitions multiply)", "模式过大（重复次数相乘）")
            }
            states.append(state)
            return states.count - 1
        }

        /// - Returns: the state before `node`, which leads to `next`.
        mutating func build(_ node: Node, _ next: Int) throws(Invalid) -> Int {
            switch node {
            case .symbol(let symbol): return try add(.symbol(symbol, next: next))
            case .sequence(let nodes):
                var place = next
                for node in nodes.reversed() { place = try build(node, place) }
                return place
            case .choice(let nodes):
                var place = try build(nodes[nodes.count - 1], next)
                for node in nodes.dropLast().reversed() { place = try add(.split(try build(node, next), place)) }
                return place
            case .repeated(let node, let min, let max):
                var place = next
                if let max {
                    for _ in 0..<(max - min) { place = try add(.split(try build(node, place), next)) }
                } else {
                    let loop = try add(.split(next, next))
                    states[loop] = .split(try build(node, loop), next)
                    place = loop
                }
                for _ in 0..<min { place = try build(node, place) }
                return place
            }
        }
    }
}

private struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var at = 0
    private var depth = 0

    init(_ pattern: String) { scalars = Array(pattern.unicodeScalars) }

    mutating func whole() throws(SafePattern.Invalid) -> SafePattern.Node {
        // The whole text is meant anyway.
        if peek == "^" { at += 1 }
        let node = try choice()
        if peek == "$" { at += 1 }
        guard at == scalars.count else {
            throw SafePattern.Invalid(
                "“\(scalars[at])” at place \(at + 1) closes nothing", "第 \(at + 1) 位的“\(scalars[at])”无对应")
        }
        return node
    }

    private var peek: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

    private mutating func choice() throws(SafePattern.Invalid) -> SafePattern.Node {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 20 else { throw SafePattern.Invalid("brackets are nested too deep", "括号嵌套过深") }
        var options = [try sequence()]
        while peek == "|" {
            at += 1
            options.append(try sequence())
        }
        return options.count == 1 ? options[0] : .choice(options)
    }

    private mutating func sequence() throws(SafePattern.Invalid) -> SafePattern.Node {
        var nodes: [SafePattern.Node] = []
        while let sign = peek, sign != "|", sign != ")", !(sign == "$" && at == scalars.count - 1) {
            nodes.append(try repeated(try atom()))
        }
        return .sequence(nodes)
    }

    private mutating func atom() throws(SafePattern.Invalid) -> SafePattern.Node {
        let sign = scalars[at]
        at += 1
        switch sign {
        case ".": return .symbol(.any)
        case "(":
            // (?: is the same here; other groups are not known.
            if peek == "?" {
                guard at + 1 < scalars.count, scalars[at + 1] == ":" else {
                    throw SafePattern.Invalid("“(?” is not known but as “(?:”", "仅支持“(?:”形式的分组")
                }
                at += 2
            }
            let node = try choice()
            guard peek == ")" else { throw SafePattern.Invalid("a bracket is not closed", "括号未闭合") }
            at += 1
            return node
        case "[": return .symbol(try set())
        case "\\": return .symbol(try escaped())
        case "?", "*", "+", "{", "]", "}":
            throw SafePattern.Invalid("“\(sign)” at place \(at) has nothing before it", "第 \(at) 位的“\(sign)”之前没有内容")
        case "^", "$": throw SafePattern.Invalid("“\(sign)” is only known at the ends", "“\(sign)”只能位于首尾")
        default: return .symbol(.one(sign.value))
        }
    }

    private mutating func repeated(_ node: SafePattern.Node) throws(SafePattern.Invalid) -> SafePattern.Node {
        switch peek {
        case "?": at += 1; return .repeated(node, min: 0, max: 1)
        case "*": at += 1; return .repeated(node, min: 0, max: nil)
        case "+": at += 1; return .repeated(node, min: 1, max: nil)
        case "{":
            at += 1
            guard let low = number() else { throw Self.count }
            var high: Int? = low
            if peek == "," {
                at += 1
                high = number()
            }
            guard peek == "}", low <= high ?? low, low <= 100, high ?? 0 <= 100 else { throw Self.count }
            at += 1
            return .repeated(node, min: low, max: high)
        default: return node
        }
    }

    private static let count = SafePattern.Invalid(
        "a count must be {n}, {n,} or {n,m} up to 100", "重复次数须为 {n}、{n,} 或 {n,m}，最大 100")

    private mutating func number() -> Int? {
        var value: Int?
        while let sign = peek, (48...57).contains(sign.value), value ?? 0 < 1_000 {
            value = (value ?? 0) * 10 + Int(sign.value - 48)
            at += 1
        }
        return value
    }

    private static let digits: [ClosedRange<UInt32>] = [48...57]
    private static let word: [ClosedRange<UInt32>] = [48...57, 65...90, 95...95, 97...122]
    private static let space: [ClosedRange<UInt32>] = [9...13, 32...32, 0xA0...0xA0, 0x3000...0x3000]

    private mutating func escaped() throws(SafePattern.Invalid) -> SafePattern.Symbol {
        guard let sign = peek else { throw SafePattern.Invalid("“\\” stands at the end", "“\\”位于末尾") }
        at += 1
        switch sign {
        case "d": return .set(Self.digits, negated: false)
        case "D": return .set(Self.digits, negated: true)
        case "w": return .set(Self.word, negated: false)
        case "W": return .set(Self.word, negated: true)
        case "s": return .set(Self.space, negated: false)
        case "S": return .set(Self.space, negated: true)
        default:
            guard !sign.properties.isAlphabetic, sign.properties.numericType == nil else {
                throw SafePattern.Invalid("“\\\(sign)” is not known", "不支持“\\\(sign)”")
            }
            return .one(sign.value)
        }
    }

    /// Behind `[`.
    private mutating func set() throws(SafePattern.Invalid) -> SafePattern.Symbol {
        var ranges: [ClosedRange<UInt32>] = []
        let negated = peek == "^"
        if negated { at += 1 }
        while let sign = peek, sign != "]" {
            at += 1
            if sign == "\\" {
                switch try escaped() {
                case .one(let value): ranges.append(value...value)
                case .set(let more, false): ranges += more
                default: throw SafePattern.Invalid("negated classes are not known inside [ ]", "[ ] 内不支持取反类")
                }
                continue
            }
            guard peek == "-", at + 1 < scalars.count, scalars[at + 1] != "]" else {
                ranges.append(sign.value...sign.value)
                continue
            }
            let end = scalars[at + 1]
            at += 2
            guard sign.value <= end.value, end != "\\" else {
                throw SafePattern.Invalid("“\(sign)-\(end)” is no range", "“\(sign)-\(end)”不是有效范围")
            }
            ranges.append(sign.value...end.value)
        }
        guard peek == "]", !ranges.isEmpty else { throw SafePattern.Invalid("“[” is empty or not closed", "“[”为空或未闭合") }
        at += 1
        return .set(ranges, negated: negated)
    }
}
