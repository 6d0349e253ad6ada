import Testing

@testable import Insights

@Suite("reasons in plain words")
struct ModelReasonTests {
    private static let trained = Result {
        try ChurnTrainer.train(
            ModelFixtures.customers(1500), TrainingOptions(label: "Churn", identifier: "Customer ID", folds: 3))
    }

    private func model() throws -> TrainedModel { try Self.trained.get() }

    private func clause(
        _ column: String, _ value: String?, _ kind: ColumnKind, below: Double? = nil, above: Double? = nil
    ) -> Bilingual {
        var standing: Standing?
        if let below, let above { standing = Standing(below: below, above: above) }
        return Concept.named(column).clause(column: column, value: value, kind: kind, standing: standing)
    }

    @Test("known columns are spoken of as a colleague would")
    func phrases() {
        #expect(
            clause("Contract", "Month-to-month", .categorical)
                == Bilingual(zh: "合同为按月签约（Month-to-month）", en: "Contract is month-to-month"))
        #expect(
            clause("Monthly Charges", "99.65", .numeric, below: 0.857, above: 0.14)
                == Bilingual(zh: "月费为99.65，高于85%的客户", en: "Monthly charge is 99.65, higher than 85 % of customers"))
        #expect(
            clause("Tenure Months", "2", .numeric, below: 0.08, above: 0.883)
                == Bilingual(
                    zh: "在网时长为2个月，短于88%的客户", en: "Time as a customer is 2 months, shorter than 88 % of customers"))
        #expect(clause("tenure", "1", .numeric).en == "Time as a customer is 1 month")
        #expect(clause("Tech Support", "No", .categorical) == Bilingual(zh: "未开通技术支持", en: "Has no tech support"))
        #expect(
            clause("OnlineSecurity", "No internet service", .categorical)
                == Bilingual(zh: "未使用上网业务，因而没有网络安全服务", en: "Has no internet service, so no online security"))
        #expect(
            clause("Internet Service", "Fiber optic", .categorical)
                == Bilingual(zh: "上网业务为光纤宽带（Fiber optic）", en: "Internet service is fibre"))
        #expect(clause("Payment Method", "Electronic check", .categorical).zh == "付款方式为电子支票（Electronic check）")
        #expect(clause("Dependents", "No", .boolean) == Bilingual(zh: "没有家属", en: "Has no dependants"))
        #expect(clause("Complains", "1", .boolean) == Bilingual(zh: "曾经投诉", en: "Has complained"))
        #expect(clause("Call  Failure", "20", .numeric, below: 0.95, above: 0.04).zh == "掉话或接续失败为20次，多于95%的客户")
        #expect(
            clause("投诉次数", "3", .numeric, below: 0.9, above: 0.02).en
                == "Number of complaints is 3, more than 90 % of customers")
        #expect(
            clause("Data Usage Change", "-30", .numeric, below: 0.05, above: 0.9).en
                == "Change in data usage is -30, lower than 90 % of customers")
        #expect(
            clause("City", "Los Angeles", .categorical)
                == Bilingual(zh: "所在城市为Los Angeles", en: "Is located in Los Angeles"))
    }

    @Test("unknown columns are spoken of by their name")
    func generic() {
        #expect(
            clause("Widget Index", "7.000", .numeric, below: 0.7, above: 0.2)
                == Bilingual(zh: "“Widget Index”为7，高于70%的客户", en: "“Widget Index” is 7, higher than 70 % of customers"))
        #expect(clause("渠道", "营业厅", .categorical) == Bilingual(zh: "“渠道”为营业厅", en: "“渠道” is 营业厅"))
        #expect(clause("Widget", nil, .numeric) == Bilingual(zh: "“Widget”未记录", en: "“Widget” is not recorded"))
        #expect(clause("Vip", "gold", .presence).en == "“Vip” is filled in (gold)")
        #expect(
            clause("Joined", "2023-05-01", .date, below: 0.8, above: 0.1).en
                == "“Joined” is 2023-05-01, later than 80 % of customers")
    }

    @Test("comparisons are never more than true")
    func comparisons() {
        #expect(clause("x", "1", .numeric, below: 0.899, above: 0.1).en.hasSuffix("higher than 89 % of customers"))
        #expect(clause("x", "1", .numeric, below: 0.5, above: 0.45).en.hasSuffix("close to the middle"))
        #expect(clause("x", "0", .numeric, below: 0, above: 0.08).en.hasSuffix("the same as for 92 % of customers"))
        #expect(clause("x", "0", .numeric).en == "“x” is 0")
    }

    @Test("the share of customers with a lower value is counted exactly")
    func standing() {
        let column = ProfiledColumn(CodedColumn(name: "n", values: (0..<100).map { "\($0 < 60 ? 0 : $0)" }))
        let summary = ColumnSummary(column, labels: [])
        let zero = summary.place(of: 0)
        #expect(zero?.below == 0 && abs((zero?.above ?? 0) - 0.4) < 1e-12)
        let middle = summary.place(of: 79.5)
        #expect(abs((middle?.below ?? 0) - 0.8) < 1e-12 && abs((middle?.above ?? 0) - 0.2) < 1e-12)
        #expect(summary.place(of: -1)?.above == 1 && summary.place(of: 1000)?.below == 1)
    }

    @Test("reasons that raise the risk come first, strongest first, and each is a real contribution")
    func order() throws {
        let model = try model()
        let table = ModelFixtures.customers(300, seed: 5)
        let scored = try model.score(table)
        let all = Reasons(model: model).explain(scored, table: table)
        #expect(all.count == 300)
        for (row, reasons) in all.enumerated() {
            #expect(reasons.count <= 3)
            let raising = reasons.filter { $0.direction == .raises }.map(\.contribution)
            #expect(raising == raising.sorted(by: >))
            #expect(reasons.prefix(raising.count).allSatisfy { $0.direction == .raises })
            for reason in reasons {
                let sum = reason.columns.reduce(0.0) { sum, column in
                    sum + (model.columns.firstIndex(of: column).map { scored[row].contributions[$0] } ?? .nan)
                }
                #expect(abs(sum - reason.contribution) < 1e-12)
                #expect((reason.contribution > 0) == (reason.direction == .raises))
                #expect(reason.textZh.hasSuffix(reason.direction == .raises ? "上升" : "下降"))
                #expect(reason.textEn.hasSuffix(reason.direction == .raises ? "raises the risk" : "lowers the risk"))
                #expect(reason.valueText == table.values(of: reason.column)?[row].flatMap(CellText.present))
            }
        }
    }

    @Test("when little raises the risk nothing is made up: the rest is marked as protecting, or left away")
    func protective() throws {
        let model = try model()
        let zero = Scored(
            probability: 0.1, band: .low, margin: -2, bias: -1,
            contributions: model.columns.indices.map { $0 == 0 ? 0.5 : $0 == 1 ? -0.9 : $0 == 2 ? -0.4 : 0.01 })
        let values = [String?](repeating: "1", count: model.columns.count)
        let reasons = Reasons(model: model)
        #expect(reasons.explain(zero, values: values).map(\.direction) == [.raises, .lowers, .lowers])
        #expect(reasons.explain(zero, values: values).map(\.contribution) == [0.5, -0.9, -0.4])
        #expect(reasons.explain(zero, values: values, includeProtective: false).count == 1)
        #expect(reasons.protective(zero, values: values).map(\.contribution) == [-0.9, -0.4])
    }

    @Test("the columns of a customer's place are one reason, named by the town")
    func place() throws {
        let table = ModelFixtures.adding("Zip Code", to: ModelFixtures.customers(900)) { row, left in
            "\(left && row % 3 > 0 ? 90_000 + row % 9 : 90_000 + row % 400)"
        }
        let model = try ChurnTrainer.train(table, TrainingOptions(label: "Churn", folds: 2))
        #expect(model.columns.contains("City") && model.columns.contains("Zip Code"))
        let scored = Scored(
            probability: 0.5, band: .high, margin: 0, bias: 0,
            contributions: model.columns.map { $0 == "City" ? 0.2 : $0 == "Zip Code" ? 0.3 : 0 })
        let reasons = Reasons(model: model).explain(
            scored, values: model.columns.map { $0 == "City" ? "Los Angeles" : "90001" })
        #expect(reasons.count == 1)
        #expect(reasons.first?.columns == ["City", "Zip Code"])
        #expect(abs((reasons.first?.contribution ?? 0) - 0.5) < 1e-12)
        #expect(reasons.first?.textEn == "Is located in Los Angeles, which raises the risk")
    }
}
