import Foundation

/// A progress bar on a terminal, a line now and then elsewhere. Draws on standard error.
final class ProgressBar: @unchecked Sendable {
    private let lock = NSLock()
    private var started = Date()
    private var last = Date.distantPast
    /// What was done before this process began, or before this part of the work.
    private var base: Int
    private var latest: (done: Int, total: Int, what: String)?
    private var isFull = false
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// - Parameter base: what an earlier process did already; the rate does not count it.
    init(base: Int = 0) { self.base = base }

    func show(_ done: Int, _ total: Int, _ what: String) {
        lock.lock()
        defer { lock.unlock() }
        let now = Date()
        // Another part of the work, counted in something else.
        if let latest, done < latest.done { (started, base) = (now, 0) }
        latest = (done, total, what)
        isFull = false
        let finished = total > 0 && done >= total
        guard finished || now.timeIntervalSince(last) > (isTerminal ? 0.1 : 5) else { return }
        last = now
        draw(done, total, what)
        isFull = finished
    }

    /// The work came to its end.
    func finish() {
        lock.lock()
        // The total may have been an estimate, and the last part too quick to be told of.
        if latest != nil, !isFull { write("done \(bar(1))") }
        lock.unlock()
        end()
    }

    /// No more will be shown, whatever became of the work.
    func end() {
        lock.lock()
        defer { lock.unlock() }
        if last != .distantPast || isFull, isTerminal { try? FileHandle.standardError.write(contentsOf: Data("\n".utf8)) }
        latest = nil
    }

    private func draw(_ done: Int, _ total: Int, _ what: String) {
        let seconds = max(Date().timeIntervalSince(started), 0.001)
        let rate = Int(Double(max(0, done - base)) / seconds)
        var line = Terminal.plain(what)
        if total > 0 {
            line += " \(bar(min(1, Double(done) / Double(total))))  \(done)/\(total)  \(rate)/s"
            if rate > 0, done < total { line += "  \(Self.clock((total - done) / rate)) left" }
        } else {
            line += " \(done)  \(rate)/s"
        }
        write(line)
    }

    /// Whole seconds as `4:05` or `1:02:03`.
    static func clock(_ seconds: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60)
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds % 60))" : "\(minutes):\(two(seconds % 60))"
    }

    private func bar(_ share: Double) -> String {
        let filled = Int(share * 30)
        let marks = String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
        return "[\(marks)] \(Int(share * 100)) %"
    }

    private func write(_ line: String) {
        try? FileHandle.standardError.write(
            contentsOf: Data((isTerminal ? "\r\u{1B}[K" + line : line + "\n").utf8))
    }
}
