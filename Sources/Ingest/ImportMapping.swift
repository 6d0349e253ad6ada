import Foundation
import Kernel
import Matching
import Storage
import Tabular

/// What becomes of each column of a file, and how its rows meet existing records. Shipped mapping files, remembered
/// mappings and the mapping of a run are this structure as JSON.
package struct ImportMapping: Sendable, Codable, Equatable {
    /// What becomes of one column.
    package enum Target: Sendable, Equatable {
        case field(String)
        /// A custom attribute named after the column; made when the run starts.
        case attribute
        case ignore
    }

    package struct Column: Sendable, Equatable {
        /// The header, compared folded and without punctuation.
        package var column: String
        package var target: Target
        /// The attribute's kind when it was chosen by a person: `integer decimal boolean date text`.
        package var kind: String?
        /// How `03/05/2024` is read; `nil` = as the column's profile says.
        package var dateOrder: DateOrder?
        /// Read a bare number of days as Excel does.
        package var excelDates: Bool
        /// Cell -> what is read instead, compared folded.
        package var values: [String: String]

        package init(
            column: String, target: Target, kind: String? = nil, dateOrder: DateOrder? = nil, excelDates: Bool = false,
            values: [String: String] = [:]
        ) {
            self.column = column
            self.target = target
            self.kind = kind
            self.dateOrder = dateOrder
            self.excelDates = excelDates
            self.values = values
        }
    }

    package var name: String?
    package var source: String
    package var columns: [Column]
    /// Whether columns that are not listed become attributes (else they are ignored).
    package var keepsUnlisted: Bool
    package var matchKey: String?
    package var createsNew: Bool
    package var updatesExisting: Bool
    /// New records are compared with known ones and linked.
    package var matches = false

    package init(
        name: String? = nil, source: String, columns: [Column], keepsUnlisted: Bool = true, matchKey: String?,
        createsNew: Bool = true, updatesExisting: Bool = true
    ) {
        self.name = name
        self.source = source
        self.columns = columns
        self.keepsUnlisted = keepsUnlisted
        self.matchKey = matchKey
        self.createsNew = createsNew
        self.updatesExisting = updatesExisting
    }

    package var options: ImportOptions {
        ImportOptions(
            matchKey: matchKey, createsNew: createsNew, updatesExisting: updatesExisting, source: source,
            matches: matches)
    }

    /// What this mapping says of a header; `nil` when the column is not listed.
    package func column(_ header: String) -> Column? {
        let key = HeaderKey(header)
        return columns.first { HeaderKey($0.column) == key }
    }

    /// With this order of dates in every column that is read as a date.
    func reading(_ order: DateOrder, _ inspection: FileInspection, _ fields: [ImportField]) -> ImportMapping {
        let profiles = Dictionary(inspection.profiles.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var copy = self
        copy.columns = columns.map { column in
            guard column.isReadAsDate(profiles[column.column], fields) else { return column }
            var column = column
            column.dateOrder = order
            return column
        }
        return copy
    }

    /// The mapping for exactly these headers: listed columns as listed, the others as `keepsUnlisted` says.
    package func applied(to headers: [String]) -> ImportMapping {
        var listed: [HeaderKey: Column] = [:]
        for column in columns where listed[HeaderKey(column.column)] == nil {
            listed[HeaderKey(column.column)] = column
        }
        var copy = self
        copy.columns = headers.map { header in
            if var known = listed[HeaderKey(header)] {
                known.column = header
                return known
            }
            let unlisted: Target = keepsUnlisted && !RejectFile.isOwnColumn(header) ? .attribute : .ignore
            return Column(column: header, target: unlisted)
        }
        return copy
    }
}

extension ImportMapping.Column {
    /// - Parameter profile: what was found in the column.
    func isReadAsDate(_ profile: ColumnInfo?, _ fields: [ImportField]) -> Bool {
        switch target {
        case .field(let key): [.date, .time].contains(fields.first { $0.key == key }?.kind)
        case .attribute: (kind ?? profile?.attributeKind) == "date"
        case .ignore: false
        }
    }
}

extension ImportMapping.Column: Codable {
    private enum Key: String, CodingKey { case column, to, kind, dateOrder, excelDates, values }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: Key.self)
        column = try box.decode(String.self, forKey: .column)
        let to = try box.decodeIfPresent(String.self, forKey: .to) ?? "attribute"
        target = to == "attribute" ? .attribute : to == "ignore" ? .ignore : .field(to)
        kind = try box.decodeIfPresent(String.self, forKey: .kind)
        dateOrder = try box.decodeIfPresent(DateOrder.self, forKey: .dateOrder)
        excelDates = try box.decodeIfPresent(Bool.self, forKey: .excelDates) ?? false
        values = try box.decodeIfPresent([String: String].self, forKey: .values) ?? [:]
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: Key.self)
        try box.encode(column, forKey: .column)
        try box.encode(code, forKey: .to)
        try box.encodeIfPresent(kind, forKey: .kind)
        try box.encodeIfPresent(dateOrder, forKey: .dateOrder)
        if excelDates { try box.encode(true, forKey: .excelDates) }
        if !values.isEmpty { try box.encode(values, forKey: .values) }
    }

    /// `attribute`, `ignore` or the field's key.
    package var code: String {
        switch target {
        case .field(let key): key
        case .attribute: "attribute"
        case .ignore: "ignore"
        }
    }
}

extension ImportMapping {
    private enum CodingKeys: String, CodingKey {
        case name, source, columns, matchKey, matches
        case keepsUnlisted = "unlisted"
        case createsNew = "create"
        case updatesExisting = "update"
    }

    package init(from decoder: any Decoder) throws {
        let box = try decoder.container(keyedBy: CodingKeys.self)
        name = try box.decodeIfPresent(String.self, forKey: .name)
        source = try box.decodeIfPresent(String.self, forKey: .source) ?? ""
        columns = try box.decode([Column].self, forKey: .columns)
        keepsUnlisted = try box.decodeIfPresent(String.self, forKey: .keepsUnlisted) != "ignore"
        matchKey = try box.decodeIfPresent(String.self, forKey: .matchKey)
        createsNew = try box.decodeIfPresent(Bool.self, forKey: .createsNew) ?? true
        updatesExisting = try box.decodeIfPresent(Bool.self, forKey: .updatesExisting) ?? true
        matches = try box.decodeIfPresent(Bool.self, forKey: .matches) ?? false
    }

    package func encode(to encoder: any Encoder) throws {
        var box = encoder.container(keyedBy: CodingKeys.self)
        try box.encodeIfPresent(name, forKey: .name)
        try box.encode(source, forKey: .source)
        try box.encodeIfPresent(matchKey, forKey: .matchKey)
        try box.encode(createsNew, forKey: .createsNew)
        try box.encode(updatesExisting, forKey: .updatesExisting)
        if matches { try box.encode(true, forKey: .matches) }
        try box.encode(keepsUnlisted ? "attribute" : "ignore", forKey: .keepsUnlisted)
        try box.encode(columns, forKey: .columns)
    }

    /// Parses a mapping file.
    /// - Throws: `CRMError` 422 "mapping_file" naming what is wrong.
    package static func parse(_ text: String, name: String) throws -> ImportMapping {
        try MappingWords.check(Data(text.utf8), name: name)
        do {
            return try JSONDecoder().decode(ImportMapping.self, from: Data(text.utf8))
        } catch {
            let reason = (error as? DecodingError).map(describe) ?? "\(error)"
            throw CRMError.invalid(
                "mapping", "mapping_file",
                Words(en: "The mapping “\(name)” cannot be read: \(reason).", zh: "无法读取映射“\(name)”：\(reason)。"))
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "“\(key.stringValue)” is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            (context.codingPath.map(\.stringValue).joined(separator: ".") + " " + context.debugDescription).trimmedText
        @unknown default: "not valid JSON"
        }
    }

    /// JSON with sorted keys.
    package func encoded() throws -> String { try JSONText.encode(self) }
}

/// JSON of our own structures in the database.
enum JSONText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

/// A header as it is compared: folded, letters and digits only, plural endings dropped, simplified characters, so that
/// `Customer ID`, `customer_id` and `CustomerID` are the same, and 手機號碼 and 手机号码.
package struct HeaderKey: Hashable, Sendable {
    package let text: String
    package init(_ header: String) { text = Self.simplified(Self.plain(header)) }

    /// In simplified characters, with the words for an account and an identity card that differ by a character only.
    package static func simplified(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let simple = Han.simplified(scalar)
            scalars.append(simple == "帐" ? "账" : simple)
        }
        return String(scalars).replacing("身分证", with: "身份证")
    }

    /// Without regard to the script.
    private static func plain(_ header: String) -> String {
        var words: [String] = []
        var word = ""
        func close() {
            if word.count > 3, word.hasSuffix("s"), !word.hasSuffix("ss"), word.utf8.allSatisfy({ $0 < 128 }) {
                word.removeLast()
            }
            words.append(word)
            word = ""
        }
        for scalar in Folding.fold(header).unicodeScalars {
            if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
                word.unicodeScalars.append(scalar)
            } else if !word.isEmpty {
                close()
            }
        }
        if !word.isEmpty { close() }
        return words.joined()
    }

    /// What two files of the same source have in common: their headers in order, hashed. Not simplified: what was
    /// remembered before scripts were compared is to be found still.
    package static func signature(_ headers: [String]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for header in headers {
            for byte in plain(header).utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
            hash = (hash ^ 0x1f) &* 0x0000_0100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}

extension String {
    var trimmedText: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
