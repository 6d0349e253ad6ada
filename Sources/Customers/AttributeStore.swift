import Kernel
import Platform
import Storage
import Web

/// The definitions of custom attributes (customers_attribute).
struct AttributeStore: Sendable {
    let ids: IDGenerator
    let clock: any WallClock

    static let columns: SQL = "id, key, title_en, title_zh, kind, codes, mask, labelled"
    static let list: SQL = "SELECT \(columns) FROM customers_attribute ORDER BY id"
    static let byID: SQL = "SELECT \(columns) FROM customers_attribute WHERE id = $1"
    static let count: SQL = "SELECT COUNT(*) FROM customers_attribute"
    static let insert: SQL = """
        INSERT INTO customers_attribute (id, key, title_en, title_zh, kind, codes, mask, labelled, created_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """
    static let relabel: SQL = """
        UPDATE customers_attribute SET title_en = $2, title_zh = $3, mask = $4, labelled = TRUE WHERE id = $1
        """

    static let removeUnused: SQL = """
        DELETE FROM customers_attribute
        WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM customers_attribute_value WHERE attribute_id = $1)
        """

    static func all(_ session: any SQLSession) throws -> [CustomAttribute] { try session.query(list, [], attribute) }

    static func asking(_ session: any SQLSession) throws -> Asked<[CustomAttribute]> {
        try session.asking(list, [], attribute)
    }

    static func attribute(_ id: AttributeID, _ session: any SQLSession) throws -> CustomAttribute? {
        try session.first(byID, [.id(id)], attribute)
    }

    private static func attribute(_ row: Row) throws -> CustomAttribute {
        let codes = try JSONValue.parse(Array(row.text(5).utf8)).array ?? []
        return CustomAttribute(
            id: row.id(0), key: row.text(1), title: Words(en: row.text(2), zh: row.text(3)),
            kind: CustomAttribute.Kind(rawValue: row.text(4)) ?? .text,
            codes: codes.compactMap { item in
                guard let object = item.object, let code = object["code"]?.string else { return nil }
                return CustomAttribute.Code(
                    code: code, words: Words(en: object["en"]?.string ?? code, zh: object["zh"]?.string ?? code))
            },
            mask: MaskKind(rawValue: row.text(6)) ?? .full, labelled: row.bool(7))
    }

    /// Defines an attribute. Its key is made from the English title.
    /// - Throws: `attribute_exists` when the key is taken, `attribute_limit` beyond `Limits.attributeCountMax`.
    @discardableResult
    func define(
        title: Words, kind: CustomAttribute.Kind, codes: [CustomAttribute.Code] = [], mask: MaskKind = .full,
        labelled: Bool = false, by: String, _ session: any SQLSession
    ) throws -> CustomAttribute {
        let known = try Self.all(session)
        guard known.count < Limits.attributeCountMax else {
            throw CRMError.conflict(
                "attribute_limit",
                Words(
                    en: "There can be at most \(Limits.attributeCountMax) custom attributes.",
                    zh: "自定义属性最多 \(Limits.attributeCountMax) 个。"))
        }
        let key = CustomAttribute.key(for: title.en)
        guard !known.contains(where: { $0.key == key }) else {
            throw CRMError.invalid(
                "title", "attribute_exists",
                Words(en: "There is already an attribute of this name.", zh: "已有同名属性。"))
        }
        let attribute = CustomAttribute(
            id: ids.next(), key: key, title: title, kind: kind, codes: codes, mask: mask, labelled: labelled)
        let stored = JSONValue.array(
            codes.map { .object(["code": .string($0.code), "en": .string($0.words.en), "zh": .string($0.words.zh)]) })
        try session.execute(
            Self.insert,
            [
                .id(attribute.id), .text(key), .text(title.en), .text(title.zh), .text(kind.rawValue),
                .text(stored.encoded()), .text(mask.rawValue), .bool(labelled), .time(clock.now()), .text(by),
            ])
        return attribute
    }

    /// The attribute for an imported column: the one of that title when its type can hold the values, else a new one,
    /// under a title of its own when the type differs.
    func defineForColumn(
        title: String, kind: CustomAttribute.Kind, codes: [CustomAttribute.Code], by: String,
        _ session: any SQLSession
    ) throws -> CustomAttribute {
        let known = try Self.all(session)
        for name in [title, "\(title) (\(kind.rawValue))"] {
            let key = CustomAttribute.key(for: name)
            guard let found = known.first(where: { $0.key == key }) else {
                return try define(
                    title: Words(en: name, zh: name), kind: kind, codes: codes, by: by, session)
            }
            let holds = found.kind == kind || found.kind == .text || (found.kind == .decimal && kind == .integer)
            if holds { return found }
        }
        throw CRMError.conflict(
            "attribute_type",
            Words(
                en: "The attribute “\(title)” exists with another type; map the column by hand.",
                zh: "属性“\(title)”已存在且类型不同，请手工映射该列。"))
    }

    /// Says how an attribute is called and to whom it is shown.
    func label(_ id: AttributeID, title: Words, mask: MaskKind, _ session: any SQLSession) throws {
        let changed = try session.execute(
            Self.relabel, [.id(id), .text(title.en), .text(title.zh), .text(mask.rawValue)])
        guard changed == 1 else { throw CRMError.notFound }
    }
}
