import Testing

@testable import Tabular

@Suite("Typed values")
struct ValueTests {
    let parser = ValueParser()

    @Test(
        "integers",
        arguments: [
            ("42", 42), (" -7 ", -7), ("1,234,567", 1_234_567), ("5.00", 5), ("¥1,000", 1_000),
            ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min), ("\u{3000}3\u{A0}", 3),
        ])
    func integers(_ text: String, _ value: Int64) throws {
        #expect(try parser.integer(text) == value)
    }

    @Test(
        "what is not an integer says why",
        arguments: [
            ("x", ValueFailure.notANumber), ("1.5", .notAnInteger), ("1.38E+10", .scientificNotation),
            ("9223372036854775808", .outOfRange), ("12%", .percentSign), ("=1+1", .formula), ("-2+3", .formula),
            ("1,23,456", .notANumber), ("12,34", .notANumber), ("1 2", .notANumber), ("", .notANumber),
        ])
    func integerFailures(_ text: String, _ failure: ValueFailure) throws {
        if text.isEmpty {
            #expect(try parser.integer(text) == nil)
        } else {
            #expect(throws: failure) { try parser.integer(text) }
        }
    }

    @Test(
        "decimals are the nearest double",
        arguments: ["0.1", "53.85", "1e-7", "123456789.123456789", ".5", "-0.30", "7.", "1.7976931348623157e308"])
    func decimals(_ text: String) throws {
        #expect(try parser.decimal(text) == Double(text.hasSuffix(".") ? text + "0" : text))
    }

    @Test(
        "signs of currency and grouping are understood",
        arguments: [
            ("$1,234.50", 1234.5), ("-￥5", -5), ("€-3.20", -3.2), ("12元", 12), ("NT$ 1,000", 1000), ("RMB 8", 8),
            ("3.5 €", 3.5),
        ])
    func currency(_ text: String, _ value: Double) throws {
        #expect(try parser.decimal(text) == value)
    }

    @Test("decimal commas where the column has them")
    func decimalComma() throws {
        let european = ValueParser(decimalComma: true)
        #expect(try european.decimal("1.234,56") == 1234.56)
        #expect(try european.fixed("0,07") == 7)
        #expect(throws: ValueFailure.notANumber) { try parser.decimal("1.234,56") }
    }

    @Test(
        "amounts are exact in minor units and never rounded",
        arguments: [
            ("53.85", 5385), ("0.07", 7), ("-1.5", -150), ("1,000", 100_000), ("2.500", 250),
            ("92233720368547758.07", Int64.max),
        ])
    func fixed(_ text: String, _ value: Int64) throws {
        #expect(try parser.fixed(text) == value)
    }

    @Test("amounts that do not fit say why")
    func fixedFailures() throws {
        #expect(throws: ValueFailure.tooManyDecimals) { try parser.fixed("1.005") }
        #expect(throws: ValueFailure.outOfRange) { try parser.fixed("92233720368547758.08") }
        #expect(throws: ValueFailure.scientificNotation) { try parser.fixed("1.2E+3") }
        #expect(try parser.fixed("1.2345", places: 4) == 12_345)
    }

    @Test("booleans in both languages; 0 and 1 only when told")
    func booleans() throws {
        for text in ["yes", "TRUE", "Y", "是"] { #expect(try parser.boolean(text) == true) }
        for text in ["No", "false", "n", "否"] { #expect(try parser.boolean(text) == false) }
        #expect(throws: ValueFailure.notABoolean) { try parser.boolean("1") }
        #expect(try ValueParser(zeroOneIsBoolean: true).boolean("1") == true)
        #expect(throws: ValueFailure.notABoolean) { try parser.boolean("maybe") }
    }

    @Test(
        "missing values are nil in every type",
        arguments: ["", " ", "NA", "n/a", "NULL", "null", "\\N", "-", "NaN", "#N/A", "\t", "\u{3000}"])
    func missing(_ text: String) throws {
        #expect(try parser.integer(text) == nil)
        #expect(try parser.date(text) == nil)
        #expect(MissingValue(text) != nil)
    }

    @Test(
        "dates of one reading",
        arguments: [
            "2024-03-05", "2024/3/5", "2024.03.05", "2024年3月5日", "2024年03月05号", "20240305", "5-Mar-2024", "05-mar-24",
            "2024-03-05 00:00:00", "2024-03-05T00:00",
        ])
    func dates(_ text: String) throws {
        #expect(try parser.date(text) == "2024-03-05")
    }

    @Test("day and month first are told apart by the column, or refused")
    func dateOrder() throws {
        #expect(try ValueParser(dateOrder: .dayMonthYear).date("05/03/2024") == "2024-03-05")
        #expect(try ValueParser(dateOrder: .monthDayYear).date("3/5/2024") == "2024-03-05")
        #expect(throws: ValueFailure.ambiguousDate) { try parser.date("05/03/2024") }
        #expect(try parser.date("25/03/2024") == "2024-03-25")
        #expect(try parser.date("03-25-2024") == "2024-03-25")
        #expect(throws: ValueFailure.noSuchDay) { try ValueParser(dateOrder: .monthDayYear).date("25/03/2024") }
    }

    @Test(
        "what is not a date says why",
        arguments: [
            ("2023-02-29", ValueFailure.noSuchDay), ("2024-13-01", .noSuchDay), ("31/04/2024", .noSuchDay),
            ("1900-02-29", .noSuchDay),
            ("soon", .notADate), ("2024-03-05 10:00", .notADate), ("45356", .excelSerialDate), ("123", .notADate),
            ("2024-03/05", .notADate), ("=TODAY()", .formula), ("2024年3月", .notADate),
        ])
    func dateFailures(_ text: String, _ failure: ValueFailure) {
        #expect(throws: failure) { try parser.date(text) }
    }

    @Test(
        "Excel days are read only when asked for",
        arguments: [
            ("45356", "2024-03-05"), ("61", "1900-03-01"), ("25569", "1970-01-01"), ("2958465", "9999-12-31"),
            ("45356.0", "2024-03-05"),
        ])
    func excel(_ text: String, _ date: String) throws {
        #expect(try ValueParser(excelSerialDates: true).date(text) == date)
    }

    @Test(
        "instants are milliseconds since 1970 in UTC",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01 08:00", 0), ("2024-03-05T10:20:30.250+08:00", 1_709_605_230_250),
            ("2024-03-05 02:20:30Z", 1_709_605_230_000), ("2024年3月5日 10:20:30", 1_709_605_230_000),
            ("20240305102030", 1_709_605_230_000), ("2024-03-05 10:20:30 AM", 1_709_605_230_000),
            ("2024-03-05 12:05 am", 1_709_568_300_000), ("2024-03-04T21:20:30-0500", 1_709_605_230_000),
            ("1969-12-31T23:59:59Z", -1_000),
        ])
    func instants(_ text: String, _ value: Int64) throws {
        #expect(try parser.instant(text) == value)
    }

    @Test(
        "times that do not exist are refused",
        arguments: [
            "2024-03-05 25:00", "2024-03-05 10:60", "2024-03-05 13:00 PM", "2024-03-05 10:20+99:00", "2024-03-05 x",
        ])
    func badTimes(_ text: String) {
        #expect(throws: ValueFailure.notAnInstant) { try parser.instant(text) }
    }

    @Test("days since 1970 and back, for every day of 600 years")
    func calendar() {
        var day = CalendarDay(year: 1700, month: 1, day: 1)
        var expected = -98_615
        var wrong: [String] = []
        while let found = day, found.year < 2300 {
            if found.daysSinceEpoch != expected || CalendarDay(daysSinceEpoch: expected) != found {
                wrong.append(found.text)
            }
            expected += 1
            day =
                CalendarDay(year: found.year, month: found.month, day: found.day + 1)
                ?? CalendarDay(year: found.year, month: found.month + 1, day: 1)
                ?? CalendarDay(year: found.year + 1, month: 1, day: 1)
        }
        #expect(wrong.isEmpty)
        #expect(expected == 120_530)
    }
}
