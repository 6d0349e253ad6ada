import CLibPQ
import Foundation
import Storage
import Synchronization

/// Wakes the workers of other processes over one database with LISTEN and NOTIFY, so that what one process appends is
/// worked on by another at once; without it they look by themselves every second, and go on doing so.
///
/// One connection with a thread of its own. It rings after the commit of what is to be worked on, never in that
/// transaction (a commit with a NOTIFY waits for every other such commit of the server), and at most twenty times a second.
package final class PostgresBell: Sendable {
    private let line: BellLine

    /// - Parameter heard: called on the bell's own thread when another process has rung, and after each (re)connection:
    ///   something may have been missed.
    package init(_ settings: PostgresSettings, heard: @escaping @Sendable () -> Void) {
        line = BellLine(settings, heard: heard)
        let line = self.line
        let thread = Thread { line.run() }
        thread.name = "postgres-bell"
        thread.start()
    }

    deinit { line.stop() }

    /// Tells the other processes that there is work. Returns at once.
    package func ring() { line.ask() }

    package func close() { line.stop() }
}

/// What the thread works with; it holds this and not the bell, so that a bell nobody holds any more ends it.
private final class BellLine: Sendable {
    private struct State { var rings = false; var stops = false; var isClosed = false }
    private let state = Mutex(State())
    private let settings: PostgresSettings
    private let heard: @Sendable () -> Void
    /// A pipe: it ends a poll(2) that waits for the server.
    private let (reading, writing): (Int32, Int32)

    static let channel = "switchboard_work"
    /// Milliseconds between two rings.
    static let pause = 50
    /// Milliseconds after which a silent server is asked whether it is there.
    static let probe = 30_000
    /// Milliseconds between two tries to connect.
    static let retry = 1_000

    init(_ settings: PostgresSettings, heard: @escaping @Sendable () -> Void) {
        self.settings = settings
        self.heard = heard
        var ends: [Int32] = [-1, -1]
        let made = pipe(&ends) == 0
        for end in ends where made { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        (reading, writing) = (ends[0], ends[1])
    }

    func ask() {
        tell { state in
            defer { state.rings = true }
            return !state.rings
        }
    }

    func stop() {
        tell { state in
            state.stops = true
            return true
        }
    }

    /// Changes the state and ends the thread's wait when `change` says that it has to look.
    private func tell(_ change: (inout State) -> Bool) {
        state.withLock { state in
            guard change(&state), !state.isClosed, writing >= 0 else { return }
            var byte: UInt8 = 1
            _ = write(writing, &byte, 1)
        }
    }

    func run() {
        while !state.withLock({ $0.stops }) {
            do { try listen() } catch { wait(nil, milliseconds: Self.retry) }
        }
        state.withLock { state in
            state.isClosed = true
            guard reading >= 0 else { return }
            close(reading)
            close(writing)
        }
    }

    /// Until it is stopped; throws when the connection is lost.
    private func listen() throws {
        let connection = try PostgresConnection(settings)
        func deadline() -> DispatchTime { .now() + .seconds(10) }
        try connection.simple("LISTEN \(Self.channel)", until: deadline())
        heard()
        var next = ContinuousClock.now
        while true {
            let now = ContinuousClock.now
            let (rings, stops) = state.withLock { state in
                let rings = state.rings && now >= next
                if rings { state.rings = false }
                return (rings, state.stops)
            }
            if stops { return }
            if rings {
                try connection.simple("NOTIFY \(Self.channel)", until: deadline())
                next = .now + .milliseconds(Self.pause)
            }
            if try connection.takeRings() { heard() }
            let isDue = state.withLock { $0.rings }
            let rest = isDue ? max(1, Int((next - .now) / .milliseconds(1)) + 1) : Self.probe
            if !wait(connection, milliseconds: rest), !isDue { try connection.simple("SELECT 1", until: deadline()) }
        }
    }

    /// Waits for the server or for somebody here. Returns `false` when neither came.
    @discardableResult
    private func wait(_ connection: PostgresConnection?, milliseconds: Int) -> Bool {
        var waiting = [pollfd(fd: reading, events: Int16(POLLIN), revents: 0)]
        if let connection { waiting.append(pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0)) }
        let count = poll(&waiting, nfds_t(waiting.count), Int32(milliseconds))
        var bytes = [UInt8](repeating: 0, count: 64)
        while reading >= 0, read(reading, &bytes, bytes.count) == bytes.count {}
        return count > 0
    }
}

extension PostgresConnection {
    fileprivate var socket: Int32 { PQsocket(handle) }

    /// Whether other connections than this one have rung since the last call.
    /// - Throws: `PostgresFailure` when the connection is lost.
    fileprivate func takeRings() throws -> Bool {
        guard PQconsumeInput(handle) == 1, PQstatus(handle) == CONNECTION_OK else {
            throw PostgresFailure(state: "", detail: "the connection was lost")
        }
        var others = false
        while let notice = PQnotifies(handle) {
            if notice.pointee.be_pid != PQbackendPID(handle) { others = true }
            PQfreemem(notice)
        }
        return others
    }
}
