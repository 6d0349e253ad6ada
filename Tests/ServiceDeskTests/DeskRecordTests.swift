import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import ServiceDesk

/// Two customers that are known by `B1` and `B2`.
private struct TwoCustomers: CustomerFinding {
    static let ids = [CustomerID(11), CustomerID(12)]

    func customers(
        named names: Set<CustomerName>, for principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerName: NamedCustomer] {
        var found: [CustomerName: NamedCustomer] = [:]
        for name in names {
            if case .reference(_, let text) = name, let place = ["B1", "B2"].firstIndex(of: text) {
                found[name] = NamedCustomer(id: Self.ids[place], isReachable: true)
            }
        }
        return found
    }

    func reachable(_ ids: Set<CustomerID>, for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> {
        ids
    }
}

@Suite("Records of the service desk")
struct DeskRecordTests {
    let test: TestTenant
    let who = TestTenant.principal([], roles: [.supervisor])

    init() async throws { test = try await TestTenant(["ServiceDesk"]) }

    private func target(_ entity: String) throws -> any ImportTarget {
        try #require(
            ServiceDeskModule.importTargets(test.tenant, naming: TwoCustomers()).first { $0.entity == entity })
    }

    private func apply(
        _ entity: String, _ rows: [[String: SQLValue]], source: String = "care"
    ) async throws -> [ImportOutcome] {
        let target = try target(entity)
        let options = ImportOptions(matchKey: target.fields.first(where: \.canMatch)?.key, source: source)
        let given = rows.enumerated().map { ImportRow(line: 2 + $0, values: $1) }
        return try await test.tenant.database.write { [who] in
            try target.importer(options, principal: who).applyWhole(given, $0)
        }
    }

    private func names(_ outcomes: [ImportOutcome]) -> [String] {
        outcomes.map { outcome in
            switch outcome {
            case .created: "created"
            case .updated(_, let changes, _): "updated " + changes.map(\.field).joined(separator: ",")
            case .unchanged: "unchanged"
            case .rejected(let field, let code, _): "rejected \(field) \(code)"
            }
        }
    }

    private func count(_ sql: SQL) async throws -> Int { try await test.tenant.database.read { try $0.count(sql) } }

    private var opened: Int64 { test.clock.now().adding(days: -3).milliseconds }

    @Test("a case comes once, moves on, is found by its number, and is taken back with it")
    func cases() async throws {
        let first: [String: SQLValue] = [
            "case_number": .text("K1"), "source_id": .text("B1"), "case_kind": .text("complaint"),
            "topic": .text("coverage"), "opened_at": .int(opened), "subject": .text("信号差"),
        ]
        let made = try await apply("cases", [first])
        #expect(names(made) == ["created"])
        #expect(names(try await apply("cases", [first])) == ["unchanged"])
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_case WHERE status = 'open'") == 1)
        var closed = first
        closed["closed_at"] = .int(opened + 3_600_000)
        let moved = try await apply("cases", [closed])
        #expect(names(moved) == ["updated status,closed_at"])
        // Another source has a case of this number: both are there, the first is found by the number alone.
        var other = first
        other["source_id"] = .text("B2")
        #expect(names(try await apply("cases", [other], source: "retail")) == ["created"])
        #expect(
            try await count("SELECT COUNT(*) FROM servicedesk_case_number WHERE number = 'K1' AND customer_id = 11") == 1)
        let told = try await test.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'servicedesk.case.moved' ORDER BY id") {
                let event = try JSONDecoder().decode(CasesMoved.self, from: Data($0.text(0).utf8))
                return event.cases.map { "\(event.step.rawValue) \($0.customer) \($0.kind) \($0.topic) \($0.at.milliseconds - opened)" }
            }
        }
        #expect(
            told == [["opened 11 complaint coverage 0"], ["closed 11 complaint coverage 3600000"], ["opened 12 complaint coverage 0"]])
        let target = try target("cases")
        let who = self.who
        let issues = try await test.tenant.database.write { session in
            var undone: [RevertIssue] = []
            for outcome in moved + made {
                if case .updated(let id, _, let undo) = outcome {
                    undone += try target.revertUpdated([(id, undo: undo)], principal: who, session)
                }
                if case .created(let id, let revision, let undo) = outcome {
                    undone += try target.revertCreated([(id, revision: revision, undo: undo)], principal: who, session)
                }
            }
            return undone
        }
        #expect(issues.isEmpty)
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_case") == 1)
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_case_number") == 0)
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_record_key") == 1)
    }

    @Test("a case that ends before it began, lies in the future or has no kind is refused")
    func wrongCases() async throws {
        let good: [String: SQLValue] = [
            "case_number": .text("K1"), "source_id": .text("B1"), "case_kind": .text("fault"), "opened_at": .int(opened),
        ]
        func changed(_ number: String, _ change: [String: SQLValue]) -> [String: SQLValue] {
            good.merging(change) { $1 }.merging(["case_number": .text(number)]) { $1 }
        }
        let outcomes = try await apply(
            "cases",
            [
                changed("1", ["closed_at": .int(opened - 1)]),
                changed("2", ["opened_at": .int(test.clock.now().adding(days: 2).milliseconds)]),
                changed("3", ["case_kind": .null]), changed("4", ["opened_at": .null]),
                changed("5", ["subject": .text("ä¿¡å·å·® ä¿¡å·")]),
            ])
        #expect(
            names(outcomes) == [
                "rejected closed_at before_start", "rejected opened_at future", "rejected case_kind required",
                "rejected opened_at required", "rejected note garbled",
            ])
    }

    @Test("a chat becomes a contact with its text, of one instant as many as there were, and belongs to its case")
    func chats() async throws {
        _ = try await apply(
            "cases",
            [[
                "case_number": .text("K1"), "source_id": .text("B1"), "case_kind": .text("fault"),
                "opened_at": .int(opened),
            ]])
        var rows: [[String: SQLValue]] = (0..<40).map { number in
            [
                "interaction_id": .text("c\(number)"), "source_id": .text("B1"), "happened_at": .int(opened),
                "channel": .text("web_chat"), "case_number": .text("K1"),
                "messages": .text(#"[{"from":"customer","text":"账单怎么这么高"},{"role":"agent","content":"您好"}]"#),
            ]
        }
        rows[1]["messages"] = .text(#"{"text": "no list"}"#)
        rows[2]["case_number"] = .text("K9")
        rows[3]["messages"] = .text("[\"ok\", \"\u{FFFD}\u{FFFD}\"]")
        let made = try await apply("interactions", rows)
        #expect(
            names(Array(made.prefix(4))) == [
                "created", "rejected messages not_messages", "rejected case_number unknown_case", "rejected note garbled",
            ])
        #expect(names(made).count { $0 == "created" } == 37)
        #expect(try await count("SELECT COUNT(*) FROM servicedesk_interaction WHERE case_id IS NOT NULL") == 37)
        let note = try await test.tenant.database.read {
            try $0.first("SELECT note FROM servicedesk_interaction LIMIT 1") { $0.text(0) }
        }
        #expect(note == "customer: 账单怎么这么高\nagent: 您好")
        #expect(names(try await apply("interactions", [rows[0]])) == ["unchanged"])
    }

    @Test("an answer to a survey is a contact with a score")
    func answers() async throws {
        let row: [String: SQLValue] = [
            "answer_id": .text("S1"), "source_id": .text("B2"), "answered_at": .int(opened), "survey": .text("NPS"),
            "score": .int(9), "note": .text("好"),
        ]
        var wrong = row
        wrong["answer_id"] = .text("S2")
        wrong["score"] = .int(900)
        #expect(names(try await apply("survey_answers", [row, wrong])) == ["created", "rejected score range"])
        // The net promoter score ends at ten; other surveys have scales of their own.
        for survey in ["NPS", "2026年NPS调查", "净推荐值", "CSAT"] {
            let name = survey == "CSAT" ? "created" : "rejected score range"
            wrong["answer_id"] = .text("S-" + survey)
            wrong["survey"] = .text(survey)
            wrong["score"] = .int(11)
            #expect(names(try await apply("survey_answers", [wrong])) == [name], "\(survey)")
            if name == "created" { continue }
            wrong["score"] = .int(0)
            wrong["source_id"] = .text("B1")
            #expect(names(try await apply("survey_answers", [wrong])) == ["created"], "\(survey)")
            wrong["source_id"] = row["source_id"]
        }
        let lines = try await test.tenant.database.read {
            try ServiceDeskStore.interactions([TwoCustomers.ids[1]], limit: 5, $0).value()
        }
        #expect(lines.contains { $0.answer == "NPS: 9" } && lines.first?.note == "好")
        #expect(names(try await apply("survey_answers", [row])) == ["unchanged"])
    }

    @Test("own words are for those who see names, numbers in them for those who see contacts")
    func freeText() {
        let text = "请回电 138-1234 5678，账单 2026-09 多了 35 元"
        let agent = Masking(TestTenant.principal([Masking.seeNames]))
        let desk = Masking(TestTenant.principal([Masking.seeNames, Masking.seeContacts]))
        #expect(FreeText.shown(text, Masking(TestTenant.principal([]))) == nil)
        #expect(FreeText.shown(text, agent) == "请回电 ***-**** **78，账单 2026-09 多了 35 元")
        #expect(FreeText.shown(text, desk) == text && FreeText.shown(nil, desk) == nil)
        #expect(FreeText.excerpt("a\nb") == "a b" && FreeText.excerpt(String(repeating: "长", count: 200))?.count == 121)
    }

    @Test("text that was read in the wrong encoding is known from text that only looks odd")
    func mojibake() {
        for text in ["ä½ å¥½ï¼Œä¿¡å·", "ç½‘é€Ÿæ…¢ çš„", "锟斤拷锟斤拷", "RÃ©ponse trÃ¨s dÃ©cevante"] {
            #expect(Transcript.isMojibake(text), "\(text)")
        }
        for text in ["你好，信号差", "Très déçu, réponse à côté", "naïve café «ça»", "¥ 99.00 ±5 %", "Ångström Ärger", ""] {
            #expect(!Transcript.isMojibake(text), "\(text)")
        }
    }
}
