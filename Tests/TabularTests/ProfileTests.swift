import Testing

@testable import Tabular

@Suite("What a column is")
struct ProfileTests {
    private func profile(_ values: [String], name: String = "x", options: ProfileOptions = ProfileOptions())
        -> ColumnProfile
    {
        var profiler = ColumnProfiler(options: options)
        for (index, value) in values.enumerated() { profiler.add(value, record: index + 1) }
        return profiler.profile(name: name)
    }

    @Test(
        "types",
        arguments: [
            (["1", "2", "-3"], ColumnType.integer), (["1", "2.5", "NA"], .decimal), (["yes", "No", " "], .boolean),
            (["是", "否"], .boolean),
            (["2024-01-02", "2024/3/4"], .date), (["20240102", "20241231"], .date),
            (["20240102", "20249999"], .integer),
            (["2024-01-02 10:00", "2024-01-03"], .dateTime), (["a", "1"], .text), (["", "null"], .empty),
            (["0", "1"], .integer),
            (["2024年3月5日", "2023年12月31日"], .date), (["007", "8"], .text),
            (["110101199003071234", "110101199003071235"], .text),
            (["1,234.5", "2"], .decimal), (["1.234,5", "2,75"], .decimal),
            (["Yes", "No", "No internet service"], .text),
        ])
    func types(_ values: [String], _ type: ColumnType) {
        #expect(profile(values).type == type)
    }

    @Test("0 and 1 are a boolean only when told")
    func zeroOne() {
        let told = profile(["0", "1", "1"], options: ProfileOptions(zeroOneIsBoolean: true))
        #expect(told.type == .boolean)
        #expect(told.isZeroOne)
        #expect(profile(["0", "1"]).isZeroOne)
    }

    @Test("the order of day and month comes from the whole column")
    func dateOrder() {
        let european = profile(["01/02/2024", "25/12/2023"])
        #expect(european.dateOrder == .dayMonthYear)
        #expect(european.earliest == "2023-12-25")
        #expect(european.latest == "2024-02-01")
        #expect(profile(["01/02/2024", "12/25/2023"]).dateOrder == .monthDayYear)
        let open = profile(["01/02/2024", "03/04/2023"])
        #expect(open.type == .date)
        #expect(open.dateOrder == nil)
        #expect(open.notices == [.ambiguousDateOrder(count: 2)])
        #expect(open.earliest == nil)
        let mixed = profile(["25/12/2023", "12/25/2023", "13/01/2024"])
        #expect(mixed.type == .text)
        #expect(mixed.notices == [.mixedDateOrders(dayFirst: 2, monthFirst: 1)])
    }

    @Test("spreadsheet damage is noticed")
    func damage() {
        #expect(profile(["1.38E+10", "1.39E+10"], name: "phone").notices == [.scientificDamage(count: 2)])
        #expect(profile(["007", "008", "9"]).notices == [.leadingZeros(count: 2)])
        #expect(profile(["110101199003071234"]).notices == [.longNumbers(count: 1)])
        #expect(profile(["45356", "45357"], name: "签约日期").notices == [.excelSerialDates(count: 2)])
        #expect(profile(["45356", "45357"], name: "salary").notices.isEmpty)
        #expect(profile(["=A1", "@x", "+1-2", "-5", "-"]).notices == [.formulaCells(count: 3)])
        #expect(
            profile(["1,000", "$5", "7 "]).notices == [
                .thousandsSeparators(count: 1), .currencySigns(count: 1), .surroundingSpaces(count: 1),
            ])
        #expect(profile(["5%", "7.5%"]).notices == [.percentSigns(count: 2)])
        #expect(profile(["2024-01-01 00:00:00"]).notices == [.midnightOnly])
    }

    @Test("a few values that do not fit are exceptions with their record number")
    func exceptions() {
        var values = (1...200).map(String.init)
        values[49] = "fifty"
        let found = profile(values)
        #expect(found.type == .integer)
        #expect(found.exceptions == [.init(record: 50, value: "fifty")])
        #expect(found.notices == [.doNotFit(count: 1)])
        #expect(profile(values, options: ProfileOptions(tolerance: 0)).type == .text)
        #expect(profile((1...10).map { $0 == 5 ? "x" : "\($0)" }).type == .text)
    }

    @Test("a few impossible days do not make integers of a column named after a date")
    func compactDates() {
        let values = (1...99).map { String(20_240_115 + ($0 % 12) * 100) } + ["20241399"]
        #expect(profile(values, name: "出生日期").type == .date)
        #expect(profile(values, name: "出生日期").notices.contains(.impossibleDates(count: 1)))
        #expect(profile(values, name: "code").type == .integer)
    }

    @Test("counts: missing by kind, distinct up to a cap, frequent values, ranges")
    func counts() {
        let found = profile(["3", "1", "", " ", "NA", "n/a", "\\N", "-", "3", "2", "3"])
        #expect(found.total == 11)
        #expect(found.missing == 6)
        #expect(found.missingKinds == [.empty: 1, .blank: 1, .notAvailable: 2, .backslashN: 1, .dash: 1])
        #expect(found.distinct == 3)
        #expect(found.frequent.first == .init(value: "3", count: 3))
        #expect(found.samples == ["3", "1", "2"])
        #expect((found.minimum, found.maximum, found.mean) == (1, 3, 2.4))
        let capped = profile((0..<500).map(String.init), options: ProfileOptions(distinctMax: 100))
        #expect(capped.distinct == 100)
        #expect(capped.isDistinctCapped)
        let text = profile(["张伟", "a", "bcd"])
        #expect((text.shortest, text.longest) == (1, 3))
    }

    @Test("a profile's parser reads the values of its column")
    func parser() throws {
        #expect(try ValueParser(profile: profile(["01/02/2024", "25/12/2023"])).date("01/02/2024") == "2024-02-01")
        #expect(try ValueParser(profile: profile(["1.234,5", "2,75"])).decimal("2,75") == 2.75)
    }

    @Test("a value fits its inferred type exactly when the parser accepts it")
    func agreement() {
        var generator = seeded("profile agrees with parser")
        let soup: [Character] = Array("0123456789.,-/:E+年月日 ¥")
        var typed = 0
        for _ in 0..<20_000 {
            let value = String(
                (0..<Int.random(in: 1...9, using: &generator)).compactMap { _ in soup.randomElement(using: &generator) }
            )
            let found = profile([value])
            let parser = ValueParser(profile: found)
            switch found.type {
            case .integer: #expect((try? parser.integer(value)) != nil || value.count > 15, "\(value)")
            case .decimal: #expect((try? parser.decimal(value)) != nil, "\(value)")
            case .date where found.dateOrder != nil || found.notices.isEmpty:
                #expect((try? parser.date(value)) != nil, "\(value)")
            case .dateTime where found.dateOrder != nil: #expect((try? parser.instant(value)) != nil, "\(value)")
            default: continue
            }
            typed += 1
        }
        #expect(typed > 2_000)
    }
}
