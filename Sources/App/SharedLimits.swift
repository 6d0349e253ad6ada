import Kernel
import Logging
import Platform
import ServiceLifecycle
import Storage
import Web

/// Keeps the limits of several servers over one database together: each gives out its share of a caller's rate, by how
/// many servers there are. Nothing is written for a request.
struct SharedLimits: Service {
    let tenants: Tenants
    let limiter: RateLimiter
    let clock: any WallClock
    let logger: Logger
    private let holder = LiveServers.holder()

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var last: ContinuousClock.Instant?
            while !Task.isCancelled {
                if await beat(after: last) { last = .now }
                try? await Task.sleep(for: .milliseconds(LiveServers.everyMilliseconds))
            }
        }
        guard let database = try? await tenants.tenant("default").database else { return }
        try? await LiveServers.leave(holder, clock: clock, database)
    }

    /// A server that cannot count keeps to what it knew; so does one that could not for as long as a row counts: the rows of
    /// all have run out by then, and the others renew theirs within the next moment.
    /// - Returns: whether its row was renewed.
    private func beat(after last: ContinuousClock.Instant?) async -> Bool {
        let wasAway = last.map { ContinuousClock.now - $0 > .milliseconds(LiveServers.aliveMilliseconds) } ?? false
        do {
            let database = try await tenants.tenant("default").database
            let found = try await LiveServers.beat(holder, clock: clock, database)
            let servers = wasAway ? max(found, limiter.servers) : found
            if servers != limiter.servers { logger.info("limits.shared", metadata: ["servers": "\(servers)"]) }
            limiter.servers = servers
            return true
        } catch {
            await tenants.outage("default").failed("limits.not_shared", error, level: .warning)
            return false
        }
    }

    init(tenants: Tenants, limiter: RateLimiter, clock: any WallClock, logger: Logger) {
        self.tenants = tenants
        self.limiter = limiter
        self.clock = clock
        self.logger = logger
    }
}
