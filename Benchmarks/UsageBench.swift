import Foundation
import TestSupport

extension Bench {
    /// The whole command: reading, checking, looking for ids taken before, days, months, with durable commits; then the same file
    /// again, of which every event is a duplicate, and a file three times as long, whose memory must be the same. Events come in
    /// the order of time, as a switch writes them: a hundred of each of 20,000 lines over ten days.
    func usageRate() throws {
        let lines = min(customers, 20_000)
        let events = lines * 100
        report.progress("\(engine): \(events) usage events of \(lines) lines")
        let data = folder + "/usage"
        let base = folder + "/usage-customers.csv", small = folder + "/usage-small.csv", large = folder + "/usage.csv"
        let long = folder + "/usage-long.csv"
        try BenchData.write(rows: lines, to: base)
        try UsageData.write(events: events / 10, lines: lines, first: 0, to: small)
        try UsageData.write(events: events, lines: lines, first: events / 10, to: large)
        try UsageData.write(events: events * 3, lines: lines, first: events * 2, to: long)
        try command(["import", base, "--source", "bench", "--match-key", "source_id", "--json"], data: data)
        func take(_ file: String) throws -> Double {
            var out = ""
            let took = try Clock.seconds {
                out = try command(["usage", "import", file, "--source", "bench", "--json"], data: data)
            }
            guard out.contains(#""unmatched":0"#), out.contains(#""rejected":0"#) else {
                throw RawHTTP.Failure(description: "not every event was taken: \(out.prefix(400))")
            }
            return took
        }
        _ = try take(small)
        let (server, processor) = (engine.serverSeconds, Self.children.seconds)
        let took = try take(large)
        let own = Self.children.seconds - processor, other = engine.serverSeconds - server
        report.add(
            "usage: \(events) events into days and months", Double(events) / took, "events/s", budget: Budget(200_000),
            higherIsBetter: true,
            why: "\(Report.text(took)) s: the command worked \(Report.text(own)) s"
                + (engine.kind == .sqlite ? "" : ", PostgreSQL's own processes \(Report.text(other)) s")
                + " on the cores it shares with whatever else runs")
        report.add("usage: processor time of an event", (own + other) / Double(events) * 1_000_000, "us")
        let memory = Self.children.megabytes
        let again = try take(large)
        report.add("usage: the same events again, all known", Double(events) / again, "events/s", higherIsBetter: true)
        let longest = try take(long)
        report.add(
            "usage: a file of \(events * 3) events", Double(events * 3) / longest, "events/s", budget: Budget(200_000),
            higherIsBetter: true)
        report.add("usage: most memory of the command", Self.children.megabytes, "MB")
        report.add(
            "usage: memory beside that of a third of the events", Self.children.megabytes / max(1, memory), "x", budget: Budget(1.5))
        for file in [base, small, large, long] { try? FileManager.default.removeItem(atPath: file) }
        try engine.remove(data)
    }

    /// The most memory any command had so far, and the time all of them worked.
    private static var children: (megabytes: Double, seconds: Double) {
        var usage = rusage()
        // RUSAGE_CHILDREN, which Swift sees as another type.
        getrusage(-1, &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        return (Double(usage.ru_maxrss) / 1_024, seconds(usage.ru_utime) + seconds(usage.ru_stime))
    }
}

/// Events nobody caused, in the order of time.
enum UsageData {
    static func write(events: Int, lines: Int, first: Int, to path: String) throws {
        FileManager.default.createFile(atPath: path, contents: nil)
        guard let file = FileHandle(forWritingAtPath: path) else { throw RawHTTP.Failure(description: "cannot write \(path)") }
        defer { try? file.close() }
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        var text = "id,customer_id,kind,start,seconds,bytes,country,dropped,cell\n"
        for number in 0..<events {
            let second = number * 86_400 / max(1, events / 10)
            let (day, time) = (second / 86_400 + 1, second % 86_400)
            text += "\(first + number),B\(next(lines)),"
            switch next(10) {
            case 0..<5: text += "data,"
            case 5..<9: text += "voice,"
            default: text += "sms,"
            }
            text += "2026-01-\(two(day)) \(two(time / 3_600)):\(two(time / 60 % 60)):\(two(time % 60)),"
            text += "\(next(600)),\(next(90_000_000)),\(next(50) == 0 ? "JP" : "CN"),\(next(60) == 0 ? 1 : 0),c\(next(5_000))\n"
            if text.utf8.count > 1 << 20 {
                file.write(Data(text.utf8))
                text = ""
            }
        }
        file.write(Data(text.utf8))
    }
}
