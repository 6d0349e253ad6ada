import Crypto
import Foundation
import HTTPTypes
import Kernel
import Web

/// The key under which a caller sends a change, so that it may be sent again (G70; draft-ietf-httpapi-idempotency-key-header-07):
/// the header `Idempotency-Key`, or the field `_key` that every form of ours is rendered with.
package struct RequestKey: Sendable, Equatable {
    /// Tells this key from all others: a digest of caller and key. A key may hold anything, so it is not kept itself.
    package let id: String
    /// Of method, path, caller and what was sent.
    package let digest: String
    /// From a form: who clicks twice waits for the first answer instead of being refused.
    package let isForm: Bool

    package static let lengths = 8...200
    /// Fields that hold a password: a digest that is kept must not be a way to try passwords against.
    private static let secrets: Set<String> = ["password", "current", "new", "again"]

    /// The key of a request; `nil` when it has none.
    /// - Throws: 400 for a key of another form.
    package static func of(_ request: WebRequest) throws -> RequestKey? {
        guard let principal = request.session?.principal else { return nil }
        let caller = principal.userID.map { "u\($0)" } ?? "n" + principal.userName
        let header = HTTPField.Name("Idempotency-Key").flatMap { request.headers[values: $0] } ?? []
        let field = request.form["_key"] ?? request.query["_key"]
        guard let sent = header.first ?? field else { return nil }
        // A structured string has quotes around it; many clients leave them out.
        let isQuoted = sent.utf8.count >= 2 && sent.hasPrefix("\"") && sent.hasSuffix("\"")
        let key = isQuoted ? String(sent.dropFirst().dropLast()) : sent
        guard header.count <= 1, lengths.contains(key.utf8.count),
            key.utf8.allSatisfy({ (33...126).contains($0) && $0 != 34 && $0 != 92 })
        else {
            throw CRMError.badRequest(
                "idempotency_key_invalid",
                Words(
                    en: "An Idempotency-Key has \(lengths.lowerBound) to \(lengths.upperBound) visible characters.",
                    zh: "Idempotency-Key 须为 \(lengths.lowerBound) 至 \(lengths.upperBound) 个可见字符。"))
        }
        let isForm = header.isEmpty
        let route = request.method.rawValue + " " + request.path
        // The forms of one page share its key: there it is the key of a form, not of the page.
        let id = isForm ? digest([caller, "form", key, route]) : digest([caller, "header", key])
        return RequestKey(id: id, digest: digest([caller, route] + content(request)), isForm: isForm)
    }

    /// The same key with what is only known once it was read: the content of an upload.
    package func with(content: String) -> RequestKey {
        RequestKey(id: id, digest: Self.digest([digest, content]), isForm: isForm)
    }

    private static func content(_ request: WebRequest) -> [String] {
        let query = request.query.fields.filter { $0.name != "_key" }.flatMap { [$0.name, $0.value] }
        switch request.body {
        case .none, .upload: return ["none"] + query
        case .form(let form):
            return ["form"] + query
                + form.fields.filter { !Form.own.contains($0.name) && !secrets.contains($0.name) }.flatMap { [$0.name, $0.value] }
        case .json(let value): return ["json"] + query + [value.encoded()]
        case .lines(let bytes): return ["lines"] + query + ["\(bytes.count)", String(decoding: bytes, as: UTF8.self)]
        }
    }

    /// SHA-256 of parts, each with its length before it.
    static func digest(_ parts: [String]) -> String {
        var hash = SHA256()
        for part in parts { hash.update(data: Data("\(part.utf8.count):\(part)".utf8)) }
        return Hex.text(hash.finalize())
    }
}

/// The version of a record that a caller saw (RFC 9110, `If-Match`).
package enum RecordVersion {
    /// A version for records without a counter: a digest of what stands in them.
    package static func of(_ parts: [String]) -> String { String(RequestKey.digest(parts).prefix(32)) }

    /// The versions a request names: `If-Match`, one or a list of them (RFC 9110 13.1.1), or the field `revision` of a form; `nil` when it
    /// names none. A weak one is no record's version, so it comes back as it was sent and matches nothing.
    /// - Throws: 400 for what is no tag.
    package static func seen(_ request: WebRequest) throws -> [String]? {
        let sent = request.headers[values: .ifMatch]
        guard !sent.isEmpty else { return request.form["revision"]?.trimmed.nonEmpty.map { [$0] } }
        // `*` says that any version will do: for a change of what somebody saw it says nothing.
        if sent.count == 1, sent[0].trimmed == "*" { return nil }
        // Several lines are one list.
        guard let tags = tags(sent.joined(separator: ",")), !tags.isEmpty else { throw ifMatchInvalid }
        return tags
    }

    static let ifMatchInvalid = CRMError.badRequest(
        "if_match_invalid",
        Words(
            en: "If-Match must name versions in quotes, as the ETag of the record did: \"a\", or \"a\", \"b\".",
            zh: "If-Match 须为带引号的版本（即记录的 ETag），可用逗号分隔多个：\"a\"、\"b\"。"))

    /// A list of entity tags without their quotes; a comma may stand inside of one. `nil` = it is none.
    private static func tags(_ text: String) -> [String]? {
        var result: [String] = []
        var rest = text.utf8[...]
        func skip(_ bytes: Set<UInt8>) { rest = rest.drop { bytes.contains($0) } }
        skip([32, 9, 44])
        while !rest.isEmpty {
            let isWeak = rest.starts(with: "W/".utf8)
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == 34 else { return nil }
            rest = rest.dropFirst()
            guard let end = rest.firstIndex(of: 34), end > rest.startIndex else { return nil }
            let tag = String(rest[..<end]) ?? ""
            result.append(isWeak ? "W/\"\(tag)\"" : tag)
            rest = rest[rest.index(after: end)...]
            skip([32, 9])
            guard rest.isEmpty || rest.first == 44 else { return nil }
            skip([32, 9, 44])
        }
        return result
    }

    /// Whether the caller has this version already: `If-None-Match` names it, or any (RFC 9110 13.1.2).
    package static func isKnown(_ version: String, to request: WebRequest) -> Bool {
        request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",").map(String.init) }.contains { tag in
            let tag = tag.trimmed
            return tag == "*" || (tag.hasPrefix("W/") ? String(tag.dropFirst(2)) : tag) == "\"\(version)\""
        }
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}
