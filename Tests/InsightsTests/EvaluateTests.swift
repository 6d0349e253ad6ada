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

    @Test("an Excel workbook is recognised as one")
    func workbook() async throws {
        guard let path = Checkout.sharedData("churn-ibm-telco/Telco_customer_churn_status.xlsx") else {
            print("skipped: shared/data/churn-ibm-telco is not on this machine")
            return
        }
        let error = await #expect(throws: CRMError.self) {
            _ = try await Insights.evaluateFile(.init(path: path, label: "Churn Label"))
        }
        #expect(error?.message.en.contains("Excel") == true)
    }

    @Test("a report that throws stops the evaluation")
    func stopped() async throws {
        var rows = ["tenure,churn"]
        for row in 0..<400 { rows.append("\(row % 40),\(row % 40 < 12 + row % 5 ? 1 : 0)") }
        let path = try file(rows.joined(separator: "\n"))
        defer { try? FileManager.default.removeItem(atPath: path) }
        struct Enough: Error {}
        await #expect(throws: Enough.self) {
            _ = try await Insights.evaluateFile(.init(path: path, label: "churn")) { _, _, _ in throw Enough() }
        }
    }
}
