import Testing

@testable import Kernel

@Suite("identity numbers")
struct IdentityNumberTests {
    @Test(
        "each government's number is known by its own check, however it is written",
        arguments: [
            ("11010519491231002x", "mainland", "11010519491231002X", "female"),
            ("110105491231002", "mainland", "11010519491231002X", "female"),
            ("１１０１０５１９４９１２３１００２Ｘ", "mainland", "11010519491231002X", "female"),
            ("A123456789", "taiwan", "A123456789", "male"), (" f 131-415-920 ", "taiwan", "F131415920", "male"),
            ("Ｂ２３４５６７８９４", "taiwan", "B234567894", "female"),
            ("A800000014", "taiwan_resident", "A800000014", "male"),
            ("AC01234567", "taiwan_resident_before_2021", "AC01234567", "male"),
            ("FA12345689", "taiwan_resident_before_2021", "FA12345689", "male"),
            ("A123456(3)", "hong_kong", "A123456(3)", nil), ("a1234563", "hong_kong", "A123456(3)", nil),
            ("G123456（A）", "hong_kong", "G123456(A)", nil), ("AB987654(3)", "hong_kong", "AB987654(3)", nil),
            ("1234567(8)", "macau", "1234567(8)", nil), ("5/123456/7", "macau", "5123456(7)", nil),
        ] as [(String, String, String, String?)])
    func kinds(_ written: String, _ kind: String, _ text: String, _ sex: String?) throws {
        let number = try #require(IdentityNumber(written), "\(written)")
        #expect(number.kind.rawValue == kind && number.text == text && number.sex?.rawValue == sex)
        #expect(IdentityNumber(number.text) == number, "the standard form is its own")
        #expect((number.birthDate != nil) == (kind == "mainland") && number.isChecked == (kind != "macau"))
    }

    @Test(
        "what has another check digit, date or shape is no identity number",
        arguments: [
            "11010519491231002Y", "110105194912310021", "A123456788", "A323456789", "1123456789", "A12345678", "AE01234567",
            "A123456(7)", "A1234567", "AB9876543", "AB987654(4)", "12345678", "2234567(8)", "1234567(A)", "1/23456/78",
            "A123456(3", "A123456)3(", "A123456(3)1", "A12345(63)", "", "()", "//", "身份证", "E12345678",
        ])
    func others(_ written: String) { #expect(IdentityNumber(written) == nil, "\(written)") }

    @Test("every slip in one digit of a number of Hong Kong is noticed, and every wrong last digit of one of Taiwan")
    func slips() {
        let hong = Array("A123456(3)")
        for place in 1...6 {
            for digit in "0123456789" where digit != hong[place] {
                var copy = hong
                copy[place] = digit
                #expect(IdentityNumber(String(copy)) == nil, "\(String(copy))")
            }
        }
        for digit in "012345678" { #expect(IdentityNumber("A12345678\(digit)") == nil) }
    }
}
