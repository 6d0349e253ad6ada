extension ColumnProfiler {
    /// The profile of what was added so far.
    /// - Parameter evidence: what the other columns say of the calendar; `nil` = nobody looked.
    package func profile(name: String, _ evidence: CalendarEvidence? = nil) -> ColumnProfile {
        let decision = decide(
            isNamedDate: ExcelSerial.isDateName(name), isNamedMinguo: MinguoName.isIn(name), evidence)
        let tally = decision.decimalComma ? comma : point
        let isNumeric = decision.type == .integer || decision.type == .decimal
        let numbers = tally.integers + tally.decimals
        let days = days(decision)
        let order = decision.order ?? leaning(decision, MinguoName.isIn(name), evidence)
        return ColumnProfile(
            name: name, type: decision.type, total: total, missing: missing, missingKinds: missingKinds,
            distinct: counts.count, isDistinctCapped: isDistinctCapped, frequent: frequent(),
            samples: kept.prefix(options.samplesMax).map(\.text),
            minimum: isNumeric ? tally.minimum : nil, maximum: isNumeric ? tally.maximum : nil,
            mean: isNumeric && numbers > 0 ? tally.sum / Double(numbers) : nil,
            earliest: days.flatMap { CalendarDay(daysSinceEpoch: $0.first)?.text },
            latest: days.flatMap { CalendarDay(daysSinceEpoch: $0.last)?.text },
            shortest: present > 0 ? shortest : 0, longest: longest, dateOrder: order,
            decimalComma: decision.decimalComma, isZeroOne: present > 0 && zeroOnes == present,
            notices: notices(name: name, decision, evidence), exceptions: exceptions(decision))
    }

    private struct Decision {
        var type: ColumnType
        var order: DateOrder?
        var shortYears: ShortYearReason?
        var decimalComma = false
        var fitting: Int
    }

    private var present: Int { total - missing }

    private func fits(_ count: Int) -> Bool {
        count > 0 && Double(present - count) <= Double(present) * options.tolerance
    }

    private func decide(isNamedDate: Bool, isNamedMinguo: Bool, _ evidence: CalendarEvidence?) -> Decision {
        if present == 0 { return Decision(type: .empty, fitting: 0) }
        if fits(words) { return Decision(type: .boolean, fitting: words) }
        if let dates = decideDate(isNamedDate || isNamedMinguo, isNamedMinguo) { return dates }
        if let dates = decideShortYears(isNamedDate, isNamedMinguo, evidence) { return dates }
        // A leading zero or a 16th digit would be lost in a number: the column is an identifier.
        guard leadingZeros == 0, longNumbers == 0 else { return Decision(type: .text, fitting: present) }
        if let numbers = decideNumber(point, false) { return numbers }
        if let numbers = decideNumber(comma, true) { return numbers }
        return Decision(type: .text, fitting: present)
    }

    private func decideNumber(_ tally: NumberTally, _ decimalComma: Bool) -> Decision? {
        let numbers = tally.integers + tally.decimals
        guard fits(numbers) else { return nil }
        let isInteger = fits(tally.integers)
        return Decision(
            type: isInteger ? .integer : .decimal, decimalComma: decimalComma,
            fitting: isInteger ? tally.integers : numbers)
    }

    private func decideDate(_ isNamedDate: Bool, _ isNamedMinguo: Bool) -> Decision? {
        let type: ColumnType = withTime > 0 ? .dateTime : .date
        // Compact dates are integers as well: only when nothing speaks against it, or the name speaks for it. What has
        // three digits in front may be a code.
        let fixed =
            yearFirst + (compact == present || yearFirst > 0 || isNamedDate ? compact : 0)
            + (longMinguo + shortMinguo == present || yearFirst > 0 || isNamedDate ? longMinguo : 0)
        let open = openMinguo(isNamedDate, isNamedMinguo)
        var orders: [(DateOrder?, Int)] = [
            (.dayMonthYear, fixed + dayFirst + eitherOrder), (.monthDayYear, fixed + monthFirst + eitherOrder),
        ]
        if dayFirst == 0, monthFirst == 0 { orders = [(nil, fixed + eitherOrder)] }
        if open > 0 { orders.append((.minguo, fixed + open)) }
        let fitting = orders.filter { fits($0.1) }.max { $0.1 < $1.1 }
        return fitting.map { Decision(type: type, order: $0.0, fitting: $0.1) }
    }

    /// Years of two digits that nothing shows to be of the Republic, as the column or the rest of the file says.
    private func decideShortYears(_ isNamedDate: Bool, _ isNamedMinguo: Bool, _ evidence: CalendarEvidence?) -> Decision? {
        guard let evidence, !showsMinguo(isNamedMinguo), let found = shortYearOrder(evidence) else { return nil }
        let others = yearFirst + (found.order == .dayMonthYear ? dayFirst + eitherOrder : 0)
            + (found.order == .monthDayYear ? monthFirst + eitherOrder : 0)
        let fitting = others + shorts.fits(found.order)
        guard fits(fitting) else { return nil }
        return Decision(
            type: withTime > 0 ? .dateTime : .date, order: found.order, shortYears: found.why, fitting: fitting)
    }

    /// Values that are dates because the column is of the Republic of China. A year of two digits is taken for one of
    /// these only when others of the column cannot be anything else or its name says so: one in twenty, since a slip of
    /// the pen has three digits too.
    private func openMinguo(_ isNamedDate: Bool, _ isNamedMinguo: Bool) -> Int {
        let isShown = showsMinguo(isNamedMinguo)
        let isNumber = isShown || isNamedDate && sevenDigits > 0
        return (isShown ? shortMinguo : 0) + (isNumber ? compactMinguo : 0)
    }

    private func showsMinguo(_ isNamed: Bool) -> Bool {
        isNamed || namedMinguo + longMinguo > 0 && (namedMinguo + longMinguo) * 20 >= present
    }

    private func days(_ decision: Decision) -> DayRange? {
        guard decision.type == .date || decision.type == .dateTime else { return nil }
        var range = fixedDays
        if decision.order == .minguo {
            range.add(minguoDays)
            return range
        }
        if decision.shortYears != nil, let order = decision.order, let short = shorts.days(order) { range.add(short) }
        if dayFirst + monthFirst + eitherOrder > 0 {
            guard let order = decision.order else { return nil }
            let ordered = order == .dayMonthYear ? dayFirstDays : monthFirstDays
            range.add(ordered)
        }
        return range.first <= range.last ? range : nil
    }

    /// Of a column with too much else in it to be one of dates: its dates still tell each other's order, when all that
    /// tell agree. The calendar is told by the same share of the column that tells it of a column of dates.
    private func leaning(_ decision: Decision, _ isNamedMinguo: Bool, _ evidence: CalendarEvidence?) -> DateOrder? {
        guard decision.type == .text else { return nil }
        if let evidence, !showsMinguo(isNamedMinguo), shorts.count * 2 > present, dayFirst + monthFirst == 0,
            let found = shortYearOrder(evidence)
        {
            return found.order
        }
        guard dayFirst > 0 || monthFirst > 0 else { return shortMinguo > 0 && showsMinguo(isNamedMinguo) ? .minguo : nil }
        guard (dayFirst > 0) != (monthFirst > 0) else { return nil }
        return dayFirst > 0 ? .dayMonthYear : .monthDayYear
    }

    private func frequent() -> [ColumnProfile.ValueCount] {
        kept.map { ColumnProfile.ValueCount(value: $0.text, count: counts[$0.hash] ?? 0) }
            .enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }.map(\.element)
    }

    private func notices(name: String, _ decision: Decision, _ evidence: CalendarEvidence?) -> [ColumnNotice] {
        var found: [ColumnNotice] = []
        func add(_ count: Int, _ notice: (Int) -> ColumnNotice) {
            if count > 0 { found.append(notice(count)) }
        }
        let isDate = decision.type == .date || decision.type == .dateTime
        if !isDate {
            add(leadingZeros) { .leadingZeros(count: $0) }
            add(longNumbers) { .longNumbers(count: $0) }
        }
        add(scientific) { .scientificDamage(count: $0) }
        add(formulas) { .formulaCells(count: $0) }
        if !decision.decimalComma { add(grouped) { .thousandsSeparators(count: $0) } }
        add(currencies) { .currencySigns(count: $0) }
        add(percents) { .percentSigns(count: $0) }
        add(spaced) { .surroundingSpaces(count: $0) }
        if decision.type == .integer, fits(serials), ExcelSerial.isDateName(name) {
            found.append(.excelSerialDates(count: serials))
        }
        if dayFirst > 0, monthFirst > 0 { found.append(.mixedDateOrders(dayFirst: dayFirst, monthFirst: monthFirst)) }
        if looksSwapped, ![.yearMonthDay, .minguo].contains(decision.order) { found.append(.swappedDates(count: yearFirstLow)) }
        if isDate, decision.order == nil { add(eitherOrder) { .ambiguousDateOrder(count: $0) } }
        let order = decision.order ?? leaning(decision, MinguoName.isIn(name), evidence)
        if let why = decision.shortYears { add(shorts.count) { .shortYears(count: $0, why: why) } }
        if order != .minguo, decision.shortYears == nil, fits(yearFirst + longMinguo + shortMinguo), ExcelSerial.isDateName(name) {
            add(shortMinguo) { .ambiguousCalendar(count: $0) }
        }
        // Also where so many do not fit that the column is a text: most of it has the shape of dates.
        let shaped = yearFirst + dayFirst + monthFirst + eitherOrder + impossible
        if isDate || shaped * 10 >= present * 8 && impossible * 2 <= shaped {
            add(impossible) { .impossibleDates(count: $0) }
        }
        if decision.type == .dateTime, offMidnight == 0 { found.append(.midnightOnly) }
        if decision.type != .text, decision.type != .empty { add(present - decision.fitting) { .doNotFit(count: $0) } }
        return found
    }

    private func exceptions(_ decision: Decision) -> [ColumnProfile.Exception] {
        switch decision.type {
        case .integer: notInteger.values
        case .decimal: notNumber.values
        case .boolean: notBoolean.values
        case .date, .dateTime where decision.order == .minguo: notDate.values
        case .date, .dateTime where decision.shortYears != nil: []
        case .date, .dateTime:
            Array((notDate.values + openDates.values).sorted { $0.record < $1.record }.prefix(5))
        case .text, .empty: []
        }
    }
}

/// Profiles all columns of a stream of records.
package struct TableProfiler: Sendable {
    package private(set) var names: [String]
    private var profilers: [ColumnProfiler]
    private let options: ProfileOptions
    private var records = 0

    package init(names: [String], options: ProfileOptions = ProfileOptions()) {
        self.names = names
        self.options = options
        profilers = names.map { _ in ColumnProfiler(options: options) }
    }

    /// Columns met late (JSON Lines); the records so far had nothing there.
    package mutating func add(columns: [String]) {
        names += columns
        for _ in columns {
            var profiler = ColumnProfiler(options: options)
            for _ in 0..<records { profiler.addNull() }
            profilers.append(profiler)
        }
    }

    /// - Parameter place: what exceptions are told with; `nil` = the number of the record.
    package mutating func add(_ record: Record, at place: Int? = nil) {
        records += 1
        for index in profilers.indices {
            if record.isNull(index) {
                profilers[index].addNull()
            } else {
                record.withBytes(index) { profilers[index].add($0, record: place ?? record.position.record) }
            }
        }
    }

    package var profiles: [ColumnProfile] {
        guard profilers.contains(where: { $0.shorts.count > 0 }) else { return zip(names, profilers).map { $1.profile(name: $0) } }
        // Years of two digits: what the whole file says of its calendar.
        var evidence = CalendarEvidence()
        for (name, profiler) in zip(names, profilers) { profiler.note(in: &evidence, name: name) }
        for name in names where MinguoName.isIn(name) { evidence.isOfTaiwan = true }
        return zip(names, profilers).map { $1.profile(name: $0, evidence) }
    }
}
