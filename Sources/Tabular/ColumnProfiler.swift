package struct ProfileOptions: Sendable, Codable, Equatable {
    /// A column has a type when at least 1 - `tolerance` of its values fit; the rest are its exceptions.
    package var tolerance: Double
    package var zeroOneIsBoolean: Bool
    package var distinctMax: Int
    package var samplesMax: Int

    package init(
        tolerance: Double = 0.02, zeroOneIsBoolean: Bool = false, distinctMax: Int = 10_000, samplesMax: Int = 10
    ) {
        self.tolerance = tolerance
        self.zeroOneIsBoolean = zeroOneIsBoolean
        self.distinctMax = distinctMax
        self.samplesMax = samplesMax
    }
}

/// Watches the values of one column go by and says at the end what the column is. Constant memory.
package struct ColumnProfiler: Sendable {
    /// One way to read numbers (decimal point or decimal comma).
    struct NumberTally: Sendable {
        var integers = 0, decimals = 0, sum = 0.0, minimum = Double.infinity, maximum = -Double.infinity

        mutating func add(_ number: NumberText, _ value: Double) {
            if number.isInteger { integers += 1 } else { decimals += 1 }
            sum += value
            minimum = min(minimum, value)
            maximum = max(maximum, value)
        }
    }

    /// Earliest and latest day under one reading, as days since 1970.
    struct DayRange: Sendable {
        var first = Int.max, last = Int.min

        mutating func add(_ day: CalendarDay) {
            let days = day.daysSinceEpoch
            first = min(first, days)
            last = max(last, days)
        }

        mutating func add(_ other: DayRange) {
            first = min(first, other.first)
            last = max(last, other.last)
        }
    }

    /// The first values a type cannot take, since the type is known only at the end.
    struct Misfits: Sendable {
        private(set) var values: [ColumnProfile.Exception] = []

        mutating func add(_ text: Bytes, _ record: Int) {
            guard values.count < 5 else { return }
            values.append(.init(record: record, value: String(decoding: text.prefix(200), as: UTF8.self)))
        }
    }

    let options: ProfileOptions
    var total = 0, missing = 0, missingKinds: [MissingValue: Int] = [:]
    var point = NumberTally(), comma = NumberTally()
    var words = 0, zeroOnes = 0
    var yearFirst = 0, compact = 0, dayFirst = 0, monthFirst = 0, eitherOrder = 0, impossible = 0
    /// Dates of the Republic of China: `078/03/04`; `78/03/04`; as a number of seven digits and of six. Those that name
    /// the calendar are among `yearFirst`.
    var namedMinguo = 0, longMinguo = 0, shortMinguo = 0, compactMinguo = 0, sevenDigits = 0
    /// Of years of two digits: how many are days with the year first, the day first, the month first; how many say that they are
    /// no years of the Republic, which had no year 0.
    var shorts = ShortYears()
    /// Among `yearFirst`: with a word, and by whether the last number is 12 or less.
    var wordy = 0, yearFirstLow = 0, yearFirstHigh = 0
    var withTime = 0, offMidnight = 0
    var fixedDays = DayRange(), dayFirstDays = DayRange(), monthFirstDays = DayRange(), minguoDays = DayRange()
    var leadingZeros = 0, longNumbers = 0, scientific = 0, formulas = 0
    var grouped = 0, currencies = 0, percents = 0, spaced = 0, serials = 0
    var shortest = Int.max, longest = 0
    var notNumber = Misfits(), notInteger = Misfits(), notDate = Misfits(), notBoolean = Misfits()
    /// Dates only where the column is of the Republic of China.
    var openDates = Misfits()
    var counts: [UInt64: Int] = [:], isDistinctCapped = false
    var kept: [(hash: UInt64, text: String)] = []

    private static let keptMax = 64

    package init(options: ProfileOptions = ProfileOptions()) {
        self.options = options
    }

    package mutating func add(_ text: String, record: Int = 0) {
        var text = text
        text.withUTF8 { add($0, record: record) }
    }

    /// JSON null, an absent key.
    package mutating func addNull() {
        total += 1
        missing += 1
        missingKinds[.null, default: 0] += 1
    }

    /// - Parameter record: record number, for the exceptions.
    package mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, record: Int = 0) {
        total += 1
        if let kind = MissingValue(untrimmed: bytes) {
            missing += 1
            missingKinds[kind, default: 0] += 1
            return
        }
        let text = TextTrim.trimmed(bytes)
        if text.count != bytes.count { spaced += 1 }
        count(text)
        addNumber(text, record)
        addDate(text, record)
        addBoolean(text, record)
        if FormulaText.isFormula(text) { formulas += 1 }
        if text.last == UInt8(ascii: "%"), NumberText(Bytes(rebasing: text.dropLast())) != nil { percents += 1 }
    }

    private mutating func count(_ text: Bytes) {
        let length = Scan.scalarCount(text, text.indices)
        shortest = min(shortest, length)
        longest = max(longest, length)
        let hash = ColumnProfiler.hash(text)
        if let known = counts[hash] {
            counts[hash] = known + 1
        } else if counts.count < options.distinctMax {
            counts[hash] = 1
            if kept.count < max(ColumnProfiler.keptMax, options.samplesMax) {
                kept.append((hash, String(decoding: text.prefix(200), as: UTF8.self)))
            }
        } else {
            isDistinctCapped = true
        }
    }

    private mutating func addNumber(_ text: Bytes, _ record: Int) {
        var isInteger = false, isNumber = false
        if let number = NumberText(text), let value = number.value(text) {
            isNumber = true
            isInteger = number.isInteger
            point.add(number, value)
            noteForm(number, text, value)
            if number.isInteger, !number.isGrouped, number.integerDigits == 1, text.count == 1, value <= 1 {
                zeroOnes += 1
            }
        }
        // Without a comma or a grouping dot both readings are the same.
        if text.contains(where: { $0 == Ascii.comma || $0 == Ascii.dot }) {
            if let number = NumberText(text, decimal: Ascii.comma),
                let value = number.value(text, decimal: Ascii.comma)
            {
                comma.add(number, value)
            }
        } else if let number = NumberText(text), let value = number.value(text) {
            comma.add(number, value)
        }
        if !isNumber { notNumber.add(text, record) }
        if !isInteger { notInteger.add(text, record) }
    }

    private mutating func noteForm(_ number: NumberText, _ text: Bytes, _ value: Double) {
        if number.hasLeadingZero { leadingZeros += 1 }
        if number.isInteger, number.integerDigits > 15 { longNumbers += 1 }
        if number.isGrouped { grouped += 1 }
        if number.currency != nil { currencies += 1 }
        // What a spreadsheet shows for 12 and more digits: few digits, a capital E, a plus sign.
        if let exponent = number.exponent, exponent >= 9, text.contains(UInt8(ascii: "E")), text.contains(Ascii.plus) {
            scientific += 1
        }
        if number.isInteger, value >= Double(ExcelSerial.suspects.lowerBound),
            value <= Double(ExcelSerial.suspects.upperBound)
        {
            serials += 1
        }
    }

    private mutating func addDate(_ text: Bytes, _ record: Int) {
        guard let date = DateText(text) else { return notDate.add(text, record) }
        if date.isOpenCalendar { return addOpen(date, text, record) }
        let asDayFirst = date.day(order: .dayMonthYear), asMonthFirst = date.day(order: .monthDayYear)
        guard let day = asDayFirst ?? asMonthFirst else {
            impossible += 1
            // There is no such day, and yet nothing else can be meant by the year.
            if date.isNamedMinguo { namedMinguo += 1 }
            return notDate.add(text, record)
        }
        if let time_ms = date.time_ms { noteTime(time_ms) }
        switch date.form {
        case .yearFirst:
            yearFirst += 1
            if date.isWordy { wordy += 1 } else if date.second <= 12 { yearFirstLow += 1 } else { yearFirstHigh += 1 }
            if date.isNamedMinguo { namedMinguo += 1 }
        case .compact: compact += 1
        case .minguo: longMinguo += 1
        case .shortYear, .minguoCompact: return
        case .yearLast:
            if asMonthFirst == nil {
                dayFirst += 1
            } else if asDayFirst == nil {
                monthFirst += 1
            } else {
                eitherOrder += 1
            }
            if let asDayFirst { dayFirstDays.add(asDayFirst) }
            if let asMonthFirst { monthFirstDays.add(asMonthFirst) }
            return
        }
        fixedDays.add(day)
    }

    private mutating func noteTime(_ time_ms: Int) {
        withTime += 1
        if time_ms != 0 { offMidnight += 1 }
    }

    /// A date if the column is of the Republic of China, which is known at the end.
    private mutating func addOpen(_ date: DateText, _ text: Bytes, _ record: Int) {
        if date.form == .shortYear { shorts.add(date) }
        guard let day = date.day(order: .minguo) else {
            // The fifteenth month: a day, and the year stands last.
            if date.form == .shortYear, date.time_ms != nil { noteTime(date.time_ms ?? 0) }
            return notDate.add(text, record)
        }
        switch date.form {
        case .shortYear: shortMinguo += 1
        default: compactMinguo += 1
        }
        if text.count == 7, date.form == .minguoCompact { sevenDigits += 1 }
        if let time_ms = date.time_ms { noteTime(time_ms) }
        minguoDays.add(day)
        openDates.add(text, record)
    }

    private mutating func addBoolean(_ text: Bytes, _ record: Int) {
        switch BooleanText(text) {
        case .word?: words += 1
        case .digit? where options.zeroOneIsBoolean: words += 1
        default: notBoolean.add(text, record)
        }
    }

    /// 64-bit FNV-1a with a final mix: enough to count different values, a collision costs one.
    private static func hash(_ text: Bytes) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash ^ hash >> 32
    }
}
