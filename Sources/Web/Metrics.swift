import Kernel
import Synchronization

/// Counters and histograms of one process in Prometheus text form. Labels hold routes and states, never people.
package final class Metrics: Sendable {
    /// Upper bounds in milliseconds.
    static let bounds: [Double] = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000]

    private struct Histogram {
        var buckets = [Int](repeating: 0, count: bounds.count + 1); var sum = 0.0; var count = 0
    }
    private struct State {
        var requests: [String: Int] = [:]
        var durations: [String: Histogram] = [:]
        var counters: [String: Int] = [:]
        var gauges: [String: Double] = [:]
    }
    private let state = Mutex(State())

    package init() {}

    package func observe(route: String, status: Int, milliseconds: Double) {
        let bucket = Self.bounds.firstIndex { milliseconds <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.requests["route=\"\(route)\",status=\"\(status)\"", default: 0] += 1
            state.durations[route, default: Histogram()].buckets[bucket] += 1
            state.durations[route]?.sum += milliseconds
            state.durations[route]?.count += 1
        }
    }

    /// Adds to a counter. `name` with its labels, `switchboard_jobs_total{kind="import.run"}`.
    package func add(_ name: String, _ amount: Int = 1) { state.withLock { $0.counters[name, default: 0] += amount } }
    package func set(_ name: String, _ value: Double) { state.withLock { $0.gauges[name] = value } }
    /// Takes gauges away whose name (with labels) begins so: what nobody knows is not shown.
    package func remove(prefix: String) {
        state.withLock { state in state.gauges = state.gauges.filter { !$0.key.hasPrefix(prefix) } }
    }

    /// The text of `/metrics` (exposition format 0.0.4).
    package func exposition() -> String {
        let now = state.withLock { $0 }
        var text = "# TYPE switchboard_http_requests_total counter\n"
        for (labels, count) in now.requests.sorted(by: { $0.key < $1.key }) {
            text += "switchboard_http_requests_total{\(labels)} \(count)\n"
        }
        text += "# TYPE switchboard_http_request_duration_ms histogram\n"
        for (route, histogram) in now.durations.sorted(by: { $0.key < $1.key }) {
            var total = 0
            for (offset, bound) in Self.bounds.enumerated() {
                total += histogram.buckets[offset]
                text += "switchboard_http_request_duration_ms_bucket{route=\"\(route)\",le=\"\(bound)\"} \(total)\n"
            }
            text += "switchboard_http_request_duration_ms_bucket{route=\"\(route)\",le=\"+Inf\"} \(histogram.count)\n"
            text += "switchboard_http_request_duration_ms_sum{route=\"\(route)\"} \(histogram.sum)\n"
            text += "switchboard_http_request_duration_ms_count{route=\"\(route)\"} \(histogram.count)\n"
        }
        for (name, value) in now.counters.sorted(by: { $0.key < $1.key }) { text += "\(name) \(value)\n" }
        for (name, value) in now.gauges.sorted(by: { $0.key < $1.key }) { text += "\(name) \(value)\n" }
        return text
    }
}
