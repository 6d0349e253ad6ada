import Foundation
import Kernel
import Synchronization
import TestSupport
import Testing

/// What `bin/faults` asks of the drills, and how they tell what they did. Without it they run their short form.
enum Drill {
    private static func setting(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// How many seeds a drill with random moments runs.
    static let seeds = setting("SWITCHBOARD_FAULT_SEEDS").flatMap { Int($0) } ?? 12
    /// The first of them; the others follow it.
    static let first = setting("SWITCHBOARD_FAULT_FROM").flatMap { UInt64($0) } ?? 1
    /// Hundreds of seeds by hand; what a failing one leaves behind is kept.
    static let isLong = setting("SWITCHBOARD_FAULT_SEEDS") != nil
    private static let results = setting("SWITCHBOARD_FAULT_RESULTS")

    /// The seeds of a drill that needs fewer than one in `share`.
    static func seeds(oneIn share: Int = 1) -> [UInt64] {
        (0..<max(1, seeds / share)).map { first + UInt64($0) }
    }

    static var engine: String { TestDatabases.dialect.rawValue }

    /// A line for who watches.
    static func say(_ text: String) {
        FileHandle.standardError.write(Data(("[\(engine)] " + text + "\n").utf8))
    }

    /// A line of the table at the end of `bin/faults`.
    static func report(_ drill: String, rounds: Int, _ found: String) {
        say("\(drill): \(rounds) rounds, \(found)")
        guard let results else { return }
        let line = "\(drill)\t\(engine)\t\(rounds)\t\(found)\n"
        if !FileManager.default.fileExists(atPath: results) {
            _ = FileManager.default.createFile(atPath: results, contents: nil)
        }
        guard let file = FileHandle(forWritingAtPath: results) else { return }
        defer { try? file.close() }
        _ = try? file.seekToEnd()
        try? file.write(contentsOf: Data(line.utf8))
    }
}

/// Waits for a condition; `false` when it did not come about.
func eventually(seconds: Double = 60, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let limit = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < limit {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(20))
    }
    return try await condition()
}

/// Expectations of one drill, counted, so that the line it reports says what was found and not what was hoped.
final class Findings: Sendable {
    private let number = Mutex(0)
    var count: Int { number.withLock { $0 } }

    func expect(_ condition: Bool, _ words: String, sourceLocation: SourceLocation = #_sourceLocation) {
        guard !condition else { return }
        number.withLock { $0 += 1 }
        Issue.record(Comment(rawValue: words), sourceLocation: sourceLocation)
    }
}

/// What tests throw on purpose.
struct Deliberate: Error {}

extension SeededGenerator {
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}
