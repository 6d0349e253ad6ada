import Kernel
import Logging
import Platform
import ServiceLifecycle
import Storage
import Synchronization
import Web

/// The background of a process: it delivers the events, runs the jobs and keeps the schedules of every tenant it is given.
/// `count` jobs run at once, however many tenants there are; each tenant has its turn.
package struct Workers: Service {
    let names: [String]
    let modules: [any Module]
    let tenants: Tenants
    let count: Int
    let metrics: Metrics
    let logger: Logger
    /// Between two looks by themselves; what is appended is told of at once.
    private let pollMilliseconds: Int
    private let lanes = Lanes()

    /// - Parameter names: tenants whose work is done here.
    package init(
        names: [String], modules: [any Module], tenants: Tenants, count: Int, metrics: Metrics, logger: Logger,
        pollMilliseconds: Int = 1_000
    ) {
        self.pollMilliseconds = pollMilliseconds
        self.names = names
        self.modules = modules
        self.tenants = tenants
        self.count = count
        self.metrics = metrics
        self.logger = logger
    }

    /// One tenant's part of the work.
    private struct Lane: Sendable {
        let tenant: Tenant
        let outage: OutageLog
        let dispatcher: OutboxDispatcher
        /// One for each job that may run at once.
        let workers: [JobWorker]
    }

    /// The tenants that could be opened so far.
    private final class Lanes: Sendable {
        private let lanes = Mutex<[Lane]>([])
        var all: [Lane] { lanes.withLock { $0 } }
        func add(_ lane: Lane) { lanes.withLock { $0.append(lane) } }
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                for name in names {
                    group.addTask {
                        guard let lane = await open(name) else { return }
                        await upkeep(lane, forgets: true)
                        lanes.add(lane)
                        tenants.wake.signal()
                        await withTaskGroup(of: Void.self) { own in
                            for work in modules.flatMap({ $0.background(lane.tenant) }) {
                                own.addTask {
                                    await work.run(pollMilliseconds) { lane.outage.failed(work.name + ".failed", $0) }
                                }
                            }
                            own.addTask { await dispatch(lane) }
                        }
                    }
                }
                for place in 0..<count { group.addTask { await work(place) } }
                group.addTask { await tick() }
            }
        }
    }

    /// A tenant that cannot be opened (its disk is away) does not keep the others from being served; it is tried again.
    private func open(_ name: String) async -> Lane? {
        while !Task.isCancelled {
            do { return await lane(try await tenants.tenant(name)) } catch {
                await tenants.outage(name).failed("tenant.unavailable", error)
            }
            try? await Task.sleep(for: .seconds(30))
        }
        return nil
    }

    private func lane(_ tenant: Tenant) async -> Lane {
        let outage = await tenants.outage(tenant.name)
        let handlers = modules.flatMap { $0.jobs(tenant) }
        return Lane(
            tenant: tenant, outage: outage,
            dispatcher: OutboxDispatcher(
                database: tenant.database, handlers: modules.flatMap { $0.eventHandlers(tenant) },
                clock: tenant.clock, logger: logger),
            workers: (0..<count).map { _ in
                JobWorker(
                    queue: tenant.jobs, handlers: handlers, wake: tenant.wake, owner: RandomText.hex(8), logger: logger,
                    outage: outage)
            })
    }

    private func work(_ place: Int) async {
        while !Task.isCancelled {
            let generation = tenants.wake.generation
            var worked = false
            for lane in lanes.all where !Task.isCancelled {
                if await lane.workers[place].runNext() { worked = true }
            }
            if !worked { await tenants.wake.wait(after: generation, milliseconds: pollMilliseconds) }
        }
    }

    private func dispatch(_ lane: Lane) async {
        while !Task.isCancelled {
            let generation = tenants.wake.generation
            do {
                if try await lane.dispatcher.deliverBatch() > 0 { continue }
            } catch {
                lane.outage.failed("outbox.failed", error)
            }
            await tenants.wake.wait(after: generation, milliseconds: pollMilliseconds)
        }
    }

    /// Schedules, upkeep and gauges, every half minute.
    private func tick() async {
        var rounds = 1
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(30))
            if Task.isCancelled { return }
            for lane in lanes.all { await upkeep(lane, forgets: rounds % 120 == 0) }
            await measure()
            rounds += 1
        }
    }

    private func upkeep(_ lane: Lane, forgets: Bool) async {
        do {
            try await lane.tenant.jobs.pullBack()
            try await lane.dispatcher.pullBack()
            for schedule in modules.flatMap(\.schedules) {
                _ = try await lane.tenant.jobs.runSchedule(
                    schedule.name, kind: schedule.jobKind, everySeconds: schedule.everySeconds)
            }
            if forgets {
                await tenants.upkeep.keepMonthsOrTell(lane.tenant.name)
                try await lane.dispatcher.expire()
                try await lane.tenant.jobs.purge()
                try await lane.tenant.requests.purge(lane.tenant.database)
            }
        } catch {
            lane.outage.failed("upkeep.failed", error)
        }
    }

    /// Sums over the tenants: no label tells one from the other (G23).
    private func measure() async {
        await Self.measure(lanes.all.map { ($0.tenant, $0.dispatcher, $0.outage) }, metrics)
    }

    /// What is known of a database that does not answer is not shown.
    static func takeDown(_ metrics: Metrics) {
        for name in ["switchboard_outbox_", "switchboard_jobs{"] { metrics.remove(prefix: name) }
    }

    static func measure(_ all: [(Tenant, OutboxDispatcher, OutageLog)], _ metrics: Metrics) async {
        // A status without jobs is 0, not what it was before.
        var jobs = Dictionary(uniqueKeysWithValues: Job.Status.allCases.map { ($0.rawValue, 0) })
        var (pending, parked) = (0, 0)
        for (tenant, dispatcher, outage) in all {
            do {
                pending += try await dispatcher.backlog("pending")
                parked += try await dispatcher.backlog("parked")
                jobs.merge(try await tenant.jobs.counts(), uniquingKeysWith: +)
            } catch {
                outage.failed("upkeep.failed", error)
                // A sum without one of them would look like one.
                return takeDown(metrics)
            }
        }
        metrics.set("switchboard_outbox_pending", Double(pending))
        metrics.set("switchboard_outbox_parked", Double(parked))
        for (status, number) in jobs { metrics.set("switchboard_jobs{status=\"\(status)\"}", Double(number)) }
    }

    /// Works off everything that is due, then returns: for commands and tests.
    package static func drain(_ tenant: Tenant, _ modules: [any Module], logger: Logger) async throws {
        let dispatcher = OutboxDispatcher(
            database: tenant.database, handlers: modules.flatMap { $0.eventHandlers(tenant) }, clock: tenant.clock,
            logger: logger)
        let worker = JobWorker(
            queue: tenant.jobs, handlers: modules.flatMap { $0.jobs(tenant) }, wake: tenant.wake,
            owner: RandomText.hex(8), logger: logger)
        let background = modules.flatMap { $0.background(tenant) }
        while true {
            let events = try await dispatcher.deliverBatch()
            let job = try await worker.runOne()
            var other = false
            for work in background { if try await work.drain() { other = true } }
            if events == 0, !job, !other { return }
        }
    }
}

extension Runtime {
    /// Delivers the events that commands leave behind, so that projections are right when the command ends. Jobs stay for
    /// the workers.
    package func settle(_ tenant: Tenant) async throws {
        let dispatcher = OutboxDispatcher(
            database: tenant.database, handlers: modules.all.flatMap { $0.eventHandlers(tenant) }, clock: tenant.clock,
            logger: logger)
        while try await dispatcher.deliverBatch() > 0 {}
    }

    /// Brings the gauges of `/metrics` up to date for one tenant.
    package func measure(_ tenant: Tenant) async {
        let dispatcher = OutboxDispatcher(database: tenant.database, handlers: [], clock: tenant.clock)
        await Workers.measure([(tenant, dispatcher, OutageLog(tenant: tenant.name, logger: logger))], metrics)
    }
}
