import Compute
import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import Insights

@Suite("Evaluating a file")
struct EvaluateTests {
    private func file(_ text: String, name: String = "extract.csv") throws -> String {
        let folder = NSTemporaryDirectory() + "insights-evaluate-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let path = folder + "/" + name
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func refusal(_ text: String, label: String, positive: String? = nil, id: String? = nil, folds: Int = 5)
        async throws -> CRMError?
    {
        let path = try file(text)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return await #expect(throws: CRMError.self) {
            _ = try await Insights.evaluateFile(
                .init(path: path, label: label, positive: positive, identifier: id, folds: folds))
        }
    }

    @Test("the IBM file without its give-aways reaches an AUC of at least 0.855 in five folds")
    func ibm() async throws {
        guard let path = Checkout.sharedData("churn-ibm-telco/XTelco_Customer_Churn.csv") else {
            print("skipped: shared/data/churn-ibm-telco is not on this machine")
            return
        }
        let header = try String(contentsOfFile: path, encoding: .utf8).prefix { $0 != "\n" && $0 != "\r\n" }
        print("columns:", header)
        let result = try await Insights.evaluateFile(.init(path: path, label: "Churn Label", identifier: "CustomerID"))
        print("IBM:", result.json.encoded())
        #expect(result.report.auc >= 0.855)
        #expect(result.report.rows == 7_043)
        let excluded = Set(result.report.excluded.map(\.column))
        #expect(excluded.isSuperset(of: ["Churn Value", "Churn Score", "Churn Reason", "CustomerID"]))
        #expect(result.text(.en).contains("Churn Score"))
        #expect(result.text(.zh).contains("排除的列"))
    }

    @Test("the answer is one JSON object with the promised names, and text in both languages")
    func answer() async throws {
        var rows = ["id,tenure,plan,churn"]
        for row in 0..<300 {
            let tenure = (row * 37) % 60
            rows.append("c\(row),\(tenure),\(row % 3 == 0 ? "基础" : "畅享"),\(tenure < 15 + row % 9 ? "Yes" : "No")")
        }
        let path = try file(rows.joined(separator: "\n"))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = try await Insights.evaluateFile(
            .init(path: path, label: "churn", identifier: "id", folds: 4, seed: 9))
        let object = try #require(try JSONValue.parse(Array(result.json.encoded().utf8)).object)
        for key in ["auc", "logloss", "brier", "ece", "lift_at_10", "seconds"] {
            #expect(object[key]?.double != nil, "\(key)")
        }
        #expect(object["folds"]?.int == 4)
        #expect(object["rows"]?.int == 300)
        #expect(object["seed"]?.int == 9)
        let excluded = try #require(object["excluded"]?.array?.first?.object)
        #expect(excluded["column"]?.string == "id")
        #expect(excluded["reason"]?.string?.isEmpty == false)
        #expect(result.text(.en).contains("300 rows"))
        #expect(result.text(.zh).contains("300 行"))
        let again = try await Insights.evaluateFile(
            .init(path: path, label: "churn", identifier: "id", folds: 4, seed: 9))
        #expect(again.report.auc == result.report.auc)
    }

    @Test("rows that cannot be read are counted and the first is named with its line")
    func rejects() async throws {
        var rows = ["tenure,churn"]
        var random = SeededRandom(seed: 5)
        for row in 0..<120 { rows.append("\(row % 40),\(random.below(40) < row % 40 ? 1 : 0)") }
        rows.insert("1,2,3,4", at: 7)
        let path = try file(rows.joined(separator: "\n"))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = try await Insights.evaluateFile(.init(path: path, label: "churn"))
        #expect(result.rejects == 1)
        #expect(result.firstReject?.en == "line 8: 4 fields instead of 2")
        #expect(result.text(.zh).contains("1 行无法读取"))
    }

    @Test("what is wrong with file, label or folds is said with a stable code in both languages")
    func refusals() async throws {
        let missing = await #expect(throws: CRMError.self) {
            _ = try await Insights.evaluateFile(.init(path: "/nowhere/x.csv", label: "y"))
        }
        #expect(missing?.code == "file_unreadable")
        #expect(try await refusal("", label: "y")?.code == "file_invalid")
        let rows = (0..<80).map { "\($0),\($0 % 2),\(["a", "b", "c"][$0 % 3]),1" }.joined(separator: "\n")
        let table = "x,y,z,one\n" + rows
        let unknown = try await refusal(table, label: "churn")
        #expect(unknown?.code == "label_missing")
        #expect(unknown?.message.en.contains("x, y, z, one") == true)
        #expect(unknown?.message.zh.contains("没有标签列") == true)
        #expect(try await refusal(table, label: "z")?.code == "label_not_binary")
        #expect(try await refusal(table, label: "one")?.code == "one_class")
        #expect(try await refusal(table, label: "y", positive: "7")?.code == "positive_absent")
        #expect(try await refusal(table, label: "y", id: "nr")?.code == "id_missing")
        #expect(try await refusal(table, label: "y", folds: 1)?.code == "folds_out_of_range")
        #expect(try await refusal("x,y\n1,0\n2,1\n", label: "y")?.code == "too_few_rows")
    }

    @Test("the figures can be computed again from the out-of-fold probabilities that are written")
    func predictions() async throws {
        var random = SeededRandom(seed: 8)
        var rows = ["tenure,plan,churn"]
        for _ in 0..<600 {
            let tenure = random.below(60)
            let left = random.unit() < (tenure < 20 ? 0.6 : 0.15)
            rows.append(
                "\(tenure),\(["a", "b", "c"][random.below(3)]),\(random.below(20) == 0 ? "" : left ? "Yes" : "No")")
        }
        let path = try file(rows.joined(separator: "\n"))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let result = try await Insights.evaluateFile(
            .init(path: path, label: "churn", folds: 4, predictions: path + ".out"))
        let lines = try String(contentsOfFile: path + ".out", encoding: .utf8).split(separator: "\n").dropFirst()
            .map { $0.split(separator: ",") }
        let report = result.report
        #expect(lines.count == report.rows)
        #expect(report.rowsWithoutLabel > 0)
        let labels = lines.map { $0[2] == "1" }
        for (line, label) in zip(lines, labels) {
            let row = try #require(Int(line[0]))
            #expect(rows[row].hasSuffix(label ? "Yes" : "No"))
        }
        let probabilities = try lines.map { try #require(Double($0[4])) }
        let logloss = zip(probabilities, labels).reduce(0) { $0 - log($1.1 ? $1.0 : 1 - $1.0) } / Double(labels.count)
        #expect(abs(logloss - report.logloss) < 1e-9)
        let brier = zip(probabilities, labels).reduce(0) { $0 + pow($1.0 - ($1.1 ? 1 : 0), 2) } / Double(labels.count)
        #expect(abs(brier - report.brier) < 1e-9)
        var areas: [Double] = []
        for fold in 1...4 {
            let own = lines.indices.filter { lines[$0][1] == "\(fold)" }
            areas.append(
                try #require(
                    Discrimination.auc(
                        scores: own.map { Double(lines[$0][3]) ?? 0 }, labels: own.map { labels[$0] })))
        }
        #expect(abs(areas.reduce(0, +) / 4 - report.auc) < 1e-9)
    }

    @Test("when nothing is left to learn from because rows could not be read, the refusal says so")
    func refusedForRejects() async throws {
        let rows = (0..<80).map { "\($0),\($0 % 2),x" }.joined(separator: "\n")
        let error = try await refusal("x,y\n" + rows, label: "y")
        #expect(error?.code == "too_few_rows")
        #expect(error?.message.en.contains("Rows that could not be read: 80, the first: line 2") == true)
        #expect(error?.message.zh.contains("80 行无法读取") == true)
    }

    @Test("with --json the command prints exactly one object whatever the file is, and its exit code says how it went")
    func command() throws {
        var random = SeededRandom(seed: 4)
        func table(_ rows: Int, label: (Int) -> String) -> String {
            var lines = ["id,tenure,plan,churn"]
            for row in 0..<rows {
                let tenure = 1 + random.below(72)
                lines.append("c\(row),\(tenure),\(["basic", "plus"][random.below(2)]),\(label(tenure))")
            }
            return lines.joined(separator: "\n") + "\n"
        }
        func left(_ tenure: Int) -> String { random.unit() < (tenure < 20 ? 0.6 : 0.1) ? "Yes" : "No" }
        let good = table(300, label: left)
        let cases: [(name: String, text: String, arguments: [String], code: Int32, error: String?)] = [
            ("good", good, [], 0, nil), ("large seed", good, ["--seed", "18446744073709551615"], 0, nil),
            ("semicolons", good.replacing(",", with: ";"), [], 0, nil),
            ("a bad row", good + "1,2\n", [], 2, nil),
            ("blank labels", table(300) { $0 % 4 == 0 ? "" : left($0) }, [], 0, nil),
            ("empty", "", [], 1, "file_invalid"), ("three rows", table(3, label: left), [], 1, "too_few_rows"),
            ("one class", table(100) { _ in "No" }, [], 1, "one_class"),
            ("no such value", good, ["--positive", "Perhaps"], 1, "positive_absent"),
            ("no such id", good, ["--id", "nobody"], 1, "id_missing"),
        ]
        for one in cases {
            let path = try file(one.text)
            defer { try? FileManager.default.removeItem(atPath: path) }
            let result = try ServerProcess.run(["evaluate", path, "--label", "churn", "--json"] + one.arguments)
            #expect(result.code == one.code, "\(one.name): \(result.error)")
            let object = try #require(try JSONValue.parse(Array(result.out.utf8)).object, "\(one.name)")
            #expect(result.out.split(separator: "\n").count == 1)
            #expect(object["error"]?.object?["code"]?.string == one.error, "\(one.name)")
            if one.error == nil { #expect(object["auc"]?.double != nil, "\(one.name)") }
            if one.name == "large seed" { #expect(object["seed"]?.string == "18446744073709551615") }
        }
        let missing = try ServerProcess.run(["evaluate", "/nowhere.csv", "--label", "churn", "--json"])
        #expect(missing.code == 1)
        #expect(missing.out.contains("\"code\":\"file\"") && missing.out.contains("there is no such file"))
    }

    @Test("a workbook is learned from as the same rows of a text would be; a sheet that is not there is named")
    func workbook() async throws {
        guard let path = Checkout.sharedData("churn-ibm-telco/02 Churn-Dataset.xlsx") else {
            print("skipped: shared/data/churn-ibm-telco is not on this machine")
            return
        }
        let result = try await Insights.evaluateFile(.init(path: path, label: "Churn", folds: 2))
        #expect(result.json.object?["rows"]?.int == 7_043, "\(result.json.encoded().prefix(300))")
        let error = await #expect(throws: CRMError.self) {
            _ = try await Insights.evaluateFile(.init(path: path, label: "Churn", sheet: "nowhere"))
        }
        #expect(error?.message.en.contains("nowhere") == true, "\(String(describing: error))")
    }

    @Test("a report that throws stops the evaluation")
    func stopped() async throws {
        // Enough to learn for a while: reports come when the caller's task has its turn.
        var random = SeededRandom(seed: 6)
        var rows = ["tenure,bill,churn"]
        for _ in 0..<6_000 {
            let tenure = random.below(60)
            rows.append("\(tenure),\(random.below(900)),\(random.unit() < (tenure < 20 ? 0.6 : 0.2) ? 1 : 0)")
        }
        let path = try file(rows.joined(separator: "\n"))
        defer { try? FileManager.default.removeItem(atPath: path) }
        struct Enough: Error {}
        await #expect(throws: Enough.self) {
            _ = try await Insights.evaluateFile(.init(path: path, label: "churn")) { _, _, _ in throw Enough() }
        }
    }
}
