/// Which byte separates the fields, judged by how evenly it cuts the first records.
package struct DelimiterGuess: Sendable, Equatable {
    package static let candidates: [UInt8] = [Ascii.comma, Ascii.tab, Ascii.semicolon, UInt8(ascii: "|")]
    private static let recordsMax = 200

    package let delimiter: UInt8
    /// 0...1; 0 when no candidate occurs (one column).
    package let confidence: Double
    /// Fields a record has with it.
    package let columns: Int
    /// The first line is Excel's directive (`sep=;`) and not data.
    package let isDirective: Bool

    /// - Parameters:
    ///   - sample: UTF-8 text from the file's beginning.
    ///   - isWhole: the sample ends where the file ends; else its last record is not counted.
    package init(sample: [UInt8], isWhole: Bool) {
        if let stated = DelimiterGuess.directive(sample) {
            (delimiter, confidence, isDirective) = (stated, 1, true)
            let rest = Array(sample.drop { $0 != Ascii.lf && $0 != Ascii.cr })
            columns = DelimiterGuess.counts(rest, stated, isWhole).first ?? 1
            return
        }
        isDirective = false
        var best: (delimiter: UInt8, score: Double, columns: Int)?
        for candidate in DelimiterGuess.candidates {
            let counts = DelimiterGuess.counts(sample, candidate, isWhole)
            guard let header = counts.first, header > 1 || counts.contains(where: { $0 > 1 }) else { continue }
            var tally: [Int: Int] = [:]
            for count in counts { tally[count, default: 0] += 1 }
            guard let (width, times) = tally.max(by: { ($0.value, $0.key) < ($1.value, $1.key) }), width > 1 else {
                continue
            }
            // Rows as wide as the header are what a table is; decimal commas cut rows but not the header.
            let even = Double(times) / Double(counts.count)
            let score = even * (width == header ? 1 : 0.5) + min(Double(width), 50) / 1_000
            if score > best?.score ?? 0 { best = (candidate, score, width) }
        }
        delimiter = best?.delimiter ?? Ascii.comma
        confidence = min(1, best?.score ?? 0)
        columns = best?.columns ?? 1
    }

    private static func directive(_ sample: [UInt8]) -> UInt8? {
        let line = sample.prefix { $0 != Ascii.lf && $0 != Ascii.cr }
        let text = line.first == Ascii.quote && line.last == Ascii.quote ? line.dropFirst().dropLast() : line
        guard text.count == 5, String(decoding: text.prefix(4), as: UTF8.self).lowercased() == "sep=" else {
            return nil
        }
        return text.last.flatMap { $0 == Ascii.quote || $0 >= 0x80 ? nil : $0 }
    }

    /// Field counts of the first records, quotes respected, blank lines skipped.
    private static func counts(_ sample: [UInt8], _ delimiter: UInt8, _ isWhole: Bool) -> [Int] {
        var parser = DelimitedParser(
            options: DelimitedOptions(delimiter: delimiter, hasHeader: false, ragged: .accept))
        parser.push(sample)
        if isWhole { parser.finish() }
        var counts: [Int] = []
        while counts.count < recordsMax, let event = try? parser.next() {
            if case .record(let record) = event { counts.append(record.count) }
        }
        return counts
    }
}
