import Foundation
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// The head of one part of a `multipart/form-data` body.
package struct MultipartPart: Sendable, Equatable {
    package let name: String
    /// What the client calls the file: a word to show, never a path to open. `nil` = an ordinary field.
    package let fileName: String?
    package let contentType: String?
}

/// Bounds of one upload. What goes beyond is refused with 413.
package struct MultipartLimits: Sendable {
    package var partsMax: Int
    package var headerBytesMax: Int
    /// Of a part that is not a file.
    package var fieldBytesMax: Int
    package var bodyBytesMax: Int
    /// Before the speed counts.
    package var graceSeconds = 30

    package init(
        partsMax: Int = 20, headerBytesMax: Int = 8 * 1024, fieldBytesMax: Int = 8 * 1024,
        bodyBytesMax: Int = Limits.uploadBytesMax
    ) {
        self.partsMax = partsMax
        self.headerBytesMax = headerBytesMax
        self.fieldBytesMax = fieldBytesMax
        self.bodyBytesMax = bodyBytesMax
    }
}

/// RFC 7578 bodies, strictly, from chunks of any size: feed bytes, pull events until `nil`. Memory is bounded by a chunk
/// and the limits. What parsers disagree about (a preamble, an epilogue, padding, bare LF, doubled headers) is refused.
package struct MultipartParser: Sendable {
    package enum Event: Sendable, Equatable {
        case part(MultipartPart)
        /// Content of the current part, in pieces, never empty.
        case data([UInt8])
        case partEnd
        /// The closing boundary was read.
        case end
    }

    private enum State { case opening, headers, content, boundaryEnd, closed }

    private let limits: MultipartLimits
    /// CR LF `--` boundary.
    private let delimiter: [UInt8]
    private var state = State.opening
    private var buffer: [UInt8] = []
    private var at = 0
    private var parts = 0
    private var received = 0
    private var isOpen = false

    /// - Throws: 400 for a boundary that RFC 2046 does not allow.
    package init(boundary: String, limits: MultipartLimits = MultipartLimits()) throws {
        let signs = Set("'()+_,-./:=? ".utf8)
        let bytes = Array(boundary.utf8)
        guard (1...70).contains(bytes.count), bytes.last != 32,
            bytes.allSatisfy({ signs.contains($0) || (48...57).contains($0) || (65...90).contains($0 & 0xDF) })
        else { throw Self.malformed("the boundary is not valid", "边界标记无效") }
        self.limits = limits
        delimiter = Array("\r\n--".utf8) + bytes
        // The first boundary has no line end before it: with this one it looks like the others.
        buffer = [13, 10]
    }

    static func malformed(_ en: String, _ zh: String) -> CRMError {
        .badRequest("multipart", Words(en: "The upload is malformed: \(en).", zh: "上传内容格式错误：\(zh)。"))
    }

    package mutating func feed(_ bytes: [UInt8]) throws {
        received += bytes.count
        guard received <= limits.bodyBytesMax else { throw Gate.tooLarge(limits.bodyBytesMax) }
        if at > 0 {
            buffer.removeFirst(at)
            at = 0
        }
        buffer += bytes
    }

    /// - Throws: 400 when the body ended before its closing boundary.
    package func finish() throws {
        guard state == .closed else { throw Self.malformed("it ends too early", "内容不完整") }
    }

    /// The next event, or `nil` when more bytes are needed.
    package mutating func next() throws -> Event? {
        while true {
            switch state {
            case .opening:
                guard buffer.count - at >= delimiter.count else { return nil }
                guard buffer[at...].starts(with: delimiter) else {
                    throw Self.malformed("it does not begin with its boundary", "开头不是边界标记")
                }
                at += delimiter.count
                state = .boundaryEnd
            case .boundaryEnd:
                if isOpen {
                    isOpen = false
                    return .partEnd
                }
                guard buffer.count - at >= 2 else { return nil }
                switch (buffer[at], buffer[at + 1]) {
                case (13, 10): state = .headers
                case (45, 45):
                    state = .closed
                    at += 2
                    return .end
                default: throw Self.malformed("a boundary is not followed by a line end", "边界标记之后缺少换行")
                }
                at += 2
            case .headers:
                guard let part = try head() else { return nil }
                isOpen = true
                state = .content
                return .part(part)
            case .content: return content()
            case .closed:
                let rest = buffer[at...]
                guard rest.isEmpty || rest.elementsEqual([13]) || rest.elementsEqual([13, 10]) else {
                    throw Self.malformed("something follows the last boundary", "末尾边界之后仍有内容")
                }
                return nil
            }
        }
    }

    /// Content up to the next delimiter, or as much as surely is content.
    private mutating func content() -> Event? {
        let start = at
        let end = buffer.withUnsafeBufferPointer { bytes -> (stop: Int, found: Bool) in
            let last = bytes.count - delimiter.count
            guard let base = bytes.baseAddress else { return (start, false) }
            var index = start
            while index <= last, let hit = memchr(base + index, 13, last - index + 1) {
                index = base.distance(to: hit.assumingMemoryBound(to: UInt8.self))
                if bytes[index + 1] == 10, memcmp(base + index, delimiter, delimiter.count) == 0 {
                    return (index, true)
                }
                index += 1
            }
            return (max(start, last + 1), false)
        }
        at = end.stop
        if end.found {
            at += delimiter.count
            state = .boundaryEnd
        }
        if end.stop > start { return .data(Array(buffer[start..<end.stop])) }
        if end.found {
            isOpen = false
            return .partEnd
        }
        return nil
    }

    // MARK: Heads

    private mutating func head() throws -> MultipartPart? {
        let stop = [13, 10, 13, 10] as [UInt8]
        var end: Int?
        var index = at
        while index + 4 <= buffer.count, end == nil {
            if buffer[index] == 13, buffer[index..<index + 4].elementsEqual(stop) { end = index }
            index += 1
        }
        let length = (end ?? buffer.count) - at
        guard length <= limits.headerBytesMax else {
            throw CRMError(
                "too_large", status: 413,
                Words(
                    en: "The head of an upload's part may have at most \(limits.headerBytesMax) bytes.",
                    zh: "上传部分的头信息最大 \(limits.headerBytesMax) 字节。"))
        }
        guard let end else { return nil }
        let bytes = Array(buffer[at..<end])
        at = end + 4
        parts += 1
        guard parts <= limits.partsMax else {
            throw CRMError(
                "too_large", status: 413,
                Words(en: "An upload may have at most \(limits.partsMax) parts.", zh: "一次上传最多 \(limits.partsMax) 个部分。"))
        }
        return try Self.part(bytes)
    }

    private static func part(_ bytes: [UInt8]) throws -> MultipartPart {
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw malformed("the head of a part is not UTF-8", "部分头信息不是 UTF-8")
        }
        var headers: [String: String] = [:]
        for line in text.components(separatedBy: "\r\n") {
            let pieces = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pieces.count == 2, !line.utf8.contains(10), !line.utf8.contains(13),
                headers.updateValue(pieces[1].trimmed, forKey: pieces[0].lowercased()) == nil
            else { throw malformed("the head of a part is not valid", "部分头信息无效") }
        }
        if let encoding = headers["content-transfer-encoding"]?.lowercased(),
            !["binary", "8bit", "7bit"].contains(encoding)
        {
            throw malformed("a transfer encoding is not supported", "不支持该传输编码")
        }
        let disposition = try parameters(headers["content-disposition"] ?? "")
        guard disposition.value == "form-data", let name = disposition.parameters["name"], !name.isEmpty else {
            throw malformed("a part has no name", "某个部分没有名称")
        }
        return MultipartPart(
            name: name, fileName: disposition.parameters["filename"].map(safeFileName),
            contentType: headers["content-type"])
    }

    /// `value; a="b"; c=d`. A quoted text may hold `\"`; browsers write `%22 %0D %0A` for what may not stand there.
    static func parameters(_ text: String) throws -> (value: String, parameters: [String: String]) {
        var rest = text[...]
        let value = rest.prefix { $0 != ";" }
        rest = rest.dropFirst(value.count)
        var found: [String: String] = [:]
        while let semicolon = rest.first {
            guard semicolon == ";" else { throw malformed("a parameter is not valid", "参数无效") }
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            if rest.isEmpty { break }
            let key = rest.prefix { $0 != "=" && $0 != ";" }.lowercased()
            rest = rest.dropFirst(key.count)
            guard rest.first == "=", !key.isEmpty else { throw malformed("a parameter is not valid", "参数无效") }
            rest = rest.dropFirst()
            var item = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                var isClosed = false
                while let character = rest.popFirst() {
                    if character == "\"" {
                        isClosed = true
                        break
                    }
                    // Only `\"` is an escape: Windows paths hold plain backslashes.
                    if character == "\\", rest.first == "\"" {
                        item.append(rest.removeFirst())
                    } else {
                        item.append(character)
                    }
                }
                guard isClosed else { throw malformed("a quote is not closed", "引号未闭合") }
                rest = rest.drop { $0 == " " || $0 == "\t" }
            } else {
                let token = rest.prefix { $0 != ";" }
                rest = rest.dropFirst(token.count)
                item = token.trimmed
            }
            guard found.updateValue(item, forKey: key) == nil else {
                throw malformed("a parameter is given twice", "参数重复")
            }
        }
        return (value.trimmed.lowercased(), found)
    }

    /// The last part of a path, without control characters, at most 200 characters.
    static func safeFileName(_ text: String) -> String {
        let decoded = text.replacingOccurrences(of: "%22", with: "\"")
        let last = decoded.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? ""
        let clean = String(
            String.UnicodeScalarView(
                last.unicodeScalars.filter { scalar in
                    let category = scalar.properties.generalCategory
                    return category != .control && category != .format && category != .lineSeparator
                }))
        return String(clean.trimmed.prefix(200))
    }

    /// The boundary of a `multipart/form-data` content type.
    package static func boundary(_ contentType: String?) throws -> String {
        let parsed = try parameters(contentType ?? "")
        guard parsed.value == "multipart/form-data", let boundary = parsed.parameters["boundary"] else {
            throw malformed("it has no boundary", "缺少边界标记")
        }
        return boundary
    }
}

/// Reads an upload part by part as it arrives. The first part must be `_csrf` with the right token unless the request
/// already carried it in `X-CSRF-Token`; that part is not handed out. Used by one task.
///
///     var upload = try MultipartReader(request)
///     while let part = try await upload.nextPart() {
///         if part.name == "file" { while let bytes = try await upload.read() { ... } } else { try await upload.text() }
///     }
package struct MultipartReader {
    package typealias Source = () async throws -> [UInt8]?

    private var parser: MultipartParser
    private let source: Source
    private let limits: MultipartLimits
    private let csrfToken: String
    private var isTrusted: Bool
    private var isFirst = true
    private var isInside = false
    private var hasEnded = false
    private let started = ContinuousClock.now
    private var received = 0

    /// - Throws: 400 when the request is no upload or its boundary is not valid.
    package init(_ request: WebRequest, limits: MultipartLimits = MultipartLimits()) throws {
        guard case .upload(let body) = request.body else {
            throw MultipartParser.malformed("there is no upload", "没有上传内容")
        }
        let token = request.headers.first { $0.name.canonicalName == "x-csrf-token" }?.value
        var iterator = body.makeAsyncIterator()
        try self.init(
            boundary: try MultipartParser.boundary(request.headers[.contentType]), csrfToken: request.csrfToken,
            headerToken: token, limits: limits
        ) {
            guard var chunk = try await iterator.next() else { return nil }
            return chunk.readBytes(length: chunk.readableBytes) ?? []
        }
    }

    /// From any source of chunks; `nil` ends it.
    package init(
        boundary: String, csrfToken: String, headerToken: String?, limits: MultipartLimits = MultipartLimits(),
        source: @escaping Source
    ) throws {
        parser = try MultipartParser(boundary: boundary, limits: limits)
        self.limits = limits
        self.source = source
        self.csrfToken = csrfToken
        isTrusted = headerToken.map { Gate.equal($0, csrfToken) } ?? false
    }

    /// The next part; what was not read of the one before is skipped. `nil` after the last.
    /// - Throws: 403 `csrf`, 400 `multipart`, 413 `too_large`, 408 `too_slow`.
    package mutating func nextPart() async throws -> MultipartPart? {
        while try await read() != nil {}
        guard let part = try await pullPart() else { return nil }
        guard isFirst else { return part }
        isFirst = false
        if part.name == "_csrf", part.fileName == nil {
            let token = try await text(max: 200)
            guard isTrusted || Gate.equal(token, csrfToken) else { throw Gate.badCSRF }
            isTrusted = true
            return try await pullPart()
        }
        guard isTrusted else { throw Gate.badCSRF }
        return part
    }

    /// The next piece of the current part, never empty; `nil` at its end.
    package mutating func read() async throws -> [UInt8]? {
        guard isInside else { return nil }
        switch try await pull() {
        case .data(let bytes): return bytes
        default:
            isInside = false
            return nil
        }
    }

    /// The whole current part as text: a form field.
    package mutating func text(max: Int? = nil) async throws -> String {
        let max = max ?? limits.fieldBytesMax
        var bytes: [UInt8] = []
        while let piece = try await read() {
            guard bytes.count + piece.count <= max else { throw Gate.tooLarge(max) }
            bytes += piece
        }
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw CRMError.badRequest(
                "invalid_text", Words(en: "The text is not valid UTF-8.", zh: "文本不是有效的 UTF-8。"))
        }
        return text
    }

    private mutating func pullPart() async throws -> MultipartPart? {
        switch try await pull() {
        case .part(let part):
            isInside = true
            return part
        case .end:
            // Read to the end of the body, so that something after the last boundary is noticed.
            _ = try await pull()
            return nil
        default: return nil
        }
    }

    private mutating func pull() async throws -> MultipartParser.Event? {
        while true {
            if let event = try parser.next() { return event }
            if hasEnded {
                try parser.finish()
                return nil
            }
            if let chunk = try await source() {
                try parser.feed(chunk)
                received += chunk.count
                try checkSpeed()
            } else {
                hasEnded = true
            }
        }
    }

    /// A body that trickles in holds a connection and a file open.
    private func checkSpeed() throws {
        let seconds = Int((ContinuousClock.now - started).components.seconds)
        guard seconds > limits.graceSeconds, received / seconds < Limits.uploadBytesPerSecondMin else { return }
        throw CRMError("too_slow", status: 408, Words(en: "The upload is too slow.", zh: "上传速度过慢。"))
    }
}
