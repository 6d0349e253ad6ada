import Testing

@testable import Tabular

@Suite("The order of dates by the numbers of the column")
struct DateOrderTests {
    private func profile(_ values: [String], beside: [String] = []) throws -> ColumnProfile {
        let rows = values.enumerated().map { place, value in "\(value),\(place < beside.count ? beside[place] : "x")\n" }
        let text = "joined date,other\n" + rows.joined()
        return try #require(try TableData.read(options: TabularOptions(name: "t.csv"), bytes: Array(text.utf8)).profiles.first)
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    @Test("years are few, days go through the month: the year stands where the few numbers are")
    func years() throws {
        let days = (1...31).map(two)
        let last = try profile(days.map { "\($0)-05-15" }, beside: ["2024-07-20"])
        #expect(last.dateOrder == .dayMonthYear && last.earliest == "2015-05-01" && last.latest == "2015-05-31")
        let first = try profile(days.map { "24-05-\($0)" })
        #expect(first.dateOrder == .yearMonthDay && first.earliest == "2024-05-01" && first.latest == "2024-05-31")
        // The first of each month tells nothing, nor do few rows.
        #expect(try profile((12...31).map { "\($0)-05-01" }).dateOrder == nil)
        #expect(try profile((25...31).map { "\($0)-05-15" }).dateOrder == nil)
        // No month is the 22nd, no day the 40th.
        #expect(try profile(["04-22-15", "05-30-15", "06-13-15"]).dateOrder == .monthDayYear)
        #expect(try profile(["40-05-15", "41-05-16", "31-05-15"]).dateOrder == .yearMonthDay)
    }

    @Test("what may be exchanged is doubted and not taken for what it seems")
    func swapped() throws {
        let low = ["2015-04-08", "2015-05-07", "2015-06-12", "2015-06-06"]
        for high in [["13-05-15", "22-05-15", "31-05-15", "18-05-15"], ["25/05/2015", "13/05/2015", "31/05/2015", "20/05/2015"]] {
            let found = try profile(low + high)
            #expect(found.notices.contains(.swappedDates(count: 4)), "\(found)")
            #expect(found.dateOrder != .yearMonthDay, "the dates beside are no evidence: \(found)")
        }
        // One with a day above 12 in that place clears all.
        let clear = try profile(low + ["2015-06-13", "25/05/2015", "13/05/2015", "31/05/2015", "20/05/2015"])
        #expect(!clear.notices.contains { $0.code == "swapped_dates" })
        var parser = ValueParser(dateOrder: .dayMonthYear)
        #expect(try parser.date("2015-04-08") == "2015-04-08")
        parser.doubtsYearFirst = true
        #expect(throws: ValueFailure.swappedDate) { try parser.date("2015-04-08") }
        for (text, day) in [("2015-06-06", "2015-06-06"), ("2015-06-13", "2015-06-13"), ("2015年4月8日", "2015-04-08"), ("08-Apr-15", "2015-04-08")] {
            #expect(try parser.date(text) == day)
        }
    }

    @Test("a date is read in every order it can be")
    func readings() {
        #expect(DateReadings.all("22-04-15") == ["2015-04-22", "2022-04-15"])
        #expect(DateReadings.all("2015-04-08") == ["2015-04-08", "2015-08-04"])
        #expect(DateReadings.all("04-Aug-15") == ["2015-08-04"] && DateReadings.all("2015-04-22") == ["2015-04-22"])
        #expect(DateReadings.all("x").isEmpty)
    }

    @Test("the complaints' Date column: days first by evidence, the others doubted")
    func comcast() throws {
        guard let bytes = sharedData("complaints-comcast/Comcast_telecom_complaints_data.csv") else { return }
        let table = try TableData.read(options: TabularOptions(name: "c.csv"), bytes: bytes)
        let date = table.profiles[try #require(table.index(of: "Date"))]
        #expect(date.dateOrder == .dayMonthYear && date.notices.contains(.swappedDates(count: 609)))
        #expect(date.notices.contains(.shortYears(count: 1_615, why: .column)))
        let safe = table.profiles[try #require(table.index(of: "Date_month_year"))]
        #expect(safe.type == .date && safe.notices.isEmpty && safe.earliest == "2015-01-04" && safe.latest == "2015-12-06", "\(safe)")
    }
}
