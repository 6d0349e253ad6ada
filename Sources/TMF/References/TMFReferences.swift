import Kernel
import Platform
import Storage
import Web

/// What a document refers to among our own resources. `@referredType` says to what; without it the meaning that the specification gives
/// the attribute does (`ProductOfferingRef`). What has an absolute address lies in another system and is taken as it is (ADR 0058).
struct TMFReferences {
    struct One: Hashable {
        let family: String
        let id: String
    }

    /// Each reference with the first place where it stands: `relatedParty[0].id`.
    private(set) var places: [One: String] = [:]
    private(set) var order: [One] = []

    /// - Parameter origin: of this installation: what has an address here lies here.
    init(_ document: JSONObject, _ schema: TMFSchema, of type: String, _ directory: TMFDirectory, origin: String) {
        let reader = Reader(schema: schema, directory: directory, origin: origin)
        reader.read(document, of: type, place: "", isOuter: true) { one, place in
            if places.updateValue(places[one] ?? place, forKey: one) == nil { order.append(one) }
        }
    }

    private struct Reader {
        let schema: TMFSchema
        let directory: TMFDirectory
        let origin: String

        /// Attributes whose type is called as one of ours and that are of an interface that is not here (TMF633).
        private static let others: Set<String> = ["serviceCategory"]

        func read(_ object: JSONObject, of type: String, place: String, isOuter: Bool, _ found: (One, String) -> Void) {
            guard let known = schema.types[type] else { return }
            if !isOuter, let one = reference(object, type) { found(one, place + ".id") }
            for (name, value) in object.sorted(by: { $0.key < $1.key }) {
                guard case .object(let inner)? = known[name]?.kind, !Self.others.contains(name) else { continue }
                let here = place.isEmpty ? name : place + "." + name
                if let fields = value.object { read(fields, of: inner, place: here, isOuter: false, found) }
                for (number, item) in (value.array ?? []).enumerated() {
                    if let fields = item.object { read(fields, of: inner, place: "\(here)[\(number)]", isOuter: false, found) }
                }
            }
        }

        private func reference(_ object: JSONObject, _ type: String) -> One? {
            guard let id = object["id"]?.string, !isElsewhere(object) else { return nil }
            if let referred = object["@referredType"]?.string {
                return directory.family(referred).map { One(family: $0, id: id) }
            }
            guard let family = directory.family(type) else { return nil }
            if type.hasSuffix("RefOrValue"), !isReference(object) { return nil }
            return One(family: family, id: id)
        }

        /// What is given as a value has an id of its client's own.
        private func isReference(_ object: JSONObject) -> Bool {
            if let said = object["isRef"]?.bool { return said }
            return object.keys.allSatisfy { ["id", "href", "name"].contains($0) || $0.hasPrefix("@") }
        }

        private func isElsewhere(_ object: JSONObject) -> Bool {
            guard let href = object["href"]?.string, href.hasPrefix("http://") || href.hasPrefix("https://") else { return false }
            return origin.isEmpty || !href.hasPrefix(origin + "/")
        }
    }

    static let problemsMax = 20

    /// - Parameter known: what was referred to before: nobody has to mend what they do not touch.
    /// - Throws: 400 naming the places that lead nowhere, or nowhere that the caller may see.
    func check(
        but known: [TMFReferences], _ directory: TMFDirectory, _ tenant: Tenant, _ principal: Principal, _ session: any SQLSession
    ) throws {
        let asked = order.filter { one in !known.contains { $0.places[one] != nil } }
        var missing: Set<One> = []
        for (family, ones) in Dictionary(grouping: asked, by: \.family) {
            var ids: [Int64: One] = [:]
            for one in ones {
                if let id = Int64(one.id), String(id) == one.id { ids[id] = one } else { missing.insert(one) }
            }
            guard !ids.isEmpty else { continue }
            let present = try directory.present(family, Set(ids.keys), tenant, principal, session)
            missing.formUnion(ids.filter { !present.contains($0.key) }.values)
        }
        let fields = asked.filter(missing.contains).prefix(Self.problemsMax).map { one -> CRMError.FieldError in
            let place = places[one] ?? "id"
            let words = Words(
                en: "“\(place)”: there is no \(one.family) “\(one.id.prefix(60))” here. Correct the id, or give an absolute href if it lies in another system.",
                zh: "“\(place)”：此处没有 \(one.family)“\(one.id.prefix(60))”。请更正 id；若在其他系统中，请给出完整的 href。")
            return .init(field: place, code: one.family == "Party" ? "unknown_party" : "unknown_reference", message: words)
        }
        guard let first = fields.first else { return }
        throw CRMError(
            first.code, status: 400,
            Words(en: fields.map(\.message.en).joined(separator: " "), zh: fields.map(\.message.zh).joined(separator: "")), fields: fields)
    }
}
