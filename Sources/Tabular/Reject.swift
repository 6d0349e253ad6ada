/// Why a record could not be read. `code` is stable (catalogue keys, reject files); wording is done by the caller.
package enum RejectReason: Sendable, Equatable {
    case unclosedQuote
    case textAfterQuote
    case fieldTooLong(limit: Int)
    case recordTooLong(limit: Int)
    case tooManyColumns(limit: Int)
    case nulByte
    case tooFewFields(expected: Int, found: Int)
    case tooManyFields(expected: Int, found: Int)
    case undecodableBytes
    case jsonSyntax(JSONProblem)
    case notAnObject
    case duplicateKey(String)
    case loneSurrogate
    case nulCharacter
    case tooDeep(limit: Int)
    case numberOverflow(String)

    package var code: String {
        switch self {
        case .unclosedQuote: "unclosed_quote"
        case .textAfterQuote: "text_after_quote"
        case .fieldTooLong: "field_too_long"
        case .recordTooLong: "record_too_long"
        case .tooManyColumns: "too_many_columns"
        case .nulByte: "nul_byte"
        case .tooFewFields: "too_few_fields"
        case .tooManyFields: "too_many_fields"
        case .undecodableBytes: "undecodable_bytes"
        case .jsonSyntax: "json_syntax"
        case .notAnObject: "not_an_object"
        case .duplicateKey: "duplicate_key"
        case .loneSurrogate: "lone_surrogate"
        case .nulCharacter: "nul_character"
        case .tooDeep: "too_deep"
        case .numberOverflow: "number_overflow"
        }
    }
}

/// The ways a line fails JSON's grammar (RFC 8259).
package enum JSONProblem: String, Sendable, CaseIterable {
    case unexpectedEnd = "unexpected_end"
    case unexpectedCharacter = "unexpected_character"
    case expectedKey = "expected_key"
    case expectedColon = "expected_colon"
    case expectedCommaOrEnd = "expected_comma_or_end"
    case badNumber = "bad_number"
    case badEscape = "bad_escape"
    case controlCharacter = "control_character"
    case trailingText = "trailing_text"
}

/// A record that could not be read, with what a person needs to find and mend it.
package struct Reject: Sendable, Equatable {
    package let reason: RejectReason
    /// Physical line of the fault: for a quote that never closes the line on which it began.
    package let line: Int
    /// Character in that line, from 1; nil where the fault belongs to the whole record.
    package let column: Int?
    /// Number of the field from 1; nil where unknown.
    package let field: Int?
    package let position: RecordPosition
    /// The record as it stood in the file (UTF-8), cut at `TabularLimits.rawBytesMax`.
    package let rawBytes: [UInt8]
    package let isRawCut: Bool

    package var raw: String { String(decoding: rawBytes, as: UTF8.self) }

    /// The reject of a record that carries its place (see `Placed`), told in terms of the original file.
    func placed(isJSON: Bool) -> Reject {
        let (place, raw) = Placed.split(rawBytes, isJSON: isJSON)
        let line = place ?? line
        return Reject(
            reason: reason.placed, line: line, column: nil, field: field.map { max(1, $0 - 1) },
            position: position.at(line: line), rawBytes: raw, isRawCut: isRawCut)
    }
}

extension RejectReason {
    /// Without the field that holds the place.
    fileprivate var placed: RejectReason {
        switch self {
        case .tooFewFields(let expected, let found): .tooFewFields(expected: expected - 1, found: found - 1)
        case .tooManyFields(let expected, let found): .tooManyFields(expected: expected - 1, found: found - 1)
        default: self
        }
    }
}

package enum TabularEvent: Sendable {
    /// Always first. Delimited: the header line; JSON Lines: the union of keys of the first records.
    case header(Header)
    case record(Record)
    case reject(Reject)
    /// JSON Lines only: keys first met after the header; they are appended to the columns, before the record with them.
    case lateColumns([String])
}

/// Column names, unique and never empty, and what had to be done to make them so.
package struct Header: Sendable, Equatable, Codable {
    package let names: [String]
    /// Names that occurred more than once (their later occurrences became `name (2)`, ...).
    package let duplicates: [String]
    /// Indices whose name was empty (they became `column_N`, N from 1).
    package let unnamed: [Int]

    package init(raw: [String]) {
        var taken = Set(raw.map(Header.trimmed).filter { !$0.isEmpty })
        var seen = Set<String>()
        var names: [String] = [], duplicates: [String] = [], unnamed: [Int] = []
        for (index, text) in raw.enumerated() {
            var name = Header.trimmed(text)
            if name.isEmpty {
                unnamed.append(index)
                name = Header.free("column_\(index + 1)", &taken)
            } else if !seen.insert(name).inserted {
                if !duplicates.contains(name) { duplicates.append(name) }
                name = Header.free(name, &taken)
            }
            names.append(name)
        }
        self.names = names
        self.duplicates = duplicates
        self.unnamed = unnamed
    }

    /// Without the column that holds the place of each record (see `Placed`).
    var placed: Header {
        guard names.first == Placed.column else { return self }
        // Columns without a name are counted anew, those with one keep it.
        let nameless = Set(unnamed)
        let renamed = Header(raw: names.indices.dropFirst().map { nameless.contains($0) ? "" : names[$0] })
        return Header(renamed.names, duplicates, renamed.unnamed)
    }

    private init(_ names: [String], _ duplicates: [String], _ unnamed: [Int]) {
        self.names = names
        self.duplicates = duplicates
        self.unnamed = unnamed
    }

    /// Names that are unique already (JSON keys, a resumed reading).
    init(names: [String]) {
        self.names = names
        duplicates = []
        unnamed = []
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace: (Character) -> Bool = { $0.isWhitespace || $0 == "\u{FEFF}" }
        guard let first = text.first, let last = text.last, isSpace(first) || isSpace(last) else { return text }
        let head = text.drop(while: isSpace)
        return String(head.reversed().drop(while: isSpace).reversed())
    }

    private static func free(_ name: String, _ taken: inout Set<String>) -> String {
        if taken.insert(name).inserted { return name }
        var number = 2
        while !taken.insert("\(name) (\(number))").inserted { number += 1 }
        return "\(name) (\(number))"
    }
}

/// Bounds that keep memory constant whatever the file holds. Bytes are UTF-8 bytes.
package struct TabularLimits: Sendable, Codable, Equatable {
    package var fieldBytesMax: Int
    package var recordBytesMax: Int
    package var columnsMax: Int
    /// How much of a rejected record is kept for the reject file.
    package var rawBytesMax: Int

    package init(
        fieldBytesMax: Int = 1 << 20, recordBytesMax: Int = 4 << 20, columnsMax: Int = 10_000,
        rawBytesMax: Int = 64 << 10
    ) {
        self.fieldBytesMax = max(1, min(fieldBytesMax, FieldSpan.lengthMax / 4))
        self.recordBytesMax = max(self.fieldBytesMax, min(recordBytesMax, FieldSpan.lengthMax / 2))
        self.columnsMax = max(1, columnsMax)
        self.rawBytesMax = max(0, rawBytesMax)
    }
}

/// What ends a reading: the file as a whole cannot be read. A bad record is a `Reject`, not an error.
package enum TabularError: Error, Sendable, Equatable {
    case emptyFile
    /// The first bytes are those of another kind of file (an Excel workbook, an archive, a PDF).
    case notText(BinaryKind)
    case undecodable(UndecodableText)
    /// The header line itself is at fault; nothing can be read without it.
    case headerUnreadable(Reject)
    /// A JSON array or another JSON document, not one object a line.
    case notJSONLines
    /// `resume` was asked for with a checkpoint that does not belong to this format.
    case badCheckpoint
}
