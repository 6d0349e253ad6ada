/// Turns a stream of bytes in any `TextEncoding` into UTF-8, chunk by chunk; a sequence may be split anywhere.
///
/// Resuming in the middle of a file is done in SOURCE bytes. UTF-8 maps one to one; for the others the transcoder notes
/// the source offset behind each line end it writes, which is the only place a record can end, so `sourceOffset(at:)`
/// is exact there. None of these encodings carries state across a line end, so decoding may begin at such an offset.
package struct Transcoder: Sendable {
    package enum OnUndecodable: String, Sendable, Codable {
        /// Throw `UndecodableText` at the first bad sequence.
        case fail
        /// Write U+FFFD, note the place in `replacements` and go on.
        case replace
    }

    package struct Replacement: Sendable, Equatable {
        /// Offset of the written U+FFFD in the UTF-8 stream.
        package let utf8Offset: Int
        package let sourceOffset: Int
    }

    private struct Mark {
        let utf8: Int, source: Int
    }

    package let encoding: TextEncoding
    package let onUndecodable: OnUndecodable
    /// Bytes of the source decoded so far, and of UTF-8 written so far.
    package private(set) var sourceOffset: Int
    package private(set) var utf8Offset: Int
    /// Physical line at the end of what was decoded.
    package private(set) var line: Int
    package private(set) var replacementCount = 0
    package private(set) var firstReplacementLine: Int?
    /// Places of U+FFFD written, oldest first; `forget(before:)` drops them.
    package private(set) var replacements: [Replacement] = []

    private var marks: [Mark]
    private var carry: [UInt8] = []
    private var afterReturn = false
    private var mayHaveMark: Bool

    /// - Parameters:
    ///   - sourceOffset, utf8Offset, line: where a resumed stream stands; a mark is dropped only at offset 0.
    package init(
        encoding: TextEncoding, onUndecodable: OnUndecodable = .fail, sourceOffset: Int = 0, utf8Offset: Int = 0,
        line: Int = 1
    ) {
        self.encoding = encoding
        self.onUndecodable = onUndecodable
        self.sourceOffset = sourceOffset
        self.utf8Offset = utf8Offset
        self.line = line
        marks = [Mark(utf8: utf8Offset, source: sourceOffset)]
        mayHaveMark = sourceOffset == 0
    }

    /// Appends the UTF-8 of `chunk` to `output`; what ends in the middle of a character waits for the next chunk.
    package mutating func decode(_ chunk: [UInt8], into output: inout [UInt8]) throws(UndecodableText) {
        try decode(chunk, into: &output, isLast: false)
    }

    /// Ends the stream. A sequence still waiting is undecodable.
    package mutating func finish(into output: inout [UInt8]) throws(UndecodableText) {
        try decode([], into: &output, isLast: true)
    }

    /// The source offset for an offset of the UTF-8 stream: exact behind a line end and at the end of what was decoded,
    /// for UTF-8 everywhere. Offsets before the last `forget(before:)` are not known any more.
    package func sourceOffset(at utf8: Int) -> Int {
        if utf8 >= utf8Offset { return sourceOffset }
        var low = 0, high = marks.count
        while low < high {
            let middle = (low + high) / 2
            if marks[middle].utf8 <= utf8 { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return sourceOffset }
        return marks[low - 1].source + utf8 - marks[low - 1].utf8
    }

    /// Drops the notes about what lies before `utf8`, keeping memory constant.
    package mutating func forget(before utf8: Int) {
        let keep = marks.lastIndex { $0.utf8 <= utf8 } ?? 0
        if keep > 0 { marks.removeFirst(keep) }
        if let first = replacements.first, first.utf8Offset < utf8 { replacements.removeAll { $0.utf8Offset < utf8 } }
    }

    private mutating func decode(_ chunk: [UInt8], into output: inout [UInt8], isLast: Bool) throws(UndecodableText) {
        let joined = carry.isEmpty ? chunk : carry + chunk
        carry = []
        var start = 0
        if mayHaveMark {
            let mark = encoding.byteOrderMark
            if joined.count < mark.count, !isLast, mark.starts(with: joined) {
                carry = joined
                return
            }
            mayHaveMark = false
            if !mark.isEmpty, joined.starts(with: mark) { start = mark.count }
            sourceOffset += start
            marks = [Mark(utf8: utf8Offset, source: sourceOffset)]
        }
        let writtenFrom = output.count
        var failure: UndecodableText?
        let used = joined.withUnsafeBufferPointer { bytes in
            switch encoding {
            case .utf8: validated(bytes, start, &output, isLast, &failure)
            case .utf16LittleEndian: run(UTF16Source(isBigEndian: false), bytes, start, &output, isLast, &failure)
            case .utf16BigEndian: run(UTF16Source(isBigEndian: true), bytes, start, &output, isLast, &failure)
            case .gb18030: run(GB18030Source(), bytes, start, &output, isLast, &failure)
            case .big5: run(Big5Source(), bytes, start, &output, isLast, &failure)
            case .windows1252: run(Windows1252Source(), bytes, start, &output, isLast, &failure)
            }
        }
        (line, afterReturn) = output.withUnsafeBufferPointer { linesPassed(Bytes(rebasing: $0[writtenFrom...])) }
        if let failure {
            throw UndecodableText(
                encoding: encoding, sourceOffset: failure.sourceOffset, line: line, bytes: failure.bytes,
                isTruncatedEnd: failure.isTruncatedEnd)
        }
        sourceOffset += used - start
        utf8Offset += output.count - writtenFrom
        if used < joined.count { carry = Array(joined[used...]) }
    }

    /// UTF-8 needs no conversion: valid stretches are copied whole. Returns the bytes used.
    private mutating func validated(
        _ bytes: Bytes, _ start: Int, _ output: inout [UInt8], _ isLast: Bool, _ failure: inout UndecodableText?
    ) -> Int {
        let source = UTF8Source(), base = output.count
        var at = start, copied = start
        func copy(to end: Int) {
            output.append(contentsOf: Bytes(rebasing: bytes[copied..<end]))
        }
        while at < bytes.count {
            at = Scan.endOfAscii(bytes, at)
            guard at < bytes.count else { break }
            switch source.step(bytes, at) {
            case .scalar(_, let length), .pair(_, _, let length): at += length
            case .incomplete where !isLast:
                copy(to: at)
                return at
            case .incomplete, .invalid:
                let (length, isCut) = extent(source.step(bytes, at), remaining: bytes.count - at)
                copy(to: at)
                let offset = sourceOffset + at - start
                guard onUndecodable == .replace else {
                    failure = undecodable(Bytes(rebasing: bytes[at..<at + length]), offset, isCut: isCut)
                    return at
                }
                at += length
                copied = at
                replace(&output, base: base, source: offset, length: length)
            }
        }
        copy(to: at)
        return at
    }

    private mutating func run<Source: ScalarSource>(
        _ source: Source, _ bytes: Bytes, _ start: Int, _ output: inout [UInt8], _ isLast: Bool,
        _ failure: inout UndecodableText?
    ) -> Int {
        let base = output.count
        output.reserveCapacity(base + (bytes.count - start) * 3 / 2 + 8)
        var at = start
        while at < bytes.count {
            if Source.isAsciiTransparent, bytes[at] < 0x80 {
                let end = Scan.endOfAscii(bytes, at)
                copyAscii(Bytes(rebasing: bytes[at..<end]), &output, base: base, source: sourceOffset + at - start)
                at = end
                continue
            }
            switch source.step(bytes, at) {
            case .scalar(let value, let length):
                UTF8Writer.append(value, to: &output)
                at += length
                if value == 10 || value == 13 { note(output.count - base, sourceOffset + at - start) }
            case .pair(let first, let second, let length):
                UTF8Writer.append(first, to: &output)
                UTF8Writer.append(second, to: &output)
                at += length
            case .incomplete where !isLast: return at
            case .incomplete, .invalid:
                let (length, isCut) = extent(source.step(bytes, at), remaining: bytes.count - at)
                let offset = sourceOffset + at - start
                guard onUndecodable == .replace else {
                    failure = undecodable(Bytes(rebasing: bytes[at..<at + length]), offset, isCut: isCut)
                    return at
                }
                at += length
                replace(&output, base: base, source: offset, length: length)
            }
        }
        return at
    }

    private mutating func copyAscii(_ bytes: Bytes, _ output: inout [UInt8], base: Int, source: Int) {
        let before = output.count - base
        output.append(contentsOf: bytes)
        for (index, byte) in bytes.enumerated() where byte == Ascii.lf || byte == Ascii.cr {
            note(before + index + 1, source + index + 1)
        }
    }

    private mutating func note(_ written: Int, _ source: Int) {
        marks.append(Mark(utf8: utf8Offset + written, source: source))
    }

    private mutating func replace(_ output: inout [UInt8], base: Int, source: Int, length: Int) {
        let offset = utf8Offset + output.count - base
        if replacementCount == 0 {
            firstReplacementLine = output.withUnsafeBufferPointer { linesPassed(Bytes(rebasing: $0[base...])).line }
        }
        replacementCount += 1
        replacements.append(Replacement(utf8Offset: offset, sourceOffset: source))
        UTF8Writer.append(0xFFFD, to: &output)
        note(output.count - base, source + length)
    }

    /// How many bytes a bad sequence takes, and whether it is one the stream's end cut off.
    private func extent(_ step: DecodeStep, remaining: Int) -> (length: Int, isCut: Bool) {
        if case .invalid(let length) = step { (min(length, remaining), false) } else { (remaining, true) }
    }

    /// `line` is filled in by the caller when the lines of this chunk have been counted.
    private func undecodable(_ sequence: Bytes, _ offset: Int, isCut: Bool) -> UndecodableText {
        UndecodableText(
            encoding: encoding, sourceOffset: offset, line: 0, bytes: Array(sequence.prefix(4)), isTruncatedEnd: isCut)
    }

    /// LF, CR LF and a lone CR each end a line, also where CR and LF fall into different chunks.
    private func linesPassed(_ bytes: Bytes) -> (line: Int, afterReturn: Bool) {
        guard let last = bytes.last else { return (line, afterReturn) }
        // Sums without branches, which the compiler turns into vector code.
        var ends = 0, pairs = 0
        for byte in bytes { ends &+= (byte == Ascii.lf ? 1 : 0) &+ (byte == Ascii.cr ? 1 : 0) }
        for index in 0..<bytes.count - 1 {
            pairs &+= (bytes[index] == Ascii.cr ? 1 : 0) & (bytes[index + 1] == Ascii.lf ? 1 : 0)
        }
        if afterReturn, bytes[0] == Ascii.lf { pairs += 1 }
        return (line + ends - pairs, last == Ascii.cr)
    }
}

enum UTF8Writer {
    @inline(__always) static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        switch scalar {
        case 0..<0x80: output.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800:
            output.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
            output.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        case 0x800..<0x10000:
            output.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            output.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            output.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        default:
            output.append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
            output.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F))
            output.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            output.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        }
    }
}
