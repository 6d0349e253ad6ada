package enum ColumnType: String, Sendable, Codable, CaseIterable {
    case integer, decimal, boolean, date, dateTime, text
    /// No value at all.
    case empty
}

/// What a person should know about a column before it is imported. `count` is the number of values concerned.
package enum ColumnNotice: Sendable, Codable, Equatable {
    /// `007`: it is an identifier, so the column is text.
    case leadingZeros(count: Int)
    /// More than 15 digits: a spreadsheet cannot hold them; the column is text.
    case longNumbers(count: Int)
    /// `1.38E+10`: digits of a phone number or identifier are lost.
    case scientificDamage(count: Int)
    case formulaCells(count: Int)
    case thousandsSeparators(count: Int)
    case currencySigns(count: Int)
    case percentSigns(count: Int)
    case surroundingSpaces(count: Int)
    /// Integers that look like Excel days in a column named after a date.
    case excelSerialDates(count: Int)
    /// `03/05/2024` throughout: day or month first cannot be told.
    case ambiguousDateOrder(count: Int)
    /// `78/03/04` throughout: a year of the Republic of China or two digits of another one cannot be told.
    case ambiguousCalendar(count: Int)
    /// `24-06-15` read with years of 1970 to 2069, and what says so.
    case shortYears(count: Int, why: ShortYearReason)
    /// Some values only read day first, others only month first.
    case mixedDateOrders(dayFirst: Int, monthFirst: Int)
    /// `2015-04-08` beside `22-04-15`, and never a day above 12: the day was taken for the month.
    case swappedDates(count: Int)
    /// The shape of a date without such a day.
    case impossibleDates(count: Int)
    /// Each time of day is midnight: the column is a date in disguise.
    case midnightOnly
    /// Values that do not fit the column's type (see `exceptions`).
    case doNotFit(count: Int)

    /// Stable key of the text catalogue.
    package var code: String {
        switch self {
        case .leadingZeros: "leading_zeros"
        case .longNumbers: "long_numbers"
        case .scientificDamage: "scientific_damage"
        case .formulaCells: "formula_cells"
        case .thousandsSeparators: "thousands_separators"
        case .currencySigns: "currency_signs"
        case .percentSigns: "percent_signs"
        case .surroundingSpaces: "surrounding_spaces"
        case .excelSerialDates: "excel_serial_dates"
        case .ambiguousDateOrder: "ambiguous_date_order"
        case .ambiguousCalendar: "ambiguous_calendar"
        case .shortYears(_, .column): "short_years_column"
        case .shortYears(_, .file): "short_years_file"
        case .shortYears(_, .script): "short_years_script"
        case .mixedDateOrders: "mixed_date_orders"
        case .swappedDates: "swapped_dates"
        case .impossibleDates: "impossible_dates"
        case .midnightOnly: "midnight_only"
        case .doNotFit: "do_not_fit"
        }
    }

    package var count: Int? {
        switch self {
        case .leadingZeros(let count), .longNumbers(let count), .scientificDamage(let count), .formulaCells(let count),
            .ambiguousCalendar(let count),
            .thousandsSeparators(let count), .currencySigns(let count), .percentSigns(let count),
            .surroundingSpaces(let count), .excelSerialDates(let count), .ambiguousDateOrder(let count),
            .swappedDates(let count), .impossibleDates(let count), .doNotFit(let count):
            count
        case .shortYears(let count, _): count
        case .mixedDateOrders(let dayFirst, let monthFirst): dayFirst + monthFirst
        case .midnightOnly: nil
        }
    }
}

/// What a column holds, over all values added to its `ColumnProfiler`.
package struct ColumnProfile: Sendable, Codable, Equatable {
    package struct ValueCount: Sendable, Codable, Equatable {
        package let value: String
        package let count: Int
    }

    package struct Exception: Sendable, Codable, Equatable {
        /// Record number, from 1.
        package let record: Int
        package let value: String
    }

    package let name: String
    package let type: ColumnType
    /// Values added; missing ones among them.
    package let total: Int
    package let missing: Int
    package let missingKinds: [MissingValue: Int]
    /// Different values; when `isDistinctCapped` there are more than this.
    package let distinct: Int
    package let isDistinctCapped: Bool
    /// Values with counts, most frequent first, taken from the first 64 different ones (exact when there are no more).
    package let frequent: [ValueCount]
    /// The first different values.
    package let samples: [String]
    /// Integer and decimal columns.
    package let minimum: Double?
    package let maximum: Double?
    package let mean: Double?
    /// `YYYY-MM-DD`; date and date-time columns.
    package let earliest: String?
    package let latest: String?
    /// Unicode scalars of the shortest and the longest value.
    package let shortest: Int
    package let longest: Int
    /// Date columns with `a/b/YYYY`, or with years of the Republic of China that do not show it by themselves; nil when
    /// it does not matter or cannot be told (`ambiguousDateOrder`).
    package let dateOrder: DateOrder?
    package let decimalComma: Bool
    /// Every value is 0 or 1.
    package let isZeroOne: Bool
    package let notices: [ColumnNotice]
    /// The first values that do not fit the type.
    package let exceptions: [Exception]

    package var present: Int { total - missing }
}
