import Foundation
import Kernel
import TestSupport
import Testing
import Web

/// What `switchboard match` is told of columns and tells of them.
@Suite("Command line: columns of match")
struct CommandLineMatchTests {
    private static let customers = "no,客户,ref\n1,王伟,13800000001\n2,李娜,13900000002\n3,张敏,13700000003\n"

    @Test("--column corrects the guess, and the result says what every column was taken for")
    func columns() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let file = try bench.file("a.csv", Self.customers), out = bench.folder + "/out.json"
        func taken(_ arguments: [String]) throws -> [String: [String: JSONValue]] {
            let result = try bench.expect(0, ["match", file, "--id", "no", "--out", out] + arguments)
            #expect(result.out.contains("column ref: "), "\(result.out)")
            let columns = try CommandBench.object(String(contentsOfFile: out, encoding: .utf8))["columns"]?.array ?? []
            return Dictionary(
                columns.compactMap(\.object).map { ($0["column"]?.string ?? "", $0) }, uniquingKeysWith: { $1 })
        }
        let guessed = try taken([])
        #expect(guessed["ref"]?["kind"]?.string == "phone" && guessed["ref"]?["told"] == .bool(false))
        let told = try taken(["--column", "ref=code", "--column", "客户=nothing"])
        #expect(told["ref"]?["kind"]?.string == "code" && told["ref"]?["told"] == .bool(true))
        #expect(told["客户"]?["compared"] == .bool(false) && told["ref"]?["compared"] == .bool(true))
        let said = try bench.expect(0, ["match", file, "--id", "no", "--out", out, "--column", "ref=code", "--lang", "zh"])
        #expect(said.out.contains("列 ref：代码（code）（由 --column 指定）"), "\(said.out)")
    }

    @Test("ids that stand in several rows are told with where and what to do, on standard error and in the result; one of a thing is one")
    func repeatedIDs() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let twice = "no,name,phone\n1,Ann Smith,13800000001\n2,Bo Jones,13900000002\n1,Ann Smith,13800000001\n\n3,Cy Lee,13700000003\n2,Di Fox,13600000004\n2,Ed Gray,13500000005\n"
        let file = try bench.file("twice.csv", twice), clean = try bench.file("clean.csv", Self.customers), out = bench.folder + "/out.json"
        func result() throws -> [String: JSONValue] { try CommandBench.object(String(contentsOfFile: out, encoding: .utf8)) }
        let said = try bench.expect(0, ["match", file, "--id", "no", "--out", out])
        let told = "2 values of no stand in more than one row (5 rows): 1 (lines 2, 4); 2 (lines 3, 7, 8)."
        #expect(said.error.contains(told) && said.error.contains("twice.csv") && said.error.contains("--id"), "\(said.error)")
        #expect(said.out.contains("1 linked pair,") && said.out.contains("1 cluster,"), "\(said.out)")
        let repeated = try #require(try result()["repeated_ids"]?.array?.first?.object)
        #expect(repeated["file"]?.string == file && repeated["count"] == .int(2) && repeated["rows"] == .int(5))
        let first = try #require(repeated["examples"]?.array?.first?.object)
        #expect(first["id"]?.string == "1" && first["lines"]?.array == [.int(2), .int(4)])
        let chinese = try bench.expect(0, ["match", file, "--id", "no", "--out", out, "--lang", "zh"])
        #expect(chinese.error.contains("列 no 有 2 个值重复出现（共 5 行）：1（第 2、4 行）；2（第 3、7、8 行）"), "\(chinese.error)")
        // Of two files each tells its own; the same id in both is no repetition.
        let both = try bench.expect(0, ["match", clean, file, "--id", "no", "--out", out])
        #expect(both.error.contains("twice.csv") && !both.error.contains("clean.csv"))
        #expect(try result()["repeated_ids"]?.array?.count == 1)
        let none = try bench.expect(0, ["match", clean, "--id", "no", "--out", out])
        #expect(try result()["repeated_ids"] == nil && !none.error.contains("more than one row"))
    }

    @Test("text that is called .xlsx is read as what it is; asked for its sheet, it is said that it is no workbook")
    func misnamed() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let file = try bench.file("people.xlsx", Self.customers)
        let arguments = ["match", file, "--id", "no", "--out", bench.folder + "/out.json"]
        try bench.expect(0, arguments)
        let refused = try bench.expect(1, arguments + ["--sheet", "1"])
        #expect(refused.error.contains("is no XLSX workbook") && refused.error.contains("Rename it to .csv"), "\(refused.error)")
        #expect(refused.error.contains("不是 XLSX 工作簿"))
        let csv = try bench.file("people.csv", Self.customers)
        let plain = try bench.expect(1, ["match", csv, "--id", "no", "--out", bench.folder + "/out.json", "--sheet", "1"])
        #expect(plain.error.contains("has no sheets to choose from"))
    }

    @Test("a kind, a column or a form that is none is an error that says which there are")
    func wrong() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let file = try bench.file("a.csv", Self.customers)
        let arguments = ["match", file, "--id", "no", "--out", bench.folder + "/out.json", "--column"]
        let kind = try bench.expect(64, arguments + ["ref=telephone"])
        #expect(kind.error.contains("“telephone” is no kind of column") && kind.error.contains("full_name, phone"), "\(kind)")
        let column = try bench.expect(1, arguments + ["tel=phone"])
        #expect(column.error.contains("has no column tel") && column.error.contains("客户, ref"), "\(column)")
        try bench.expect(1, arguments + ["no=code"])
        for text in ["ref", "=phone", "ref="] { try bench.expect(64, arguments + [text]) }
        let two = try bench.expect(64, arguments + ["ref=phone", "--column", "ref=code"])
        #expect(two.error.contains("two kinds of “ref”"), "\(two)")
        #expect(!FileManager.default.fileExists(atPath: bench.folder + "/out.json"))
    }
}
