import Compute
import Testing

@testable import Insights

@Suite("encoding")
struct ModelEncoderTests {
    private func encode(
        _ name: String, _ values: [String?], labels: [Bool]? = nil
    ) -> (encoder: TableEncoder, matrix: FeatureMatrix) {
        let column = ProfiledColumn(CodedColumn(name: name, values: values))
        return TableEncoder.fit(
            [column], rows: Array(values.indices), labels: labels ?? values.indices.map { $0 % 4 == 0 }, seed: 1)
    }

    @Test("numbers stay numbers, junk and gaps become missing")
    func numbers() {
        let (_, matrix) = encode("usage", (0..<40).map { $0 == 3 ? "junk" : $0 == 5 ? nil : "\($0).5" })
        #expect(matrix.width == 1)
        #expect(matrix.values[4] == 4.5 && matrix.values[39] == 39.5)
        #expect(matrix.values[3].isNaN && matrix.values[5].isNaN)
    }

    @Test("two levels take one feature, three take three, a gap leaves all missing")
    func levels() {
        let two = encode("Gender", (0..<30).map { $0 % 3 == 0 ? "Male" : "Female" })
        #expect(two.matrix.width == 1)
        #expect(Array(two.matrix.values.prefix(3)) == [1, 0, 0])
        let three = encode("Contract", (0..<30).map { $0 == 1 ? nil : ["a", "b", "c"][$0 % 3] })
        #expect(three.matrix.width == 3)
        #expect(Array(three.matrix.values.prefix(3)).filter { $0 == 1 }.count == 1)
        #expect(three.matrix.values[3...5].allSatisfy { $0.isNaN })
    }

    @Test("a level that training never saw is missing")
    func unseen() {
        let (encoder, _) = encode("Contract", (0..<30).map { ["a", "b", "c"][$0 % 3] })
        let fresh = CodedColumn(name: "Contract", values: ["d", "a"])
        let matrix = encoder.transform([fresh], rows: [0, 1])
        #expect(matrix.values[0...2].allSatisfy { $0.isNaN })
        #expect(matrix.values[3...5].contains(1))
    }

    @Test("dates count the days up to the last one seen, or up to a given day")
    func dates() {
        let (encoder, matrix) = encode("Joined", (0..<28).map { $0 < 9 ? "2024-01-0\($0 + 1)" : "2024-01-\($0 + 1)" })
        #expect(matrix.values[0] == 27 && matrix.values[27] == 0)
        let fresh = CodedColumn(name: "Joined", values: ["2024-01-28"])
        let day = DateText.day("2024-02-07", dayFirst: true)
        #expect(encoder.transform([fresh], rows: [0], asOf: day).values == [10])
    }

    @Test("target rates of new rows are smoothed towards the overall rate")
    func rates() {
        // Level "v0" has 30 rows, all positive; the other 19 levels have none. Overall 30 of 600.
        let values: [String?] = (0..<600).map { "v\($0 % 20)" }
        let labels = (0..<600).map { $0 % 20 == 0 }
        let (encoder, _) = encode("Code", values, labels: labels)
        let fresh = CodedColumn(name: "Code", values: ["v0", "v1", "never seen", nil])
        let encoded = encoder.transform([fresh], rows: [0, 1, 2, 3]).values
        let prior = 30.5 / 601
        #expect(abs(Double(encoded[0]) - (30 + 20 * prior) / 50) < 1e-6)
        #expect(abs(Double(encoded[1]) - 20 * prior / 50) < 1e-6)
        #expect(abs(Double(encoded[2]) - prior) < 1e-6)
        #expect(encoded[3].isNaN)
    }

    @Test("a row's own outcome is not in its training rate: levels of one row say nothing")
    func noLeakage() {
        var random = SeededRandom(seed: 2)
        // 400 levels of two rows each, outcomes random: rates with the own outcome inside would separate well.
        let values: [String?] = (0..<800).map { "k\($0 / 2)" }
        let labels = (0..<800).map { _ in random.below(2) == 0 }
        let column = ProfiledColumn(CodedColumn(name: "Code", values: values))
        let (encoder, matrix) = TableEncoder.fit([column], rows: Array(0..<800), labels: labels, seed: 1)
        let inside = Discrimination.auc(
            scores: encoder.transform([column.coded], rows: Array(0..<800)).values.map(Double.init), labels: labels)
        let outside = Discrimination.auc(scores: matrix.values.map(Double.init), labels: labels)
        #expect((inside ?? 0) > 0.7)
        #expect((outside ?? 1) < 0.56)
    }

    @Test("features know their source column, absent columns are missing")
    func sources() {
        let columns = [
            ProfiledColumn(CodedColumn(name: "a", values: (0..<30).map { "\($0 * 3 % 11)" })),
            ProfiledColumn(CodedColumn(name: "b", values: (0..<30).map { ["x", "y", "z"][$0 % 3] })),
            ProfiledColumn(CodedColumn(name: "c", values: (0..<30).map { "\(10 + $0 % 9).5, \(20 + $0 % 9).25" })),
        ]
        let (encoder, matrix) = TableEncoder.fit(
            columns, rows: Array(0..<30), labels: (0..<30).map { $0 % 2 == 0 }, seed: 1)
        #expect(encoder.sources == [0, 1, 1, 1, 2, 2])
        #expect(matrix.width == 6 && Array(matrix.values[4...5]) == [10.5, 20.25])
        let partial = encoder.transform([columns[0].coded, nil, nil], rows: [0])
        #expect(partial.values[0] == 0 && partial.values[1...5].allSatisfy { $0.isNaN })
    }
}
