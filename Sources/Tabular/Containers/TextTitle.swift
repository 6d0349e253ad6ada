/// Rows of a title above the heading of a text, as people and their programs write them above a table: few cells above a row of many.
enum TextTitle {
    private static let linesMax = 8
    /// So many cells tell that a row is a heading and not a line of the title.
    private static let headingCells = 3
    private static let delimiters: [UInt8] = [Ascii.comma, 9, UInt8(ascii: ";"), UInt8(ascii: "|")]

    struct Found: Equatable {
        /// Lines above the heading, empty ones too.
        let lines: Int
        /// What stands in them, a text each.
        let titles: [String]
    }

    /// - Parameters:
    ///   - head: the beginning of the text in UTF-8.
    ///   - isWhole: it is the whole text; else its last line may go on.
    /// - Returns: `nil` unless it is certain: a first row with data is never taken for a title.
    static func find(_ head: [UInt8], isWhole: Bool) -> Found? {
        guard let first = head.first(where: { $0 > Ascii.space }), first != UInt8(ascii: "{"), first != UInt8(ascii: "[") else {
            return nil
        }
        let mark = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var lines = head[mark...].split(separator: Ascii.lf, maxSplits: linesMax + 2, omittingEmptySubsequences: false).map {
            $0.last == 13 ? $0.dropLast() : $0
        }
        // The rest behind the last line that is looked at, or a line that is cut.
        if lines.count > linesMax + 2 || !isWhole { lines.removeLast() }
        return delimiters.lazy.compactMap { find(head, lines, $0) }.first
    }

    private static func find(_ head: [UInt8], _ lines: [ArraySlice<UInt8>], _ delimiter: UInt8) -> Found? {
        // A row that goes on in the next line is neither title nor heading; below a heading it is the first row.
        let alone = lines.prefix { cells($0, delimiter) != nil }
        var rows = alone.compactMap { cells($0, delimiter) }
        if let start = lines.dropFirst(alone.count).first?.startIndex,
            let whole = lines.dropFirst(alone.count).lazy.compactMap({ cells(head[start..<$0.endIndex], delimiter) }).first
        {
            rows.append(whole)
        }
        func filled(_ row: [ArraySlice<UInt8>]) -> Int { row.count { $0.contains { $0 > Ascii.space } } }
        func hasDigit(_ row: [ArraySlice<UInt8>]) -> Bool { row.contains { $0.contains { (48...57).contains($0) } } }
        guard let widest = rows.map(filled).max(), widest >= headingCells,
            let heading = rows.prefix(alone.count).firstIndex(where: { filled($0) * 2 > widest }), heading > 0
        else { return nil }
        let titles = rows[..<heading].filter { filled($0) > 0 }
        // Words alone above a row with figures and as many cells.
        let isHeading = filled(rows[heading]) >= headingCells && !hasDigit(rows[heading])
        guard !titles.isEmpty, isHeading, let next = rows[(heading + 1)...].first(where: { filled($0) > 0 }),
            next.count == rows[heading].count, hasDigit(next)
        else { return nil }
        return Found(
            lines: heading,
            titles: titles.map { row in
                row.filter { $0.contains { $0 > Ascii.space } }.map { String(decoding: $0.prefix(200), as: UTF8.self) }
                    .joined(separator: " ")
            })
    }

    /// - Returns: `nil` for text that ends within quotes: its row goes on in the next line.
    private static func cells(_ line: ArraySlice<UInt8>, _ delimiter: UInt8) -> [ArraySlice<UInt8>]? {
        var cells: [ArraySlice<UInt8>] = []
        var start = line.startIndex, isQuoted = false
        for (index, byte) in zip(line.indices, line) {
            if byte == Ascii.quote { isQuoted.toggle() }
            if byte == delimiter, !isQuoted {
                cells.append(line[start..<index])
                start = index + 1
            }
        }
        cells.append(line[start...])
        return isQuoted ? nil : cells
    }
}
