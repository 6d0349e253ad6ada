import Testing

@testable import Insights

@Suite("the label")
struct ModelLabelTests {
    private func label(_ values: [String?], positive: String? = nil) throws -> LabelColumn {
        try LabelColumn(table: RawTable(columns: [("y", values)]), column: "y", positive: positive)
    }

    @Test(
        "the positive value is found among yes and no in any language",
        arguments: [
            (["Yes", "No"], "Yes"), (["0", "1"], "1"), (["true", "false"], "true"), (["否", "是"], "是"),
            (["Stayed", "Churned"], "Churned"), (["在网", "离网"], "离网"), (["0.0", "1.0"], "1.0"),
            (["Existing Customer", "Attrited Customer"], "Attrited Customer"),
        ])
    func recognised(values: [String], positive: String) throws {
        // More positives than negatives: meaning decides, not rarity.
        let found = try label((0..<30).map { $0 % 3 == 0 ? values.first { $0 != positive } : positive })
        #expect(found.positive == positive)
        #expect(found.outcomes.filter { $0 == true }.count == 20)
    }

    @Test("of two values that say nothing the rarer one is positive")
    func rarer() throws {
        #expect(try label((0..<30).map { $0 < 8 ? "B" : "A" }).positive == "B")
    }

    @Test("customers who stayed or joined are both negatives beside those who churned")
    func threeStates() throws {
        let found = try label((0..<30).map { ["Stayed", "Churned", "Joined"][$0 % 3] })
        #expect(found.positive == "Churned")
        #expect(found.negatives.sorted() == ["Joined", "Stayed"])
    }

    @Test("a positive value is matched by spelling, then by meaning")
    func given() throws {
        #expect(try label(["Yes", "No", "No"], positive: "yes").positive == "Yes")
        #expect(try label(["1.0", "0.0", "0.0"], positive: "1").positive == "1.0")
        #expect(try label(["是", "否", "否"], positive: "true").positive == "是")
        #expect(try label(["a", "b", "c"], positive: "b").outcomes == [false, true, false])
        #expect(try label(["Yes", "No", "No"], positive: "No").positive == "No")
    }

    @Test("a missing label makes the row unknown, not negative")
    func missing() throws {
        #expect(try label(["Yes", nil, "No", " ", "NA"]).outcomes == [true, nil, false, nil, nil])
    }

    @Test("several spellings of yes and no are one label")
    func spellings() throws {
        #expect(try label(["Yes", "yes", "no", "No", "1", "0"]).outcomes == [true, true, false, false, true, false])
    }

    @Test("what cannot be a label is refused by name")
    func refused() {
        #expect(throws: ModelError.labelNotBinary(column: "y", values: ["a", "b", "c"])) {
            try label(["a", "b", "c"])
        }
        #expect(throws: ModelError.oneClass(column: "y", value: "Yes")) { try label(["Yes", "Yes"]) }
        #expect(throws: ModelError.oneClass(column: "y", value: "No")) { try label(["No", "No"]) }
        #expect(throws: ModelError.positiveAbsent(column: "y", positive: "Maybe", values: ["Yes", "No"])) {
            try label(["Yes", "No"], positive: "Maybe")
        }
        #expect(throws: ModelError.labelMissing(column: "z", available: ["y"])) {
            try LabelColumn(table: RawTable(columns: [("y", ["1"])]), column: "z", positive: nil)
        }
    }
}
