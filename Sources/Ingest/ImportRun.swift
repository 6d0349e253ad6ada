import Kernel
import Platform
import Storage
import Tabular
import Web

/// The life of an import.
///
///     draft -> dry_run -> ready -> running -> succeeded -> reverting -> reverted
///       ^--------+---------+          +-> failed, cancelled -> running (continued) or reverting
package enum RunState: String, Sendable, Codable, CaseIterable {
    /// The mapping is being made.
    case draft
    case dryRun = "dry_run"
    /// The dry run is done; its counts are those the run will have.
    case ready
    case running, succeeded, failed, cancelled
    case reverting, reverted

    /// As the page calls it in Chinese, for errors that have no catalogue at hand.
    var chinese: String {
        switch self {
        case .draft: "草稿"
        case .dryRun: "试运行中"
        case .ready: "待导入"
        case .running: "导入中"
        case .succeeded: "已导入"
        case .failed: "失败"
        case .cancelled: "已停止"
        case .reverting: "撤销中"
        case .reverted: "已撤销"
        }
    }

    /// A job works on it.
    package var isActive: Bool { self == .dryRun || self == .running || self == .reverting }
    fileprivate var mayRevert: Bool { self == .succeeded || self == .failed || self == .cancelled }
    fileprivate var mayEdit: Bool { self == .draft || self == .ready }
}

package struct RunCounts: Sendable, Codable, Equatable {
    package var read = 0
    package var created = 0
    package var updated = 0
    package var unchanged = 0
    package var rejected = 0
    private var held: Int?
    private var passed: Int?
    /// Rows that rules hold back.
    package var quarantined: Int {
        get { held ?? 0 }
        set { held = newValue == 0 ? nil : newValue }
    }
    /// Rows of a replay that somebody else decided meanwhile.
    package var skipped: Int {
        get { passed ?? 0 }
        set { passed = newValue == 0 ? nil : newValue }
    }
    private var left: Int?
    /// Values that were left as somebody had corrected them.
    package var corrected: Int {
        get { left ?? 0 }
        set { left = newValue == 0 ? nil : newValue }
    }
    /// Of the created ones, when the import matches; `nil` in what an older version counted.
    package var linked: Int?
    package var review: Int?
    /// Of a dry run that matches: new ones that are like nobody.
    package var apart: Int?
    package init() {}
}

/// An import of one file.
package struct ImportRun: Sendable {
    package let id: ImportRunID
    package let fileID: IngestFileID
    package let entity: String
    package let mapping: ImportMapping
    package let state: RunState
    /// Who works on it now: a chunk is committed only by the worker that holds the run.
    package let worker: String
    package let jobID: JobID?
    package let actor: RunActor
    package let plan: RunPlan?
    package let planRejectBlobID: String?
    package let rejectBlobID: String?
    /// Chunks applied.
    package let chunk: Int64
    let place: RunPlace?
    /// The next chunk to revert; `nil` = not begun.
    package let revertChunk: Int64?
    package let counts: RunCounts
    package let revertIssues: Int
    package let message: Words
    package let createdAt: Instant
    package let startedAt: Instant?
    package let finishedAt: Instant?
    package let revertedAt: Instant?
    package let createdBy: UserID?
    package let createdByName: String
    /// When its worker last committed something.
    package let touchedAt: Instant
    /// When the file and the journal were forgotten; only the counts are left then.
    package let purgedAt: Instant?
    /// Rows that waited in quarantine, brought again.
    package let isReplay: Bool
    /// What went with its customers when it was taken back.
    package let undone: ImportTies
    /// Chunks whose customers were compared with the known ones and linked; behind `chunk` while a run that matches goes on.
    let matchedChunk: Int64
    /// What the revert that has just ended removed beside the values; not kept.
    package var attributesRemoved: [Words] = []

    /// May be changed into a run that goes on where it stopped.
    package var mayContinue: Bool {
        (state == .failed || state == .cancelled) && revertChunk == nil && purgedAt == nil
    }
    package var mayRevert: Bool { state.mayRevert && purgedAt == nil }
    package var mayEdit: Bool { state.mayEdit && purgedAt == nil }
}

/// For whom a job acts: kept with the run, so that a job of another process has the same rights and scope.
package struct RunActor: Sendable, Codable {
    package let userID: UserID?
    package let userName: String
    package let roles: [Role]
    package let permissions: [Permission]
    package let scope: RecordScope

    package init(_ principal: Principal) {
        userID = principal.userID
        userName = principal.userName
        roles = principal.roles
        permissions = principal.permissions.sorted()
        scope = principal.scope
    }

    package func principal(tenant: String, address: String, request: String) -> Principal {
        Principal(
            tenant: tenant, userID: userID, userName: userName, roles: roles, permissions: Set(permissions),
            scope: scope, purpose: .administration, address: address, requestID: request)
    }
}

/// What a dry run found.
package struct RunPlan: Sendable, Codable {
    package struct Reason: Sendable, Codable {
        package let code: String
        package let column: String?
        package let words: Words
        package var count: Int
        package let firstLine: Int
    }

    package struct Change: Sendable, Codable {
        package let field: String
        package let title: Words
        package let before: String?
        package let after: String?
    }

    package struct Sample: Sendable, Codable {
        package let line: Int
        /// Decimal id of the record that would be updated; `nil` = it would be created.
        package let customer: String?
        package let changes: [Change]
    }

    /// A row that would be taken, as it would be stored.
    package struct Row: Sendable, Codable, Equatable {
        package let line: Int
        /// By column.
        package let values: [String: String]
    }

    /// Two records that would be linked, or wait for a person.
    package struct Pair: Sendable, Codable, Equatable {
        package let line: Int
        package let name: String
        /// Decimal id of the record that is there already; `nil` = one of an earlier row.
        package let customer: String?
        package let otherLine: Int?
        package let otherName: String?
        package let isLinked: Bool
        package let why: Words

        init(_ pair: ImportPair) {
            (line, name, isLinked, why) = (pair.line, pair.name, pair.isLinked, pair.why)
            switch pair.other {
            case .known(let id): (customer, otherLine, otherName) = ("\(id)", nil, nil)
            case .row(let line, let name): (customer, otherLine, otherName) = (nil, line, name)
            }
        }
    }

    package var counts = RunCounts()
    /// The most frequent first.
    package var reasons: [Reason] = []
    package var created: [Sample] = []
    package var updated: [Sample] = []
    /// The first rows that would be taken; `nil` in what an older version found.
    package var rows: [Row]?
    /// The first that would be linked and the first that would wait; `nil` in what an older version found.
    package var pairs: [Pair]?
    package var warnings: [FileInspection.Warning] = []
    /// Attributes the run will define.
    package var newAttributes: [String] = []
    package var milliseconds: Int64 = 0
    package init() {}
}

extension ImportRun {
    /// Of what its forms replace.
    var version: String {
        RecordVersion.of([(try? mapping.encoded()) ?? "", state.rawValue])
    }
}

extension ImportRun {
    /// Of what taking it back did.
    var undoneFacts: [String: JSONValue] {
        var facts: [String: JSONValue] = ["issues": .int(Int64(revertIssues))]
        if !undone.isEmpty {
            facts["links"] = .int(Int64(undone.links))
            facts["decisions"] = .int(Int64(undone.decisions))
            facts["waiting"] = .int(Int64(undone.waiting))
        }
        return facts
    }
}

extension AuditSubject {
    static func run(_ id: ImportRunID) -> AuditSubject { AuditSubject(kind: "import", id: id.rawValue) }
}
