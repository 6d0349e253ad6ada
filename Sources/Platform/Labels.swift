import Kernel

/// How a value is hidden from those who may not see it.
package enum MaskKind: String, Sendable, Codable, CaseIterable {
    case none, name, phone, email, identity, address
    /// Only the year of a date.
    case date
    /// Nothing is shown.
    case full
}

/// What a column holds, for masking, retention, export and subject requests (G31).
package struct ColumnLabel: Sendable, Hashable {
    /// 1 public, 2 internal, 3 confidential, 4 strictly confidential (DSL Art. 21 grading).
    package let level: Int
    package let personal: Bool
    package let sensitive: Bool
    package let mask: MaskKind
    /// Must be stored as an AES-GCM envelope once keys exist (R6).
    package let encrypt: Bool
    /// Days after the end of the contract until it is erased; `nil` = with its record.
    package let retentionDays: Int?

    package init(
        level: Int, personal: Bool = false, sensitive: Bool = false, mask: MaskKind = .none, encrypt: Bool = false,
        retentionDays: Int? = nil
    ) {
        precondition((1...4).contains(level), "levels are 1...4")
        self.level = level
        self.personal = personal
        self.sensitive = sensitive
        self.mask = mask
        self.encrypt = encrypt
        self.retentionDays = retentionDays
    }

    /// Ids, states, counters.
    package static let plain = ColumnLabel(level: 2)
    package static let name = ColumnLabel(level: 3, personal: true, mask: .name)
    package static let phone = ColumnLabel(level: 3, personal: true, mask: .phone)
    package static let email = ColumnLabel(level: 3, personal: true, mask: .email)
    package static let identity = ColumnLabel(level: 4, personal: true, sensitive: true, mask: .identity, encrypt: true)
    package static let address = ColumnLabel(level: 3, personal: true, mask: .address)
    package static let birthDate = ColumnLabel(level: 3, personal: true, mask: .date)
    /// Facts about a person that are not identifying by themselves.
    package static let profile = ColumnLabel(level: 3, personal: true)
    /// What an imported column is until somebody labels it: hidden.
    package static let unlabelled = ColumnLabel(level: 4, personal: true, sensitive: true, mask: .full)
    package static let secret = ColumnLabel(level: 4, sensitive: true, mask: .full)
}

/// The labels of one table. A migration that adds a column without a label fails the tidy tests.
package struct TableLabels: Sendable {
    package let table: String
    package let columns: [String: ColumnLabel]
    package init(_ table: String, _ columns: [String: ColumnLabel]) {
        self.table = table
        self.columns = columns
    }
    /// All the named columns hold nothing personal.
    package static func plain(_ table: String, _ columns: [String]) -> TableLabels {
        TableLabels(table, Dictionary(columns.map { ($0, .plain) }, uniquingKeysWith: { first, _ in first }))
    }
}
