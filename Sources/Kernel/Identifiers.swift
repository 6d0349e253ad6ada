import Foundation
import Synchronization

/// A time-sorted 63-bit identifier of an entity of one kind.
///
/// Layout, high to low: 41 bits milliseconds since 2024-01-01T00:00:00Z (69 years), 10 bits node (leased from the
/// database, so that several processes never make the same one), 12 bits sequence. It is stored as BIGINT and leaves
/// the product as a decimal string, because JavaScript cannot hold 63 bits.
package struct ID<Kind>: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The stored value, 1...2^63-1.
    package let rawValue: Int64

    package init(_ rawValue: Int64) { self.rawValue = rawValue }

    /// Parses the external decimal form; `nil` for anything but 1...19 digits of a positive number.
    package init?(_ text: some StringProtocol) {
        guard (1...19).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }),
            let value = Int64(text), value > 0
        else { return nil }
        rawValue = value
    }

    package var description: String { String(rawValue) }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

    /// The instant at which the id was made, to the millisecond.
    package var madeAt: Instant { Instant(milliseconds: (rawValue >> 22) + IDGenerator.epoch) }
}

extension ID: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let id = ID(text) else {
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "not an id"))
        }
        self = id
    }
    package func encode(to encoder: any Encoder) throws {
        var box = encoder.singleValueContainer()
        try box.encode(description)
    }
}

/// Kinds of entity, used only as the phantom parameter of `ID`.
package enum PartyKind {}
package enum SubscriptionKind {}
package enum UserKind {}
package enum JobKind {}
package enum EventKind {}
package enum AuditKind {}
package enum ImportRunKind {}
package enum ModelKind {}
package enum AnyKind {}

package typealias PartyID = ID<PartyKind>
/// A customer shares its party's id.
package typealias CustomerID = ID<PartyKind>
package typealias SubscriptionID = ID<SubscriptionKind>
package typealias UserID = ID<UserKind>
package typealias JobID = ID<JobKind>
package typealias EventID = ID<EventKind>
package typealias AuditID = ID<AuditKind>
package typealias ImportRunID = ID<ImportRunKind>
package typealias ModelID = ID<ModelKind>

/// Makes ids for one process. Strictly increasing even when the wall clock goes back: it then continues from the last
/// millisecond it used.
package final class IDGenerator: Sendable {
    /// 2024-01-01T00:00:00Z in epoch milliseconds.
    package static let epoch: Int64 = 1_704_067_200_000

    private struct State { var lastMillisecond: Int64 = 0; var sequence: Int64 = 0 }
    private let state = Mutex(State())
    private let node: Int64
    private let clock: any WallClock

    /// - Parameter node: 0...1023, leased from the database (`node_lease`).
    package init(node: Int, clock: any WallClock) {
        precondition((0...1023).contains(node), "a node number has 10 bits")
        self.node = Int64(node)
        self.clock = clock
    }

    /// The next id of the kind the caller asks for.
    package func next<Kind>(_ kind: Kind.Type = Kind.self) -> ID<Kind> {
        state.withLock { state in
            let now = clock.now().milliseconds - Self.epoch
            if now > state.lastMillisecond {
                state.lastMillisecond = now
                state.sequence = 0
            } else {
                state.sequence += 1
                if state.sequence > 4095 {
                    state.lastMillisecond += 1
                    state.sequence = 0
                }
            }
            return ID<Kind>(state.lastMillisecond << 22 | node << 12 | state.sequence)
        }
    }
}
