import Kernel
import Logging
import Synchronization

/// A tenant's database in the hands of a process that holds a node number in it. Nothing is written with a number whose
/// lease has run out: it is renewed first, or, when another process has it by now, replaced by a fresh one.
package final class LeasedDatabase: Database {
    /// What writes go to; for tests and tools that look beneath.
    package let base: any Database
    /// Who this process is among those that use the database.
    package let holder: String
    private let clock: any WallClock
    private let logger: Logger
    /// One renewal at a time; those who come meanwhile wait for it.
    private let renewal = Mutex<Task<Void, any Error>?>(nil)
    /// Makes the ids of this process; always with a number that is its own.
    package let ids: IDGenerator

    /// Leases a number.
    /// - Throws: `CRMError` "no_node" when all numbers are in use.
    package init(_ base: any Database, clock: any WallClock, logger: Logger) async throws {
        self.base = base
        self.clock = clock
        self.logger = logger
        holder = LeaseHolder.own()
        let now = clock.now()
        let node = try await NodeLease.take(holder: holder, clock: clock, base)
        ids = IDGenerator(
            node: node, clock: clock, lease: now..<now.adding(milliseconds: NodeLease.milliseconds))
    }

    package var dialect: Dialect { base.dialect }
    package func hadToWait() -> Bool { base.hadToWait() }

    package func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await base.read(body)
    }

    package func read<T: Sendable>(
        _ freshness: Freshness, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        try await base.read(freshness, body)
    }

    /// - Throws: `CRMError` "node_lost" (503) when the number ran out and no other could be had; nothing was changed.
    ///   `StorageError.connection` when the database is away: nothing was changed either.
    package func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        if ids.isExpired {
            do { try await renew() } catch let error as StorageError where error.kind == .connection {
                // Said by whoever asked; the number is renewed, or replaced, when the database is back.
                throw error
            } catch {
                logger.error("node.lost", metadata: ["node": "\(ids.node)", "error": "\(error)"])
                throw CRMError.unavailable(
                    "node_lost",
                    Words(
                        en: "This process has lost its node number and could not get another. Nothing was changed.",
                        zh: "本进程的节点编号已失效且无法重新获取，未做任何更改。"))
            }
        }
        // Also when its outcome is unknown.
        defer { WriteNotice.written() }
        return try await base.write(body)
    }

    /// Renews the lease, or takes another number when this one is another process's now. To be called every minute.
    package func renew() async throws {
        let task = renewal.withLock { running in
            if let running { return running }
            let task = Task { [self] in
                defer { renewal.withLock { $0 = nil } }
                let now = clock.now()
                let until = now.adding(milliseconds: NodeLease.milliseconds)
                let node = ids.node
                if try await NodeLease.renew(node, holder: holder, clock: clock, base) {
                    ids.extend(until: until)
                    return
                }
                let fresh = try await NodeLease.take(holder: holder, clock: clock, base)
                ids.move(to: fresh, lease: now..<until)
                logger.warning("node.replaced", metadata: ["lost": "\(node)", "taken": "\(fresh)"])
            }
            running = task
            return task
        }
        try await task.value
    }

    /// Gives the number back and closes the database.
    package func close() async throws {
        _ = try? await NodeLease.release(ids.node, holder: holder, lastUsed: ids.lastUsed, base)
        try await base.close()
    }
}
