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
