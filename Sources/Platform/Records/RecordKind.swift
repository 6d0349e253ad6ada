import Kernel
import Storage

/// Why a row of records cannot be taken.
package struct RecordRefusal: Error, Sendable {
    /// Key of the field it is about; empty = the row as a whole.
    package let field: String
    package let code: String
    package let words: Words
    package init(_ field: String, _ code: String, en: String, zh: String) {
        self.field = field
        self.code = code
        words = Words(en: en, zh: zh)
    }
}

/// A row about to become a record: what it says, and what is known of the record already.
package struct RecordDraft: Sendable {
    /// Of the row, by field.
    package let values: [String: SQLValue]
    /// Of the record, by column; empty for a new one.
    package let before: [String: SQLValue]
    package let customer: CustomerID
    /// Name of the import's source.
    package let source: String
    package let today: LocalDate
    package let now: Instant
    package let currency: String

    /// What the row says of a field, else what is known of the column of that name.
    package subscript(_ key: String) -> SQLValue { values[key] ?? before[key] ?? .null }
    /// The same as text; `nil` when there is none.
    package func text(_ key: String) -> String? {
        if case .text(let text) = self[key], !text.isEmpty { return text }
        return nil
    }
    package func int(_ key: String) -> Int64? {
        switch self[key] {
        case .int(let int): int
        case .double(let double) where double.rounded() == double && abs(double) < 9e15: Int64(double)
        default: nil
        }
    }
    /// The whole row's values under the names of columns, for columns that are fields.
    package func columns(_ names: [String]) -> [String: SQLValue] {
        Dictionary(names.map { ($0, self[$0]) }, uniquingKeysWith: { first, _ in first })
    }
}

/// The statements of a table of records. Placeholders: `$1` customer, `$2` id, `$3...` the columns in their order.
package struct RecordSQL: Sendable {
    /// `SELECT customer_id, id, <columns> FROM ... WHERE TRUE`
    package let select: SQL
    package let table: SQL
    /// `customer_id, id, <columns>`
    package let list: SQL
    package let update: SQL
    /// `$1` customer, `$2` id.
    package let delete: SQL
    /// The look-up of source keys: `<domain>_record_key`.
    package let keys: RecordKeySQL
    package init(select: SQL, table: SQL, list: SQL, update: SQL, delete: SQL, keys: RecordKeySQL) {
        self.select = select
        self.table = table
        self.list = list
        self.update = update
        self.delete = delete
        self.keys = keys
    }
}

/// The look-up table in which a domain keeps how sources name its records: `(kind, source, value) -> (customer, record)`.
package struct RecordKeySQL: Sendable {
    /// `SELECT value, customer_id, record_id FROM ... WHERE kind = $1 AND source = $2`
    package let find: SQL
    package let table: SQL
    /// `$1` kind, `$2` source, `$3` value.
    package let delete: SQL
    package init(find: SQL, table: SQL, delete: SQL) {
        self.find = find
        self.table = table
        self.delete = delete
    }
}

/// Something that belongs to a customer and that sources know under keys of their own: a bill, a case, an account. It is
/// found again by its key; the same row again changes nothing.
package struct RecordKind: Sendable {
    /// What it is called in choices, runs and look-ups: `bills`.
    package let entity: String
    package let title: Words
    /// All fields of its rows: those of the owner, the key, its own.
    package let fields: [ImportField]
    /// The field that holds the source's key; `nil` = the key is made of several fields and `key` makes it.
    package let keyField: String?
    package let key: @Sendable ([String: SQLValue]) -> String?
    /// What is stored, in the order of the statements.
    package let columns: [String]
    /// Of these the ones that tell its state.
    package let state: Set<String>
    /// The column that tells of which class a record is, where programs know them by several names.
    package let classColumn: String?
    package let sql: RecordSQL
    /// The values of the columns; a column that is left out is empty.
    package let make: @Sendable (RecordDraft) throws(RecordRefusal) -> [String: SQLValue]
    /// The instant that the record's id carries; `nil` = it has an id of the present.
    package let instant: (@Sendable ([String: SQLValue]) -> Instant?)?
    /// Whether records are opened by their id alone, so that no two may have one whoever they belong to. The table has an index on it.
    package let isOpenedByID: Bool
    /// Looks at the rows of a chunk together, before they are made: what they name must be there. Parallel to the rows.
    package let check: RecordCheck?
    /// Said in the audit: `customers.record.import`.
    package let audit: String
    /// Called behind new records, for look-ups of their own.
    package let inserted: @Sendable ([(place: RecordPlace, values: [String: SQLValue])], any SQLSession) throws -> Void
    /// Called behind records that were taken out, with their source keys.
    package let removed: @Sendable ([(place: RecordPlace, key: String)], any SQLSession) throws -> Void
    /// Called with all that came, changed or went, behind the writing of it.
    package let changed: @Sendable ([RecordChange], Tenant, any SQLSession) throws -> Void
    /// Called for customers with as many records more (or fewer) as are told.
    package let touched: @Sendable ([(CustomerID, Int)], any SQLSession) throws -> Void

    package init(
        entity: String, title: Words, fields: [ImportField], keyField: String?,
        key: (@Sendable ([String: SQLValue]) -> String?)? = nil, columns: [String], state: Set<String> = ["status"], classColumn: String? = nil,
        sql: RecordSQL, instant: (@Sendable ([String: SQLValue]) -> Instant?)? = nil, isOpenedByID: Bool = false,
        check: RecordCheck? = nil, audit: String,
        touched: @escaping @Sendable ([(CustomerID, Int)], any SQLSession) throws -> Void = { _, _ in },
        inserted: @escaping @Sendable ([(place: RecordPlace, values: [String: SQLValue])], any SQLSession) throws -> Void =
            { _, _ in },
        removed: @escaping @Sendable ([(place: RecordPlace, key: String)], any SQLSession) throws -> Void = { _, _ in },
        changed: @escaping @Sendable ([RecordChange], Tenant, any SQLSession) throws -> Void = { _, _, _ in },
        make: @escaping @Sendable (RecordDraft) throws(RecordRefusal) -> [String: SQLValue]
    ) {
        self.entity = entity
        self.title = title
        self.fields = fields
        self.keyField = keyField
        self.key =
            key ?? { values in
                guard let keyField, case .text(let text)? = values[keyField], !text.isEmpty else { return nil }
                return text
            }
        self.columns = columns
        self.state = state
        self.classColumn = classColumn
        self.sql = sql
        self.make = make
        self.instant = instant
        self.isOpenedByID = isOpenedByID
        self.check = check
        self.audit = audit
        self.touched = touched
        self.inserted = inserted
        self.removed = removed
        self.changed = changed
    }
}

/// A record that came (nothing before), changed, or went (nothing after): the values of its columns, without empty ones.
package struct RecordChange: Sendable {
    package let place: RecordPlace
    package let before: [String: SQLValue]?
    package let after: [String: SQLValue]?
    package init(place: RecordPlace, before: [String: SQLValue]?, after: [String: SQLValue]?) {
        self.place = place
        self.before = before
        self.after = after
    }
}

/// Looks at rows together; gives values that the rows have besides, by row, or why one cannot be taken.
package typealias RecordCheck = @Sendable (
    _ rows: [ImportRow], _ source: String, any SQLSession
) throws -> [Result<[String: SQLValue], RecordRefusal>]

/// The fields by which rows name their customer.
package enum OwnerFields {
    package static let reference = ImportField(
        "source_id", Words(en: "Customer number at the source", zh: "来源客户编号"), .text(60),
        synonyms: [
            "customer id", "customer number", "customer no", "cust id", "custid", "cust_no", "subscriber id", "user id",
            "client id", "party id", "客户编号", "客户号", "客户ID", "用户编号", "客戶代號", "用戶代號",
        ])
    package static let source = ImportField(
        "customer_source", Words(en: "Source of the customer number", zh: "客户编号所属来源"), .text(60),
        synonyms: ["customer system", "客户来源系统"])
    package static let msisdn = ImportField(
        "msisdn", Words(en: "Number (MSISDN)", zh: "手机号码（MSISDN）"), .phone,
        synonyms: [
            "phone", "phone number", "mobile", "mobile number", "service number", "subscriber number", "caller",
            "手机号", "手机号码", "电话号码", "业务号码", "来电号码", "用户号码", "行動電話", "行動電話號碼", "門號", "手機門號",
            "流動電話", "流動電話號碼", "手提電話",
        ])
    package static let account = ImportField(
        "account_number", Words(en: "Account number", zh: "账户编号"), .text(60),
        synonyms: ["account", "account no", "account id", "billing account", "acct", "acct no", "账户", "账户号", "合同号", "账号"])

    package static let all = [reference, source, msisdn]

    /// How a row names its customer; an account counts only where nothing else is said.
    static func names(_ row: ImportRow, source: String) -> [CustomerName] {
        func text(_ key: String) -> String? {
            if case .text(let text)? = row.values[key], !text.isEmpty { return text }
            return nil
        }
        var names: [CustomerName] = []
        if let reference = text("source_id") {
            names.append(.reference(source: text("customer_source") ?? source, reference))
        }
        if let number = text("msisdn") { names.append(.msisdn(number)) }
        if names.isEmpty, let account = text("account_number") { names.append(.account(source: source, account)) }
        return names
    }
}
