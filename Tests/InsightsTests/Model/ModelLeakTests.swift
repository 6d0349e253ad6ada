import Compute
import Testing

@testable import Insights

@Suite("columns that give the answer away")
struct ModelLeakTests {
    private func exclusions(_ table: RawTable, keep: Set<String> = []) throws -> [String: Exclusion.Code] {
        let options = TrainingOptions(label: "Churn", keep: keep)
        let prepared = try PreparedTable(table, options) { _ in }
        return Dictionary(uniqueKeysWithValues: prepared.screen.excluded.map { ($0.column, $0.code) })
    }

    @Test("an honest table loses only its identifier and its constant")
    func honest() throws {
        let found = try exclusions(ModelFixtures.customers(1500))
        #expect(found == ["Customer ID": .identifier, "Country": .constant])
    }

    @Test("a copy of the label is found whatever its name, spelling or a few errors")
    func copies() throws {
        var table = ModelFixtures.customers(1500)
        table = ModelFixtures.adding("Flag", to: table) { _, left in left ? "1" : "0" }
        table = ModelFixtures.adding("Standing", to: table) { row, left in
            (left != (row % 400 == 9)) ? "gone" : "here"
        }
        table = ModelFixtures.adding("Z", to: table) { row, left in "\((left ? 1000 : 0) + row % 300)" }
        let found = try exclusions(table)
        #expect(found["Flag"] == .sameAsLabel)
        #expect(found["Standing"] == .sameAsLabel)
        #expect(found["Z"] == .sameAsLabel)
    }

    @Test("a column filled for leavers only is found, even if for some of them, or if stayers alone have it")
    func filled() throws {
        var table = ModelFixtures.customers(1500)
        table = ModelFixtures.adding("Churn Reason", to: table) { row, left in
            left ? ["price", "moved", "service"][row % 3] : nil
        }
        table = ModelFixtures.adding("Note", to: table) { row, left in
            left && row % 3 == 0 ? "spoke about the reasons in call \(row) at length" : nil
        }
        table = ModelFixtures.adding("Final Bill", to: table) { row, left in left ? "2024-0\(1 + row % 9)-01" : "" }
        table = ModelFixtures.adding("Next Renewal", to: table) { row, left in left ? nil : "2025-0\(1 + row % 9)-01" }
        let found = try exclusions(table)
        for column in ["Churn Reason", "Note", "Final Bill", "Next Renewal"] {
            #expect(found[column] == .filledForOneOutcome, "\(column)")
        }
    }

    @Test("an honest column with a few missing values stays")
    func honestMissing() throws {
        let table = ModelFixtures.adding("Device", to: ModelFixtures.customers(1500)) { row, _ in
            row % 5 == 0 ? nil : ["phone", "router"][row % 2]
        }
        #expect(try exclusions(table)["Device"] == nil)
    }

    @Test("a score whose highest values only leavers have is found without its name")
    func certain() throws {
        var random = SeededRandom(seed: 3)
        let table = ModelFixtures.adding("X1", to: ModelFixtures.customers(2000)) { _, left in
            "\(left ? 65 + random.below(36) : 5 + random.below(76))"
        }
        #expect(try exclusions(table)["X1"] == .givesAnswerAway)
    }

    @Test("predicted values are found by name, the honest columns that sound alike stay")
    func predicted() throws {
        var random = SeededRandom(seed: 4)
        var table = ModelFixtures.customers(1500)
        for name in ["Churn Score", "churn_probability", "CLTV", "流失概率", "Customer Lifetime Value"] {
            table = ModelFixtures.adding(name, to: table) { _, left in "\(random.unit() + (left ? 0.2 : 0))" }
        }
        for name in ["Customer Value", "Credit Score", "Satisfaction Score", "信用评分"] {
            table = ModelFixtures.adding(name, to: table) { _, left in "\(random.unit() + (left ? 0.2 : 0))" }
        }
        let found = try exclusions(table)
        for name in ["Churn Score", "churn_probability", "CLTV", "流失概率", "Customer Lifetime Value"] {
            #expect(found[name] == .modelOutput, "\(name)")
        }
        for name in ["Customer Value", "Credit Score", "Satisfaction Score", "信用评分"] {
            #expect(found[name] == nil, "\(name)")
        }
    }

    @Test("a column named after the outcome is out when it beats all others together, and stays when it does not")
    func named() throws {
        var random = SeededRandom(seed: 5)
        var table = ModelFixtures.customers(1500)
        table = ModelFixtures.adding("Churn Group", to: table) { _, left in
            random.below(10) < (left ? 9 : 1) ? "p" : "q"
        }
        table = ModelFixtures.adding("Churned Friends", to: table) { _, left in "\(random.below(left ? 5 : 4))" }
        let found = try exclusions(table)
        #expect(found["Churn Group"] == .namedAfterOutcome)
        #expect(found["Churned Friends"] == nil)
    }

    @Test("a strong honest column stays and is reported as worth a look")
    func strongHonest() throws {
        var random = SeededRandom(seed: 6)
        let table = ModelFixtures.adding("Port Out Enquiries", to: ModelFixtures.customers(2000)) { _, left in
            "\(random.below(100) < (left ? 92 : 6) ? 1 + random.below(3) : 0)"
        }
        let prepared = try PreparedTable(table, TrainingOptions(label: "Churn")) { _ in }
        #expect(prepared.columns.map(\.name).contains("Port Out Enquiries"))
        #expect(prepared.screen.suspects.map(\.column) == ["Port Out Enquiries"])
    }

    @Test("of two columns that say the same the number stays")
    func sameAsOther() throws {
        var table = ModelFixtures.adding("Plan Name", to: ModelFixtures.customers(1500)) { row, _ in "plan \(row % 7)" }
        table = ModelFixtures.adding("Plan Code", to: table) { row, _ in "\(row % 7 * 10)" }
        let prepared = try PreparedTable(table, TrainingOptions(label: "Churn")) { _ in }
        let copy = prepared.screen.excluded.first { $0.column == "Plan Name" }
        #expect(copy?.code == .sameAsOther)
        #expect(copy?.other == "Plan Code")
        #expect(prepared.columns.map(\.name).contains("Plan Code"))
    }

    @Test("the person can keep a column against the evidence and drop one without any")
    func overruled() throws {
        let table = ModelFixtures.adding("Flag", to: ModelFixtures.customers(800)) { _, left in left ? "1" : "0" }
        #expect(try exclusions(table, keep: ["Flag"])["Flag"] == nil)
        let options = TrainingOptions(label: "Churn", drop: ["Contract"])
        let prepared = try PreparedTable(table, options) { _ in }
        #expect(prepared.screen.excluded.first { $0.column == "Contract" }?.code == .chosen)
    }

    @Test("every reason is written in both languages")
    func bilingual() throws {
        let table = ModelFixtures.adding("Churn Score", to: ModelFixtures.customers(800)) { row, left in
            "\(left ? row % 50 + 30 : row % 60)"
        }
        let prepared = try PreparedTable(table, TrainingOptions(label: "Churn")) { _ in }
        #expect(prepared.screen.excluded.count >= 3)
        for exclusion in prepared.screen.excluded {
            #expect(!exclusion.reason.isEmpty && exclusion.reason.allSatisfy { $0.isASCII || "“”–".contains($0) })
            #expect(exclusion.reasonZh.contains { !$0.isASCII })
        }
    }

    @Test("in the IBM file the answers are found and nothing honest is lost")
    func ibm() throws {
        guard let table = ModelFixtures.real(ModelFixtures.ibm) else { return }
        let prepared = try PreparedTable(table, TrainingOptions(label: "Churn Label")) { _ in }
        let found = Dictionary(uniqueKeysWithValues: prepared.screen.excluded.map { ($0.column, $0.code) })
        #expect(
            found == [
                "CustomerID": .identifier, "Count": .constant, "Country": .constant, "State": .constant,
                "Lat Long": .sameAsOther, "Churn Value": .sameAsLabel, "Churn Score": .modelOutput,
                "CLTV": .modelOutput,
                "Churn Reason": .filledForOneOutcome,
            ])
        // What CLTV does: alone little, and nothing on top of the others.
        let cltv = prepared.screen.excluded.first { $0.column == "CLTV" }
        #expect(abs((cltv?.auc ?? 0) - 0.58) < 0.02)
        #expect(abs(cltv?.gain ?? 1) < 0.005)
    }

    @Test("the Iranian file loses no column")
    func iranian() throws {
        guard let table = ModelFixtures.real(ModelFixtures.iranian) else { return }
        let prepared = try PreparedTable(table, TrainingOptions(label: "Churn")) { _ in }
        #expect(prepared.screen.excluded.isEmpty)
        #expect(prepared.duplicateRows >= 300)
    }
}
