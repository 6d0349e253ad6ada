import Kernel
import Tabular

/// What an import did, for scripts.
package struct ImportReport: Sendable, Codable {
    package struct Reason: Sendable, Codable {
        package let code: String
        /// The code in words; `nil` = it is that of a rule or a field.
        package let title: String?
        package let title_zh: String?
        package let column: String?
        package let reason: String
        package let reason_zh: String
        package let count: Int
        package let firstLine: Int
    }

    /// What a rule found in a field.
    package struct Finding: Sendable, Codable {
        package let rule: String
        package let name: String
        package let name_zh: String
        package let field: String
        package let field_name: String
        package let field_name_zh: String
        package let severity: String
        package let checked: Int
        package let failed: Int
        package let fixed: Int
    }

    /// What became by now of the rows that rules had held back.
    package struct Held: Sendable, Codable, Equatable {
        package let waiting: Int
        /// Repaired or as they were, brought again and taken.
        package let returned: Int
        /// Let go by a person.
        package let dropped: Int
        /// By a newer row of the same key.
        package let replaced: Int
        package let forgotten: Int
        package let replays: [Replay]
        /// Of an import that brought such rows again: the one they came with.
        package let origin: String?
    }

    package struct Replay: Sendable, Codable, Equatable {
        package let run: String
        package let rows: Int
    }

    /// As commands print errors.
    package struct Failure: Sendable, Codable {
        package let code: String
        package let message: String
        package let message_zh: String
    }

    /// What becomes of a column.
    package struct Column: Sendable, Codable {
        package let column: String
        /// `field`, `attribute` or `ignore`.
        package let target: String
        /// Key of the field or, when it exists already, of the attribute; `nil` for what is ignored or yet to be made.
        package let field: String?
        package let title: String?
        package let title_zh: String?
        /// `text`, `integer`, `date`, ...; `nil` for what is ignored.
        package let kind: String?
        /// How values are hidden of a column that holds what belongs to a person: `phone`, `name`, `identity`, ...; `nil` = not.
        package var personal: String?
    }

    /// Two records that a dry run would link, or put before a person.
    package struct Pair: Sendable, Codable {
        /// `link` or `review`.
        package let outcome: String
        package let line: Int
        package private(set) var name: String
        /// Decimal id of the known record; `nil` = one of an earlier row.
        package let customer: String?
        package private(set) var customerName: String?
        /// What sources call it.
        package let references: [String]
        package let otherLine: Int?
        package private(set) var otherName: String?
        package let why: String
        package let why_zh: String

        fileprivate func masked() -> Pair {
            var copy = self
            copy.name = FileProfile.masked(name)
            copy.customerName = customerName.map(FileProfile.masked)
            copy.otherName = otherName.map(FileProfile.masked)
            return copy
        }
    }

    /// The same without the values of personal columns, hidden as `profile` hides them.
    package func masked() -> ImportReport {
        let personal = Set(mapping.filter { $0.personal != nil }.map(\.column))
        var copy = self
        copy.samples = samples?.map { row in
            var values = row.values
            for (column, value) in row.values where personal.contains(column) { values[column] = FileProfile.masked(value) }
            return RunPlan.Row(line: row.line, values: values)
        }
        copy.pairs = pairs.map { $0.map { $0.masked() } }
        return copy
    }

    /// Decimal id of the run.
    package let run: String
    /// What its rows are: `customer`, `bills`, ...
    package let entity: String
    package let entity_name: String
    package let entity_name_zh: String
    package let file: String
    package let sha256: String
    package let bytes: Int64
    package let encoding: String
    /// Nobody named it: it was guessed from the bytes.
    package let encodingGuessed: Bool
    /// `nil` for JSON Lines and for what came out of a container that knows no delimiter.
    package let delimiter: String?
    /// `gzip`, `zip`, `xlsx`, `xml`, `json_array`, outermost first; empty for plain text.
    package let containers: [String]
    /// The sheet (or named list) that was read, and all there are.
    package let sheet: String?
    package let sheets: [String]
    package let mapping: [Column]
    /// Columns that hold something and that nothing became of.
    package let notTaken: [String]
    /// The first rows a dry run would take, as they would be stored, by column; `nil` otherwise.
    package private(set) var samples: [RunPlan.Row]?
    /// Of a dry run that matches: the first pairs it would link, and the first it would put before a person.
    package private(set) var pairs: [Pair]?
    package let source: String
    package let matchKey: String?
    package let dryRun: Bool
    /// State of the run: `ready` after a dry run, `succeeded`, `failed`, `cancelled`, `reverted`.
    package let state: String
    package let read: Int
    package let created: Int
    package let updated: Int
    package let unchanged: Int
    package let rejected: Int
    /// Rows that rules hold back until somebody repairs or discards them.
    package let quarantined: Int
    /// What became of them; `nil` = there were none.
    package let held: Held?
    /// Rows of a replay that somebody else decided meanwhile.
    package let skipped: Int
    /// Values that were left as somebody had corrected them: the source says again what it said before.
    package let corrected: Int
    /// Of the created ones: linked with a known customer, and put before a person; `nil` when the import does not
    /// match.
    package let linked: Int?
    package let review: Int?
    /// Of a dry run that matches: new customers that are like nobody known.
    package let apart: Int?
    package let reasons: [Reason]
    /// What rules found, the most frequent first.
    package let findings: [Finding]
    /// Where the reject file was written; `nil` when nothing was rejected.
    package let rejectFile: String?
    /// Why it could not be written; everything else is as told.
    package let rejectFileError: Failure?
    package let warnings: [String]
    package let warnings_zh: [String]
    package let isRevert: Bool
    /// Custom attributes that a revert removed with the run that had made them.
    package let attributesRemoved: [String]
    /// What a revert left as it was.
    package let issues: Int
    /// What was decided about customers that a revert removed, and went with them.
    package let undone: ImportTies
    package let seconds: Double
}
