/// Why a text is not a value of the wanted type. Raw values are stable keys of the text catalogue.
package enum ValueFailure: String, Error, Sendable, Codable, CaseIterable {
    case notANumber = "not_a_number"
    /// It has decimals.
    case notAnInteger = "not_an_integer"
    case outOfRange = "out_of_range"
    /// `1.38E+10`: a spreadsheet has dropped digits.
    case scientificNotation = "scientific_notation"
    /// More decimals than the currency has.
    case tooManyDecimals = "too_many_decimals"
    case percentSign = "percent_sign"
    case notABoolean = "not_a_boolean"
    case notADate = "not_a_date"
    /// `03/05/2024` and the column does not tell the order.
    case ambiguousDate = "ambiguous_date"
    /// `78/03/04`, `0780304`: a year of the Republic of China or not, and the column does not tell.
    case ambiguousCalendar = "ambiguous_calendar"
    /// The shape of a date, but no such day (30 February; month 13).
    case noSuchDay = "no_such_day"
    /// A bare integer in Excel's range of days: parsed only when asked for.
    case excelSerialDate = "excel_serial_date"
    case notAnInstant = "not_an_instant"
    /// `2015-04-08` in a column whose days above 12 are all written `22-04-15`.
    case swappedDate = "swapped_date"
    /// A date whose year stands last in a column that is read year first.
    case yearNotFirst
    /// The text begins like a spreadsheet formula.
    case formula
}

/// Turns text into typed values by the rules of its column. Every function answers nil for a missing value (see
/// `MissingValue`) and throws a reason otherwise. White space around a value is ignored.
package struct ValueParser: Sendable, Codable, Equatable {
    /// Nil: unknown, then `03/05/2024` is an error.
    package var dateOrder: DateOrder?
    /// Read 1 and 0 as true and false.
    package var zeroOneIsBoolean: Bool
    /// Read 45356 as 2024-03-05 (1900 system).
    package var excelSerialDates: Bool
    package var decimalComma: Bool
    /// For an instant without a zone: minutes east of UTC (480 = China).
    package var utcOffset_min: Int
    /// A year of two digits that would lie behind this one is of the century before: of days that have been, such as births.
    package var lastYear: Int?
    /// Dates with the year in front whose day may be the month: they are not to be taken for what they seem.
    package var doubtsYearFirst: Bool?

    package init(
        dateOrder: DateOrder? = nil, zeroOneIsBoolean: Bool = false, excelSerialDates: Bool = false,
        decimalComma: Bool = false, utcOffset_min: Int = 480
    ) {
        self.dateOrder = dateOrder
        self.zeroOneIsBoolean = zeroOneIsBoolean
        self.excelSerialDates = excelSerialDates
        self.decimalComma = decimalComma
        self.utcOffset_min = utcOffset_min
    }

    /// The rules a column's profile found.
    package init(profile: ColumnProfile, utcOffset_min: Int = 480) {
        self.init(
            dateOrder: profile.dateOrder, zeroOneIsBoolean: profile.type == .boolean && profile.isZeroOne,
            decimalComma: profile.decimalComma, utcOffset_min: utcOffset_min)
    }

    package func integer(_ text: String) throws(ValueFailure) -> Int64? {
        try parse(text) { bytes in self.scaled(bytes, places: 0) }
    }

    /// The nearest double to the decimal text.
    package func decimal(_ text: String) throws(ValueFailure) -> Double? {
        try parse(text) { bytes in
            switch self.number(bytes) {
            case .failure(let failure): .failure(failure)
            case .success(let number):
                number.value(bytes, decimal: self.decimalSign).map(Result.success) ?? .failure(.outOfRange)
            }
        }
    }

    /// Money or another fixed-point amount in units of 10^-`places` (2: cents), exactly. `1.38E+10` is an error.
    package func fixed(_ text: String, places: Int = 2) throws(ValueFailure) -> Int64? {
        try parse(text) { bytes in self.scaled(bytes, places: places) }
    }

    package func boolean(_ text: String) throws(ValueFailure) -> Bool? {
        try parse(text) { bytes in
            switch BooleanText(bytes) {
            case .word(let value)?: .success(value)
            case .digit(let value)? where self.zeroOneIsBoolean: .success(value)
            default: .failure(.notABoolean)
            }
        }
    }

    /// `YYYY-MM-DD`. A time of day behind the date must be midnight.
    package func date(_ text: String) throws(ValueFailure) -> String? {
        try parse(text) { bytes in
            self.moment(bytes, .notADate).flatMap { day, time_ms, _ in
                time_ms == 0 ? .success(day.text) : .failure(.notADate)
            }
        }
    }

    /// Milliseconds since 1970-01-01T00:00Z. A date alone is its midnight in `utcOffset_min`.
    package func instant(_ text: String) throws(ValueFailure) -> Int64? {
        try parse(text) { bytes in
            self.moment(bytes, .notAnInstant).map { day, time_ms, offset_min in
                Int64(day.daysSinceEpoch) * 86_400_000 + Int64(time_ms)
                    - Int64(offset_min ?? self.utcOffset_min) * 60_000
            }
        }
    }

    private var decimalSign: UInt8 { decimalComma ? Ascii.comma : Ascii.dot }

    private func parse<Value>(
        _ text: String, _ body: (Bytes) -> Result<Value, ValueFailure>
    ) throws(ValueFailure) -> Value? {
        var text = text
        let result: Result<Value, ValueFailure>? = text.withUTF8 { bytes in
            let trimmed = TextTrim.trimmed(bytes)
            return MissingValue(trimmed) == nil ? body(trimmed) : nil
        }
        return try result?.get()
    }

    private func number(_ bytes: Bytes) -> Result<NumberText, ValueFailure> {
        if let number = NumberText(bytes, decimal: decimalSign) { return .success(number) }
        if bytes.last == UInt8(ascii: "%") { return .failure(.percentSign) }
        return .failure(FormulaText.isCall(bytes) ? .formula : .notANumber)
    }

    private func scaled(_ bytes: Bytes, places: Int) -> Result<Int64, ValueFailure> {
        number(bytes).flatMap { $0.exponent == nil ? $0.scaled(places: places) : .failure(.scientificNotation) }
    }

    private typealias Moment = (day: CalendarDay, time_ms: Int, offset_min: Int?)

    private func moment(_ bytes: Bytes, _ failure: ValueFailure) -> Result<Moment, ValueFailure> {
        guard let date = DateText(bytes) else { return serial(bytes, failure) }
        if date.form == .shortYear, let order = dateOrder, order != .minguo, let day = date.day(order: order) {
            guard let lastYear, day.year > lastYear else { return .success((day, date.time_ms ?? 0, date.offset_min)) }
            guard let earlier = CalendarDay(year: day.year - 100, month: day.month, day: day.day) else { return .failure(.noSuchDay) }
            return .success((earlier, date.time_ms ?? 0, date.offset_min))
        }
        if date.isOpenCalendar, dateOrder != .minguo {
            let isDay = date.day(order: .minguo) != nil
            if date.form == .minguoCompact { return serial(bytes, isDay ? .ambiguousCalendar : failure) }
            return .failure(isDay ? .ambiguousCalendar : failure)
        }
        if doubtsYearFirst == true, date.isExchangeable { return .failure(.swappedDate) }
        var order = dateOrder
        if order == nil || order == .minguo, date.form == .yearLast {
            order = nil
            // One reading only when a number is past 12, or when both are the same.
            if date.first > 12 { order = .dayMonthYear }
            if date.second > 12 { order = .monthDayYear }
            if date.first == date.second { order = .dayMonthYear }
            if order == nil { return .failure(.ambiguousDate) }
        }
        if order == .yearMonthDay, date.form == .yearLast { return .failure(.yearNotFirst) }
        guard let day = date.day(order: order) else { return .failure(.noSuchDay) }
        return .success((day, date.time_ms ?? 0, date.offset_min))
    }

    private func serial(_ bytes: Bytes, _ failure: ValueFailure) -> Result<Moment, ValueFailure> {
        guard let number = NumberText(bytes), !number.isGrouped, number.currency == nil, number.exponent == nil,
            let value = number.value(bytes), value >= 61, value < 2_958_466
        else { return .failure(FormulaText.isCall(bytes) ? .formula : failure) }
        guard excelSerialDates else {
            return .failure(ExcelSerial.suspects.contains(Int(value)) ? .excelSerialDate : failure)
        }
        guard let day = CalendarDay(excelSerial: Int(value)) else { return .failure(failure) }
        // Excel keeps the time of day as a fraction; whole seconds are all it means.
        let seconds = Int(((value - value.rounded(.down)) * 86_400).rounded())
        return .success((day, min(seconds, 86_399) * 1_000, nil))
    }
}

/// Days from 1954-10-03 to 2064-04-08 as Excel counts them.
enum ExcelSerial {
    static let suspects = 20_000...60_000
    private static let words = ["date", "time", "日期", "时间", "時間", "birth", "生日", "day", "日"]

    static func isDateName(_ name: String) -> Bool {
        let folded = name.lowercased()
        return words.contains { folded.contains($0) }
    }
}

/// Headings that name the calendar of the Republic of China.
enum MinguoName {
    private static let words = ["民國", "民国", "minguo", "roc date", "roc_date"]

    static func isIn(_ name: String) -> Bool {
        let folded = name.lowercased()
        return words.contains { folded.contains($0) }
    }
}
