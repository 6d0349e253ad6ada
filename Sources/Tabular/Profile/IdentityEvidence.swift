import Kernel

/// Which governments' identity numbers a column holds, and how many look like one and fail its check.
struct IdentityEvidence: Sendable {
    private static let linesMax = 8

    private var kinds: [IdentityNumber.Kind: Int] = [:]
    private var wrong = 0, lines: [Int] = []
    /// Eighteen places like a number of the mainland, right or not.
    private var mainland = 0

    /// How many values say by themselves that they are such numbers. A letter and nine digits are a number of Taiwan only
    /// when the check digit says so: customer numbers look like that too.
    var count: Int { mainland + kinds.reduce(0) { $0 + ($1.key == .mainland ? 0 : $1.value) } }

    mutating func add(_ text: Bytes, line: Int) {
        guard (8...18).contains(text.count) else { return }
        var digits = 0, letters = 0, marks = 0, last: UInt8 = 0
        for byte in text {
            switch byte {
            case Ascii.zero...Ascii.nine: digits += 1
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): letters += 1
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "/"): marks += 1
            default: return
            }
            last = byte
        }
        let isMainland = text.count == 18 && digits >= 17 && (digits == 18 || last | 32 == UInt8(ascii: "x"))
        if isMainland { mainland += 1 }
        guard isMainland || Self.isElsewhere(text, digits: digits, letters: letters, marks: marks) else { return }
        if let number = IdentityNumber(String(decoding: text, as: UTF8.self)) {
            kinds[number.kind, default: 0] += 1
        } else {
            wrong += 1
            if lines.count < Self.linesMax { lines.append(line) }
        }
    }

    /// A letter or two and the digits of Taiwan or Hong Kong; Macau has brackets or slashes.
    private static func isElsewhere(_ text: Bytes, digits: Int, letters: Int, marks: Int) -> Bool {
        guard marks <= 2, digits >= 6 else { return false }
        if letters == 0 { return digits == 8 && marks == 2 }
        guard let first = text.first, first >= UInt8(ascii: "A") else { return false }
        return letters <= 3 && (marks == 2 && letters + digits <= 9 || marks == 0 && [8, 10].contains(text.count))
    }

    /// `nil` when the column holds none.
    var found: FileProfile.Identities? {
        guard count > 0 || wrong > 0 else { return nil }
        return .init(
            kinds: kinds.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
                .map { .init(value: $0.key.rawValue, count: $0.value) },
            wrong: wrong, wrongLines: lines)
    }
}
