import Foundation
import Kernel
import Storage
import Synchronization

/// A small domain to import into: customers by key, one telephone number each, custom attributes.
struct FakeTarget: ImportTarget {
    let entity = "customer"
    let ids: IDGenerator
    /// Called before each chunk is applied; a test lets it throw.
    let beforeApply: @Sendable (_ call: Int) throws -> Void
    /// Called before what was applied is looked at or settled.
    let beforeSequel: @Sendable (_ step: FakeSequel.Step, _ call: Int) throws -> Void
    private let calls = Counter()

    init(
        ids: IDGenerator, beforeApply: @escaping @Sendable (_ call: Int) throws -> Void = { _ in },
        beforeSequel: @escaping @Sendable (_ step: FakeSequel.Step, _ call: Int) throws -> Void = { _, _ in }
    ) {
        self.ids = ids
        self.beforeApply = beforeApply
        self.beforeSequel = beforeSequel
    }

    let fields: [ImportField] = [
        ImportField(
            "source_id", Words(en: "Source identifier", zh: "来源标识"), .text(60), canMatch: true,
            synonyms: ["customer id", "id", "account number", "客户编号"]),
        ImportField("name", Words(en: "Name", zh: "姓名"), .text(40), synonyms: ["full name", "customer name", "客户姓名"]),
        ImportField(
            "phone", Words(en: "Phone", zh: "电话"), .phone, canMatch: true,
            synonyms: ["msisdn", "mobile", "phone number", "手机号"]),
        ImportField("email", Words(en: "E-mail", zh: "邮箱"), .email, synonyms: ["mail", "email address"]),
        ImportField("birth_date", Words(en: "Birth date", zh: "出生日期"), .date, synonyms: ["born", "date of birth"]),
        ImportField("tenure_months", Words(en: "Tenure months", zh: "在网月数"), .integer, synonyms: ["tenure"]),
        ImportField(
            "monthly_charge", Words(en: "Monthly charge", zh: "月费"), .money, synonyms: ["monthly charges", "月租"]),
        ImportField("seen_at", Words(en: "Last contact", zh: "最近接触"), .time, synonyms: ["last seen"]),
        ImportField("latitude", Words(en: "Latitude", zh: "纬度"), .decimal, synonyms: ["lat"]),
        ImportField("left", Words(en: "Has left", zh: "已离网"), .boolean, synonyms: ["churn", "churn label"]),
        ImportField(
            "contract", Words(en: "Contract", zh: "合约"),
            .choice([
                ImportChoice("monthly", Words(en: "Month to month", zh: "按月"), synonyms: ["month-to-month"]),
                ImportChoice("one_year", Words(en: "One year", zh: "一年")),
                ImportChoice("two_year", Words(en: "Two year", zh: "两年")),
            ]), synonyms: ["contract type"]),
    ]

    static let tables: [SQL] = [
        "CREATE TABLE fake_customer (id BIGINT PRIMARY KEY, key TEXT NOT NULL UNIQUE, data TEXT NOT NULL, revision INTEGER NOT NULL)",
        "CREATE TABLE fake_phone (phone TEXT PRIMARY KEY, id BIGINT NOT NULL)",
        "CREATE TABLE fake_attribute (key TEXT PRIMARY KEY, title TEXT NOT NULL UNIQUE, kind TEXT NOT NULL)",
        "CREATE TABLE fake_matched (id BIGINT NOT NULL, created BOOLEAN NOT NULL)",
    ]

    func attributeFields(_ session: any SQLSession) throws -> [ImportField] {
        try session.query("SELECT key, title, kind FROM fake_attribute ORDER BY key") { row in
            ImportField(
                row.text(0), Words(en: row.text(1), zh: row.text(1)), FakeKind.kind(row.text(2)),
                synonyms: [row.text(1)])
        }
    }

    func defineAttribute(title: String, kind: ImportFieldKind, _ session: any SQLSession) throws -> ImportField {
        if let known = try attributeFields(session).first(where: { $0.words.en == title }) { return known }
        let key = "attr." + String(title.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" })
        try session.execute(
            "INSERT INTO fake_attribute (key, title, kind) VALUES ($1, $2, $3)",
            [.text(key), .text(title), .text(FakeKind.name(kind))])
        return ImportField(key, Words(en: title, zh: title), kind)
    }

    func removeUnusedAttributes(_ keys: [String], principal: Principal, _ session: any SQLSession) throws -> [Words] {
        let held = try session.query("SELECT data FROM fake_customer") { FakeRecord.decode($0.text(0)).keys }
        return try attributeFields(session).compactMap { field in
            guard keys.contains(field.key), !held.contains(where: { $0.contains(field.key) }) else { return nil }
            try session.execute("DELETE FROM fake_attribute WHERE key = $1", [.text(field.key)])
            return field.words
        }
    }

    func holdsRecords(_ session: any SQLSession) throws -> Bool {
        try session.count("SELECT COUNT(*) FROM fake_customer") > 0
    }

    func known(
        _ values: [String], by field: String, source: String, _ session: any SQLSession
    ) throws -> Set<String>? {
        guard field == "source_id" else { return nil }
        return Set(
            try values.filter {
                try session.exists("SELECT 1 FROM fake_customer WHERE key = $1", [.text(source + ":" + $0)])
            })
    }

    func importer(_ options: ImportOptions, principal: Principal) -> any Importer {
        FakeImporter(options, ids: ids, sequel: FakeSequel(before: beforeSequel)) { [calls, beforeApply] in
            try beforeApply(calls.next())
        }
    }

    func forecastRevert(
        created: [(CustomerID, revision: Int64, undo: [ImportChange])], updated: [(CustomerID, undo: [ImportChange])],
        _ memory: inout RevertMemory, _ session: any SQLSession
    ) throws -> RevertForecast? {
        var forecast = RevertForecast()
        for (id, revision, _) in created {
            if try session.exists("SELECT 1 FROM fake_customer WHERE id = $1 AND revision = $2", [.id(id), .int(revision)]) {
                forecast.removed += 1
            } else {
                forecast.issues.append(RevertIssue(customer: id, field: "", reason: Words(en: "changed since", zh: "已修改")))
            }
        }
        for (id, changes) in updated {
            guard let data = try FakeRecord.read(id, session) else { continue }
            let kept = changes.filter { FakeRecord.text($0.after) != data[$0.field] }
            if kept.count < changes.count { forecast.restored += 1 }
            forecast.issues += kept.map {
                RevertIssue(customer: id, field: $0.field, reason: Words(en: "changed since", zh: "已修改"))
            }
        }
        return forecast
    }

    func revertCreated(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], principal: Principal,
        _ session: any SQLSession
    ) throws -> [RevertIssue] {
        var issues: [RevertIssue] = []
        for (id, revision, _) in records {
            let gone = try session.execute(
                "DELETE FROM fake_customer WHERE id = $1 AND revision = $2", [.id(id), .int(revision)])
            if gone == 1 {
                try session.execute("DELETE FROM fake_phone WHERE id = $1", [.id(id)])
            } else {
                issues.append(RevertIssue(customer: id, field: "", reason: Words(en: "changed since", zh: "已修改")))
            }
        }
        return issues
    }

    func revertUpdated(
        _ records: [(CustomerID, undo: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] {
        var issues: [RevertIssue] = []
        for (id, changes) in records {
            guard var data = try FakeRecord.read(id, session) else { continue }
            for change in changes {
                if FakeRecord.text(change.after) == data[change.field] {
                    data[change.field] = FakeRecord.text(change.before)
                } else {
                    issues.append(
                        RevertIssue(customer: id, field: change.field, reason: Words(en: "changed since", zh: "已修改")))
                }
            }
            try session.execute(
                "UPDATE fake_customer SET data = $2, revision = revision + 1 WHERE id = $1",
                [.id(id), .text(FakeRecord.encode(data))])
        }
        return issues
    }
}

final class Counter: Sendable {
    private let value = Mutex(0)
    func next() -> Int {
        value.withLock {
            $0 += 1; return $0
        }
    }
    var current: Int { value.withLock { $0 } }
}

enum FakeKind {
    static func name(_ kind: ImportFieldKind) -> String {
        switch kind {
        case .integer: "integer"
        case .decimal: "decimal"
        case .boolean: "boolean"
        case .date: "date"
        default: "text"
        }
    }
    static func kind(_ name: String) -> ImportFieldKind {
        switch name {
        case "integer": .integer
        case "decimal": .decimal
        case "boolean": .boolean
        case "date": .date
        default: .text(4_000)
        }
    }
}

enum FakeRecord {
    static func text(_ value: SQLValue) -> String? {
        switch value {
        case .null: nil
        case .int(let int): "\(int)"
        case .double(let double): "\(double)"
        case .text(let text): text
        case .bool(let bool): "\(bool)"
        case .bytes: "bytes"
        }
    }
    static func encode(_ data: [String: String]) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: (try? encoder.encode(data)) ?? Data(), as: UTF8.self)
    }
    static func decode(_ text: String) -> [String: String] {
        (try? JSONDecoder().decode([String: String].self, from: Data(text.utf8))) ?? [:]
    }
    static func read(_ id: CustomerID, _ session: any SQLSession) throws -> [String: String]? {
        try session.first("SELECT data FROM fake_customer WHERE id = $1", [.id(id)]) { decode($0.text(0)) }
    }
}

/// Numbers that were once used stay with their owner.
final class FakeImporter: Importer {
    private let options: ImportOptions
    private let ids: IDGenerator
    private let before: () throws -> Void
    private var planned: Set<String> = []
    private var sequel: FakeSequel
    private var corrected = 0

    init(_ options: ImportOptions, ids: IDGenerator, sequel: FakeSequel, before: @escaping () throws -> Void) {
        self.options = options
        self.ids = ids
        self.sequel = sequel
        self.before = before
    }

    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        try rows.map { try one($0, applies: false, session) }
    }

    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        try before()
        let outcomes = try rows.map { try one($0, applies: true, session) }
        for outcome in outcomes {
            if case .created(let id, _, _) = outcome { sequel.created.append(id) }
            if case .updated(let id, _, _) = outcome { sequel.updated.append(id) }
        }
        return outcomes
    }

    func takeCorrected() -> Int {
        defer { corrected = 0 }
        return corrected
    }

    func begin() { (sequel.created, sequel.updated) = ([], []) }

    func finish(_ session: any SQLSession) -> (any ImportSequel)? {
        defer { (sequel.created, sequel.updated) = ([], []) }
        return options.matches && sequel.created.count + sequel.updated.count > 0 ? sequel : nil
    }

    func sequel(
        created: [CustomerID], updated: [CustomerID], _ session: any SQLSession
    ) throws -> (any ImportSequel)? {
        var again = sequel
        (again.created, again.updated) = (created, updated)
        return again
    }

    private func existing(_ row: ImportRow, _ session: any SQLSession) throws -> CustomerID? {
        guard let matchKey = options.matchKey, let key = row.values[matchKey].flatMap(FakeRecord.text) else {
            return nil
        }
        if matchKey == "phone" {
            return try session.first("SELECT id FROM fake_phone WHERE phone = $1", [.text(key)]) { $0.id(0) }
        }
        return try session.first(
            "SELECT id FROM fake_customer WHERE key = $1", [.text(options.source + ":" + key)]
        ) { $0.id(0) }
    }

    private func one(_ row: ImportRow, applies: Bool, _ session: any SQLSession) throws -> ImportOutcome {
        let found = try existing(row, session)
        if let name = row.values["name"], name == .text("Refused") {
            return .rejected(field: "name", code: "refused", Words(en: "this name is refused", zh: "拒绝此姓名"))
        }
        if let phone = row.values["phone"].flatMap(FakeRecord.text) {
            let owner = try session.first("SELECT id FROM fake_phone WHERE phone = $1", [.text(phone)]) { $0.int(0) }
            if owner != nil && owner != found?.rawValue || planned.contains(phone) {
                return .rejected(field: "phone", code: "in_use", Words(en: "the number is in use", zh: "号码已被使用"))
            }
            if applies {
                if owner == nil, let found {
                    try session.execute(
                        "INSERT INTO fake_phone (phone, id) VALUES ($1, $2)", [.text(phone), .id(found)])
                }
            } else {
                planned.insert(phone)
            }
        }
        guard let found else { return try create(row, applies, session) }
        return try update(row, found, applies, session)
    }

    private func create(_ row: ImportRow, _ applies: Bool, _ session: any SQLSession) throws -> ImportOutcome {
        guard options.createsNew else {
            return .rejected(field: "source_id", code: "not_found", Words(en: "no such record", zh: "没有记录"))
        }
        let id: CustomerID = ids.next()
        if applies {
            let key = row.values["source_id"].flatMap(FakeRecord.text) ?? "#\(id)"
            try session.execute(
                "INSERT INTO fake_customer (id, key, data, revision) VALUES ($1, $2, $3, 1)",
                [
                    .id(id), .text(options.source + ":" + key),
                    .text(FakeRecord.encode(row.values.compactMapValues(FakeRecord.text))),
                ])
            if let phone = row.values["phone"] {
                try session.execute("INSERT INTO fake_phone (phone, id) VALUES ($1, $2)", [phone, .id(id)])
            }
        }
        return .created(id, revision: 1)
    }

    private func update(
        _ row: ImportRow, _ id: CustomerID, _ applies: Bool, _ session: any SQLSession
    ) throws -> ImportOutcome {
        guard options.updatesExisting, var data = try FakeRecord.read(id, session) else { return .unchanged(id) }
        var changes: [ImportChange] = []
        for (field, value) in row.values.sorted(by: { $0.key < $1.key }) where FakeRecord.text(value) != data[field] {
            // As if somebody had corrected it since.
            guard value != .text("Told before") else {
                corrected += 1
                continue
            }
            changes.append(
                ImportChange(field: field, before: data[field].map { .text($0) } ?? .null, after: value))
            data[field] = FakeRecord.text(value)
        }
        if changes.isEmpty { return .unchanged(id) }
        if applies {
            try session.execute(
                "UPDATE fake_customer SET data = $2, revision = revision + 1 WHERE id = $1",
                [.id(id), .text(FakeRecord.encode(data))])
        }
        return .updated(id, changes, undo: changes)
    }
}

/// Writes down whom it was told of: whoever was created counts as linked, whoever was changed as put before a person.
struct FakeSequel: ImportSequel, ImportFinding {
    enum Step: Sendable { case look, settle }
    let before: @Sendable (_ step: Step, _ call: Int) throws -> Void
    private let looks = Counter()
    private let settlements = Counter()
    var created: [CustomerID] = []
    var updated: [CustomerID] = []

    init(before: @escaping @Sendable (_ step: Step, _ call: Int) throws -> Void) { self.before = before }

    func look(_ session: any SQLSession) throws -> any ImportFinding {
        try before(.look, looks.next())
        for id in created + updated where try FakeRecord.read(id, session) == nil {
            throw StorageError(.other, "not committed: \(id)")
        }
        return self
    }

    func settle(_ session: any SQLSession) throws -> ImportMatches {
        try before(.settle, settlements.next())
        try session.executeMany(
            "INSERT INTO fake_matched (id, created) VALUES ($1, $2)",
            created.map { [.id($0), .bool(true)] } + updated.map { [.id($0), .bool(false)] })
        var matches = ImportMatches()
        (matches.linked, matches.review) = (created.count, updated.count)
        return matches
    }
}
