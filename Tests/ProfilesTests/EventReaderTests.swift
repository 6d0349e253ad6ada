import Kernel
import Storage
import TestSupport
import Testing

@testable import Profiles

@Suite("Events as they come")
struct EventReaderTests {
    private let now = EventTime.parse("2026-03-10T04:00:00Z") ?? Instant(milliseconds: 0)
    private var reader: EventReader {
        EventReader(source: "app", references: "crm", countryCode: "86", zone: 480, now: now)
    }

    private func fault(_ json: String) throws -> String {
        let (events, faults) = try reader.read(Array(json.utf8))
        guard let fault = faults.first else { return "taken \(events.count)" }
        return fault.field + " " + fault.code
    }

    @Test("lines and an array of the same events are read alike")
    func forms() throws {
        let one = #"{"id":"1","kind":"app.login","at":"2026-03-10T11:00:00+08:00","msisdn":"138 0013 8000","attributes":{"channel":"app","n":2.5,"ok":true}}"#
        let two = #"{"id":"2","kind":"pay","at":1773111600000,"reference":77}"#
        let lines = try reader.read(Array("\(one)\n\n\(two)\n".utf8)).events
        var array = try reader.read(Array(" [\(one),\(two)]".utf8)).events
        #expect(lines.map(\.number) == [1, 3] && array.map(\.number) == [1, 2])
        array[1].number = 3
        #expect(lines == array)
        #expect(lines[0].name == "+8613800138000" && lines[0].at == EventTime.parse("2026-03-10T03:00:00Z"))
        #expect(lines[0].attributes == ["channel": .text("app"), "n": .number(2_500), "ok": .text("true")])
        #expect(lines[1].naming == .source("crm") && lines[1].name == "77")
    }

    @Test("what is wrong is told event by event with field and reason; the others are taken")
    func faults() throws {
        let at = #""at":"2026-03-10T03:00:00Z""#
        let good = #""id":"1","kind":"a.b","msisdn":"13800138000""#
        let cases = [
            ("nonsense", " json"), ("[1]", " json"), (#"{"id":"1","id":"2"}"#, " json"),
            (#"{\#(good),\#(at),"extra":1}"#, "extra unknown_field"),
            (#"{"kind":"a.b","msisdn":"13800138000",\#(at)}"#, "id bad_id"),
            (#"{"id":"1","kind":"A b","msisdn":"13800138000",\#(at)}"#, "kind bad_kind"),
            (#"{"id":"1","kind":"crm.contact","msisdn":"13800138000",\#(at)}"#, "kind own_kind"),
            (#"{"id":"1","kind":"a.b","msisdn":"12",\#(at)}"#, "msisdn bad_number"),
            (#"{"id":"1","kind":"a.b",\#(at)}"#, "reference no_customer"),
            (#"{\#(good),"reference":"7",\#(at)}"#, "reference no_customer"),
            (#"{\#(good)}"#, "at bad_time"), (#"{\#(good),"at":"2026-03-10T03:00:00"}"#, "at bad_time"),
            (#"{\#(good),"at":"2026-02-30T03:00:00Z"}"#, "at bad_time"),
            (#"{\#(good),"at":"2026-03-10T04:11:00Z"}"#, "at in_the_future"),
            (#"{\#(good),"at":"2026-03-10T04:09:00Z"}"#, "taken 1"),
            (#"{\#(good),"at":"2025-12-10T15:59:59Z"}"#, "at too_old"),
            (#"{\#(good),"at":"2025-12-10T16:00:00Z"}"#, "taken 1"),
            (#"{\#(good),\#(at),"attributes":[1]}"#, "attributes bad_attributes"),
            (#"{\#(good),\#(at),"attributes":{"a":{}}}"#, "a bad_attributes"),
            (#"{\#(good),\#(at),"attributes":{"a":2e9}}"#, "a out_of_range"),
            (#"{\#(good),\#(at),"attributes":{"a":"\#(String(repeating: "x", count: 201))"}}"#, "a too_long"),
        ]
        for (json, expected) in cases { #expect(try fault(json) == expected, "\(json)") }
        let (events, faults) = try reader.read(Array(#"{\#(good),\#(at)}\#n{}\#n{\#(good),\#(at)}"#.utf8))
        #expect(events.map(\.number) == [1, 3] && faults.map(\.number) == [2])
        #expect(faults.allSatisfy { !$0.words.en.contains("cannot be read") && !$0.words.zh.isEmpty })
    }

    @Test("more events than a request may bring are refused as a whole")
    func tooMany() throws {
        let many = Array(repeating: "{}", count: 5_001).joined(separator: "\n")
        #expect(throws: CRMError.self) { try reader.read(Array(many.utf8)) }
    }

    @Test("conditions are read strictly and hold as they say")
    func conditions() throws {
        let conditions = try CounterCondition.parse("channel = app\namount >= 10.5\n\nplan != gold")
        #expect(conditions.map(\.text) == ["channel = app", "amount >= 10.5", "plan != gold"])
        let good: [String: AttributeValue] = ["channel": .text("app"), "amount": .number(10_500)]
        #expect(conditions.allSatisfy { $0.holds(good) })
        for change: (String, AttributeValue) in [
            ("channel", .text("web")), ("amount", .number(10_499)), ("amount", .text("11")), ("plan", .text("gold")),
        ] {
            #expect(!conditions.allSatisfy { $0.holds(good.merging([change.0: change.1]) { $1 }) }, "\(change)")
        }
        for wrong in ["channel", "= app", "a = ", "A = b", "a >= b", "a ~ b"] {
            #expect(throws: CRMError.self, "\(wrong)") { try CounterCondition.parse(wrong) }
        }
    }
}
