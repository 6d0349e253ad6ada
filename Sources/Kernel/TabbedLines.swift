/// The lines of a table in a file of our own: `cell<TAB>cell<LF>`. By bytes: to look for the ends of characters costs more than
/// reading the file, and every command reads these.
package struct TabbedLines: Sequence {
    package typealias Line = Substring.UTF8View

    private let lines: [Line]

    /// - Parameter text: UTF-8 with LF; empty lines count, so that places are line numbers.
    package init(_ text: String) {
        lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    }

    package func makeIterator() -> IndexingIterator<[Line]> { lines.makeIterator() }

    /// The cells of a line, empty ones too.
    package static func cells(_ line: Line) -> [String] {
        line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }
}
