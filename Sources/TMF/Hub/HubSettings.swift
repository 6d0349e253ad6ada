import Kernel

/// Limits of what is told to others.
package struct HubSettings: Sendable, Equatable {
    /// Hosts of callbacks that may have private addresses, in lower case; of this machine in plain HTTP too.
    package var hosts: Set<String> = []
    /// A callback that answers, but with an error, is tried so often with one event.
    package var attemptsMax = 10
    /// An event that could not be delivered for so long stands aside.
    package var giveUpHours = 24
    /// The pause after the first failure; it doubles with each one that follows.
    package var retryFirstMilliseconds: Int64 = 1_000
    package var retryMaxSeconds: Int64 = 600
    /// For one call, from the look-up of the name to the end of the answer.
    package var timeoutSeconds = 10
    /// Subscriptions of a tenant that one process sends for at once.
    package var concurrency = 8
    /// The log of deliveries reaches back so far.
    package var keepDays: Int64 = 30
    package var subscriptionsMax = 100
    /// Certificates of an authority beside those of the system.
    package var authorities: String?

    /// Longer than a call and what is written before and after it.
    var leaseSeconds: Int64 { Int64(timeoutSeconds) + 30 }
    /// Of what more than so many things happened to at once, as an import does, is read when it is sent.
    static let seenMax = 200
    static let answerMax: Int64 = 64 << 10
    /// So many events of one subscription, or seconds, then it is another one's turn.
    static let turnMax = 100, turnSeconds: Int64 = 20

    package init() {}
}
