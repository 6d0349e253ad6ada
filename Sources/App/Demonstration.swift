import Foundation
import Kernel
import Platform
import Storage

/// The demonstration operator of a tenant: made once, and finished when its making was interrupted.
package struct Demonstration: Sendable {
    /// What is known of it.
    package enum State: Sendable, Equatable {
        /// It was never made here.
        case none
        /// Its making was begun with this size and seed, and not finished.
        case begun(customers: Int, seed: UInt64, today: LocalDate?, months: Int?)
        case done
    }

    let runtime: Runtime
    let tenant: Tenant

    private static let mark = "demonstration"
    private static let makerMark = "demonstration.maker"

    package init(_ runtime: Runtime, _ tenant: Tenant) {
        self.runtime = runtime
        self.tenant = tenant
    }

    package func state() async throws -> State {
        guard let value = try await tenant.database.read({ try Mark.value(Self.mark, $0) }) else { return .none }
        let words = value.split(separator: " ")
        guard words.first == "begun", words.count >= 3, let customers = Int(words[1]), let seed = UInt64(words[2])
        else { return .done }
        return .begun(
            customers: customers, seed: seed, today: words.count > 3 ? LocalDate(words[3]) : nil,
            months: words.count > 4 ? Int(words[4]) : nil)
    }

    /// Whether this tenant is at its very first start: no customers, and nobody was ever one. A base that was emptied again
    /// is somebody's own and gets no invented people.
    package func isFirstStart() async throws -> Bool {
        guard try await runtime.modules.isEmpty(tenant) else { return false }
        return try await !tenant.database.read { try AuditReader().namesAny(kind: "customer", $0) }
    }

    /// Fills the tenant, or goes on where an interrupted filling ended: what is missing is made, then learned from.
    /// - Parameters:
    ///   - months: of bills, usage and contacts; `nil` = as many as suit the size.
    ///   - learns: whether a model is learned from the base, and the base scored; `nil` = when it is made for showing.
    /// - Returns: what was made, as it was asked for at the beginning.
    @discardableResult
    package func make(
        customers: Int, seed: UInt64, months: Int? = nil, learns: Bool? = nil,
        progress: @escaping @Sendable (_ done: Int, _ total: Int, _ what: Words) -> Void
    ) async throws -> (customers: Int, seed: UInt64) {
        try await claim()
        do {
            let made = try await makeClaimed(
                customers: customers, seed: seed, months: months, learns: learns, progress: progress)
            try await keep("", under: Self.makerMark)
            return made
        } catch {
            try? await keep("", under: Self.makerMark)
            throw error
        }
    }

    /// Takes the making of this tenant's base for this process; two at once would get in each other's way. It is free again
    /// when it has ended, or when the process has.
    /// - Throws: `CRMError` "seed_at_work" naming who is at it.
    package func claim() async throws {
        guard let own = (tenant.database as? LeasedDatabase)?.holder else { return }
        let now = tenant.clock.now()
        let other = try await tenant.database.write { session -> String? in
            if let maker = try Mark.value(Self.makerMark, session), maker != own,
                try NodeLease.live(at: now, session).contains(maker)
            {
                return maker
            }
            try Mark.set(Self.makerMark, own, at: now, session)
            return nil
        }
        guard let other else { return }
        throw CRMError(
            "seed_at_work", status: 409,
            Words(
                en: "Tenant \(tenant.name) is being filled by \(LeaseHolder.words(other)). Wait for it, or stop it first; "
                    + "what it has begun can be gone on with.",
                zh: "租户 \(tenant.name) 正由另一进程（\(LeaseHolder.words(other))）填充数据，请等待其完成，或先将其停止后再继续。"))
    }

    private func makeClaimed(
        customers: Int, seed: UInt64, months: Int?, learns: Bool?,
        progress: @escaping @Sendable (_ done: Int, _ total: Int, _ what: Words) -> Void
    ) async throws -> (customers: Int, seed: UInt64) {
        var (customers, seed, months) = (customers, seed, months)
        // The invented lives end on one day, however long their making takes.
        var today = tenant.clock.now().date(offsetMinutes: tenant.timeZoneOffsetMinutes)
        var resumes = false
        if case .begun(let before, let with, let day, let kept) = try await state() {
            (customers, seed, months, today, resumes) = (before, with, kept, day ?? today, true)
        }
        let request = SeedRequest(
            customers: customers, seed: seed, resumes: resumes, today: today, months: months, learns: learns,
            progress: progress)
        try await keep("begun \(customers) \(seed) \(today) \(request.months)")
        for module in runtime.modules.all { try await module.seed(request, tenant) }
        try await Workers.drain(tenant, runtime.modules.all, logger: runtime.logger)
        try await keep("done")
        return (customers, seed)
    }

    private func keep(_ value: String, under mark: String = Self.mark) async throws {
        let now = tenant.clock.now()
        try await tenant.database.write { try Mark.set(mark, value, at: now, $0) }
    }
}
