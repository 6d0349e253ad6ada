import Kernel
import Logging
import Platform
import ServiceLifecycle
import Storage
import Web

/// The background of one tenant: job workers, the event dispatcher, schedules, the node lease.
package struct Workers: Service {
    let tenant: Tenant
    let modules: [any Module]
    let tenants: Tenants
    let count: Int
    let metrics: Metrics
    let logger: Logger

    package init(
        tenant: Tenant, modules: [any Module], tenants: Tenants, count: Int, metrics: Metrics, logger: Logger
    ) {
        self.tenant = tenant
        self.modules = modules
        self.tenants = tenants
        self.count = count
        self.metrics = metrics
        self.logger = logger
    }

    package func run() async throws {
        let handlers = modules.flatMap { $0.jobs(tenant) }
        let dispatcher = OutboxDispatcher(
            database: tenant.database, handlers: modules.flatMap { $0.eventHandlers(tenant) }, clock: tenant.clock)
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<count {
                    let worker = JobWorker(
                        queue: tenant.jobs, handlers: handlers, wake: tenant.wake, owner: RandomText.hex(8),
                        logger: logger)
                    group.addTask { await worker.run() }
                }
                group.addTask { await dispatch(dispatcher) }
                group.addTask { await tick(dispatcher) }
            }
        }
    }

    private func dispatch(_ dispatcher: OutboxDispatcher) async {
        while !Task.isCancelled {
            let generation = tenant.wake.generation
            do {
                if try await dispatcher.deliverBatch() > 0 { continue }
            } catch {
                logger.error("outbox.failed", metadata: ["tenant": "\(tenant.name)", "error": "\(error)"])
            }
            await tenant.wake.wait(after: generation, milliseconds: 1_000)
        }
    }

    /// Schedules and upkeep, every half minute.
    private func tick(_ dispatcher: OutboxDispatcher) async {
        var rounds = 0
        while !Task.isCancelled {
            do {
                for schedule in modules.flatMap(\.schedules) {
                    _ = try await tenant.jobs.runSchedule(
                        schedule.name, kind: schedule.jobKind, everySeconds: schedule.everySeconds)
                }
                await tenants.renewLeases()
                if rounds % 120 == 0 { try await dispatcher.expire() }
                metrics.set("switchboard_outbox_pending", Double(try await dispatcher.backlog("pending")))
                metrics.set("switchboard_outbox_parked", Double(try await dispatcher.backlog("parked")))
                for (status, number) in try await tenant.jobs.counts() {
                    metrics.set("switchboard_jobs{status=\"\(status)\"}", Double(number))
                }
            } catch {
                logger.error("upkeep.failed", metadata: ["tenant": "\(tenant.name)", "error": "\(error)"])
            }
            rounds += 1
            try? await Task.sleep(for: .seconds(30))
        }
    }

    /// Works off everything that is due, then returns: for commands and tests.
    package static func drain(_ tenant: Tenant, _ modules: [any Module], logger: Logger) async throws {
        let dispatcher = OutboxDispatcher(
            database: tenant.database, handlers: modules.flatMap { $0.eventHandlers(tenant) }, clock: tenant.clock)
        let worker = JobWorker(
            queue: tenant.jobs, handlers: modules.flatMap { $0.jobs(tenant) }, wake: tenant.wake,
            owner: RandomText.hex(8), logger: logger)
        while true {
            let events = try await dispatcher.deliverBatch()
            let job = try await worker.runOne()
            if events == 0, !job { return }
        }
    }
}

extension Runtime {
    /// Delivers the events that commands leave behind, so that projections are right when the command ends. Jobs stay for
    /// the workers.
    package func settle(_ tenant: Tenant) async throws {
        let dispatcher = OutboxDispatcher(
            database: tenant.database, handlers: modules.all.flatMap { $0.eventHandlers(tenant) }, clock: tenant.clock)
        while try await dispatcher.deliverBatch() > 0 {}
    }
}
