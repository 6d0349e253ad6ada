import Foundation
import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The routes of a resource.
extension TMFResource {
    package var endpoints: [Endpoint] { verbs.sorted { $0.rawValue < $1.rawValue }.map(endpoint) }

    private func endpoint(_ verb: Verb) -> Endpoint {
        let resource = self
        switch verb {
        case .list:
            return Endpoint(.get, path, .permission(view), trace: .view, scope: api.readScope) { try await resource.list($0) }
        case .read:
            return Endpoint(.get, path + "/{id}", .permission(view), trace: .view, scope: api.readScope) {
                try await resource.read($0)
            }
        case .create:
            return Endpoint(
                .post, path, .permission(edit), body: .json, trace: .change, effect: .asSent, scope: api.writeScope
            ) { try await resource.create($0) }
        case .change:
            return Endpoint(
                .patch, path + "/{id}", .permission(edit), body: .patch, trace: .change, effect: .asSent,
                scope: api.writeScope
            ) { try await resource.change($0) }
        case .remove:
            return Endpoint(
                .delete, path + "/{id}", .permission(edit), trace: .change, effect: .asSent, scope: api.writeScope
            ) { try await resource.remove($0) }
        }
    }

    private func desk(_ call: Call) -> TMFDesk {
        var desk = TMFDesk(resource: self, tenant: call.tenant, origin: call.request.origin)
        desk.looksUp = true
        return desk
    }

    private func context(_ call: Call) throws -> TMFContext {
        TMFContext(tenant: call.tenant, principal: try call.principal(), now: call.tenant.clock.now())
    }

    /// An id that is no number of ours is that of nothing.
    private func id(_ call: Call) throws -> Int64 {
        guard let text = call.request.parameters["id"], let id = Int64(text), String(id) == text else { throw CRMError.notFound }
        return id
    }

    private func list(_ call: Call) async throws -> WebResponse {
        let query = try TMFQuery(call.request.query, schema: asked, type: type)
        let (principal, desk) = (try call.principal(), desk(call))
        let listing = try await call.readRecent { try desk.list(query, principal, $0) }
        let subjects = listing.documents.flatMap { document in
            document["id"]?.string.flatMap { Int64($0) }.map { self.subjects($0, document) } ?? []
        }
        try await call.recordView(
            AuditEntry(
                "tmf.resource.list", subjects, facts: ["resource": .string(name), "count": .int(Int64(listing.documents.count))]))
        let page = TMFPage(
            query, total: listing.total, count: listing.documents.count, base: call.request.origin + path,
            sent: call.request.query, next: listing.next, previous: listing.previous)
        var answer = WebResponse.json(
            .array(listing.documents.map { .object(query.fields.of($0)) }), status: page.isPartial ? .partialContent : .ok)
        answer.headers[.totalCount] = String(page.total)
        answer.headers[.resultCount] = String(page.count)
        answer.headers[.link] = page.link
        return answer
    }

    private func read(_ call: Call) async throws -> WebResponse {
        let fields = try TMFQuery.fields(call.request.query, schema: asked, type: type)
        let (id, principal, desk) = (try id(call), try call.principal(), desk(call))
        let document = try await call.read { try desk.document(id, principal, $0) }
        try await call.recordView(AuditEntry("tmf.resource.view", subjects(id, document), facts: ["resource": .string(name)]))
        let version = TMFDesk.version(document)
        if RecordVersion.isKnown(version, to: call.request) { return WebResponse(status: .notModified).tagged(version) }
        return answer(document, fields, version: version)
    }

    private func answer(
        _ document: JSONObject, _ fields: TMFFields, status: HTTPResponse.Status = .ok, version: String? = nil
    ) -> WebResponse {
        WebResponse.json(.object(fields.of(document)), status: status).tagged(version ?? TMFDesk.version(document))
    }

    private func create(_ call: Call) async throws -> WebResponse {
        let fields = try TMFQuery.fields(call.request.query, schema: asked, type: type)
        let sent = try call.request.jsonObject()
        let (context, desk) = (try context(call), desk(call))
        do {
            return try await call.change { session in
                let (id, document) = try desk.create(sent, context, session)
                try call.record(AuditEntry("tmf.resource.create", subjects(id, document), facts: ["resource": .string(name)]), session)
                var answer = answer(document, fields, status: .created)
                answer.headers[.location] = document["href"]?.string
                return answer
            }
        } catch let error as CRMError where auditedRefusals.contains(error.code) {
            // There is no document, but there are those it would have been about.
            let named = subjects(0, sent).filter { $0.kind == "customer" }
            try await call.recordView(
                AuditEntry(
                    "tmf.resource.create", named, facts: ["resource": .string(name), "error": .string(error.code)], refused: true))
            throw error
        }
    }

    private func change(_ call: Call) async throws -> WebResponse {
        let fields = try TMFQuery.fields(call.request.query, schema: asked, type: type)
        guard case .json(let body) = call.request.body else { throw CRMError.notFound }
        let patch = try TMFPatch(call.request.headers[.contentType] ?? "", body)
        let (id, seen, context, desk) = (try id(call), try RecordVersion.seen(call.request), try context(call), desk(call))
        return try await call.change { session in
            let before = try desk.document(id, context.principal, session)
            let document = try desk.change(id, patch, seen: seen, context, session)
            let changed = Set(before.keys).union(document.keys).filter { before[$0] != document[$0] }.sorted()
            try call.record(
                AuditEntry(
                    "tmf.resource.change", subjects(id, document),
                    facts: ["resource": .string(name), "fields": .array(changed.prefix(40).map { .string($0) })]), session)
            return answer(document, fields)
        }
    }

    private func remove(_ call: Call) async throws -> WebResponse {
        let (id, seen, context, desk) = (try id(call), try RecordVersion.seen(call.request), try context(call), desk(call))
        return try await call.change { session in
            let document = try desk.remove(id, seen: seen, context, session)
            try call.record(AuditEntry("tmf.resource.remove", subjects(id, document), facts: ["resource": .string(name)]), session)
            return WebResponse(status: .noContent)
        }
    }
}

extension HTTPField.Name {
    static let totalCount = HTTPField.Name("X-Total-Count")!
    static let resultCount = HTTPField.Name("X-Result-Count")!
    static let link = HTTPField.Name("Link")!
}
