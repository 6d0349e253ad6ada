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

    private func keep(_ value: String) async throws {
        let now = tenant.clock.now()
        try await tenant.database.write { try Mark.set(Self.mark, value, at: now, $0) }
    }
}
