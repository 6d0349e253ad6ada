import Kernel
import Platform
import Storage
import TMF
import Web

/// What a usage may be. Those that are counted are part of the product; clients may add others, whose usages are kept and not counted.
enum UsageSpecifications {
    static let name = "usageSpecification"
    static let type = "UsageSpecification"

    /// What the pipeline makes of a usage.
    struct Meaning: Sendable, Equatable {
        let kind: UsageKind
        /// A usage may say so itself where its specification does not.
        let isRoaming: Bool
    }

    struct Known: Sendable {
        let id: Int64
        let name: String
        let description: String
        let meaning: Meaning
    }

    static let known: [Known] = [
        Known(
            id: 101, name: "voice", description: "Calls with their length",
            meaning: .init(kind: .voice, isRoaming: false)),
        Known(id: 102, name: "sms", description: "Text messages", meaning: .init(kind: .sms, isRoaming: false)),
        Known(id: 103, name: "data", description: "Data sessions", meaning: .init(kind: .data, isRoaming: false)),
        Known(
            id: 104, name: "sample", description: "Measurements of the network as the customer had it",
            meaning: .init(kind: .sample, isRoaming: false)),
        Known(
            id: 105, name: "roamingVoice", description: "Calls in a foreign network",
            meaning: .init(kind: .voice, isRoaming: true)),
        Known(
            id: 106, name: "roamingSms", description: "Text messages in a foreign network",
            meaning: .init(kind: .sms, isRoaming: true)),
        Known(
            id: 107, name: "roamingData", description: "Data sessions in a foreign network",
            meaning: .init(kind: .data, isRoaming: true)),
    ]
    /// When they became part of the product: 29 November 2026.
    static let since = Instant(milliseconds: 1_795_910_400_000)
    /// Ids of what clients add are made from the time and are larger.
    static let idsOwn: Int64 = 1_000

    static func known(named name: String) -> Known? {
        let name = UsageReading.plain(name)
        if let found = known.first(where: { UsageReading.plain($0.name) == name }) { return found }
        // `Call`, `MMS`, `internet`: other words of the same.
        guard let kind = UsageKind(name: name) else { return nil }
        return known.first { $0.meaning == Meaning(kind: kind, isRoaming: false) }
    }

    /// What usages of a kind may tell: name, type of the value, unit and how often.
    static func characteristics(_ meaning: Meaning) -> JSONValue {
        func one(_ name: String, _ type: String, _ words: String, unit: String? = nil, isNeeded: Bool = false)
            -> JSONValue
        {
            var fields: JSONObject = [
                "name": .string(name), "valueType": .string(type), "description": .string(words),
                "configurable": .bool(true),
                "minCardinality": .int(isNeeded ? 1 : 0), "maxCardinality": .int(1),
            ]
            if let unit {
                fields["characteristicValueSpecification"] = .array([.object(["unitOfMeasure": .string(unit)])])
            }
            return .object(fields)
        }
        var all = [
            one("externalId", "string", "The sender's own id of which a second usage is refused"),
            one("msisdn", "string", "The number whose use it was"),
        ]
        switch meaning.kind {
        case .voice:
            all += [
                one(
                    "duration", "number", "Length in seconds unless the characteristic unit says ms or min or h",
                    unit: "s", isNeeded: true),
                one("dropped", "boolean", "Whether it broke off"),
            ]
        case .sms: all.append(one("count", "number", "How many (1 when it is left out)"))
        case .data:
            all.append(
                one(
                    "volume", "number", "Amount in bytes unless the characteristic unit says KB or MB or GB", unit: "B",
                    isNeeded: true))
        case .sample: break
        }
        if !meaning.isRoaming, meaning.kind != .sample { all.append(one("roaming", "boolean", "In a foreign network")) }
        all += [one("speedMbps", "number", "Mean speed", unit: "Mbit/s"), one("cell", "string", "Cell of the network")]
        return .array(all)
    }

    static func document(_ known: Known) -> JSONObject {
        [
            "id": .string(String(known.id)), "name": .string(known.name), "description": .string(known.description),
            "version": .string("1.0"), "lifecycleStatus": .string("Active"), "isBundle": .bool(false),
            "lastUpdate": .string(since.iso8601),
            "isCounted": .bool(true), "specCharacteristic": characteristics(known.meaning),
        ]
    }
}

/// Those of the product and, behind them, those of clients.
struct UsageSpecificationStore: TMFWritingStore {
    static let used: SQL = "SELECT id FROM usage_record WHERE specification_id = $1 LIMIT 1"

    let rows = TMFRows(
        "usage_specification",
        [
            TMFField("name", "name", isIndexed: true), TMFField("description", "description"),
            TMFField("version", "version"),
            TMFField("lifecycleStatus", "lifecycle_status", isIndexed: true),
            TMFField("isBundle", "is_bundle", .boolean),
            TMFField("lastUpdate", "changed_at", .time, stamp: .changed, sorts: true),
            TMFField("validFor.startDateTime", "valid_from", .time),
            TMFField("validFor.endDateTime", "valid_until", .time),
        ])

    let table: TMFTable

    /// What lists ask. Those of the product are no rows: a database is copied into one that is empty.
    static let all: SQL = """
        (SELECT id, name, lifecycle_status, changed_at FROM usage_specification
        UNION ALL SELECT 101, 'voice', 'Active', 1795910400000 UNION ALL SELECT 102, 'sms', 'Active', 1795910400000
        UNION ALL SELECT 103, 'data', 'Active', 1795910400000 UNION ALL SELECT 104, 'sample', 'Active', 1795910400000
        UNION ALL SELECT 105, 'roamingVoice', 'Active', 1795910400000
        UNION ALL SELECT 106, 'roamingSms', 'Active', 1795910400000
        UNION ALL SELECT 107, 'roamingData', 'Active', 1795910400000) r
        """

    init() { table = TMFTable(from: Self.all, id: "r.id", columns: rows.table.columns) }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(
        id: Int64, JSONObject
    )] {
        var found = Dictionary(
            try rows.documents(ids.filter { $0 >= UsageSpecifications.idsOwn }, principal, session).map {
                id, document in
                (id, document.merging(["isCounted": .bool(false)]) { mine, _ in mine })
            }, uniquingKeysWith: { first, _ in first })
        for known in UsageSpecifications.known { found[known.id] = UsageSpecifications.document(known) }
        return ids.compactMap { id in found[id].map { (id, $0) } }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        try rows.create(document, context, session)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try Self.checkOwn(id)
        try rows.change(id, from: old, to: new, context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        try Self.checkOwn(id)
        guard try !session.exists(Self.used, [.text(String(id))]) else {
            throw CRMError(
                "in_use", status: 409, Words(en: "There are usages of this specification.", zh: "已有用量记录使用该规格。"))
        }
        try rows.remove(id, document, context, session)
    }

    private static func checkOwn(_ id: Int64) throws {
        guard id < UsageSpecifications.idsOwn else { return }
        throw CRMError(
            "built_in", status: 409,
            Words(
                en:
                    "This specification is part of the product: it is what is counted. It cannot be changed or removed.",
                zh: "该规格为系统内置的计量类型，不能修改或删除。"))
    }
}
