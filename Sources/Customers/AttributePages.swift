import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// Custom attributes: what there is, new ones, and the label that says to whom values are shown (G31).
enum AttributePages {
    static func endpoints() -> [Endpoint] {
        let manage = Route.Access.permission(CustomerPermissions.manageAttributes)
        return [
            Endpoint(.get, "/attributes", manage, trace: .none, purpose: .administration) { call in
                try await page(call, error: nil, status: .ok)
            },
            Endpoint(
                .post, "/attributes", manage, body: .form(["title_en", "title_zh", "kind", "codes", "mask"]),
                trace: .change, purpose: .administration, effect: .adds, handler: create),
            Endpoint(
                .post, "/attributes/{id}/label", manage, body: .form(["revision", "title_en", "title_zh", "mask"]),
                trace: .change,
                purpose: .administration, effect: .overwrites, handler: label),
        ]
    }

    static func create(_ call: Call) async throws -> WebResponse {
        do {
            let title = try titles(call)
            guard let kind = call.form["kind"].flatMap(CustomAttribute.Kind.init) else {
                throw CRMError.invalid("kind", "required", Words(en: "Please choose a type.", zh: "请选择类型。"))
            }
            let codes = try codes(call, kind)
            let mask = try mask(call)
            let by = try call.principal().userName
            let store = AttributeStore(ids: call.tenant.ids, clock: call.tenant.clock)
            return try await call.change { session in
                let attribute = try store.define(
                    title: title, kind: kind, codes: codes, mask: mask, labelled: true, by: by, session)
                try call.record(
                    AuditEntry(
                        "customers.attribute.create", [AuditSubject(kind: "attribute", id: attribute.id.rawValue)],
                        facts: [
                            "key": .string(attribute.key), "kind": .string(kind.rawValue),
                            "mask": .string(mask.rawValue),
                        ]), session)
                return .redirect("/attributes").flash("customers.attributes.created")
            }
        } catch let error as CRMError where error.status == 422 || error.status == 409 {
            // Definitions are no personal data; GET /attributes shows them without an event too.
            call.showsOnlyWhatWasTyped()
            return try await page(call, error: error, status: .init(code: error.status))
        }
    }

    static func label(_ call: Call) async throws -> WebResponse {
        let id: AttributeID = try call.request.id("id")
        let title = try titles(call)
        let mask = try mask(call)
        let store = AttributeStore(ids: call.tenant.ids, clock: call.tenant.clock)
        return try await call.change { session in
            guard let before = try AttributeStore.attribute(id, session) else { throw CRMError.notFound }
            try call.checkVersion(before.version)
            try store.label(id, title: title, mask: mask, session)
            try call.record(
                AuditEntry(
                    "customers.attribute.label", [AuditSubject(kind: "attribute", id: id.rawValue)],
                    facts: ["before": .string(before.mask.rawValue), "mask": .string(mask.rawValue)]), session)
            return .redirect("/attributes").flash("customers.attributes.labelled")
        }
    }

    private static func titles(_ call: Call) throws -> Words {
        let en = try call.form.text("title_en", max: 120)
        return Words(en: en, zh: try call.form.optionalText("title_zh", max: 120) ?? en)
    }

    private static func mask(_ call: Call) throws -> MaskKind {
        guard let mask = call.form["mask"].flatMap(MaskKind.init) else {
            throw CRMError.invalid("mask", "required", Words(en: "Please choose who may see it.", zh: "请选择脱敏方式。"))
        }
        return mask
    }

    /// One code a line: `gold | Gold | 金卡`.
    private static func codes(_ call: Call, _ kind: CustomAttribute.Kind) throws -> [CustomAttribute.Code] {
        guard kind == .code else { return [] }
        let lines = (try call.form.optionalText("codes") ?? "").split(whereSeparator: \.isNewline)
        let codes = lines.compactMap { line -> CustomAttribute.Code? in
            let parts = line.split(separator: "|").map { $0.trimmed }.filter { !$0.isEmpty }
            guard let code = parts.first else { return nil }
            return CustomAttribute.Code(
                code: code, words: Words(en: parts.count > 1 ? parts[1] : code, zh: parts.last ?? code))
        }
        guard !codes.isEmpty, Set(codes.map(\.code)).count == codes.count else {
            throw CRMError.invalid(
                "codes", "codes",
                Words(en: "Please write one code a line, each once.", zh: "请每行填写一个代码，且不重复。"))
        }
        return codes
    }

    private static func page(_ call: Call, error: CRMError?, status: HTTPResponse.Status) async throws -> WebResponse {
        let attributes = try await call.read { try AttributeStore.all($0) }
        func masks(_ chosen: MaskKind?) -> ViewValue {
            .list(
                MaskKind.allCases.map { mask in
                    [
                        "code": .text(mask.rawValue), "label": .text(call.text("customers.mask.\(mask.rawValue)")),
                        "selected": .bool(mask == chosen),
                    ]
                })
        }
        let typed = error == nil ? nil : call.form
        return call.page(
            "customers/attribute-list", title: call.text("customers.attributes"), active: "/attributes",
            [
                "any": .bool(!attributes.isEmpty), "count": .text(String(attributes.count)),
                "problem": .text(error?.message[call.language]),
                "typedEn": .text(typed?["title_en"]), "typedZh": .text(typed?["title_zh"]),
                "typedCodes": .text(typed?["codes"]),
                "masks": masks(typed?["mask"].flatMap(MaskKind.init) ?? MaskKind.none),
                "kinds": .list(
                    CustomAttribute.Kind.allCases.map { kind in
                        [
                            "code": .text(kind.rawValue), "label": .text(call.text("customers.type.\(kind.rawValue)")),
                            "selected": .bool(kind.rawValue == typed?["kind"]),
                        ]
                    }),
                "attributes": .list(
                    attributes.map { attribute in
                        [
                            "id": .text(attribute.id.description), "key": .text(attribute.key),
                            "revision": .text(attribute.version), "titleEn": .text(attribute.title.en), "titleZh": .text(attribute.title.zh),
                            "shown": .text(attribute.title[call.language]),
                            "type": .text(call.text("customers.type.\(attribute.kind.rawValue)")),
                            "codes": .text(attribute.codes.map { $0.words[call.language] }.joined(separator: " · ")),
                            "mask": .text(call.text("customers.mask.\(attribute.mask.rawValue)")),
                            "labelled": .bool(attribute.labelled), "masks": masks(attribute.mask),
                        ]
                    }),
            ], status: status)
    }
}

extension CustomAttribute {
    /// Of what the form of its label replaces.
    var version: String { RecordVersion.of([title.en, title.zh, mask.rawValue, labelled ? "labelled" : ""]) }
}
