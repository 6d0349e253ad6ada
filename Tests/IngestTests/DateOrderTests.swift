import Foundation
import Kernel
import Tabular
import TestSupport
import Testing

@testable import Ingest

@Suite("Dates whose order is in doubt")
struct DateOrderTests {
    /// The complaints as customers, and by number the day that the column with the month in words has.
    private static func complaints() throws -> (text: String, days: [String: String])? {
        guard let path = Checkout.sharedData("complaints-comcast/Comcast_telecom_complaints_data.csv") else {
            print("skipped: ../shared/data/complaints-comcast is not on this machine")
            return nil
        }
        var text = try String(contentsOfFile: path, encoding: .utf8)
        text = text.replacing("Ticket #", with: "Customer ID").replacing(",Date,", with: ",Born,")
        let table = try TableData.read(options: TabularOptions(name: "c.csv"), bytes: Array(text.utf8))
        let id = table.cells[try #require(table.index(of: "Customer ID"))]
        let words = table.cells[try #require(table.index(of: "Date_month_year"))]
        var days: [String: String] = [:]
        for (id, word) in zip(id, words) { days["test:\(try #require(id))"] = try ValueParser().date(try #require(word)) }
        return (text, days)
    }

    @Test("of the complaints no date is taken wrong: days above 12 by the evidence of the column, the others are refused with the reason")
    func held() async throws {
        guard let (text, days) = try Self.complaints() else { return }
        let bench = try await Bench()
        let mapping = try bench.file(
            "map.json",
            """
            {"matchKey": "source_id", "unlisted": "ignore", "columns": [
             {"column": "Customer ID", "to": "source_id"}, {"column": "Born", "to": "birth_date"}]}
            """)
        // By the words: the day is 12 or less, and exchanged with the month it is another day.
        let doubtful = days.values.count { $0.suffix(2) <= "12" && $0.suffix(2) != $0.dropFirst(5).prefix(2) }
        #expect(doubtful > 500)
        for dryRun in [true, false] {
            let report = try await bench.importText(text, mapping: mapping, dryRun: dryRun)
            let told = try #require(report.warnings.first { $0.contains("mixed date orders") }, "\(report.warnings)")
            #expect(told.contains("“Born”") && told.contains("“Date_month_year”") && told.contains("--date-order"))
            #expect(report.warnings_zh.contains { $0.contains("日期顺序混杂") && $0.contains("“Date_month_year”") })
            #expect(report.created == 2_224 - doubtful && report.rejected == doubtful, "\(report.reasons)")
            #expect(report.reasons.map(\.code) == ["swapped_date"] && report.reasons[0].reason.contains("--date-order"))
        }
        let contents = try await bench.contents()
        #expect(contents.count == 2_224 - doubtful && contents.allSatisfy { $1["birth_date"] == days[$0] })
    }

    @Test("the column that has the same dates in words is proposed instead, unless a person decided")
    func proposed() async throws {
        guard let (text, days) = try Self.complaints() else { return }
        let bench = try await Bench()
        let draft = try await bench.draft(text)
        let targets = Dictionary(uniqueKeysWithValues: draft.mapping.columns.map { ($0.column, $0.code) })
        #expect(targets["Date_month_year"] == "birth_date" && targets["Born"] == "attribute")
        let report = try await bench.importText(text)
        #expect(report.created == 2_224 && !report.warnings.contains { $0.contains("date orders") }, "\(report.warnings)")
        let contents = try await bench.contents()
        #expect(contents.count == days.count && contents.allSatisfy { $1["birth_date"] == days[$0] })
    }

    @Test("another column is proposed only when it has the same dates", arguments: ["22-Apr-15", "23-Apr-15"])
    func same(first: String) async throws {
        let bench = try await Bench()
        let rows = ["22-04-15,\(first)", "18-04-15,18-Apr-15", "2015-04-08,04-Aug-15", "2015-05-07,05-Jul-15", "25-06-15,25-Jun-15"]
        let text = "Customer ID,Born,Other\n" + rows.enumerated().map { "A\($0),\($1)\n" }.joined()
        let draft = try await bench.draft(text)
        #expect(draft.mapping.columns.map(\.code) == ["source_id"] + (first == "22-Apr-15" ? ["attribute", "birth_date"] : ["birth_date", "attribute"]))
    }

    @Test("which of two numbers is the year is not guessed: the rows wait with what to do, and the dry run says so")
    func undecided() async throws {
        let bench = try await Bench()
        let text = "Customer ID,Born\nA1,12-04-15\nA2,18-05-15\nA3,17-06-15\n"
        let dry = try await bench.importText(text, dryRun: true)
        #expect(dry.warnings.contains { $0.contains("“Born”") && $0.contains("cannot be told") && $0.contains("--date-order") }, "\(dry.warnings)")
        let report = try await bench.importText(text)
        #expect(report.created == 0 && report.rejected == 3)
        #expect(report.reasons.first?.reason.contains("--date-order dmy, mdy, ymd or roc") == true, "\(report.reasons)")
        let told = try await bench.service.importFile(
            try bench.file("t.csv", text), source: "told", dateOrder: .dayMonthYear, principal: bench.principal)
        #expect(told.created == 3 && !told.warnings.contains { $0.contains("order") })
        #expect(try await bench.contents()["told:A2"]?["birth_date"] == "2015-05-18")
    }

    @Test("a day that was taken for the year may be why a date lies ahead")
    func ahead() {
        let words = RejectWords.futureOfShortYear(Words(en: "The time lies in the future.", zh: "时间在未来。"))
        #expect(words.en.hasPrefix("The time lies in the future; if the year") && words.en.contains("--date-order"))
        #expect(words.zh.hasPrefix("时间在未来；") && words.zh.contains("--date-order"))
    }
}
