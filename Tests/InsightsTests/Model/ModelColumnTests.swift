import Testing

@testable import Insights

@Suite("reading columns")
struct ModelColumnTests {
    private func kind(_ name: String, _ values: [String?]) -> ColumnKind {
        ProfiledColumn(CodedColumn(name: name, values: values)).kind
    }

    @Test(
        "numbers are read with separators, currency, percent and brackets",
        arguments: [
            ("42", 42), ("-3.5", -3.5), ("1e3", 1000), ("1,234.5", 1234.5), ("1.234,5", 1234.5), ("12,5", 12.5),
            ("1,234,567", 1_234_567), ("$1,000", 1000), ("￥88.5", 88.5), ("15%", 15), ("(20)", -20), ("99元", 99),
        ])
    func numbers(text: String, value: Double) {
        #expect(CellText.number(text) == value)
    }

    @Test(
        "what only looks like a number is none",
        arguments: [
            "", "nan", "inf", "0x1F", "1,23,4", "12-05", "1.2.3", "abc", "12 apples", "+", "1e999",
        ])
    func notNumbers(text: String) {
        #expect(CellText.number(text) == nil)
    }

    @Test(
        "missing markers are missing, with or without spaces",
        arguments: [
            "", " ", "  ", "NA", "N/A", "null", "NULL", "\\N", "-", "?", " NA ", "\u{3000}", "\t",
        ])
    func missing(text: String) {
        #expect(CellText.present(text) == nil)
    }

    @Test(
        "dates in many forms are the same day",
        arguments: [
            "2024-01-31", "2024/1/31", "2024.01.31", "2024年1月31日", "20240131", "31/01/2024", "31-Jan-2024",
            "Jan 31, 2024", "2024-01-31T10:00:00Z", "2024-01-31 10:00", "31-Jan-24",
        ])
    func dates(text: String) {
        #expect(DateText.day(text, dayFirst: true, allowsCompact: true) == 19_753)
    }

    @Test(
        "impossible dates are none",
        arguments: [
            "2024-02-30", "2023-02-29", "2024-13-01", "99/99/9999", "1.5", "a-b-c-d",
        ])
    func noDates(text: String) {
        #expect(DateText.day(text, dayFirst: true) == nil)
    }

    @Test("the order of day and month is found from the values")
    func dayFirst() {
        #expect(DateText.isDayFirst(["03/04/2024", "25/04/2024"]))
        #expect(!DateText.isDayFirst(["03/04/2024", "04/25/2024"]))
        #expect(DateText.day("04/25/2024", dayFirst: false) == DateText.day("2024-04-25", dayFirst: true))
    }

    @Test("kinds are told from the values")
    func kinds() {
        let many = (0..<200)
        #expect(kind("Monthly Charges", many.map { "\(Double($0 % 90) + 0.5)" }) == .numeric)
        #expect(kind("Partner", many.map { $0 % 2 == 0 ? "Yes" : "No" }) == .boolean)
        #expect(kind("是否投诉", many.map { $0 % 3 == 0 ? "是" : "否" }) == .boolean)
        #expect(kind("Contract", many.map { ["a", "b", "c"][$0 % 3] }) == .categorical)
        #expect(kind("Joined", many.map { "2023-0\(1 + $0 % 9)-11" }) == .date)
        #expect(kind("start_date", many.map { "202301\(10 + $0 % 20)" }) == .date)
        #expect(kind("Customer ID", many.map { "AX-\($0)" }) == .identifier)
        #expect(kind("customer_id", many.map { "\(($0 * 37) % 1000 + 1)" }) == .identifier)
        #expect(kind("row", many.map { "\($0 + 1)" }) == .identifier)
        #expect(kind("Country", many.map { _ in "Utopia" }) == .constant)
        #expect(kind("Empty", many.map { _ in " " }) == .empty)
        #expect(kind("Vip", many.map { $0 % 4 == 0 ? "VIP" : nil }) == .presence)
        #expect(kind("Lat Long", many.map { "33.9\($0 % 40), -118.\($0 % 40)" }) == .coordinates)
        #expect(kind("Comment", many.map { "the customer said thing number \($0) was wrong" }) == .freeText)
    }

    @Test("a few junk values do not make a number column a text column")
    func junk() {
        let values: [String?] = (0..<100).map { $0 % 30 == 7 ? "unknown" : "\($0 % 50)" }
        #expect(kind("usage", values) == .numeric)
        #expect(kind("usage", (0..<100).map { $0 % 3 == 0 ? "unknown" : "\($0 % 20)" }) == .categorical)
    }

    @Test("measurements that differ in every row stay numbers")
    func uniqueMeasurements() {
        #expect(kind("Total Charges", (0..<300).map { "\(Double($0) * 13.37 + 0.5)" }) == .numeric)
    }

    @Test("names are split at spaces, humps and underscores")
    func names() {
        #expect(ColumnName("Churn Value").words == ["churn", "value"])
        #expect(ColumnName("MonthlyCharges").words == ["monthly", "charges"])
        #expect(ColumnName("num_techTickets").words == ["num", "tech", "tickets"])
        #expect(ColumnName("Call  Failure").folded == "callfailure")
        #expect(ColumnName("是否离网").folded == "是否离网")
    }
}
