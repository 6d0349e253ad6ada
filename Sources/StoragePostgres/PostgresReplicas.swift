import Dispatch
import Storage
import Synchronization

/// Standbys that reads may use, and how old their data is at most (ADR 0015).
///
/// About once a second, while anybody reads, the primary is asked where its log ends, and each standby how far it has
/// replayed. A standby that has replayed what the primary had written at one of our questions has everything that was
/// acknowledged before that question; the time since then, on our own clock, is how old its data can be. An idle primary
/// makes nothing look old, a paused replay is seen, and no clock of another machine counts.
final class PostgresReplicas: Sendable {
    /// One standby.
    final class Replica: Sendable {
        let pool: PostgresPool
        fileprivate let state = Mutex(State())
        fileprivate let watcher: Watcher

        fileprivate struct State {
            /// What was last said of it; `nil` = nothing yet.
            var news: News?
            /// Everything that was acknowledged before this moment is there; `nil` = not known, not to be used.
            var completeUntil: ContinuousClock.Instant?
        }

        fileprivate var place: String { pool.settings.hosts }

        fileprivate init(_ settings: PostgresSettings) {
            pool = PostgresPool(settings)
            watcher = Watcher(settings)
        }
    }

    /// Whether a standby can be used, as it was found last.
    enum News: Sendable, Equatable {
        case answers
        /// It cannot be reached, or is no standby of this primary.
        case isAway(reason: String)
    }

    /// What the primary said of itself.
    fileprivate struct Mark {
        /// Before it was asked.
        let at: ContinuousClock.Instant
        let position: UInt64
    }

    private struct History {
        var cluster = ""
        var timeline: Int64 = 0
        /// Oldest first.
        var marks: [Mark] = []
    }

    private struct Turn {
        var lastCheck: ContinuousClock.Instant?
        var isChecking = false
        var next = 0
        var reads = 0
        var isClosed = false
    }

    private let replicas: [Replica]
    private let primary: Watcher
    private let history = Mutex(History())
    private let turn = Mutex(Turn())
    private let told = Mutex<(@Sendable (String, News) -> Void)?>(nil)
    /// Between two rounds of questions.
    private static let pause = Duration.seconds(1)
    /// Older marks help nobody: no read puts up with so much.
    private static let marksMax = 120

    init(primary: PostgresSettings, _ replicas: [PostgresSettings]) {
        self.primary = Watcher(primary)
        self.replicas = replicas.map(Replica.init)
    }

    /// Reads that were answered by a replica.
    var reads: Int { turn.withLock { $0.reads } }
    func served() { turn.withLock { $0.reads += 1 } }

    /// A replica whose data is at most so old, in turn; `nil` = there is none, or nobody knows yet.
    func choose(within seconds: Double) -> Replica? {
        let now = ContinuousClock.now
        checkIfDue(now)
        let oldest = now - .seconds(seconds)
        let first = turn.withLock { turn in
            turn.next = (turn.next + 1) % replicas.count
            return turn.next
        }
        for offset in replicas.indices {
            let replica = replicas[(first + offset) % replicas.count]
            if let until = replica.state.withLock({ $0.completeUntil }), until >= oldest { return replica }
        }
        return nil
    }

    /// A read found it gone: nobody else tries until it has answered a question again.
    func failed(_ replica: Replica) {
        replica.state.withLock { $0.completeUntil = nil }
        replica.pool.dropIdle()
    }

    func close() {
        turn.withLock { $0.isClosed = true }
        for replica in replicas {
            replica.pool.close()
            replica.watcher.close()
        }
        primary.close()
    }

    // MARK: News

    /// Calls `body` with the place of a standby whenever its state is another than it was, the first time too; what is known
    /// by now at once.
    func listen(_ body: @escaping @Sendable (String, News) -> Void) {
        told.withLock { $0 = body }
        for replica in replicas {
            if let news = replica.state.withLock({ $0.news }) { body(replica.place, news) }
        }
    }

    /// Asks, when that is due, as a read would have it done.
    func look() { checkIfDue(.now) }

    /// How many there are, and how many of them answered when they were last asked.
    var counts: (all: Int, answering: Int) {
        (replicas.count, replicas.count { $0.state.withLock { $0.news } == .answers })
    }

    private func note(_ news: News, _ replica: Replica) {
        let isNew = replica.state.withLock { state in
            // The words of one absence may change; it is the same.
            let isNew = (state.news == nil) || (state.news == .answers) != (news == .answers)
            state.news = news
            return isNew
        }
        if isNew { told.withLock { $0 }?(replica.place, news) }
    }

    // MARK: Questions

    private func checkIfDue(_ now: ContinuousClock.Instant) {
        let isDue = turn.withLock { turn in
            guard !turn.isChecking, !turn.isClosed, turn.lastCheck.map({ now - $0 >= Self.pause }) ?? true else {
                return false
            }
            turn.isChecking = true
            turn.lastCheck = now
            return true
        }
        guard isDue else { return }
        primary.ask(Self.primaryQuestion) { [self] answer, at in
            defer { turn.withLock { $0.isChecking = false } }
            guard let answer else { return }
            note(answer, at)
            for replica in replicas {
                replica.watcher.ask(
                    Self.replicaQuestion, failed: { [self] in note(.isAway(reason: $0), replica) }
                ) { [self] answer, _ in place(replica, answer) }
            }
        }
    }

    /// Keeps what the primary said. Another cluster or timeline begins the history anew: positions of two of them do not
    /// compare.
    private func note(_ answer: Watcher.Answer, _ at: ContinuousClock.Instant) {
        guard !answer.isStandby, let position = answer.position else { return }
        history.withLock { history in
            if history.cluster != answer.cluster || history.timeline != answer.timeline {
                history = History(cluster: answer.cluster, timeline: answer.timeline)
            }
            history.marks.append(Mark(at: at, position: position))
            if history.marks.count > Self.marksMax { history.marks.removeFirst() }
        }
    }

    /// Finds until when the replica's data is complete.
    private func place(_ replica: Replica, _ answer: Watcher.Answer?) {
        var news: News?
        let until = history.withLock { history -> ContinuousClock.Instant?? in
            guard let answer else { return .some(nil) }
            // Nobody knows the primary's own cluster yet.
            if !history.cluster.isEmpty, !answer.isStandby || answer.cluster != history.cluster {
                news = .isAway(
                    reason: answer.isStandby ? "it belongs to another cluster" : "it is no standby: it takes writes itself")
            } else {
                news = .answers
            }
            // Promoted, of another cluster, or following a server that is no primary any more.
            guard answer.isStandby, let position = answer.position, answer.cluster == history.cluster,
                answer.timeline == history.timeline
            else { return .some(nil) }
            return history.marks.last { $0.position <= position }.map { .some($0.at) }
        }
        if let news { note(news, replica) }
        switch until {
        case .some(.some(let until)):
            replica.state.withLock { $0.completeUntil = max($0.completeUntil ?? until, until) }
        case .some(.none): failed(replica)
        // Further behind than the first mark: what was known stays, and grows older.
        case .none: break
        }
    }

    /// The text of the timeline is hexadecimal. What a commit was acknowledged with may not be written yet where commits
    /// are asynchronous: the end of what was inserted counts.
    static let primaryQuestion: SQL = """
        SELECT pg_is_in_recovery(),
          CASE WHEN pg_is_in_recovery() THEN NULL ELSE CAST(pg_current_wal_insert_lsn() AS TEXT) END,
          (SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()),
          CASE WHEN pg_is_in_recovery() THEN NULL
            ELSE substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8) END
        """
    /// A standby tells its timeline by what it has written down at its last restart point, or as the least it needs for
    /// recovery: late after a change, never too early.
    static let replicaQuestion: SQL = """
        SELECT pg_is_in_recovery(), CAST(pg_last_wal_replay_lsn() AS TEXT),
          (SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()),
          (SELECT lpad(to_hex(CASE WHEN r.min_recovery_end_timeline > c.timeline_id
            THEN r.min_recovery_end_timeline ELSE c.timeline_id END), 8, '0')
            FROM pg_control_checkpoint() c CROSS JOIN pg_control_recovery() r)
        """
}

/// Asks one server the same question again and again, on a connection and a thread of its own; one question at a time.
final class Watcher: Sendable {
    struct Answer {
        let isStandby: Bool
        /// In bytes of the log.
        let position: UInt64?
        let cluster: String
        let timeline: Int64
    }
    private struct State {
        var connection: PostgresConnection?
        var isAsking = false
        var isClosed = false
    }
    private let settings: PostgresSettings
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "switchboard.postgres.watch")
    private static let seconds = 2

    init(_ settings: PostgresSettings) {
        var settings = settings
        settings.connectSeconds = Self.seconds
        settings.answerSeconds = Self.seconds
        settings.statementMilliseconds = Self.seconds * 1_000
        // One that says of itself that it is a standby is an answer too.
        self.settings = settings
    }

    /// Calls `told` on the watcher's thread with the answer (`nil` = none) and the moment before the question. Does nothing
    /// while the question before is still out.
    /// - Parameter failed: called before that with the reason why there is no answer.
    func ask(
        _ question: SQL, failed: (@Sendable (String) -> Void)? = nil,
        _ told: @escaping @Sendable (Answer?, ContinuousClock.Instant) -> Void
    ) {
        let isFree = state.withLock { state in
            guard !state.isAsking, !state.isClosed else { return false }
            state.isAsking = true
            return true
        }
        guard isFree else { return told(nil, .now) }
        queue.async { [self] in
            let (answer, at, reason) = answer(to: question)
            state.withLock { $0.isAsking = false }
            if let reason { failed?(reason) }
            told(answer, at)
        }
    }

    private func answer(to question: SQL) -> (Answer?, ContinuousClock.Instant, String?) {
        var at = ContinuousClock.now
        do {
            let kept = state.withLock { state in
                defer { state.connection = nil }
                return state.connection
            }
            let connection = try kept ?? PostgresConnection(settings)
            at = .now
            let result = try connection.run(question, [], until: .now() + .seconds(Self.seconds))
            let row = PostgresColumnReader(result)
            let answer = Answer(
                isStandby: row.bool(0), position: row.isNull(1) ? nil : Self.position(row.text(1)),
                cluster: row.text(2), timeline: Int64(row.text(3), radix: 16) ?? 0)
            state.withLock { state in
                // A primary that has become a standby is left: the next connection finds the one that takes writes.
                if !state.isClosed, connection.isUsable, settings.isolation != "serializable" || !answer.isStandby {
                    state.connection = connection
                }
            }
            return (answer, at, nil)
        } catch {
            return (nil, at, (error as? PostgresFailure)?.detail ?? "\(error)")
        }
    }

    /// `16/B374D848` in bytes. An end that lies behind the head of a page counts as the start of that page: the last record
    /// before it ends there, and that is how far a standby can come.
    static func position(_ text: String) -> UInt64? {
        let halves = text.split(separator: "/")
        guard halves.count == 2, let high = UInt64(halves[0], radix: 16), let low = UInt64(halves[1], radix: 16),
            high <= UInt32.max, low <= UInt32.max
        else { return nil }
        let position = high << 32 | low
        let within = position % 8_192
        return within <= 40 ? position - within : position
    }

    func close() {
        let connection = state.withLock { state in
            state.isClosed = true
            defer { state.connection = nil }
            return state.connection
        }
        queue.async { _ = connection }
    }
}
