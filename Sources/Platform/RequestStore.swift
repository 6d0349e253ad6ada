import HTTPTypes
import Kernel
import Storage
import Synchronization
import Web

/// The keys of one tenant's requests and the answers they got (`platform_request`).
///
/// A key is claimed and its answer kept in the transaction of the change, so the row is there exactly when the change is:
/// after a crash, a lost connection or a commit of unknown outcome the same request tells truly what became of it. Two
/// processes that hold one key at once meet at its primary key: the second waits for the first, then finds the answer.
package final class RequestStore: Sendable {
    private let clock: any WallClock
    /// Keys whose requests are at work in this process.
    private let atWork = Mutex<Set<String>>([])
    private let left = WakeSignal()

    package static let hours: Int64 = 24
    /// Longer bodies are not kept: who asks again gets status and headers.
    static let bodyBytesMax = 64 * 1024
    /// How long the second of two clicks waits for the first.
    static let waitMilliseconds = 10_000

    package init(clock: any WallClock) { self.clock = clock }

    /// ON CONFLICT looks at the index without a predicate lock: requests with other keys do not meet here (ADR 0011).
    static let claim: SQL = """
        INSERT INTO platform_request (id, digest, created_at, expires_at, status) VALUES ($1, $2, $3, $4, 0)
        ON CONFLICT (id) DO UPDATE SET digest = $2, created_at = $3, expires_at = $4, status = 0
        WHERE platform_request.expires_at <= $3
        """
    static let keep: SQL = """
        INSERT INTO platform_request (id, digest, created_at, expires_at, status, location, flash, etag, content_type, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (id) DO UPDATE SET status = $5, location = $6, flash = $7, etag = $8, content_type = $9, body = $10
        """
    static let find: SQL = """
        SELECT digest, status, location, flash, etag, content_type, body FROM platform_request
        WHERE id = $1 AND expires_at > $2
        """
    static let purge: SQL = "DELETE FROM platform_request WHERE expires_at <= $1"

    // MARK: One at a time

    /// Takes the key for this request; `leave` gives it back. A form waits for the request that has it, a program is told
    /// at once.
    /// - Throws: 409 `in_flight`.
    func enter(_ key: RequestKey) async throws {
        let end = ContinuousClock.now + .milliseconds(key.isForm ? Self.waitMilliseconds : 0)
        while true {
            let generation = left.generation
            if atWork.withLock({ $0.insert(key.id).inserted }) { return }
            let rest = (end - .now) / .milliseconds(1)
            guard rest > 0, !Task.isCancelled else { throw Self.inFlight }
            await left.wait(after: generation, milliseconds: Int(rest) + 1)
        }
    }

    func leave(_ key: RequestKey) {
        _ = atWork.withLock { $0.remove(key.id) }
        left.signal()
    }

    static let inFlight = CRMError(
        "in_flight", status: 409,
        Words(
            en: "The same request is being worked on; ask again in a moment with the same key.",
            zh: "相同的请求正在处理中，请稍后使用同一键值重试。"), retryAfterSeconds: 1)
    static let reused = CRMError(
        "idempotency_key_reused", status: 422,
        Words(
            en:
                "Under this Idempotency-Key (or from this form) another content was sent before, and that took effect. Send what is new under a new key; on a page, open it anew.",
            zh: "该 Idempotency-Key（或该表单）此前已以不同内容提交并生效。新的请求请使用新的键；在页面上请重新打开。"))

    // MARK: In the transaction of the change

    /// Thrown inside a transaction that finds its key taken: it is undone, and the earlier answer given.
    struct Taken: Error {}

    func claim(_ key: RequestKey, _ session: any SQLSession) throws {
        let now = clock.now()
        do {
            let claimed = try session.execute(
                Self.claim, [.text(key.id), .text(key.digest), .time(now), .time(Self.expiry(now))])
            guard claimed == 1 else { throw Taken() }
        } catch let error as StorageError where error.kind == .busy {
            // It waited for a transaction of another process that has the key, in vain.
            throw Self.inFlight
        }
    }

    func keep(_ answer: WebResponse, for key: RequestKey, _ session: any SQLSession) throws {
        let now = clock.now()
        let body = answer.content.flatMap { $0.utf8.count <= Self.bodyBytesMax ? $0 : nil }
        try session.execute(
            Self.keep,
            [
                .text(key.id), .text(key.digest), .time(now), .time(Self.expiry(now)), .int(answer.status.code),
                .text(answer.headers[.location]), .text(answer.flashKey), .text(answer.headers[.eTag]),
                .text(body == nil ? nil : answer.headers[.contentType]), .text(body),
            ])
    }

    private static func expiry(_ now: Instant) -> Instant { now.adding(seconds: hours * 3_600) }

    // MARK: Asked again

    /// The answer that a request with this key got; `nil` when none has taken effect.
    /// - Throws: 422 when the key stands for another request.
    func answer(_ key: RequestKey, _ session: any SQLSession) throws -> WebResponse? {
        let found = try session.first(Self.find, [.text(key.id), .time(clock.now())]) { row in
            (digest: row.text(0), answer: Self.answer(row))
        }
        guard let found else { return nil }
        guard found.digest == key.digest else { throw Self.reused }
        return found.answer
    }

    private static func answer(_ row: Row) -> WebResponse {
        let status = HTTPResponse.Status(code: row.integer(1))
        var answer =
            row.optionalText(6).map {
                WebResponse.text($0, status: status, type: row.optionalText(5) ?? "text/plain; charset=utf-8")
            } ?? WebResponse(status: status)
        answer.headers[.location] = row.optionalText(2)
        answer.headers[.eTag] = row.optionalText(4)
        if let name = HTTPField.Name("Idempotency-Replayed") { answer.headers[name] = "true" }
        return row.optionalText(3).map { answer.flash($0) } ?? answer
    }

    /// Forgets keys whose time is over.
    package func purge(_ database: any Database) async throws {
        let now = clock.now()
        try await database.write { session in _ = try session.execute(Self.purge, [.time(now)]) }
    }
}
