import Foundation
import TestSupport

/// What performance.md asks for.
struct Budget {
    let name: String
    let figure: Double
    init(_ name: String = "budget", _ figure: Double) {
        self.name = name
        self.figure = figure
    }
    init(_ figure: Double) { self.init("budget", figure) }
}

/// What the figure is measured beside, in the same run unless its name says otherwise.
struct Anchor {
    let name: String
    let figure: Double
    init(_ name: String, _ figure: Double) {
        self.name = name
        self.figure = figure
    }
}

/// Prints each measure with its budget and its anchor, and writes it as one JSON line. Progress goes to standard error.
final class Report: @unchecked Sendable {
    private let options: Options
    private let file: FileHandle
    private let path: String
    private let start = Clock.now
    private let lock = NSLock()
    private var missed: [String] = []
    private var met = 0
    /// Put before each measure's name in the output.
    var engine = ""

    static let cores = ProcessInfo.processInfo.activeProcessorCount

    init(_ options: Options, folder: String) throws {
        self.options = options
        let commit = (try? Tool.run("git", ["-C", Checkout.root, "rev-parse", "--short", "HEAD"]))?.trimmed ?? "unknown"
        let stamp = ISO8601DateFormatter().string(from: Date()).replacingOccurrences(of: ":", with: "")
        path = options.out ?? Checkout.root + "/.build/bench/\(stamp)-\(commit).jsonl"
        try FileManager.default.createDirectory(
            atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw RawHTTP.Failure(description: "cannot write \(path)") }
        self.file = file
        line([
            ("commit", .text(commit)), ("at", .text(stamp)), ("cores", .number(Double(Self.cores))),
            ("load", .number(Self.load)), ("customers", .number(Double(options.customers))),
            ("engines", .text(options.engines.map(\.rawValue).joined(separator: ","))),
        ])
        print(
            options.isGrowth
                ? "Switchboard growth at \(commit): an exponent of 1 is linear, 1.1 about n log n."
                : "Switchboard benchmarks at \(commit): \(options.customers) customers. A ratio of 1 or more is at least as good.")
    }

    func head() {
        #if DEBUG
            print("This is a debug build: its figures say nothing about the product. Use bin/bench.")
        #endif
        print("\(Self.cores) cores, load average \(Self.text(Self.load)) before the run; SQLite synchronous=FULL; PostgreSQL \(Engine.settingsText)")
        if Self.load > Double(Self.cores) * 0.7 {
            print("The machine is busy: trust the ratios to anchors of this run, not the absolute figures.")
        }
    }

    func foot() {
        print("")
        print("\(met) budgets met, \(missed.count) missed; took \(Int(Clock.now - start)) s; JSON lines in \(path)")
        for text in missed { print("  missed: \(text)") }
    }

    /// - Parameter why: what is known about the reason when the budget is missed.
    func add(
        _ name: String, _ figure: Double, _ unit: String, budget: Budget? = nil, anchor: Anchor? = nil,
        higherIsBetter: Bool = false, why: String = ""
    ) {
        func shown(_ value: Double) -> String { Self.text(value) + (unit.isEmpty ? "" : " " + unit) }
        func ratio(_ other: Double) -> Double {
            higherIsBetter ? figure / max(other, 1e-9) : other / max(figure, 1e-9)
        }
        let load = Self.load
        var text = "\(engine.isEmpty ? "" : engine + "  ")\(name): \(shown(figure))"
        var fields: [(String, JSON)] = [
            ("bench", .text(name)), ("engine", .text(engine)), ("figure", .number(figure)), ("unit", .text(unit)),
            ("higher_is_better", .bool(higherIsBetter)), ("customers", .number(Double(options.customers))),
            ("load", .number(load)),
        ]
        if let budget {
            let ratio = ratio(budget.figure)
            let isMet = ratio >= 1
            let verdict = isMet ? "met" : "MISSED, \(Self.percent(1 - ratio)) short"
            text += "; \(budget.name) \(shown(budget.figure)): \(verdict) (ratio \(Self.text(ratio)))"
            fields += [("budget", .number(budget.figure)), ("budget_ratio", .number(ratio)), ("met", .bool(isMet))]
            if isMet {
                met += 1
            } else {
                let busy = load > Double(Self.cores) ? "load average \(Self.text(load)) on \(Self.cores) cores" : ""
                let reason = [why, busy].filter { !$0.isEmpty }.joined(separator: "; ")
                if !reason.isEmpty { text += "; why: \(reason)" }
                missed.append(text)
                fields.append(("why", .text(reason)))
            }
        }
        if let anchor {
            text += "; \(anchor.name) \(shown(anchor.figure)): ratio \(Self.text(ratio(anchor.figure)))"
            fields += [
                ("anchor", .text(anchor.name)), ("anchor_figure", .number(anchor.figure)),
                ("anchor_ratio", .number(ratio(anchor.figure))),
            ]
        }
        print(text + " [load \(Self.text(load))]")
        line(fields)
    }

    func note(_ text: String) { print(text) }

    /// What is being done, for whoever waits.
    func progress(_ text: String) {
        FileHandle.standardError.write(Data("[\(Int(Clock.now - start)) s] \(text)\n".utf8))
    }

    static func text(_ value: Double) -> String {
        abs(value) >= 100 ? String(format: "%.0f", value) : String(format: abs(value) < 1 ? "%.3f" : "%.2f", value)
    }

    private static func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }

    /// Processes that ran or wanted to during the last minute.
    static var load: Double {
        var values = [Double](repeating: 0, count: 3)
        return getloadavg(&values, 3) > 0 ? values[0] : 0
    }

    private func print(_ text: String) {
        lock.withLock {
            Swift.print(text)
            fflush(nil)
        }
    }

    // MARK: JSON

    private enum JSON { case text(String), number(Double), bool(Bool) }

    private func line(_ fields: [(String, JSON)]) {
        let parts = fields.map { name, value -> String in
            switch value {
            case .text(let text):
                let escaped = text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
                return "\"\(name)\":\"\(escaped)\""
            case .number(let number): return "\"\(name)\":\(number.isFinite ? number : 0)"
            case .bool(let bool): return "\"\(name)\":\(bool)"
            }
        }
        file.write(Data(("{" + parts.joined(separator: ",") + "}\n").utf8))
    }
}

/// `bin/bench compare OLD NEW`: the figures of two runs side by side.
enum Compare {
    static func run(_ files: [String]) throws {
        guard files.count == 2 else { throw RawHTTP.Failure(description: "compare needs two files of JSON lines") }
        let (old, new) = (try lines(files[0]), try lines(files[1]))
        Swift.print("\(describe(old.head)) -> \(describe(new.head)); more than 1 = the second is better")
        for (key, after) in new.measures {
            guard let before = old.measures.first(where: { $0.key == key })?.value else {
                Swift.print("\(key): new, \(Report.text(after.figure))")
                continue
            }
            let (a, b) = (max(before.figure, 1e-9), max(after.figure, 1e-9))
            let ratio = after.higherIsBetter ? b / a : a / b
            let mark = ratio > 1.1 ? "better" : ratio < 0.9 ? "WORSE" : "same"
            Swift.print(
                "\(key): \(Report.text(before.figure)) -> \(Report.text(after.figure)), \(Report.text(ratio)) \(mark)")
        }
    }

    private struct Measure { let figure: Double; let higherIsBetter: Bool }

    private static func lines(_ path: String) throws -> (head: [String: Any], measures: [(key: String, value: Measure)]) {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let objects = try text.split(separator: "\n").map {
            try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:]
        }
        let measures = objects.dropFirst().compactMap { object -> (key: String, value: Measure)? in
            guard let name = object["bench"] as? String, let figure = object["figure"] as? Double else { return nil }
            return (
                "\(object["engine"] as? String ?? "")  \(name)",
                Measure(figure: figure, higherIsBetter: object["higher_is_better"] as? Bool ?? false)
            )
        }
        return (objects.first ?? [:], measures)
    }

    private static func describe(_ head: [String: Any]) -> String {
        "\(head["commit"] ?? "?") (\(head["customers"] ?? "?") customers, load \(head["load"] ?? "?"))"
    }
}

extension String {
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}
