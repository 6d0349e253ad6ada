import Kernel
import Platform
import Storage
import Web

/// Which headings the records of a kind understand.
extension ImportPages {
    static func headingsPath(_ entity: String) -> String {
        "/imports/headings" + (entity.isEmpty ? "" : "?" + Form([("entity", entity)]).encoded)
    }

    @Sendable func headings(_ call: Call) async throws -> WebResponse {
        let all = service(call.tenant)
        let entity = call.request.query["entity"] ?? ""
        let chosen = entity.isEmpty ? all : try all.on(entity)
        let attributes = try await call.read { [target = chosen.target] in try target.attributeFields($0) }
        let known = ImportHeadings(chosen.target)
        func row(_ field: ImportHeadings.Field) -> View {
            let words = Words(en: field.en, zh: field.zh)
            return [
                "key": .text(field.key), "words": .text(words[call.language]),
                "kind": .text(call.text("ingest.field.\(field.kind)")), "required": .bool(field.required),
                "findsRecords": .bool(field.findsRecords), "headings": .texts(field.headings),
                "hasChoices": .bool(!field.choices.isEmpty),
                "choices": .texts(
                    field.choices.map { Words(en: $0.en, zh: $0.zh)[call.language] + " (\($0.code))" }),
            ]
        }
        return call.page(
            "ingest/import-headings", title: call.text("ingest.headings.title"), active: "/imports",
            [
                "entity": .text(known.entity), "title": .text(chosen.target.title[call.language]),
                "entities": .list(
                    all.targets.map { target -> View in
                        [
                            "value": .text(target.entity), "label": .text(target.title[call.language]),
                            "selected": .bool(target.entity == known.entity),
                        ]
                    }),
                "fields": .list(known.fields.map(row)), "count": .text("\(known.fields.count)"),
                "attributes": .list(attributes.map { row(ImportHeadings.Field($0)) }), "hasAttributes": .bool(!attributes.isEmpty),
                "takesAttributes": .bool(known.takesAttributes),
            ])
    }
}
