import Foundation
import TestSupport

/// What was asked for on the command line.
struct Options {
    var customers = 20_000
    var engines: [Engine.Kind] = [.sqlite, .postgres]
    /// Where the seeded bases stay, or are found.
    var keep: String?
    /// Only a base that is there already.
    var isReuse = false
    var out: String?
    var only: Set<String> = []
    var isGrowth = false
    var isFull = false

    static let parts = ["import", "match", "usage", "profile", "seed", "start", "server", "churn", "evaluate"]
    /// Parts of `server`.
    static let serving = ["pages", "pops", "lists", "searches", "saturation", "overload", "saves", "logins", "programs"]

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func value(_ name: String) throws -> String {
            guard let value = rest.popFirst() else { throw RawHTTP.Failure(description: "\(name) needs a value") }
            return value
        }
        while let word = rest.popFirst() {
            switch word {
            case "growth": isGrowth = true
            case "--full": isFull = true
            case "--customers": customers = try Self.number(try value(word))
            case "--engine":
                switch try value(word) {
                case "sqlite": engines = [.sqlite]
                case "postgres": engines = [.postgres]
                case "both": break
                case let other: throw RawHTTP.Failure(description: "--engine \(other): expected sqlite, postgres or both")
                }
            case "--keep": keep = URL(fileURLWithPath: try value(word)).path
            case "--data": (keep, isReuse) = (URL(fileURLWithPath: try value(word)).path, true)
            case "--out": out = try value(word)
            case "--only":
                only = Set(try value(word).split(separator: ",").map(String.init))
                let known = Self.parts + Self.serving
                if let strange = only.first(where: { !known.contains($0) }) {
                    throw RawHTTP.Failure(
                        description: "--only \(strange): parts are \(known.joined(separator: ", "))")
                }
            default: customers = try Self.number(word)
            }
        }
    }

    private static func number(_ text: String) throws -> Int {
        guard let number = Int(text), (100...10_000_000).contains(number) else {
            throw RawHTTP.Failure(description: "“\(text)” is not understood; see bin/bench --help")
        }
        return number
    }

    func wants(_ part: String) -> Bool {
        only.isEmpty || only.contains(part) || (part == "server" && !only.isDisjoint(with: Self.serving))
    }
    /// Of the parts of `server`.
    func serves(_ part: String) -> Bool { only.isEmpty || only.contains("server") || only.contains(part) }
    func wantsAny(_ parts: [String]) -> Bool { parts.contains(where: wants) }
}

/// What has to be undone however the run ends.
final class Cleanup: @unchecked Sendable {
    static let shared = Cleanup()
    private let lock = NSLock()
    private var actions: [@Sendable () -> Void] = []
    private var sources: [any DispatchSourceSignal] = []

    func add(_ action: @escaping @Sendable () -> Void) { lock.withLock { actions.append(action) } }

    /// The last one first, each once.
    func run() {
        while let action = lock.withLock({ actions.popLast() }) { action() }
    }

    func catchSignals() {
        for number in [SIGINT, SIGTERM] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in
                run()
                exit(130)
            }
            source.resume()
            sources.append(source)
        }
    }
}

/// Monotonic time in seconds.
enum Clock {
    static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// User and system time of this process so far: the clients' share of the machine.
    static var ownProcessor: Double {
        var usage = rusage()
        // RUSAGE_SELF, which Swift sees as another type.
        getrusage(0, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    static func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = now
        try work()
        return now - start
    }

    static func sleep(until due: Double) {
        var time = timespec(tv_sec: Int(due), tv_nsec: Int((due - due.rounded(.down)) * 1e9))
        while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &time, nil) == EINTR {}
    }
}

extension [Double] {
    func quantile(_ q: Double) -> Double {
        let sorted = sorted()
        return sorted.isEmpty ? 0 : sorted[Swift.min(count - 1, Int(Double(count) * q))]
    }
    var median: Double { quantile(0.5) }
}
