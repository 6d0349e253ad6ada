import CRE2
import Kernel

/// A regular expression of a client (RE2: no backtracking, so that none is slow on purpose), found anywhere in a value.
package final class TMFPattern: Sendable {
    package static let lengthMax = 500
    /// Bytes for a pattern's program and its states.
    private static let memory = 1 << 20

    // SAFETY: RE2 may be used by several threads at once; nothing here changes after init.
    private nonisolated(unsafe) let pattern: OpaquePointer

    /// - Throws: 400 naming the parameter and what RE2 says is wrong.
    package init(_ text: String, parameter: String) throws {
        guard text.utf8.count <= Self.lengthMax else {
            throw TMFQuery.bad(parameter, Words(
                en: "“\(parameter)”: a pattern may have at most \(Self.lengthMax) bytes.", zh: "“\(parameter)”：正则表达式最长 \(Self.lengthMax) 字节。"))
        }
        var text = text
        var error = [CChar](repeating: 0, count: 200)
        let made = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_make($0.baseAddress, $0.count, Self.memory, &error, error.count) }
        }
        guard let made else {
            let why = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw TMFQuery.bad(parameter, Words(
                en: "“\(parameter)”: this is no pattern RE2 knows: \(why).", zh: "“\(parameter)”：不是有效的 RE2 正则表达式：\(why)。"))
        }
        pattern = made
    }

    deinit { cre2_free(pattern) }

    package func finds(in text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_finds(pattern, $0.baseAddress, $0.count) }
        }
    }
}

/// The patterns of a query, each compiled once.
package struct TMFPatterns: Sendable {
    private var patterns: [String: TMFPattern] = [:]

    /// - Throws: 400 for a pattern that is none.
    package init(_ conditions: [TMFCondition]) throws {
        for condition in conditions where condition.comparison == .regex {
            for text in condition.values where patterns[text] == nil {
                patterns[text] = try TMFPattern(text, parameter: condition.target.path.description)
            }
        }
    }

    package func find(_ condition: TMFCondition, in value: String) -> Bool {
        condition.values.contains { patterns[$0]?.finds(in: value) ?? false }
    }
}
