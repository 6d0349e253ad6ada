import Kernel

/// How new what is read has to be.
package enum Freshness: Sendable, Equatable {
    /// Every write that was acknowledged before is seen. What decides about somebody, may be changed next, or shows one
    /// record.
    case fresh
    /// May lack what was written within so many seconds: lists, figures, searches, reports (ADR 0015). Read from a
    /// replica where there is one that is known to be no further behind; else it is fresh.
    case within(seconds: Double)

    /// What lists and figures put up with.
    package static let recent = Freshness.within(seconds: Double(Limits.staleReadSeconds))
}

extension Database {
    /// Engines without replicas are always fresh.
    package func read<T: Sendable>(
        _ freshness: Freshness, _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) async throws -> T {
        try await read(body)
    }
}

/// Notes that something was written, for whom it matters that they read what they wrote.
///
/// The task of a request carries one; whatever writes to the database of that request tells it.
package final class WriteNotice: Sendable {
    @TaskLocal package static var current: WriteNotice?

    private let note: @Sendable () -> Void
    package init(_ note: @escaping @Sendable () -> Void) { self.note = note }

    /// Called by what has written.
    package static func written() { current?.note() }

    /// Runs `body` without anybody being told: the record of a view is no change its reader looks for.
    package static func withoutNotice<T: Sendable>(_ body: @Sendable () async throws -> T) async rethrows -> T {
        try await $current.withValue(nil) { try await body() }
    }
}
