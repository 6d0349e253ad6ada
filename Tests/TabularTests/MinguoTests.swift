import Testing

@testable import Tabular

/// Years of the Republic of China (民國): 78 is 1989.
@Suite("The calendar of the Republic of China")
struct MinguoTests {
    private func profile(_ values: [String], name: String = "x") -> ColumnProfile {
        var profiler = ColumnProfiler()
        for (index, value) in values.enumerated() { profiler.add(value, record: index + 1) }
        return profiler.profile(name: name)
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    @Test(
        "what names the calendar, or has three digits, has one reading in every column",
        arguments: [
            "民國78年3月4日", "民国78年03月04日", "中華民國78年3月4日", "中华民国 78 年 3 月 4 日", "民國078年3月4日", "民國７８年３月４日",
            "民國七十八年三月四日", "民國78/3/4", "民國 78.03.04", "078/03/04", "078-3-4", "078年3月4號", "１９８９年３月４日", "一九八九年三月四日",
            "1989 年 3 月 4 日", "０７８／０３／０４",
        ])
    func certain(_ text: String) throws {
        for order in [nil] + DateOrder.allCases {
            #expect(try ValueParser(dateOrder: order).date(text) == "1989-03-04", "\(order?.rawValue ?? "none")")
        }
    }

    @Test("numbers above ninety-nine, the first year and times of day")
    func others() throws {
        #expect(try ValueParser().date("民國一百一十四年十二月三十一日") == "2025-12-31")
        #expect(try ValueParser().date("民國一百零三年十月廿三日") == "2014-10-23")
        #expect(try ValueParser().date("民國元年1月1日") == "1912-01-01")
        #expect(try ValueParser().date("二〇一二年二月廿九日") == "2012-02-29")
        #expect(try ValueParser(utcOffset_min: 0).instant("民國59年1月1日 00:00:01") == 1_000)
    }

    @Test("two digits and bare numbers are read only where the column says so", arguments: ["78/03/04", "78年3月4日", "0780304", "780304"])
    func open(_ text: String) throws {
        #expect(try ValueParser(dateOrder: .minguo).date(text) == "1989-03-04")
        #expect(throws: ValueFailure.ambiguousCalendar) { try ValueParser().date(text) }
        #expect(throws: ValueFailure.ambiguousCalendar) { try ValueParser(dateOrder: .dayMonthYear).date(text) }
    }

    @Test(
        "what is no day of it says why",
        arguments: [
            ("民國78年2月29日", ValueFailure.noSuchDay), ("078/13/04", .noSuchDay), ("200/01/01", .notADate), ("000/01/01", .notADate),
            ("民國0年1月1日", .notADate), ("民國78年", .notADate), ("民國1989年3月4日", .notADate), ("78/13/04", .notADate), ("078/03", .notADate),
            ("民國七十八十年三月四日", .notADate), ("1234567", .notADate), ("年年年年年", .notADate), ("中華民國", .notADate),
        ])
    func failures(_ text: String, _ failure: ValueFailure) {
        #expect(throws: failure) { try ValueParser().date(text) }
    }

    @Test("years of three digits in a column tell what its years of two digits are")
    func mixed() throws {
        let births = profile(["78/03/04", "67/11/30", "101/05/06", "088/01/01"])
        #expect(births.type == .date && births.dateOrder == .minguo && births.notices.isEmpty && births.exceptions.isEmpty)
        #expect(births.earliest == "1978-11-30" && births.latest == "2012-05-06")
        let named = profile(["民國78年3月4日", "780304", "067/11/30"], name: "生日")
        #expect(named.dateOrder == .minguo)
        #expect(profile(["78/03/04", "67/11/30"], name: "民國生日").dateOrder == .minguo)
        #expect(profile(["0780304", "1140110", "780304"], name: "出生日期").dateOrder == .minguo)
        let numbers = profile(["0780304", "1140110"])
        #expect(numbers.type == .text && numbers.dateOrder == nil, "without a name these are numbers")
    }

    @Test("nothing is guessed: one slip of the pen makes no calendar, and a column that does not tell says so")
    func noGuess() {
        let western = (1...99).map { "\(two($0 % 28 + 1))/\(two($0 % 12 + 1))/\(two($0 % 9 + 15))" }
        let slip = profile(western + ["101/02/03"], name: "date")
        #expect(slip.dateOrder != .minguo)
        let open = profile(["78/03/04", "67/11/30"], name: "date")
        #expect(open.type == .text && open.dateOrder == nil)
        #expect(open.notices == [.ambiguousCalendar(count: 2)])
        #expect(profile(["10.1.2", "10.2.1"], name: "version").notices.isEmpty)
    }

    private func table(_ names: [String], _ rows: [[String]]) throws -> [ColumnProfile] {
        let text = ([names] + rows).map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
        var bytes: [UInt8]? = Array(text.utf8)
        var reader = TabularReader(options: TabularOptions()) {
            defer { bytes = nil }
            return bytes ?? []
        }
        var profiler = TableProfiler(names: names)
        while let event = try reader.next() { if case .record(let record) = event { profiler.add(record) } }
        return profiler.profiles
    }

    @Test("years of two digits are western ones where the column, the file's other dates or its characters say so, and it is told what")
    func shortYears() throws {
        // Nothing of Taiwan, Chinese: the year stands first.
        let plain = try table(["姓名", "入网日期"], [["张伟", "24-06-15"], ["王芳", "23-11-02"], ["李四", "21-01-30"]])[1]
        #expect(plain.type == .date && plain.dateOrder == .yearMonthDay && plain.earliest == "2021-01-30" && plain.latest == "2024-06-15")
        #expect(plain.notices == [.shortYears(count: 3, why: .script)])
        #expect(try ValueParser(profile: plain).date("24-06-15") == "2024-06-15")
        // Other dates of the file have four digits.
        let beside = try table(["id", "joined", "bill date"], [["1", "24-06-15", "2024-07-01"], ["2", "23-11-02", "2024-07-02"]])[1]
        #expect(beside.dateOrder == .yearMonthDay && beside.notices == [.shortYears(count: 2, why: .file)])
        // No day is the 99th, no month the 31st: the year stands last, the day first.
        let last = try table(["id", "joined"], [["1", "31/12/99"], ["2", "05/06/98"], ["3", "17/02/22"]])[1]
        #expect(last.dateOrder == .dayMonthYear && last.earliest == "1998-06-05" && last.latest == "2022-02-17" && last.notices == [.shortYears(count: 3, why: .column)])
        // The Republic had no year 0.
        let zero = try table(["姓名", "生日"], [["張偉", "00-06-15"], ["王芳", "99-11-02"]])[1]
        #expect(zero.dateOrder == .yearMonthDay && zero.notices == [.shortYears(count: 2, why: .column)])
        // Characters, numbers and dates of Taiwan: it cannot be told, and nothing is guessed.
        for other in ["張偉", "+886912345678", "101/05/06"] {
            let open = try table(["id", "date", "other"], [["1", "78/03/04", other], ["2", "67/11/30", "x"]])[1]
            #expect(open.type == .text && open.dateOrder == nil && open.notices == [.ambiguousCalendar(count: 2)], "\(other)")
        }
        // In letters, with nothing that tells the order: neither.
        let letters = try table(["name", "date"], [["Ann", "01/02/03"], ["Bob", "04/05/06"]])[1]
        #expect(letters.dateOrder == nil && letters.notices == [.ambiguousCalendar(count: 2)])
        // What is shown to be of the Republic stays it.
        let roc = try table(["姓名", "生日"], [["张伟", "78/03/04"], ["王芳", "101/05/06"]])[1]
        #expect(roc.dateOrder == .minguo)
    }

    @Test("a year of two digits that lies ahead is one of the century before, where nothing lies ahead")
    func births() throws {
        var parser = ValueParser(dateOrder: .yearMonthDay)
        #expect(try parser.date("45-06-15") == "2045-06-15")
        parser.lastYear = 2026
        #expect(try parser.date("45-06-15") == "1945-06-15")
        #expect(try parser.date("24-06-15") == "2024-06-15")
        #expect(try ValueParser(dateOrder: .monthDayYear).date("06/15/24") == "2024-06-15")
        #expect(throws: ValueFailure.ambiguousCalendar) { try ValueParser(dateOrder: .yearMonthDay).date("240615") }
    }

    @Test("a named day that is none is refused, and tells the calendar of its column all the same")
    func impossibleDay() throws {
        for texts in [
            ["民國112年2月30日", "78/03/04", "民國80年1月2日"], ["民國112年2月30日", "78/03/04"],
            ["民國112年2月30日", "78/03/04", "unknown", "n/k", "民國80年1月2日"],
        ] {
            let column = profile(texts, name: "生日")
            #expect(column.dateOrder == .minguo, "\(texts)")
            let parser = ValueParser(profile: column)
            #expect(try parser.date("78/03/04") == "1989-03-04")
            #expect(throws: ValueFailure.noSuchDay) { try parser.date("民國112年2月30日") }
        }
    }

    @Test("fewer than one in twenty tell no calendar, whatever the others are", arguments: [true, false])
    func share(_ isDay: Bool) throws {
        let named = isDay ? "民國78年3月4日" : "民國112年2月30日"
        func column(_ others: Int) -> ColumnProfile {
            profile((0..<others).map { "2024-01-\(two($0 % 28 + 1))" } + [named, "78/03/04"], name: "date")
        }
        let few = column(40)
        #expect(few.dateOrder != .minguo)
        #expect(throws: ValueFailure.ambiguousCalendar) { try ValueParser(profile: few).date("78/03/04") }
        let enough = column(18)
        #expect(enough.dateOrder == .minguo)
        #expect(try ValueParser(profile: enough).date("78/03/04") == "1989-03-04")
        #expect(try ValueParser(profile: enough).date("2024-01-02") == "2024-01-02")
    }

    @Test("such a date beside others makes none of them unclear")
    func besideOthers() throws {
        let european = (1...28).map { "\(two($0))/0\($0 % 9 + 1)/2024" }
        let column = profile(european + ["民國78年3月4日", "078/03/05"])
        #expect(column.type == .date && column.dateOrder == .dayMonthYear && column.notices.isEmpty)
        #expect(column.earliest == "1989-03-04")
    }

    @Test("every day is read back from every way of writing it, whatever else is in its column")
    func property() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        let numerals = Array("〇一二三四五六七八九")
        func han(_ number: Int) -> String {
            if number < 10 { return String(numerals[number]) }
            if number < 100 { return (number < 20 ? "" : han(number / 10)) + "十" + (number % 10 == 0 ? "" : han(number % 10)) }
            let rest = number % 100
            return han(number / 100) + "百" + (rest == 0 ? "" : rest < 10 ? "零" + han(rest) : (rest < 20 ? "一" : "") + han(rest))
        }
        for _ in 0..<300 {
            var texts: [String] = [], days: [String] = []
            for index in 0..<Int.random(in: 20...60, using: &random) {
                let year = Int.random(in: 1...150, using: &random), month = Int.random(in: 1...12, using: &random)
                let day = Int.random(in: 1...CalendarDay.length(month: month, year: year + 1911), using: &random)
                let three = year < 10 ? "00\(year)" : year < 100 ? "0\(year)" : "\(year)"
                let short = year < 10 ? three : "\(year)"
                let forms = [
                    "民國\(year)年\(month)月\(day)日", "民國\(han(year))年\(han(month))月\(han(day))日", "\(three)/\(two(month))/\(two(day))",
                    "\(short)/\(month)/\(day)", "\(short)-\(two(month))-\(two(day))", "\(three)\(two(month))\(two(day))",
                    "\(year + 1911)-\(two(month))-\(two(day))",
                ]
                // The first two leave no doubt.
                texts.append(index < 2 ? forms[index] : forms[Int.random(in: 0..<forms.count, using: &random)])
                days.append("\(year + 1911)-\(two(month))-\(two(day))")
            }
            let column = profile(texts + texts.map { _ in "民國78年3月4日" })
            let parser = ValueParser(profile: column)
            for (text, day) in zip(texts, days) { #expect(try parser.date(text) == day, "\(text), seed \(seed)") }
        }
    }

    @Test("no column of another calendar is read otherwise for it")
    func untouched() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let way = Int.random(in: 0..<4, using: &random)
            let rows = (0..<40).map { _ -> (text: String, day: String) in
                let year = Int.random(in: 1900...2050, using: &random), month = Int.random(in: 1...12, using: &random)
                let day = Int.random(in: 1...28, using: &random)
                let text =
                    [
                        "\(two(day))/\(two(month))/\(year)", "\(two(month))/\(two(day))/\(year)", "\(year)\(two(month))\(two(day))",
                        "\(two(day))/\(two(month))/\(two(year % 100))",
                    ][way]
                return (text, "\(year)-\(two(month))-\(two(day))")
            }
            let column = profile(rows.map(\.text), name: "date")
            #expect(column.dateOrder != .minguo, "seed \(seed)")
            guard way < 3, way == 2 || column.dateOrder != nil else { continue }
            for row in rows { #expect(try ValueParser(profile: column).date(row.text) == row.day, "\(row.text), seed \(seed)") }
        }
    }
}
