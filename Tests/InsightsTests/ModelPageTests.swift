import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Insights

@Suite("Model pages")
struct ModelPageTests {
    @Test("list and card show figures, curves, excluded columns and importance in both languages")
    func pages() async throws {
        let desk = try await Desk(FakeCustomers(400))
        try await desk.train()
        let model = try #require(try await desk.models().first)
        let analyst = desk.principal(.analyst)
        for language in Language.allCases {
            let list = try await desk.ask(.get, "/models", as: analyst, language)
            #expect(list.text.contains(Figures.decimal(model.figures.auc, 3)))
            #expect(list.text.contains(language == .zh ? "使用中" : "In use"))
            let card = try await desk.ask(.get, "/models/\(model.id)", as: analyst, language)
            #expect(card.text.contains(Figures.decimal(model.figures.auc, 3)))
            for island in ["d-calibration", "d-lift", "d-roc", "d-histogram"] {
                #expect(card.text.contains("id=\"\(island)\""))
            }
            #expect(card.text.contains("Churn Reason"))
            #expect(card.text.contains(language == .zh ? "泄露答案" : "gives the answer away"))
            #expect(card.text.contains(language == .zh ? "满意度评价" : "Satisfaction"))
            #expect(card.text.contains("王分析"))
        }
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("a version that learned from imports that were taken back since says so, in both languages; without one nothing is said")
    func takenBack() async throws {
        for (imports, en, zh) in [
            (0, nil, nil), (1, "1,234 rows of an import", "一次导入的 1,234 行"), (3, "1,234 rows of 3 imports", "3 次导入的 1,234 行"),
        ] as [(Int, String?, String?)] {
            let desk = try await Desk(FakeCustomers(400), takenBack: TakenBackCount { _, _ in (imports, imports == 0 ? 0 : 1_234) })
            #expect(!(try await desk.ask(.get, "/models", as: desk.principal(.analyst)).text.contains("id=\"taken-back\"")))
            try await desk.train()
            for (language, words) in [(Language.en, en), (.zh, zh)] {
                let page = try await desk.ask(.get, "/models", as: desk.principal(.analyst), language).text
                #expect(page.contains("id=\"taken-back\"") == (words != nil) && !page.contains("{{"))
                if let words { #expect(page.contains(words), "\(words)") }
            }
            #expect(desk.misses.isEmpty, "\(desk.misses)")
        }
    }

    @Test("the charts' data is JSON that fits: probabilities within 0 and 1, as many edges as bars and one more")
    func charts() async throws {
        let desk = try await Desk(FakeCustomers(400))
        try await desk.train()
        let model = try #require(try await desk.models().first)
        let text = try await desk.ask(.get, "/models/\(model.id)", as: desk.principal(.analyst)).text
        func island(_ id: String) throws -> [String: JSONValue] {
            let start = try #require(text.range(of: "id=\"\(id)\" value=\"\" hidden>"))
            let end = try #require(text.range(of: "</data>", range: start.upperBound..<text.endIndex))
            let json = text[start.upperBound..<end.lowerBound].replacingOccurrences(of: "&quot;", with: "\"")
                .replacingOccurrences(of: "&#39;", with: "'").replacingOccurrences(of: "&amp;", with: "&")
            return try #require(try JSONValue.parse(Array(json.utf8)).object)
        }
        let histogram = try island("d-histogram")
        #expect(histogram["edges"]?.array?.count == (histogram["counts"]?.array?.count ?? 0) + 1)
        #expect(histogram["counts"]?.array?.compactMap(\.int).reduce(0, +) == 400)
        let points = try #require(try island("d-calibration")["points"]?.array)
        #expect(points.allSatisfy { (0...1).contains($0.object?["observed"]?.double ?? -1) })
        let series = try #require(try island("d-roc")["series"]?.array?.first?.object?["values"]?.array)
        let rates = series.compactMap(\.double)
        #expect(rates.count == 21)
        #expect(rates == rates.sorted())
        #expect(rates.last == 1)
        #expect(try island("d-lift")["values"]?.array?.count == 10)
    }

    @Test("asking for a training twice queues one, and both requests are audited")
    func trainingOnce() async throws {
        let desk = try await Desk(FakeCustomers(10))
        let analyst = desk.principal(.analyst)
        let first = try await desk.ask(.post, "/models/training", as: analyst)
        #expect(first.location == "/models")
        #expect(first.flash?.contains("insights.flash.training;") == true)
        let second = try await desk.ask(.post, "/models/training", as: analyst)
        #expect(second.flash?.contains("insights.flash.training_already") == true)
        let jobs = try await desk.tenant.database.read { try desk.tenant.jobs.recent(kind: ChurnTraining.jobKind, $0) }
        #expect(jobs.count == 1)
        #expect(try await desk.events("insights.training.request").count == 2)
        let list = try await desk.ask(.get, "/models", as: analyst)
        #expect(list.text.contains("/jobs/\(jobs[0].id)/progress"))
        await #expect(throws: CRMError.self) {
            _ = try await desk.ask(.post, "/models/training", form: [("folds", "99")], as: analyst)
        }
        await #expect(throws: CRMError.self) {
            _ = try await desk.ask(.post, "/models/training", as: desk.principal(.supervisor))
        }
    }

    @Test("a failed training tells its reason on the list and on its page")
    func failure() async throws {
        let desk = try await Desk(FakeCustomers(30, leavers: false))
        try await desk.train()
        let model = try #require(try await desk.models().first)
        let list = try await desk.ask(.get, "/models", as: desk.principal(.analyst), .zh)
        #expect(list.text.contains("30 位客户中仅有 0 位已知离网"))
        let card = try await desk.ask(.get, "/models/\(model.id)", as: desk.principal(.analyst))
        #expect(card.text.contains("Only 0 of 30 customers are known to have left"))
        #expect(desk.misses.isEmpty, "\(desk.misses)")
    }

    @Test("putting an older version into use retires the other, queues a pass and is audited; retiring too")
    func activation() async throws {
        let desk = try await Desk(FakeCustomers(300))
        try await desk.train()
        try await desk.train()
        let analyst = desk.principal(.analyst)
        let old = try #require(try await desk.models().last)
        #expect(old.state == .retired)
        let answer = try await desk.ask(.post, "/models/\(old.id)/activation", as: analyst)
        #expect(answer.location == "/models/\(old.id)")
        #expect(try await desk.models().map(\.state) == [.retired, .active])
        try await desk.drain()
        let scores = try await desk.scores()
        #expect(scores.allSatisfy { $0.model == old.id })
        await #expect(throws: CRMError.self) {
            _ = try await desk.ask(.post, "/models/\(old.id)/activation", as: analyst)
        }
        _ = try await desk.ask(.post, "/models/\(old.id)/retirement", as: analyst)
        #expect(try await desk.models().map(\.state) == [.retired, .retired])
        #expect(try await desk.events("insights.model.activate").count == 1)
        #expect(try await desk.events("insights.model.retire").count == 1)
        await #expect(throws: CRMError.self) { _ = try await desk.ask(.post, "/models/scoring", as: analyst) }
    }

    @Test("an id that does not exist is not found")
    func unknown() async throws {
        let desk = try await Desk(FakeCustomers(1))
        for path in ["/models/12345", "/models/abc"] {
            let error = await #expect(throws: CRMError.self) {
                _ = try await desk.ask(.get, path, as: desk.principal(.analyst))
            }
            #expect(error?.status == 404)
        }
    }

    @Test("every column of every table of the domain has a label")
    func labels() async throws {
        let desk = try await Desk(FakeCustomers(1))
        let labelled = Dictionary(uniqueKeysWithValues: desk.module.labels.map { ($0.table, Set($0.columns.keys)) })
        #expect(try await TestSchema(desk.tenant.database).columnsByTable(prefix: "insights_") == labelled)
    }
}
