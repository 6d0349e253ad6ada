import Kernel

/// Numbers that stand for a missing value: -1, -9, -99, -999, ... where nothing else is below zero, and 999, 9999, ...
/// far above all others.
struct MissingCodes: Sendable {
    private static let codes: [Double] = [-1, -9, -99, -999, -9_999, -99_999, 999, 9_999, 99_999, 999_999]
    /// A number far above the others that stands there once is rather a slip of the pen.
    private static let repeated = 3

    private var counts: [Double: Int] = [:]
    private var othersBelowZero = 0, others = 0
    private var othersMax = -Double.infinity

    mutating func add(_ value: Double) {
        if abs(value) >= 1, Self.codes.contains(value) {
            counts[value, default: 0] += 1
        } else {
            others += 1
            if value < 0 { othersBelowZero += 1 }
            othersMax = max(othersMax, value)
        }
    }

    /// By count.
    var found: [FileProfile.Count] {
        guard others > 0 else { return [] }
        return counts.filter { code, count in
            code < 0
                ? othersBelowZero == 0 && (code < -1 || count >= Self.repeated)
                : count >= Self.repeated && code > othersMax * 5
        }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { .init(value: "\(Int($0.key))", count: $0.value) }
    }
}

/// Headings of what names a record.
enum KeyNames {
    private static let words: Set<String> = ["id", "no", "number", "num", "key", "uid", "uuid", "code", "sn"]
    private static let parts = ["编号", "編號", "账号", "帳號", "客户号", "客戶號", "流水号", "流水號", "单号", "單號", "工号", "户号", "戶號", "标识"]
    /// Numbers that many may share.
    private static let shared: Set<String> = [
        "phone", "mobile", "street", "house", "post", "postal", "zip", "area", "region", "country", "city", "plan", "product",
        "tel", "contact", "channel", "shop", "branch", "agent", "error", "status", "currency",
    ]

    static func isKey(_ header: String) -> Bool {
        if parts.contains(where: header.contains) { return true }
        var all: [String] = [], word = "", wasLower = false
        for character in header {
            if !character.isLetter || character.isUppercase && wasLower {
                if !word.isEmpty { all.append(word.lowercased()) }
                word = ""
            }
            if character.isLetter { word.append(character) }
            wasLower = character.isLowercase
        }
        if !word.isEmpty { all.append(word.lowercased()) }
        guard let last = all.last, words.contains(last) else { return false }
        return !all.contains { shared.contains($0) }
    }
}

/// What an e-mail address looks like: one `@`, something before it, and a domain with a dot inside.
enum EmailShape {
    static func matches(_ text: Bytes) -> Bool {
        guard let at = text.firstIndex(of: UInt8(ascii: "@")), at > text.startIndex, text.count <= 254 else { return false }
        let domain = text[(at + 1)...]
        guard let first = domain.first, let last = domain.last, first != Ascii.dot, last != Ascii.dot else { return false }
        var hasDot = false, wasDot = false
        for byte in domain {
            if byte == UInt8(ascii: "@") || wasDot && byte == Ascii.dot { return false }
            wasDot = byte == Ascii.dot
            hasDot = hasDot || wasDot
        }
        return hasDot && !text.contains { $0 <= Ascii.space || $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: ";") }
    }
}
