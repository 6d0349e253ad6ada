/// Which encoding a file is in, judged from its first bytes.
package struct EncodingGuess: Sendable, Equatable {
    package enum Reason: String, Sendable, Codable, CaseIterable {
        case byteOrderMark = "byte_order_mark"
        case asciiOnly = "ascii_only"
        case validUTF8 = "valid_utf8"
        /// A few damaged sequences in text that is UTF-8 otherwise.
        case mostlyValidUTF8 = "mostly_valid_utf8"
        /// Some lines are UTF-8, others are not.
        case mixedLines = "mixed_lines"
        /// Every second byte is zero.
        case zeroBytePattern = "zero_byte_pattern"
        /// Frequent Chinese characters appear when it is read so.
        case frequentCharacters = "frequent_characters"
        /// Single high bytes among Latin letters.
        case latinLetters = "latin_letters"
        /// Nothing fits well; every byte has a meaning in it.
        case fallback
    }

    package struct Candidate: Sendable, Equatable {
        package let encoding: TextEncoding
        /// Higher is better; comparable only within one guess.
        package let score: Double
        /// Sequences that mean nothing in this encoding.
        package let invalid: Int
    }

    package let encoding: TextEncoding
    /// 0...1. Under 0.7 a person should be asked.
    package let confidence: Double
    package let reason: Reason
    package let hasByteOrderMark: Bool
    /// Set when the bytes are those of another kind of file.
    package let binaryKind: BinaryKind?
    /// What else was weighed, best first.
    package let candidates: [Candidate]

    package static let sampleBytesMax = 256 << 10

    /// - Parameters:
    ///   - sample: the file's first bytes; what is past `sampleBytesMax` is not looked at.
    ///   - isWhole: the sample is the whole file, so its end is not a cut.
    package init(sample: [UInt8], isWhole: Bool) {
        let isCut = !isWhole || sample.count > EncodingGuess.sampleBytesMax
        let bytes = Array(sample.prefix(EncodingGuess.sampleBytesMax))
        binaryKind = BinaryKind(firstBytes: bytes)
        let marked = TextEncoding.allCases.first { !$0.byteOrderMark.isEmpty && bytes.starts(with: $0.byteOrderMark) }
        if let marked {
            (encoding, confidence, reason, hasByteOrderMark) = (marked, 1, .byteOrderMark, true)
            candidates = []
            return
        }
        hasByteOrderMark = false
        if let wide = EncodingGuess.zeroPattern(bytes) {
            (encoding, confidence, reason, candidates) = (wide, 0.9, .zeroBytePattern, [])
            return
        }
        let verdict = bytes.withUnsafeBufferPointer { EncodingGuess.judge($0, isCut: isCut) }
        (encoding, confidence, reason, candidates) = verdict
    }

    private typealias Verdict = (TextEncoding, Double, Reason, [Candidate])

    /// UTF-16 without a mark: ASCII text shows a zero in one half of each unit.
    private static func zeroPattern(_ bytes: [UInt8]) -> TextEncoding? {
        guard bytes.count >= 8 else { return nil }
        var zeros = [0, 0]
        for (index, byte) in bytes.enumerated() where byte == 0 { zeros[index & 1] += 1 }
        let units = bytes.count / 2
        if zeros[1] * 10 > units * 3, zeros[0] * 50 < units { return .utf16LittleEndian }
        if zeros[0] * 10 > units * 3, zeros[1] * 50 < units { return .utf16BigEndian }
        return nil
    }

    private static func judge(_ bytes: Bytes, isCut: Bool) -> Verdict {
        let utf8 = CharacterCensus(UTF8Source(), bytes, isCut: isCut)
        if utf8.wide == 0, utf8.invalid == 0 { return (.utf8, 1, .asciiOnly, []) }
        if utf8.invalid == 0 { return (.utf8, 1 - pow(0.1, utf8.wide), .validUTF8, []) }
        if utf8.wide >= 10 * utf8.invalid {
            return (.utf8, 0.8, .mostlyValidUTF8, [Candidate(encoding: .utf8, score: 1, invalid: utf8.invalid)])
        }
        let china = CharacterCensus(GB18030Source(), bytes, isCut: isCut)
        let taiwan = CharacterCensus(Big5Source(), bytes, isCut: isCut)
        let latin = CharacterCensus(Windows1252Source(), bytes, isCut: isCut)
        let lines = LineCensus(bytes, isCut: isCut)
        let candidates = [
            Candidate(encoding: .gb18030, score: china.chineseScore, invalid: china.invalid),
            Candidate(encoding: .big5, score: taiwan.chineseScore, invalid: taiwan.invalid),
            Candidate(encoding: .windows1252, score: latin.latinScore(bytes), invalid: latin.invalid),
        ].sorted { $0.score > $1.score }
        // Lines that are UTF-8 beside lines that are not: a file put together from several. Text of one other encoding
        // has next to no line that passes for UTF-8, and reads well as what it is.
        let isChinese = [china, taiwan].contains { $0.invalid == 0 && $0.chineseScore > 0.7 }
        if lines.good > 0, lines.good >= lines.bad, !isChinese {
            return (.utf8, 0.5, .mixedLines, [Candidate(encoding: .utf8, score: 1, invalid: utf8.invalid)] + candidates)
        }
        let best = candidates[0], margin = best.score - candidates[1].score
        guard best.score > 0.05 else { return (.windows1252, 0.2, .fallback, candidates) }
        let wide = Double(best.encoding == .windows1252 ? latin.wide : max(china.wide, taiwan.wide))
        var confidence = min(0.99, min(1, margin / 0.3) * wide / (wide + 1))
        // `Ã©`, `ç•`, a control character: no text in a single-byte encoding has them.
        let isMojibake = best.encoding == .windows1252 && (utf8.wide > 0 || latin.controls > 0)
        if isMojibake || lines.good * 20 > lines.bad { confidence = min(confidence, 0.5) }
        return (
            best.encoding, confidence, best.encoding == .windows1252 ? .latinLetters : .frequentCharacters, candidates
        )
    }

    private static func pow(_ base: Double, _ exponent: Int) -> Double {
        (0..<min(exponent, 12)).reduce(1.0) { value, _ in value * base }
    }
}

/// Lines with characters outside ASCII: how many are UTF-8 and how many are not.
private struct LineCensus {
    private(set) var good = 0, bad = 0

    init(_ bytes: Bytes, isCut: Bool) {
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: Ascii.lf) ?? bytes.count
            let line = CharacterCensus(
                UTF8Source(), Bytes(rebasing: bytes[start..<end]), isCut: isCut && end == bytes.count)
            if line.invalid > 0 { bad += 1 } else if line.wide > 0 { good += 1 }
            start = end + 1
        }
    }
}

/// What the bytes are when read in one encoding.
private struct CharacterCensus {
    /// Characters outside ASCII, and sequences that mean nothing. A sequence cut by the sample's end counts as neither.
    private(set) var wide = 0, invalid = 0
    private(set) var frequent = 0, ordinary = 0, privateUse = 0
    /// C1 control characters.
    private(set) var controls = 0

    init(_ source: some ScalarSource, _ bytes: Bytes, isCut: Bool) {
        let frequentScalars = FrequentCharacters.scalars
        var at = 0
        while at < bytes.count {
            at = Scan.endOfAscii(bytes, at)
            guard at < bytes.count else { break }
            switch source.step(bytes, at) {
            case .scalar(let value, let length):
                at += length
                wide += 1
                switch value {
                case 0x4E00...0x9FFF:
                    if frequentScalars.contains(value) { frequent += 1 } else { ordinary += 1 }
                // CJK punctuation and full-width forms are at home in Chinese text.
                case 0x3000...0x3002, 0x300A...0x3011, 0xFF01...0xFF5E: ordinary += 1
                case 0xE000...0xF8FF: privateUse += 1
                case 0x80...0x9F: controls += 1
                default: break
                }
            case .pair(_, _, let length):
                at += length
                wide += 1
            case .invalid(let length):
                invalid += 1
                at += length
            case .incomplete:
                if !isCut { invalid += 1 }
                at = bytes.count
            }
        }
    }

    /// About 0.6...1 for Chinese text read rightly, under 0.3 read wrongly: rare characters weigh little.
    var chineseScore: Double {
        guard wide > 0 else { return 0 }
        let good = Double(frequent) + 0.25 * Double(ordinary)
        return (good - 5 * Double(invalid) - Double(privateUse)) / Double(wide)
    }

    /// The share of high bytes that are letters beside ASCII letters, or signs in common use.
    func latinScore(_ bytes: Bytes) -> Double {
        guard wide > 0 else { return 0 }
        // Single bytes decode to anything, so a sure Chinese reading must be able to win: at most 0.5.
        var fitting = 0
        for index in bytes.indices where bytes[index] >= 0x80 {
            let before = index > 0 ? bytes[index - 1] : Ascii.space
            let after = index + 1 < bytes.count ? bytes[index + 1] : Ascii.space
            guard before < 0x80 || after < 0x80 else { continue }
            switch bytes[index] {
            case 0xC0...0xFF where bytes[index] != 0xD7 && bytes[index] != 0xF7:
                if before < 0x80, after < 0x80, Ascii.isLetter(before) || Ascii.isLetter(after) { fitting += 1 }
            case 0x80, 0x85, 0x91...0x97, 0x99, 0xA0, 0xA3, 0xA5, 0xA9, 0xAB, 0xAE, 0xB0, 0xB2, 0xBB, 0xBF: fitting += 1
            default: break
            }
        }
        return (0.5 * Double(fitting) - 5 * Double(invalid)) / Double(wide)
    }
}
