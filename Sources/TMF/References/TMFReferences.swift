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
        /// The kind that `@referredType` says where a family has several: `Organization`.
        var kind: String?
        /// What the attribute can refer to, where `@referredType` says something else of ours.
        var expected: String?
    }

    /// Each reference with the first place where it stands: `relatedParty[0].id`.
    private(set) var places: [One: String] = [:]
    private(set) var order: [One] = []
    /// Those that were given an address, and one that leads here.
    private var here: Set<One> = []

    /// - Parameter origin: of this installation: what has an address here lies here.
    init(_ document: JSONObject, _ schema: TMFSchema, of type: String, _ directory: TMFDirectory, origin: String) {
        let reader = Reader(schema: schema, directory: directory, origin: origin)
        reader.read(document, of: type, place: "", isOuter: true) { one, place, isAddressed in
            if isAddressed { here.insert(one) }
            if places.updateValue(places[one] ?? place, forKey: one) == nil { order.append(one) }
        }
    }

    private struct Reader {
        let schema: TMFSchema
        let directory: TMFDirectory
        let origin: String

        /// Attributes whose type is called as one of ours and that are of an interface that is not here (TMF633).
        private static let others: Set<String> = ["serviceCategory"]

        func read(_ object: JSONObject, of type: String, place: String, isOuter: Bool, _ found: (One, String, Bool) -> Void) {
            guard let known = schema.types[type] else { return }
            if !isOuter, let one = reference(object, type) { found(one, place + ".id", address(object) != nil) }
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
                guard let family = directory.family(referred) else { return nil }
                let own = directory.family(type)
                return One(
                    family: family, id: id, kind: directory.kind(referred), expected: own == family ? nil : own)
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

        private func address(_ object: JSONObject) -> String? {
            object["href"]?.string.flatMap { $0.hasPrefix("http://") || $0.hasPrefix("https://") ? $0 : nil }
        }

        private func isElsewhere(_ object: JSONObject) -> Bool {
            guard let href = address(object) else { return false }
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
        var found: [One: [CRMError.FieldError]] = [:]
        for one in asked where one.expected != nil { found[one] = [wrong(one, is: [one.expected ?? ""])] }
        for (family, ones) in Dictionary(grouping: asked.filter { $0.expected == nil }, by: \.family) {
            var ids: [Int64: [One]] = [:]
            for one in ones {
                if let id = Int64(one.id), String(id) == one.id { ids[id, default: []].append(one) } else { found[one] = [unknown(one)] }
            }
            guard !ids.isEmpty else { continue }
            let kinds = directory.kinds(of: family)
            let present = try directory.present(kinds, Set(ids.keys), tenant, principal, session)
            for (id, ones) in ids where !present.contains(id) { for one in ones { found[one] = [unknown(one)] } }
            // What is there is of the kind that was said, too.
            for (kind, said) in Dictionary(grouping: ids.values.joined().filter { $0.kind != nil }, by: { $0.kind ?? "" }) {
                let right = Set(said.compactMap { Int64($0.id) }).intersection(present)
                let strange = right.subtracting(try directory.present(directory.kinds(under: kind), right, tenant, principal, session))
                for one in said {
                    guard let id = Int64(one.id), strange.contains(id) else { continue }
                    let real = try kinds.filter { try !directory.present([$0], [id], tenant, principal, session).isEmpty }
                    found[one] = [wrong(one, is: real)]
                }
            }
        }
        let fields = Array(asked.compactMap { found[$0] }.joined().prefix(Self.problemsMax))
        guard let first = fields.first else { return }
        throw CRMError(
            first.code, status: 400,
            Words(en: fields.map(\.message.en).joined(separator: " "), zh: fields.map(\.message.zh).joined(separator: "")), fields: fields)
    }

    private func unknown(_ one: One) -> CRMError.FieldError {
        let place = places[one] ?? "id"
        let plain = Self.unknown(one.family, one.id, at: place)
        guard here.contains(one) else { return plain }
        let words = Words(
            en: "“\(place)”: there is no \(one.family) “\(one.id.prefix(60))” here, and the href beside it leads here too. Correct the id and the href.",
            zh: "“\(place)”：此处没有 \(one.family)“\(one.id.prefix(60))”，而其 href 也指向本系统。请更正 id 和 href。")
        return .init(field: place, code: plain.code, message: words)
    }

    /// The one code and wording for an id that leads nowhere, for stores that look up by themselves too.
    static func unknown(_ family: String, _ id: String, at place: String) -> CRMError.FieldError {
        let words = Words(
            en: "“\(place)”: there is no \(family) “\(id.prefix(60))” here. Correct the id, or give an absolute href if it lies in another system.",
            zh: "“\(place)”：此处没有 \(family)“\(id.prefix(60))”。请更正 id；若在其他系统中，请给出完整的 href。")
        return .init(field: place, code: family == "Party" ? "unknown_party" : "unknown_reference", message: words)
    }

    private func wrong(_ one: One, is kinds: [String]) -> CRMError.FieldError {
        let place = (places[one] ?? "id").split(separator: ".").dropLast().joined(separator: ".") + ".@referredType"
        let (said, right) = (one.kind ?? one.family, kinds.joined(separator: ", "))
        return .init(
            field: place, code: "wrong_type",
            message: Words(
                en: "“\(place)”: “\(one.id.prefix(60))” is no \(said); write \(right).",
                zh: "“\(place)”：“\(one.id.prefix(60))”不是 \(said)，应写 \(right)。"))
    }
}

extension CRMError {
    /// A reference of a document that leads to nothing of ours (ADR 0067).
    /// - Parameter type: what is not there: `ProductOffering`.
    package static func unknownReference(_ type: String, _ id: String, at place: String) -> CRMError {
        let field = TMFReferences.unknown(type, id, at: place)
        return CRMError(field.code, status: 400, field.message, fields: [field])
    }
}
