import Dispatch
import Foundation
import Kernel
import Logging
import ServiceLifecycle
import Synchronization
import Web

/// Hears SIGTERM and SIGINT until the process has ended.
///
/// A service group that listens by itself does so only while it runs: from the moment one of its services has failed, or it
/// has come to its end, until the process is gone, a signal would be swallowed (libdispatch keeps its handler and nobody reads
/// from it any more). Under load, or with a database that is away, that takes seconds. A signal of that time ends the process
/// shortly, and one that comes before the group runs is kept for it.
package final class StopSignals: @unchecked Sendable {
    private struct State {
        var isAsked = false
        var isEnding = false
        var isArmed = false
        var stop: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let logger: Logger
    private let leave: @Sendable () -> Void
    private var sources: [any DispatchSourceSignal] = []
    /// For the words of what failed to be written.
    private static let pause = DispatchTimeInterval.seconds(2)

    /// - Parameter leave: ends the process.
    package init(logger: Logger, leave: @escaping @Sendable () -> Void) {
        self.logger = logger
        self.leave = leave
        let queue = DispatchQueue(label: "switchboard.signals")
        sources = [SIGTERM, SIGINT].map { signal in
            let source = DispatchSource.makeSignalSource(signal: signal, queue: queue)
            // Keeps itself: it hears until the process is gone.
            source.setEventHandler { self.heard() }
            source.resume()
            return source
        }
    }

    /// - Parameter stop: called when a signal comes, or has come: ends what runs in good order.
    func listen(_ stop: @escaping @Sendable () -> Void) {
        let isAsked = state.withLock { state in
            state.stop = stop
            return state.isAsked
        }
        if isAsked { stop() }
    }

    /// A service has failed: the group ends, and nobody acts on a signal any more, not on one that has just come either.
    package func failed() { ends(alsoBefore: true) }

    /// The group has come to its end.
    package func ended() { ends(alsoBefore: false) }

    private func ends(alsoBefore: Bool) {
        let isDue = state.withLock { state in
            state.isEnding = true
            guard alsoBefore, state.isAsked, !state.isArmed else { return false }
            state.isArmed = true
            return true
        }
        if isDue { arm() }
    }

    private func heard() {
        let (isDue, stop) = state.withLock { state in
            state.isAsked = true
            guard state.isEnding else { return (false, state.stop) }
            defer { state.isArmed = true }
            return (!state.isArmed, nil)
        }
        stop?()
        if isDue { arm() }
    }

    private func arm() {
        DispatchQueue.global().asyncAfter(deadline: .now() + Self.pause) { [self] in
            logger.error("shutdown.forced", metadata: ["reason": "a signal came while it was ending"])
            leave()
        }
    }
}

/// Services that run together until a signal comes or one of them ends.
package struct ServiceRun: Sendable {
    package let services: [any Service]
    let logger: Logger
    /// Whether the group also ends, in good order, when a service has come to its end.
    var endsWithAny = false

    package init(_ services: [any Service], endsWithAny: Bool = false, logger: Logger) {
        self.services = services
        self.endsWithAny = endsWithAny
        self.logger = logger
    }

    /// - Parameters:
    ///   - signals: hears the signals; `nil` = none are listened to.
    ///   - close: what is done last, whatever happened.
    /// - Throws: the first error of a service, not the group's.
    package func run(_ signals: StopSignals?, close: @Sendable () async -> Void) async throws {
        let failed = Mutex<(any Error)?>(nil)
        let watched = services.map { service in
            Reporting(service) { error in
                failed.withLock { $0 = $0 ?? error }
                signals?.failed()
            }
        }
        var settings = ServiceGroupConfiguration(
            services: watched.map {
                endsWithAny
                    ? .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) : .init(service: $0)
            },
            logger: Logger(label: "service") { LogLines(label: $0, level: .error) })
        settings.maximumGracefulShutdownDuration = .seconds(Limits.shutdownSecondsMax)
        let group = ServiceGroup(configuration: settings)
        signals?.listen { Task { await group.triggerGracefulShutdown() } }
        do {
            try await group.run()
        } catch {
            signals?.ended()
            await close()
            throw failed.withLock { $0 } ?? error
        }
        signals?.ended()
        await close()
    }
}

/// Keeps the first error of a service, which the group would wrap.
private struct Reporting: Service {
    let service: any Service
    let report: @Sendable (any Error) -> Void

    init(_ service: any Service, report: @escaping @Sendable (any Error) -> Void) {
        self.service = service
        self.report = report
    }

    func run() async throws {
        do { try await service.run() } catch {
            // Told to end by another's failure: that one counts.
            if !(error is CancellationError) { report(error) }
            throw error
        }
    }
}
