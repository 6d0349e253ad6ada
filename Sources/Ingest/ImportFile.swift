import Kernel
import Tabular

package enum IngestFileKind {}
package typealias IngestFileID = ID<IngestFileKind>

/// A file that was brought in. Its bytes are a blob that never changes, so every pass over it reads the same.
package struct IngestFile: Sendable {
    package let id: IngestFileID
    package let blobID: String
    /// As its owner calls it; shown, never opened.
    package let name: String
    /// Bytes that were there when it was brought in; a run reads exactly these.
    package let size: Int64
    /// SHA-256, hexadecimal.
    package let digest: String
    package let inspection: FileInspection
    package let createdAt: Instant
    package let createdBy: UserID?
    package let createdByName: String

    /// The blob whose text is read: the file itself, or what was unpacked from it.
    var textBlobID: String { inspection.canonical?.blobID ?? blobID }
    /// Its bytes.
    package var textSize: Int64 { inspection.canonical?.size ?? size }

    /// The same file after another look into it.
    func with(_ inspection: FileInspection) -> IngestFile {
        IngestFile(
            id: id, blobID: blobID, name: name, size: size, digest: digest, inspection: inspection,
            createdAt: createdAt, createdBy: createdBy, createdByName: createdByName)
    }
}

/// The text unpacked from a file in a container, kept beside it: every pass reads it, from any checkpoint.
package struct CanonicalFile: Sendable, Codable, Equatable {
    package let blobID: String
    package let size: Int64
    package let unpacked: Unpacked
}

/// What a look into the file found.
package struct FileInspection: Sendable, Codable {
    /// Something a person should know before the import.
    package struct Warning: Sendable, Codable, Equatable {
        package let code: String
        package let words: Words
        package init(_ code: String, _ words: Words) {
            self.code = code
            self.words = words
        }
    }

    package let format: TabularFormat
    /// 0...1.
    package let encodingConfidence: Double
    package let encodingReason: String
    /// Unique names in the order of the file.
    package let columns: [String]
    package let profiles: [ColumnInfo]
    /// Records looked at, and how many of them could not be read.
    package let rows: Int
    package let unreadable: Int
    package let bytesRead: Int64
    /// The whole file was looked at; else `rows` and the profiles tell of its beginning.
    package let isWhole: Bool
    /// A reject file of ours that comes back repaired: cells carry the formula guard.
    package let isRejectFile: Bool
    package let warnings: [Warning]
    /// Set by a person who knew better than the guess.
    package let encodingOverride: TextEncoding?
    package let delimiterOverride: UInt8?
    /// `nil` for plain CSV and JSON Lines.
    package let canonical: CanonicalFile?

    /// Rows of the whole file, as far as can be told.
    package func rowsEstimate(size: Int64) -> Int64 {
        guard !isWhole, bytesRead > 0 else { return Int64(rows) }
        return Int64(Double(rows) * Double(size) / Double(bytesRead))
    }

    func adding(_ warning: Warning) -> FileInspection {
        FileInspection(
            format: format, encodingConfidence: encodingConfidence, encodingReason: encodingReason, columns: columns,
            profiles: profiles, rows: rows, unreadable: unreadable, bytesRead: bytesRead, isWhole: isWhole,
            isRejectFile: isRejectFile, warnings: warnings + [warning], encodingOverride: encodingOverride,
            delimiterOverride: delimiterOverride, canonical: canonical)
    }

    /// Whether cells may carry the apostrophe that keeps a spreadsheet from running them (`CSVWriter`): what we wrote, or
    /// another program with the same care, is read as it was meant.
    var isGuarded: Bool {
        if isRejectFile { return true }
        guard format.kind == .delimited else { return false }
        return !format.isPlaced || canonical?.unpacked.layers.last == .xlsx
    }

    var signature: String { HeaderKey.signature(columns.filter { !RejectFile.isOwnColumn($0) }) }
}

/// What a column holds, as far as the wizard needs it.
package struct ColumnInfo: Sendable, Codable {
    package struct Notice: Sendable, Codable, Equatable {
        package let code: String
        package let count: Int
    }

    package let name: String
    package let type: ColumnType
    package let total: Int
    package let missing: Int
    package let distinct: Int
    package let isDistinctCapped: Bool
    package let samples: [String]
    package let longest: Int
    package let dateOrder: DateOrder?
    package let decimalComma: Bool
    package let isZeroOne: Bool
    package let notices: [Notice]

    init(_ profile: ColumnProfile) {
        name = profile.name
        type = profile.type
        total = profile.total
        missing = profile.missing
        distinct = profile.distinct
        isDistinctCapped = profile.isDistinctCapped
        samples = profile.samples.prefix(5).map { String($0.prefix(80)) }
        longest = profile.longest
        dateOrder = profile.dateOrder
        decimalComma = profile.decimalComma
        isZeroOne = profile.isZeroOne
        notices = profile.notices.map { Notice(code: $0.code, count: $0.count ?? 0) }
    }

    package func has(_ notice: String) -> Bool { notices.contains { $0.code == notice } }
    /// Every row has a value and no value comes twice, as far as was counted.
    package var isUnique: Bool { missing == 0 && total > 0 && (distinct == total || isDistinctCapped) }

    /// Whole numbers that may be days as Excel counts them (1954 to 2064), whatever the column is called.
    package var mayBeExcelDates: Bool {
        has("excel_serial_dates")
            || type == .integer && !samples.isEmpty
                && samples.allSatisfy { Int($0).map { (20_000...60_000).contains($0) } ?? false }
    }

    /// The kind of attribute this column makes by itself. A column with exceptions is text: no row is lost for it.
    package var attributeKind: String {
        if has("do_not_fit") || has("mixed_date_orders") || has("ambiguous_date_order") || has("impossible_dates")
            || has("swapped_dates")
        {
            return "text"
        }
        switch type {
        case .integer: return has("excel_serial_dates") ? "text" : "integer"
        case .decimal: return has("scientific_damage") || has("percent_signs") ? "text" : "decimal"
        case .boolean: return "boolean"
        case .date: return "date"
        case .dateTime: return has("midnight_only") ? "date" : "text"
        case .text, .empty: return "text"
        }
    }
}
