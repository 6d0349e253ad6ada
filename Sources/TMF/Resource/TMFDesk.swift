import Crypto
import Foundation
import Kernel
import Platform
import Storage
import Web

/// What can be done with a resource, in a transaction: documents with what is kept, changes with their checks, events. A domain whose
/// resource changes another one (an order that completes) does it through this too, so that nothing is left out.
package struct TMFDesk: Sendable {
    let resource: TMFResource
    let tenant: Tenant
    /// `https://crm.example.com`; empty where no document is shown.
    let origin: String
    /// Whether what documents refer to must be there: for what programs send. What the product does by itself refers to what it has looked
    /// at already.
    var looksUp = false

    package init(resource: TMFResource, tenant: Tenant, origin: String = "") {
        self.resource = resource
        self.tenant = tenant
        self.origin = origin
    }

    private var store: any TMFStore { Merged(base: resource.store(tenant), resource: resource, origin: origin) }

    /// A store whose documents have `href`, `@type` and what is kept.
    private struct Merged: TMFStore {
        let base: any TMFStore
        let resource: TMFResource
        let origin: String
        var table: TMFTable {
            let own = base.table
            return own.hasClasses ? own : own.adding(.type(of: resource))
        }

        func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
            let own = try base.documents(ids, principal, session)
            let kept = try TMFKeptStore.of(resource.kept, own.map(\.id), session)
            let all = Masking(principal).shows(.full)
            return own.map { id, document in
                var document = kept[id]?.document(over: document, all: all) ?? document
                document["id"] = .string(String(id))
                document = resource.addresses(origin).shown(document)
                // One of a more special class lies under that one's name.
                let place = document["href"]?.string.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "\(resource.path)/\(id)"
                document["href"] = .string(origin + place)
                if document["@type"] == nil { document["@type"] = .string(resource.type) }
                return (id, document)
            }
        }
    }

    package func list(_ query: TMFQuery, _ principal: Principal, _ session: any SQLSession) throws -> TMFListing {
        let query = try resource.face.map { try query.translated($0, resource.schema, resource.type) } ?? query
        let listing = try TMFLister(store, resource.schema).list(query, principal, session) { rows, session in
            try resource.counts.count(rows, tenant: tenant.name, now: tenant.clock.now(), session)
        }
        guard let face = resource.face else { return listing }
        return TMFListing(
            documents: listing.documents.map(face.shown), total: listing.total, next: listing.next, previous: listing.previous)
    }

    /// - Throws: 404 for what is not there, or out of reach.
    package func document(_ id: Int64, _ principal: Principal, _ session: any SQLSession) throws -> JSONObject {
        guard let found = try find(id, principal, session) else { throw CRMError.notFound }
        return found
    }

    /// Those of the documents that are there and in reach.
    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [Int64: JSONObject] {
        Dictionary(
            try store.documents(ids, principal, session).map { ($0.id, resource.face?.shown($0.1) ?? $0.1) },
            uniquingKeysWith: { first, _ in first })
    }

    /// - Returns: `nil` for what is not there, or out of reach.
    package func find(_ id: Int64, _ principal: Principal, _ session: any SQLSession) throws -> JSONObject? {
        try store.documents([id], principal, session).first.map { resource.face?.shown($0.1) ?? $0.1 }
    }

    /// The document in version 4, in which it is stored and checked.
    private func row(_ id: Int64, _ principal: Principal, _ session: any SQLSession) throws -> JSONObject {
        guard let found = try store.documents([id], principal, session).first else { throw CRMError.notFound }
        return found.1
    }

    /// The version of a document: a digest of all that is in it, but for where it is.
    package static func version(_ document: JSONObject) -> String {
        var document = document
        document["href"] = nil
        let digest = SHA256.hash(data: Data(JSONValue.object(document).encoded().utf8))
        return Hex.text(digest.prefix(12))
    }

    private static let changedMeanwhile: CRMError = {
        let words = Words(
            en: "“If-Match” names another version than the present one; nothing was changed. GET the resource again, look at what is new, and send the change with its ETag.",
            zh: "“If-Match”与当前版本不符，未做任何更改。请重新 GET 该资源，查看最新内容，再以其 ETag 发送修改。")
        return CRMError(
            "changed_meanwhile", status: 412, words, fields: [.init(field: "If-Match", code: "changed_meanwhile", message: words)])
    }()

    private func writing() throws -> any TMFWritingStore {
        guard let writing = resource.store(tenant) as? any TMFWritingStore else {
            throw CRMError("method_not_allowed", status: 405, Words(en: "This resource cannot be changed.", zh: "该资源不可修改。"))
        }
        return writing
    }

    package func create(_ sent: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> (Int64, JSONObject) {
        let asked = sent
        let sent = resource.face?.stored(sent) ?? sent
        for name in ["id", "href"] where sent[name] != nil && sent[name] != .null { throw Self.fixed(name) }
        if resource.face != nil, (asked["@type"] ?? .null) == .null {
            let words = Words(
                en: "“@type” is mandatory in version 5: “\(resource.type)”, or the class that it is.",
                zh: "版本 5 中“@type”为必填项：“\(resource.type)”或其具体类型。")
            throw CRMError("missing", status: 400, words, fields: [.init(field: "@type", code: "missing", message: words)])
        }
        let check = TMFCheck(resource.schema)
        try check.create(sent, of: resource.type, state: resource.stateAttribute)
        try TMFSense(schema: resource.schema).check(sent, of: resource.type)
        var document = sent.filter { $0.value != .null }
        for attribute in resource.schema.types[resource.type]?.attributes ?? [] where attribute.isServers {
            guard document[attribute.name] != nil, attribute.name != resource.states?.attribute else { continue }
            throw Self.fixed(attribute.name)
        }
        if let states = resource.states {
            let asked = document[states.attribute]?.string
            if let asked { try states.check(from: nil, to: asked, among: words(of: states)) }
            document[states.attribute] = .string(asked ?? states.first)
        }
        if document["@type"] == nil { document["@type"] = .string(resource.type) }
        let store = try writing()
        let id = try store.create(document, context, session)
        // After the domain, whose reasons say more, and within the transaction.
        if let word = document["@type"]?.string, resource.schema.directory?.isOther(word, than: resource.type) == true { throw otherType(word) }
        try lookUp(asked, from: nil, context, session)
        let own = try own(id, store, context, session)
        try keep(document, over: own, id, session)
        try tell(id, [.created], [], context, session)
        return (id, try self.document(id, context.principal, session))
    }

    /// - Parameter seen: the versions that the client takes for the present one, where it named any.
    package func change(
        _ id: Int64, _ patch: TMFPatch, seen: [String]?, _ context: TMFContext, _ session: any SQLSession
    ) throws -> JSONObject {
        let row = try row(id, context.principal, session)
        let shown = resource.face?.shown(row) ?? row
        if let seen, !seen.contains(Self.version(shown)) { throw Self.changedMeanwhile }
        let old = try self.row(id, Masking.lifted(context.principal), session)
        let patched = try patch.applied(to: shown)
        let (table, masking) = (self.store.table, Masking(context.principal))
        let new = try Self.lifted(
            resource.face?.merged(patched, shown: shown, row: row) ?? patched, shown: row, whole: old,
            named: Set(patch.names.map { resource.face?.path(AttributePath([$0])).names.first ?? $0 }),
            isHidden: { name in table.columns.contains { $0.path.names == [name] && !masking.shows($0.mask) } })
        for name in ["id", "href"] where new[name] != old[name] { throw Self.fixed(name) }
        let check = TMFCheck(resource.schema)
        try check.fixed(from: old, to: new, of: resource.type, but: resource.states?.attribute)
        try check.changed(new, of: resource.type, state: resource.stateAttribute)
        // What something is it stays; without the name it is what it is called by itself.
        guard (new["@type"] ?? .string(resource.type)) == (old["@type"] ?? .string(resource.type)) else {
            throw otherType(new["@type"]?.string ?? resource.type, was: old["@type"]?.string)
        }
        try TMFSense(schema: resource.schema).check(new, from: old, of: resource.type)
        if let states = resource.states, old[states.attribute] != new[states.attribute] {
            try states.check(from: old[states.attribute]?.string, to: new[states.attribute]?.string, among: words(of: states))
        }
        let changed = Self.differences(old, new)
        guard !changed.isEmpty else { return shown }
        let store = try writing()
        let before = try own(id, store, context, session)
        try store.change(id, from: old, to: new, context, session)
        try lookUp(patched, from: shown, context, session)
        let own = try own(id, store, context, session)
        // What the domain has set by itself is newer than what the client repeated.
        let sent = new.filter { name, value in changed.contains(name) || before[name] == own[name] }
        try keep(sent, over: own, id, session)
        let all = changed.union(Self.differences(before, own))
        let isMoved = resource.states.map { all.contains($0.attribute) } ?? false
        let isMore = all.contains { $0 != resource.states?.attribute }
        try tell(id, (isMore ? [.changed] : []) + (isMoved ? [.stateChanged] : []), all.sorted(), context, session)
        return try document(id, context.principal, session)
    }

    /// - Parameter old: what was there before; both as the client sees them.
    private func lookUp(_ new: JSONObject, from old: JSONObject?, _ context: TMFContext, _ session: any SQLSession) throws {
        guard looksUp, let directory = resource.schema.directory else { return }
        func references(_ document: JSONObject) -> TMFReferences {
            TMFReferences(document, resource.asked, of: resource.type, directory, origin: origin)
        }
        let known = try [old, writing().vouched(new)].compactMap { $0.map(references) }
        try references(new).check(but: known, directory, tenant, context.principal, session)
    }

    private static func differences(_ old: JSONObject, _ new: JSONObject) -> Set<String> {
        Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }
    }

    private func own(
        _ id: Int64, _ store: any TMFStore, _ context: TMFContext, _ session: any SQLSession
    ) throws -> JSONObject {
        guard let own = try store.documents([id], Masking.lifted(context.principal), session).first else {
            throw CRMError.notFound
        }
        return own.1
    }

    /// What a change of the document as its caller sees it means for the whole one. Nobody writes where they do not see, so that no
    /// mask is ever stored, and no patch tells by its success what is behind one.
    /// - Parameters:
    ///   - named: what the change names, even though it is to be nothing and looks so already.
    ///   - isHidden: whether the caller sees no value of an attribute: refused even where there is none, which would be told otherwise.
    static func lifted(
        _ new: JSONObject, shown: JSONObject, whole: JSONObject, named: Set<String> = [], isHidden: (String) -> Bool = { _ in false }
    ) throws -> JSONObject {
        var result = whole
        for name in Set(new.keys).union(shown.keys).union(named)
        where new[name] != shown[name] || (named.contains(name) && shown[name] == nil) {
            guard shown[name] == whole[name], !isHidden(name) else {
                let words = Words(
                    en: "“\(name)” holds values that you may not see; it cannot be changed with these rights.",
                    zh: "“\(name)”包含您无权查看的内容，不能以当前权限修改。")
                throw CRMError("masked", status: 403, words, fields: [.init(field: name, code: "masked", message: words)])
            }
            result[name] = new[name]
        }
        return result
    }

    package func remove(_ id: Int64, seen: [String]?, _ context: TMFContext, _ session: any SQLSession) throws -> JSONObject {
        let old = try document(id, context.principal, session)
        if let seen, !seen.contains(Self.version(old)) { throw Self.changedMeanwhile }
        try resource.schema.directory?.memory?.keep(resource, id, tenant, session)
        try writing().remove(id, old, context, session)
        try TMFKeptStore.remove(resource.kept, [id], session)
        try tell(id, [.removed], [], context, session)
        return old
    }

    /// What was sent and the row does not give back. What the server sets is the row's alone.
    private func keep(_ sent: JSONObject, over own: JSONObject, _ id: Int64, _ session: any SQLSession) throws {
        var sent = resource.addresses(origin).stored(sent)
        sent["id"] = nil
        sent["href"] = nil
        for name in resource.store(tenant).whole { sent[name] = nil }
        // The state is what the domain makes of it.
        if let states = resource.states { sent[states.attribute] = nil }
        if sent["@type"] == .string(resource.type) { sent["@type"] = nil }
        for attribute in resource.schema.types[resource.type]?.attributes ?? []
        where attribute.isServers { sent[attribute.name] = nil }
        let kept = TMFKept(sent: sent, own: own)
        try checkColumns(kept, over: own)
        try TMFKeptStore.save(kept, resource.kept, id, paths: resource.store(tenant).table.keptPaths, session)
    }

    /// What a list finds by a column must be what the document says: a store has to hold all values of an attribute it declares
    /// one for, however they are spelled.
    private func checkColumns(_ kept: TMFKept, over own: JSONObject) throws {
        let document = kept.document(over: own)
        for column in resource.store(tenant).table.columns where column.isExact && kept.holds(column.path.names.first ?? "") {
            let kind = try resource.schema.target(column.path, of: resource.type, parameter: column.path.description).kind
            func values(_ document: JSONObject) -> Set<String> {
                Set(
                    column.path.values(in: document).map { value in
                        let text = TMFMatch.text(value)
                        if kind == .number, let number = value.double { return String(number) }
                        return kind == .dateTime || kind == .date ? TMFTime(text).map { String($0.milliseconds) } ?? text : text
                    })
            }
            guard values(document) == values(own) else {
                // What the server fills in where an object was sent without it is the client's to mend; anything else is ours.
                let isFilledIn = values(document).isEmpty
                if !isFilledIn { tenant.logger.error("tmf.column", metadata: ["resource": "\(resource.name)", "path": "\(column.path)"]) }
                let words = Words(
                    en: "“\(column.path)” could not be stored as it was sent; nothing was changed.",
                    zh: "“\(column.path)”无法按原样保存，未做任何更改。")
                throw CRMError(
                    isFilledIn ? "missing" : "unfaithful_column", status: isFilledIn ? 400 : 500,
                    isFilledIn ? Words(en: "“\(column.path)” is missing.", zh: "缺少“\(column.path)”。") : words,
                    fields: [.init(field: column.path.description, code: "missing", message: words)])
            }
        }
    }

    private func tell(
        _ id: Int64, _ kinds: [TMFChanged.Kind], _ attributes: [String], _ context: TMFContext, _ session: any SQLSession
    ) throws {
        try tenant.outbox.append(
            TMFChanged(api: resource.api.number, resource: resource.name, id: id, kinds: kinds, attributes: attributes), session)
    }

    private func words(of states: TMFStates) -> Set<String> {
        if case .code(let words)? = resource.schema.types[resource.type]?[states.attribute]?.kind { Set(words) } else { [] }
    }

    private func otherType(_ word: String, was: String? = nil) -> CRMError {
        let right = was ?? resource.type
        let words = Words(
            en: "“@type”: this is a \(right) and cannot be made a \(word.prefix(60)); make that under its own address.",
            zh: "“@type”：此资源为 \(right)，不能变为 \(word.prefix(60))；请在相应地址下另行创建。")
        return CRMError(was == nil ? "wrong_type" : "fixed", status: 400, words, fields: [.init(field: "@type", code: "fixed", message: words)])
    }

    private static func fixed(_ name: String) -> CRMError {
        let words = Words(en: "“\(name)” is set by the server and cannot be sent.", zh: "“\(name)”由服务器设置，不能由客户端提供。")
        return CRMError("fixed", status: 400, words, fields: [.init(field: name, code: "fixed", message: words)])
    }
}
