import Kernel
import Synchronization

/// A clock that stands still until a test moves it. Starts at 2026-03-02T00:00:00Z.
package final class FrozenClock: WallClock {
    private let value: Mutex<Instant>
    package init(_ start: Instant = Instant(milliseconds: 1_772_409_600_000)) { value = Mutex(start) }
    package func now() -> Instant { value.withLock { $0 } }
    package func advance(seconds: Int64) { value.withLock { $0 = $0.adding(seconds: seconds) } }
    package func advance(days: Int64) { value.withLock { $0 = $0.adding(days: days) } }
}
