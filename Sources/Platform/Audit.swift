import Foundation
import Kernel
import Storage
import Web

/// Whom or what an audit event is about.
package struct AuditSubject: Sendable, Hashable {
    /// `customer`, `user`, `import`, `model`, `job`, `role`, `attribute`, ...
    package let kind: String
    package let id: Int64
    package init(kind: String, id: Int64) {
        self.kind = kind
        self.id = id
    }
    package static func customer(_ id: CustomerID) -> AuditSubject { .init(kind: "customer", id: id.rawValue) }
    package static func user(_ id: UserID) -> AuditSubject { .init(kind: "user", id: id.rawValue) }
}

/// What is to be recorded.
package struct AuditEntry: Sendable {
    /// `domain.noun.verb`: `customers.customer.view`, `identity.user.create`.
    package let action: String
    package let subjects: [AuditSubject]
    /// Small facts: field names, counts, codes. Never a secret, a whole phone or identity number (G59).
    package let facts: [String: JSONValue]
    /// Names of personal fields that were shown without a mask.
    package let unmasked: [String]
    package let refused: Bool
    package init(
        _ action: String, _ subjects: [AuditSubject] = [], facts: [String: JSONValue] = [:], unmasked: [String] = [],
        refused: Bool = false
    ) {
        self.action = action
        self.subjects = subjects
        self.facts = facts
        self.unmasked = unmasked
        self.refused = refused
    }
}

/// Writes audit events, in the transaction of what they tell of. What cannot be recorded does not happen and is not
/// shown (decision 8, G56).
package struct Audit: Sendable {
    private let ids: IDGenerator
    private let clock: any WallClock

    package init(ids: IDGenerator, clock: any WallClock) {
        self.ids = ids
        self.clock = clock
    }

    static let insert: SQL = """
        INSERT INTO platform_audit_event (id, at, actor_id, actor_name, roles, action, purpose, address, request_id,
          unmasked, facts, refused)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        """
    static let insertSubject: SQL = """
        INSERT INTO platform_audit_subject (subject_id, event_id, subject_kind) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING
        """

    /// Records one event with its subjects (at most `Limits.auditSubjectsMax`).
    /// What a program did with a person's token says which token it was.
    package func record(_ entry: AuditEntry, by principal: Principal, _ session: any SQLSession) throws {
        precondition(entry.subjects.count <= Limits.auditSubjectsMax, "split events with more subjects")
        var facts = entry.facts
        if let token = principal.token { facts["api_token"] = .string(token) }
        let id: AuditID = ids.next()
        do {
            try session.execute(
                Self.insert,
                [
                    .id(id), .time(clock.now()), .id(principal.userID), .text(principal.userName),
                    .text(principal.roles.map(\.rawValue).joined(separator: ",")), .text(entry.action),
                    .text(principal.purpose.rawValue), .text(principal.address), .text(principal.requestID),
                    .text(entry.unmasked.joined(separator: ",")), .text(JSONValue.object(facts).encoded()),
                    .bool(entry.refused),
                ])
            try write(entry.subjects, of: id, session)
        } catch let error as StorageError {
            throw AuditUnavailable(cause: error)
        }
    }

    /// The many of an import or of a bulk action go through COPY, which knows no "perhaps it is there already": each once.
    private func write(_ subjects: [AuditSubject], of id: AuditID, _ session: any SQLSession) throws {
        guard subjects.count >= Self.bulkMin else {
            try session.executeMany(
                Self.insertSubject, subjects.map { [.int($0.id), .id(id), .text($0.kind)] })
            return
        }
        var seen: Set<Int64> = []
        let rows: [[SQLValue]] = subjects.compactMap { subject in
            seen.insert(subject.id).inserted ? [.int(subject.id), .id(id), .text(subject.kind)] : nil
        }
        try session.bulkInsert(into: "platform_audit_subject", "subject_id, event_id, subject_kind", rows)
    }

    /// For fewer the round trips of COPY cost more than it saves.
    private static let bulkMin = 32
}

/// The audit could not be written: the request is answered 503, nothing was changed and nothing is shown.
package struct AuditUnavailable: Error, CRMErrorConvertible, CustomStringConvertible {
    package let cause: StorageError
    package var crmError: CRMError {
        CRMError.unavailable(
            "audit_unavailable",
            Words(
                en: "The audit log cannot be written, so the request was refused. Nothing was changed.",
                zh: "审计日志无法写入，请求已被拒绝，未做任何更改。"))
    }
    package var description: String { "audit unavailable: \(cause)" }
}

extension StorageError: CRMErrorConvertible {
    /// Who only wanted to see something has nothing to send again.
    package var crmErrorOfRead: CRMError {
        guard kind == .connection else { return crmError }
        return CRMError.unavailable(
            "database_unreachable",
            Words(
                en: "The database cannot be reached, so this cannot be shown now. Try again in a minute.",
                zh: "无法连接数据库，暂时无法显示此内容，请稍后再试。"))
    }

    /// How a storage error is answered: 503 for what may pass, 409 for a duplicate, 500 for a defect.
    package var crmError: CRMError {
        switch kind {
        case .uniqueViolation, .constraintViolation:
            CRMError.conflict(
                "conflict", Words(en: "This collides with an existing record.", zh: "与已有记录冲突。"))
        case .busy:
            CRMError.unavailable("busy", Words(en: "The database is busy; try again.", zh: "数据库繁忙，请重试。"))
        case .connection:
            CRMError.unavailable(
                "database_unreachable",
                Words(
                    en: "The database cannot be reached. Nothing was saved; send it again in a minute.",
                    zh: "无法连接数据库，本次内容未保存，请稍后重新提交。"))
        case .outcomeUnknown:
            CRMError.unavailable(
                "outcome_unknown",
                Words(
                    en:
                        "The database did not confirm the change in time, so it may or may not have been made. Look whether it is there before you repeat it.",
                    zh: "数据库未能及时确认，更改可能已生效，也可能未生效。重试前请先查看是否已生效。"))
        case .full, .io:
            CRMError.unavailable(
                "storage_unavailable",
                Words(
                    en: "The database cannot write (disk full or failing). Nothing was changed.",
                    zh: "数据库无法写入（磁盘已满或故障），未做任何更改。"))
        case .statement, .other:
            CRMError(
                "internal", status: 500, Words(en: "Something went wrong on our side.", zh: "服务器内部错误。"))
        }
    }
}
