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
    private let holder = RandomText.hex(8)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await beat()
                try? await Task.sleep(for: .milliseconds(LiveServers.everyMilliseconds))
            }
        }
        guard let database = try? await tenants.tenant("default").database else { return }
        try? await LiveServers.leave(holder, clock: clock, database)
    }

    /// A server that cannot count keeps to what it knew.
    private func beat() async {
        do {
            let database = try await tenants.tenant("default").database
            let servers = try await LiveServers.beat(holder, clock: clock, database)
            if servers != limiter.servers { logger.info("limits.shared", metadata: ["servers": "\(servers)"]) }
            limiter.servers = servers
        } catch {
            await tenants.outage("default").failed("limits.not_shared", error, level: .warning)
        }
    }

    init(tenants: Tenants, limiter: RateLimiter, clock: any WallClock, logger: Logger) {
        self.tenants = tenants
        self.limiter = limiter
        self.clock = clock
        self.logger = logger
    }
}
