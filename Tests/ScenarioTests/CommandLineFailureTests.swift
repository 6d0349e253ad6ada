import App
import Foundation
import Kernel
import TestSupport
import Testing
import Web

/// What commands say and leave when they are called wrongly, from elsewhere, or about what is not there.
@Suite("Command line: folders, wrong values, words")
struct CommandLineFailureTests {
    private struct Bench {
        let folder = NSTemporaryDirectory() + "switchboard-cli-" + UUID().uuidString
        init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
        func remove() { try? FileManager.default.removeItem(atPath: folder) }
        func file(_ name: String, _ content: String) throws -> String {
            try Data(content.utf8).write(to: URL(fileURLWithPath: folder + "/" + name))
            return folder + "/" + name
        }
        func run(_ arguments: [String], input: String = "") throws -> (code: Int32, out: String, error: String) {
            try ServerProcess.run(arguments, input: input, environment: ["SWITCHBOARD_DATA": folder + "/data"])
        }
        func object(_ arguments: [String]) throws -> [String: JSONValue] {
            let out = try run(arguments + ["--json"]).out
            return try #require(try JSONValue.parse(Array(out.trimmed.utf8)).object, "\(arguments): \(out)")
        }
        var hasData: Bool { FileManager.default.fileExists(atPath: folder + "/data") }
    }

    private static let people = "customer_no,name,city,号段\nA1,甲乙,杭州,7\nA2,丙丁,宁波,8\nA3,戊己,温州,9\nA4,庚辛,绍兴,9\n"

    @Test("a command about an installation that is not there says so and makes none; routes needs none")
    func noInstallation() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let commands = [
            ["doctor"], ["user", "list"], ["user", "link", "lin"], ["train"], ["import", "--revert", "1"],
            ["import", "--resume", "1"],
        ]
        for command in commands {
            let result = try bench.run(command)
            #expect(result.code == 1, "\(command)")
            let said = result.out + result.error
            #expect(said.contains("There is no installation in \(bench.folder)/data (set --data or"), "\(said)")
            #expect(!bench.hasData, "\(command) made a folder")
        }
        #expect(try bench.run(["routes"]).code == 0)
        #expect(!bench.hasData, "routes made a folder")
        #expect(try bench.run(["migrate"]).code == 0)
        let other = try bench.run(["user", "list", "--tenant", "nobody"])
        #expect(other.code == 1 && other.error.contains("There is no tenant nobody in"), "\(other)")
        let doctor = try bench.run(["doctor"])
        #expect(doctor.out.contains(bench.folder + "/data"), "\(doctor)")
        #expect(doctor.out.contains("currency CNY") && doctor.out.contains("UTC+8 ("), "\(doctor)")
    }

    @Test("called by a bare name through PATH, through a link, from anywhere, it finds its share folder")
    func throughPath() throws {
        let bench = try Bench()
        defer { bench.remove() }
        try FileManager.default.createSymbolicLink(
            atPath: bench.folder + "/switchboard", withDestinationPath: ServerProcess.binary)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "cd / && PATH=\(bench.folder):$PATH && switchboard routes"]
        process.environment = ProcessInfo.processInfo.environment.merging(["SWITCHBOARD_SHARE": ""]) { $1 }
        let (out, error) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (out, error)
        try process.run()
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let said = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(process.terminationStatus == 0 && text.contains("/customers"), "\(said)")
    }

    @Test("a full disk under its log does not end a process; a result that cannot be written ends a command with 74")
    func fullOutput() throws {
        let bench = try Bench()
        defer { bench.remove() }
        func run(_ line: String) throws -> Int32 {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", line, ServerProcess.binary, bench.folder + "/data"]
            process.environment = ProcessInfo.processInfo.environment.merging(
                ["SWITCHBOARD_SHARE": Checkout.share.root, "SWITCHBOARD_LOG": "debug"]
            ) { $1 }.filter { $0.key != "DATABASE_URL" }
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus
        }
        #expect(try run("\"$0\" seed --customers 100 --data \"$1\" >/dev/null 2>/dev/full") == 0)
        #expect(try run("\"$0\" routes >/dev/full 2>/dev/full") == 74)
    }

    @Test("absent, a folder and forbidden have words of their own in every command that takes a file, in both languages")
    func wrongFiles() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let absent = bench.folder + "/absent.csv"
        let file = try bench.file("people.csv", Self.people)
        let commands: [[String]] = [
            ["profile"], ["match", "--id", "customer_no", "--out", bench.folder + "/out.json"],
            ["match", file, "--id", "customer_no", "--out", bench.folder + "/out.json"],
            ["evaluate", "--label", "city"], ["import"], ["usage", "import", "--source", "switch"],
            ["import", file, "--config"], ["import", file, "--mapping"],
        ]
        for command in commands {
            // A mapping is known as a file by its ending.
            let missing = command.last == "--mapping" ? bench.folder + "/absent.json" : absent
            for (path, en, zh) in [
                (missing, "there is no such file", "没有这个文件"), (bench.folder, "this is a folder", "这是目录"),
            ] where command.last != "--mapping" || path == missing {
                let result = try bench.run(command + [path])
                #expect(result.code == 1, "\(command) \(path): \(result)")
                #expect(result.error.contains("\(path): \(en)") && result.error.contains("\(path)：\(zh)"), "\(command): \(result)")
            }
        }
        #expect(FileTrouble.trouble(file, EACCES).message != FileTrouble.trouble(file, ENOENT).message)
        #expect(FileTrouble.trouble(file, EACCES).message.zh.contains("无权访问"))
    }

    @Test("a file imported before without a match key is refused with 1; --again imports it; a revert can be tried first")
    func again() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let file = try bench.file("people.csv", "name,city\n甲乙,杭州\n丙丁,宁波\n")
        let first = try #require(try bench.object(["import", file])["run"]?.string)
        let refused = try bench.run(["import", file])
        #expect(refused.code == 1 && refused.error.contains("was not imported") && refused.error.contains(first), "\(refused)")
        #expect(refused.error.contains("--again") && refused.error.contains("此前已") || refused.error.contains("已于"), "\(refused)")
        #expect(try bench.object(["import", file])["error"]?.object?["code"]?.string == "imported_before")
        let dry = try bench.run(["import", file, "--dry-run"])
        #expect(dry.code == 0 && dry.error.contains("second time"), "\(dry)")
        let again = try #require(try bench.object(["import", file, "--again"])["run"]?.string)
        let tried = try bench.run(["import", "--revert", again, "--dry-run"])
        #expect(tried.code == 0 && tried.out.contains("nothing was changed") && tried.out.contains("created     2"), "\(tried)")
        #expect(try bench.object(["import", "--revert", again])["state"]?.string == "reverted", "it was only tried before")
        #expect(try bench.run(["import", "--revert", again, "--dry-run"]).code == 1)
    }

    @Test("what an import did and how it is undone are told also when the reject file cannot be written (74)")
    func rejectFile() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let file = try bench.file("people.csv", "source_id,name,phone\n1,甲乙,13800000001\n2,丙丁,no number\n")
        // A device that is always full is where the rejects go.
        let mapped = ["import", file, "--match-key", "source_id", "--rejects", "/dev/full"]
        let result = try bench.run(mapped)
        #expect(result.code == 74, "\(result)")
        #expect(result.out.contains("created     1") && result.out.contains("rejected    1"), "\(result)")
        #expect(result.out.contains("undo with: switchboard import --revert"), "\(result)")
        #expect(result.error.contains("/dev/full cannot be written (No space left"), "\(result)")
        #expect(result.error.contains("无法写入拒绝文件 /dev/full"), "\(result)")
        let wrong = try bench.file("wrong.csv", "source_id,name,email\n,甲乙,a@b.example\n")
        let hopeless = try bench.run(["import", wrong, "--match-key", "source_id"])
        #expect(hopeless.code == 1 && !hopeless.out.contains("--resume"), "\(hopeless)")
        #expect(hopeless.out.contains("mend the mapping or the file"), "\(hopeless)")
        for order in ["dmy", "ymd"] { #expect(try bench.run(["import", file, "--dry-run", "--date-order", order]).code == 2) }
        #expect(try bench.run(["import", file, "--dry-run", "--date-order", "ydm"]).code == 64)
    }

    @Test("match puts the doubtful pairs beside the linked ones, and leaves those as they were")
    func doubtful() throws {
        let bench = try Bench()
        defer { bench.remove() }
        var rows = "id,given_name,surname,birth_date,phone\n"
        for row in 0..<60 {
            rows += "a\(row),Name\(row * 7919 % 83),Family\(row * 104_729 % 61),19\(50 + row % 40)-0\(1 + row % 9)-1\(row % 9),1380013\(1000 + row)\n"
        }
        let file = try bench.file("people.csv", rows)
        let out = bench.folder + "/out.json"
        #expect(try bench.run(["match", file, "--id", "id", "--out", out]).code == 0)
        let whole = try #require(
            try JSONValue.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: out)))).object)
        #expect(Set(whole.keys) == ["pairs", "review", "clusters", "columns", "seconds"])
        let said = try bench.run(["match", file, "--id", "id", "--out", out]).out
        for (key, one, many) in [("pairs", "linked pair", "linked pairs"), ("review", "to review", "to review")] {
            let pairs = try #require(whole[key]?.array)
            #expect(said.contains("\(pairs.count) \(pairs.count == 1 ? one : many)"), "\(said)")
            for pair in pairs {
                #expect(Set(try #require(pair.object).keys) == ["left", "right", "score"])
            }
        }
        #expect(try bench.run(["match", file, "--id", "id", "--out", bench.folder + "/none/out.json"]).error.contains("no such file"))
    }

    @Test("headings of Taiwan and Hong Kong are proposed as the fields they mean")
    func traditionalHeadings() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let known: [(String, String, String)] = [
            ("客戶編號", "C1", "source_id"), ("客戶姓名", "王小明", "full_name"), ("行動電話", "13800138000", "msisdn"),
            ("聯絡電話", "13900139000", "phone"), ("身分證字號", "A123456789", "document_number"),
            ("出生日期", "1990-02-03", "birth_date"), ("電子信箱", "a@b.example", "email"), ("縣市", "臺北市", "region"),
            ("鄉鎮市區", "大安區", "city"), ("郵遞區號", "106", "postcode"), ("資費方案", "5G", "plan"),
            ("電子帳單", "是", "paperless"), ("月租費", "999", "monthly_charge"),
        ]
        let text = known.map(\.0).joined(separator: ",") + "\n" + known.map(\.1).joined(separator: ",") + "\n"
        let told = try bench.object(["import", try bench.file("tw.csv", text), "--dry-run"])
        #expect(told["created"]?.int == 1, "\(told)")
        let fields = told["mapping"]?.array?.map { $0.object?["field"]?.string ?? "" }
        #expect(fields == known.map(\.2))
        for (heading, value, field) in [("手機號碼", "13800138000", "msisdn"), ("門號", "13800138000", "msisdn"),
            ("身分證號", "A123456789", "document_number"), ("電話號碼", "13800138000", "phone")]
        {
            let one = try bench.object(
                ["import", try bench.file("one.csv", "客戶姓名,\(heading)\n王小明,\(value)\n"), "--dry-run"])
            #expect(one["mapping"]?.array?.last?.object?["field"]?.string == field, "\(heading)")
        }
    }

    @Test("a value no command could use is wrong usage (64); with --json every failure is an object")
    func wrongValues() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let file = try bench.file("people.csv", Self.people)
        for wrong in [
            ["import", file, "--encoding", "latin9"], ["import", file, "--match-key", "nope"],
            ["user", "create", "lin", "--role", "boss", "--password-stdin"],
            ["user", "create", "lin", "--role", "agent"],
            ["user", "bootstrap", "--role", "boss"],
        ] {
            #expect(try bench.run(wrong).code == 64, "\(wrong)")
            let error = try bench.object(wrong)["error"]?.object
            #expect(error?["code"]?.string == "usage" && error?["message"]?.string?.isEmpty == false, "\(wrong)")
        }
        for wrong in [
            ["import", bench.folder + "/absent.csv"], ["import", "--revert", "42"], ["user", "link", "nobody"],
            ["user", "create", "a b", "--role", "agent", "--password-stdin"], ["train", "--tenant", "nobody"],
        ] {
            let error = try bench.object(wrong)["error"]?.object
            #expect(error?["code"]?.string?.isEmpty == false && error?["message"]?.string?.isEmpty == false, "\(wrong)")
        }
        let config = try bench.file("c.json", #"{"bogus": 1}"#)
        let result = try bench.run(["routes", "--config", config])
        #expect(result.error.contains("There is no setting bogus. Known: countryCode, currency, "), "\(result)")
    }

    @Test("a dry run prints encoding, what each column becomes and the first rows as they would be stored")
    func dryRun() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let file = try bench.file("people.csv", Self.people)
        let text = try bench.run(["import", file, "--dry-run"])
        #expect(text.out.contains("encoding    utf-8, fields are separated by “,”"), "\(text)")
        let lines = text.out.split(separator: "\n").map(String.init)
        let city = lines.first { $0.contains("city") }
        #expect(city?.contains("City") == true && city?.contains("杭州    宁波    温州") == true, "\(text.out)")
        let own = lines.first { $0.contains("号段") }
        #expect(own?.contains("attribute (integer)") == true, "\(text.out)")
        #expect(!text.out.contains("庚辛"), "three rows are shown")
        let told = try bench.object(["import", file, "--dry-run"])
        #expect(told["encoding"]?.string == "utf-8" && told["delimiter"]?.string == ",")
        let mapping = try #require(told["mapping"]?.array).compactMap(\.object)
        #expect(mapping.map { $0["target"]?.string } == ["field", "field", "field", "attribute"])
        #expect(mapping.first?["field"]?.string == "source_id")
        let samples = try #require(told["samples"]?.array).compactMap(\.object)
        #expect(samples.map { $0["line"]?.int } == [2, 3, 4])
        #expect(samples[1]["values"]?.object?["city"]?.string == "宁波")
    }

    @Test("taken back: the attributes the run made go with it; twice, or of no run, it is told in a command's words")
    func revert() throws {
        let bench = try Bench()
        defer { bench.remove() }
        let file = try bench.file("people.csv", Self.people)
        let done = try bench.object(["import", file, "--source", "crm"])
        let run = try #require(done["run"]?.string)
        // A second run has values of the first one's attribute.
        let other = try bench.file("other.csv", "customer_no,name,city,号段\nB1,壬癸,嘉兴,5\n")
        let second = try #require(try bench.object(["import", other, "--source", "crm"])["run"]?.string)
        let first = try bench.object(["import", "--revert", run])
        #expect(first["state"]?.string == "reverted" && first["attributesRemoved"]?.array?.isEmpty == true)
        // What the second run did not make, it does not take away.
        #expect(try bench.object(["import", "--revert", second])["attributesRemoved"]?.array?.isEmpty == true)

        let third = try bench.file("third.csv", "customer_no,name,城区号\nC1,子丑,5\n")
        let made = try #require(try bench.object(["import", third, "--source", "crm"])["run"]?.string)
        let back = try bench.run(["import", "--revert", made])
        #expect(back.code == 0, "\(back)")
        #expect(back.error.contains("Removed custom attributes: 城区号."), "\(back)")
        let again = try bench.run(["import", "--revert", made])
        #expect(again.code == 1 && again.error.contains("Run \(made) is already reverted."), "\(again)")
        let nothing = try bench.run(["import", "--revert", "42"])
        #expect(nothing.code == 1 && nothing.error.contains("There is no run 42."), "\(nothing)")
        let resumed = try bench.run(["import", "--resume", made])
        #expect(resumed.error.contains("already reverted"), "\(resumed)")
    }

    @Test("where the output is no terminal, the progress of what is done ends with 100 %")
    func progressEnds() throws {
        let bench = try Bench()
        defer { bench.remove() }
        var text = "id,months,charge,Churn\n"
        for row in 0..<400 {
            text += "\(row),\(row * 7 % 60),\(20 + row * 13 % 90),\(row * 7 % 60 < 20 ? "Yes" : "No")\n"
        }
        let file = try bench.file("base.csv", text)
        for arguments in [
            ["evaluate", file, "--label", "Churn", "--folds", "2"], ["import", file, "--dry-run"],
            ["seed", "--customers", "30"],
        ] {
            let result = try bench.run(arguments)
            let last = result.error.split(separator: "\n").last { $0.contains(" %") }
            #expect(last?.contains("100 %") == true, "\(arguments): \(result.error)")
        }
    }
}
