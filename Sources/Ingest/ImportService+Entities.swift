import Kernel
import Platform
import Storage

/// Imports of more than one kind of record.
extension ImportService {
    /// The same for another target.
    private init(_ service: ImportService, on target: any ImportTarget) {
        tenant = service.tenant
        self.target = target
        targets = service.targets
        share = service.share
    }

    /// The same for records of another kind.
    /// - Throws: `CRMError` 422 `unknown_entity` naming those there are.
    package func on(_ entity: String) throws -> ImportService {
        guard let target = targets.first(where: { $0.entity == entity }) else {
            let names = targets.map(\.entity).joined(separator: ", ")
            throw CRMError.invalid(
                "entity", "unknown_entity",
                Words(en: "“\(entity)” cannot be imported. Choose one of: \(names).", zh: "不能导入“\(entity)”，可选：\(names)。"))
        }
        return ImportService(self, on: target)
    }

    /// All fields of the records of an entity.
    func fields(of entity: String, _ session: any SQLSession) throws -> [ImportField] {
        let target = try on(entity).target
        return try target.fields + target.attributeFields(session)
    }

    /// Those of all entities. Where two share a key, the one that is hidden from more people comes first.
    func allFields(_ session: any SQLSession) throws -> [ImportField] {
        let all = try targets.flatMap { try fields(of: $0.entity, session) }
        return all.filter { $0.mask != nil } + all.filter { $0.mask == nil }
    }

    /// The service of a run's own kind of records.
    func of(_ run: ImportRunID) async throws -> ImportService { try on(try await self.run(run).run.entity) }

    /// Where there are no custom attributes, columns that nobody mapped are left out; and rows find their records by a key.
    static func withoutAttributes(_ mapping: ImportMapping, _ target: any ImportTarget) -> ImportMapping {
        guard !target.takesAttributes else { return mapping }
        var mapping = mapping
        mapping.keepsUnlisted = false
        mapping.matches = false
        mapping.columns = mapping.columns.map { column in
            var column = column
            if column.target == .attribute { column.target = .ignore }
            return column
        }
        if target.needsMatchKey, mapping.matchKey == nil {
            mapping.matchKey = target.fields.first { field in
                field.canMatch && mapping.columns.contains { $0.target == .field(field.key) }
            }?.key
        }
        return mapping
    }
}
