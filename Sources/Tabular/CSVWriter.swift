/// Writes RFC 4180 text into a byte buffer: quotes where needed, and no cell a spreadsheet would run as a formula.
///
/// The guard (OWASP "CSV injection"): a cell beginning with `=`, `+`, `-`, `@`, TAB or CR that is neither a number nor a
/// telephone number gets a leading `'`. A cell that already looks guarded gets one more, so `unguarded` restores every
/// cell exactly.
package struct CSVWriter: Sendable {
    package enum LineEnd: String, Sendable {
        case lf = "\n"
        case crlf = "\r\n"
    }

    package let delimiter: UInt8
    package let guardsFormulas: Bool
    private let lineEnd: LineEnd
    /// What was written and not yet taken.
    package private(set) var bytes: [UInt8] = []
    package private(set) var rows = 0

    /// - Parameter byteOrderMark: begin with EF BB BF, without which Excel reads UTF-8 in the local code page.
    package init(
        delimiter: UInt8 = UInt8(ascii: ","), guardsFormulas: Bool = true, lineEnd: LineEnd = .crlf,
        byteOrderMark: Bool = false
    ) {
        self.delimiter = delimiter
        self.guardsFormulas = guardsFormulas
        self.lineEnd = lineEnd
        if byteOrderMark { bytes = TextEncoding.utf8.byteOrderMark }
    }

    /// Appends one row; nil is written as an empty cell.
    package mutating func row(_ cells: some Sequence<String?>) {
        var count = 0
        let start = bytes.count
        for cell in cells {
            if count > 0 { bytes.append(delimiter) }
            count += 1
            append(cell ?? "")
        }
        // An empty line would be skipped by every reader.
        if bytes.count == start, count == 1 { bytes.append(contentsOf: [Ascii.quote, Ascii.quote]) }
        bytes.append(contentsOf: lineEnd.rawValue.utf8)
        rows += 1
    }

    /// Hands over what was written since the last call (to a file, to a response).
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private mutating func append(_ cell: String) {
        var cell = cell
        cell.withUTF8 { text in
            let isGuarded = guardsFormulas && CSVWriter.needsGuard(text)
            let isQuoted =
                text.contains { $0 == delimiter || $0 == Ascii.quote || $0 == Ascii.lf || $0 == Ascii.cr }
                || text.first == Ascii.space || text.last == Ascii.space
            if isQuoted { bytes.append(Ascii.quote) }
            if isGuarded { bytes.append(Ascii.apostrophe) }
            if isQuoted {
                for byte in text {
                    if byte == Ascii.quote { bytes.append(Ascii.quote) }
                    bytes.append(byte)
                }
                bytes.append(Ascii.quote)
            } else {
                bytes.append(contentsOf: text)
            }
        }
    }

    /// The cell as the writer would store it, without quoting.
    package static func guarded(_ cell: String) -> String {
        var cell = cell
        return cell.withUTF8(needsGuard) ? "'" + cell : cell
    }

    /// Undoes the guard of a cell read back from a file written with it. `unguarded(guarded(x)) == x` for every x.
    package static func unguarded(_ cell: String) -> String {
        guard cell.utf8.first == Ascii.apostrophe else { return cell }
        let core = cell.utf8.drop { $0 == Ascii.apostrophe }
        guard let first = core.first, isTrigger(first) else { return cell }
        return String(cell.dropFirst())
    }

    static func needsGuard(_ text: Bytes) -> Bool {
        guard let first = text.first, first == Ascii.apostrophe || isTrigger(first) else { return false }
        if first == Ascii.apostrophe {
            guard let core = text.first(where: { $0 != Ascii.apostrophe }) else { return false }
            return isTrigger(core)
        }
        return !NumberText.isSigned(text) && !FormulaText.isPhone(text)
    }

    static func isTrigger(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), Ascii.plus, Ascii.minus, UInt8(ascii: "@"), Ascii.tab, Ascii.cr: true
        default: false
        }
    }
}
