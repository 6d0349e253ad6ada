import Contracts
import Kernel
import Platform
import Storage
import Web

/// One of TM Forum's interfaces.
package struct TMFAPI: Sendable, Hashable {
    package let number: Int
    /// `customerManagement`.
    package let name: String

    package init(_ number: Int, _ name: String) {
        self.number = number
        self.name = name
    }

    package var base: String { base(4) }
    package func base(_ version: Int) -> String { "/tmf-api/\(name)/v\(version)" }
    package var readScope: String { "tmf\(number):read" }
    package var writeScope: String { "tmf\(number):write" }
}

/// The states of a resource and what may follow what.
package struct TMFStates: Sendable {
    /// `status` or `state`.
    package let attribute: String
    /// What a new resource is in, unless its client says another that is in `initial`.
    package let first: String
    package let initial: Set<String>
    package let next: [String: [String]]

    package init(_ attribute: String, first: String, initial: Set<String> = [], next: [String: [String]]) {
        self.attribute = attribute
        self.first = first
        self.initial = initial.union([first])
        self.next = next
    }

    private var known: Set<String> { Set(next.values.joined()).union(next.keys).union(initial) }

    /// - Throws: 409 naming what may follow; 400 for a word that is no state at all.
    package func check(from old: String?, to new: String?) throws { try check(from: old, to: new, among: []) }

    /// - Parameter words: of the specification: states, though nothing of ours comes to them.
    func check(from old: String?, to new: String?, among words: Set<String>) throws {
        guard old != new else { return }
        let known = known.union(words)
        if let new, !known.contains(new) {
            let names = known.sorted().joined(separator: ", ")
            let words = Words(
                en: "“\(attribute)” is one of \(names), not “\(new.prefix(60))”.", zh: "“\(attribute)”应为 \(names) 之一，而不是“\(new.prefix(60))”。")
            throw CRMError(
                "unknown_state", status: 400, words, fields: [.init(field: attribute, code: "unknown_state", message: words)])
        }
        let allowed = old.map { next[$0] ?? [] } ?? initial.sorted()
        guard let new, allowed.contains(new) else {
            let names = allowed.joined(separator: ", ")
            let list = allowed.isEmpty ? Words(en: "nothing", zh: "无") : Words(en: names, zh: names)
            let here = old ?? ""
            throw CRMError(
                "illegal_transition", status: 409,
                Words(
                    en: "“\(attribute)” cannot go from “\(here)” to “\(new ?? "")”. What may follow is: \(list.en).",
                    zh: "“\(attribute)”不能从“\(here)”变为“\(new ?? "")”，允许：\(list.zh)。"),
                fields: [
                    .init(field: attribute, code: "illegal_transition", message: Words(en: "Allowed: \(list.en)", zh: "允许：\(list.zh)"))
                ])
        }
    }
}

/// A store whose resources can be made, changed or removed through the interface. Documents are as clients see them, with
/// what is kept beside the row; a store takes what it has columns for.
package protocol TMFWritingStore: TMFStore {
    /// Makes the row.
    /// - Throws: `CRMError` 400 or 409 for what the domain does not allow.
    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64
    /// Brings the row to what `new` says.
    func change(_ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws
    /// - Throws: 409 where others still point to it.
    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws
    /// What a document refers to that the store has looked up by itself, as a part of such a document: things that are named otherwise
    /// than by an id of ours. Asked after the store has taken the document.
    func vouched(_ document: JSONObject) -> JSONObject
}

extension TMFWritingStore {
    package func vouched(_ document: JSONObject) -> JSONObject { [:] }
}

/// Who changes something, and when.
package struct TMFContext: Sendable {
    package let tenant: Tenant
    package let principal: Principal
    package let now: Instant

    package init(tenant: Tenant, principal: Principal, now: Instant) {
        self.tenant = tenant
        self.principal = principal
        self.now = now
    }
}

/// One resource of an interface, as a domain declares it. Everything that clients can do with it follows from this.
package struct TMFResource: Sendable {
    package enum Verb: String, Sendable, CaseIterable { case list, read, create, change, remove }

    package let api: TMFAPI
    /// In the address: `customer`.
    package let name: String
    /// In the schema: `Customer`.
    package let type: String
    package let schema: TMFSchema
    package let verbs: Set<Verb>
    package let view: Permission
    package let edit: Permission
    package let states: TMFStates?
    /// Whom an audit event about a document is about.
    package let subjects: @Sendable (Int64, JSONObject) -> [AuditSubject]
    package let store: @Sendable (Tenant) -> any TMFStore
    /// Codes of refusals that are audited although nothing changed: what the law wants to know of (G34).
    package var auditedRefusals: Set<String> = []
    /// Whether its removal is that of a person or an organisation: what is kept of documents that name them goes with it.
    package var isPerson = false
    /// Whether its changes are told by the hub; the specification has events of most resources, not of all.
    package var isTold = true
    /// Under which name what clients sent is kept, where several resources show the same rows; `nil` = its own.
    package var keptAs: String?
    package var kept: String { keptAs ?? name }
    /// How it looks in version 5, where it is offered in that.
    package let next: TMFFace?
    /// Set in the resource of version 5.
    package private(set) var face: TMFFace?
    let counts = TMFCounts()

    package init(
        _ api: TMFAPI, _ name: String, type: String, schema: TMFSchema, verbs: Set<Verb> = Set(Verb.allCases),
        view: Permission, edit: Permission, states: TMFStates? = nil,
        subjects: @escaping @Sendable (Int64, JSONObject) -> [AuditSubject],
        next: TMFFace? = nil, store: @escaping @Sendable (Tenant) -> any TMFStore
    ) {
        self.next = next
        self.api = api
        self.name = name
        self.type = type
        // The guidelines let each resource be sub-classed; one of the specifications forgets to say so.
        let missing = ["@type", "@baseType", "@schemaLocation"].filter { schema.types[type]?[$0] == nil }
        self.schema = missing.isEmpty ? schema : schema.adding(missing.map { .init($0, .text) }, to: type)
        self.verbs = verbs
        self.view = view
        self.edit = edit
        self.states = states
        self.subjects = subjects
        self.store = store
    }

    /// What says in which state it is; of a resource that anybody may bring to any state, the attribute that is called so.
    var stateAttribute: String? {
        states?.attribute ?? ["status", "state"].first { name in
            if case .code? = schema.types[type]?[name]?.kind { true } else { false }
        }
    }

    package var path: String { api.base(face == nil ? 4 : 5) + "/" + name }

    /// The same resource in version 5.
    package var version5: TMFResource? {
        guard let next, face == nil else { return nil }
        var result = self
        result.face = next.typed(schema, type)
        return result
    }

    /// How addresses in its documents are written.
    func addresses(_ origin: String) -> TMFAddresses {
        TMFAddresses(origin: origin, next: face == nil ? [] : schema.directory?.next ?? [])
    }

    /// What queries may name.
    package var asked: TMFSchema { face?.schema(schema, of: type) ?? schema }

    /// Whom an audit event about a document is about: the document, and customers who are named as such.
    package static func subjects(_ kind: String, _ path: String = "relatedParty") -> @Sendable (Int64, JSONObject) -> [AuditSubject] {
        { id, document in
            let parties = document[path].map { $0.array ?? [$0] } ?? []
            let customers = parties.compactMap { named -> CustomerID? in
                // Version 5 has the party inside.
                let party = named["partyOrPartyRole"] ?? named
                guard party["@referredType"]?.string == "Customer" else { return nil }
                return party["id"]?.string.flatMap { CustomerID($0) }
            }
            return [AuditSubject(kind: kind, id: id)] + customers.prefix(8).map { .customer($0) }
        }
    }
}

/// Something happened to a resource: for those who have asked to be told, and for the rest of the product.
package struct TMFChanged: DomainEvent {
    package static let eventType = "tmf.resource.changed"
    package enum Kind: String, Codable, Sendable { case created, changed, stateChanged, removed }
    package let api: Int
    package let resource: String
    package let id: Int64
    package let kinds: [Kind]
    /// Names of the attributes that changed.
    package let attributes: [String]

    package init(api: Int, resource: String, id: Int64, kinds: [Kind], attributes: [String]) {
        self.api = api
        self.resource = resource
        self.id = id
        self.kinds = kinds
        self.attributes = attributes
    }
}

extension TMFChanged {
    /// What an import did to rows of one kind.
    package static func records(_ api: Int, _ resource: String, _ event: RecordsChanged) -> [TMFChanged] {
        let moved = Set(event.moved)
        func one(_ id: Int64, _ kinds: [Kind]) -> TMFChanged {
            TMFChanged(api: api, resource: resource, id: id, kinds: kinds, attributes: [])
        }
        return event.created.map { one($0, [.created]) }
            + event.changed.map { one($0, moved.contains($0) ? [.changed, .stateChanged] : [.changed]) }
            + event.removed.map { one($0, [.removed]) }
    }
}
