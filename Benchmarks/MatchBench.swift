import Foundation
import TestSupport

extension Bench {
    /// A second source of half as many customers, half of whom are known already under another number and spelling: reading,
    /// checking, writing, keys, comparing, linking, with durable commits. Then a few who are new, one by one among all: what
    /// one more costs is the difference between two files.
    func matchRate() throws {
        report.progress("\(engine): importing \(customers) customers with matching on")
        let data = folder + "/match"
        let files = ["billing", "care", "few", "one"].map { folder + "/match-\($0).csv" }
        let half = max(2, customers / 2), few = min(2_000, half)
        try MatchData.write(0..<customers, slips: false, to: files[0])
        let known = customers - half / 2
        try MatchData.write(known..<known + half, slips: true, to: files[1])
        try MatchData.write(10_000_000..<10_000_000 + few, slips: true, to: files[2])
        try MatchData.write(20_000_000..<20_000_001, slips: true, to: files[3])
        try command(["migrate"], data: data)
        func take(_ file: String, _ source: String) throws -> (seconds: Double, linked: Int, review: Int) {
            var out = ""
            let seconds = try Clock.seconds {
                out = try command(
                    ["import", file, "--source", source, "--match-key", "source_id", "--match", "--json"], data: data)
            }
            func count(_ name: String) -> Int {
                let rest = out.components(separatedBy: "\"\(name)\":").dropFirst().first ?? ""
                return Int(rest.prefix { $0.isNumber }) ?? 0
            }
            guard out.contains(#""rejected":0"#) else {
                throw RawHTTP.Failure(description: "rows were refused: \(out.prefix(400))")
            }
            return (seconds, count("linked"), count("review"))
        }
        let first = try take(files[0], "billing")
        report.add(
            "import with rules and matching on, first source", Double(customers) / first.seconds, "customers/s",
            budget: Budget(10_000), higherIsBetter: true,
            why: "start and end of the command are in it; one thread writes and has 45 % of all work (rows 16 %, settling 10 %, keys and "
                + "search 9 %, commits 8 %), comparing and reading fill the other core (perf; ADR 0045)")
        let second = try take(files[1], "care")
        report.add(
            "import with rules and matching on, second source, half known", Double(half) / second.seconds, "customers/s",
            budget: Budget(10_000), higherIsBetter: true,
            why: "of \(half / 2) who are known \(second.linked) linked, \(second.review) for a person")
        let many = try take(files[2], "care")
        let single = try take(files[3], "care")
        report.add(
            "one more record matched and written among \(customers + half)",
            max(0, many.seconds - single.seconds) / Double(max(1, few - 1)) * 1_000, "ms", budget: Budget(5))
        for file in files { try? FileManager.default.removeItem(atPath: file) }
        try engine.remove(data)
    }
}

/// People who are nobody: the same for the same number, in two spellings.
enum MatchData {
    static func write(_ numbers: Range<Int>, slips: Bool, to path: String) throws {
        FileManager.default.createFile(atPath: path, contents: nil)
        guard let file = FileHandle(forWritingAtPath: path) else { throw RawHTTP.Failure(description: "cannot write \(path)") }
        defer { try? file.close() }
        let family = Array("王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢")
        let given = Array("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉红建文志国春梅兰云龙飞鹏辉宇浩然子轩梓涵欣怡佳琪")
        let cities = ["杭州", "宁波", "温州", "嘉兴", "湖州", "绍兴", "金华", "台州"]
        var text = "source_id,full_name,gender,birth_date,phone,email,address,city,postcode\n"
        for number in numbers {
            // Mixed well, so that neighbours have nothing in common.
            var state = UInt64(number) &+ 0x9E37_79B9_7F4A_7C15
            func next(_ bound: Int) -> Int {
                state = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
                state = (state ^ (state >> 27)) &* 0x94D0_49BB_1331_11EB
                state ^= state >> 31
                state = state &+ 0x9E37_79B9_7F4A_7C15
                return Int(state >> 33) % bound
            }
            let name = "\(family[next(family.count)])\(given[next(given.count)])\(given[next(given.count)])"
            let day = "\(1_940 + next(65))-\(two(1 + next(12)))-\(two(1 + next(28)))"
            let phone = "+86139\(String(100_000_000 + number % 100_000_000).suffix(8))"
            let street = "解放路\(1 + next(900))号\(1 + next(30))室"
            let city = next(cities.count)
            // A slip of one kind in a third each: no number, no birth date, no street.
            let slip = slips ? next(3) : 3
            text += "\(slips ? "C" : "B")\(number),\(name),\(next(2) == 0 ? "male" : "female"),\(slip == 1 ? "" : day),"
            text += "\(slip == 0 ? "" : phone),\(next(2) == 0 ? "u\(number)@example.com" : ""),\(slip == 2 ? "" : street),"
            text += "\(cities[city]),3\(two(10 + city))0\(two(next(20)))\n"
            if text.utf8.count > 1 << 20 {
                file.write(Data(text.utf8))
                text = ""
            }
        }
        file.write(Data(text.utf8))
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
