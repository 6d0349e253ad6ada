import Kernel
import TestSupport
import Testing

@Suite("Money, phone numbers, languages")
struct ValueTests {
    @Test(
        "amounts are written with the digits of their currency",
        arguments: [
            (0, "CNY", "¥0.00"), (5, "CNY", "¥0.05"), (-5, "CNY", "¥-0.05"), (123_450, "CNY", "¥1,234.50"),
            (100_000_000, "USD", "$1,000,000.00"), (99_999, "EUR", "€999.99"), (1, "GBP", "£0.01"),
            (1_234, "JPY", "1,234 JPY"), (0, "JPY", "0 JPY"), (-1_234_567, "JPY", "-1,234,567 JPY"),
            (1_234_567, "KWD", "1,234.567 KWD"), (7, "KWD", "0.007 KWD"), (12_300, "XYZ", "123.00 XYZ"),
        ] as [(Int64, String, String)])
    func money(minor: Int64, currency: String, expected: String) {
        #expect(Money(minor: minor, currency: currency).displayed == expected)
    }

    @Test("the largest and smallest amounts can be written")
    func moneyExtremes() {
        #expect(Money(minor: .max, currency: "CNY").amountText == "92,233,720,368,547,758.07")
        #expect(Money(minor: .min, currency: "CNY").amountText == "-92,233,720,368,547,758.08")
        #expect(Money(minor: .min, currency: "JPY").amountText == "-9,223,372,036,854,775,808")
    }

    @Test("an amount's text without its commas is the amount again")
    func moneyProperty() {
        var random = SeededGenerator(seed: 11)
        for _ in 0..<2_000 {
            let minor =
                Int64.random(in: Int64.min...Int64.max, using: &random) >> Int64.random(in: 0...60, using: &random)
            for currency in ["CNY", "JPY", "KWD"] {
                let digits = Money(minor: minor, currency: currency).amountText.filter { $0 != "," && $0 != "." }
                #expect(Int64(digits) == minor)
            }
        }
    }

    @Test(
        "numbers are read the way people write them",
        arguments: [
            ("13812348000", "+8613812348000"), ("138 1234 8000", "+8613812348000"), ("138-1234-8000", "+8613812348000"),
            ("+86 138 1234 8000", "+8613812348000"), ("8613812348000", "+8613812348000"),
            ("0086 138 1234 8000", "+8613812348000"), ("１３８１２３４８０００", "+8613812348000"),
            ("＋８６１３８１２３４８０００", "+8613812348000"), ("（010）8888 9999", "+861088889999"),
            ("010-88889999", "+861088889999"), ("0755 1234567", "+867551234567"), ("021.6666.7777", "+862166667777"),
            ("+1 (415) 555-0123", "+14155550123"), ("001 415 555 0123", "+14155550123"),
            ("+44 20 7946 0018", "+442079460018"), ("\u{A0}138\u{2011}1234\u{3000}8000 ", "+8613812348000"),
            ("10086", "+8610086"),
        ])
    func phone(text: String, expected: String) throws {
        #expect(try #require(PhoneNumber(text)).e164 == expected)
    }

    @Test(
        "what is no number is refused",
        arguments: [
            "", " ", "abc", "138abcd8000", "+", "++8613812348000", "138+12348000", "123", "0", "00", "000012345678",
            "+0123456789", "1234567890123456789", "+1234567890123456", "138_1234_8000", "١٣٨١٢٣٤٨٠٠٠",
            "138\u{0}12348000",
            "=13812348000", "13812348000;", "１３８a",
        ])
    func noPhone(text: String) {
        #expect(PhoneNumber(text) == nil)
    }

    @Test("another default country is put before national numbers")
    func otherCountry() {
        #expect(PhoneNumber("020 7946 0018", defaultCountryCode: "44")?.e164 == "+442079460018")
        #expect(PhoneNumber("8613812348", defaultCountryCode: "1")?.e164 == "+18613812348")
        #expect(PhoneNumber("+14155550123")?.national(countryCode: "1") == "4155550123")
        #expect(PhoneNumber("+14155550123")?.national() == "+14155550123")
        #expect(PhoneNumber("13812348000")?.national() == "13812348000")
        #expect(PhoneNumber("13812348000")?.tail(4) == "8000")
        // The 0 before an area code is no part of the number and is shown.
        for written in ["010-12345678", "0571-88886666", "0755 12345678", "021 5555 6666", "0472-1234567"] {
            let number = PhoneNumber(written), digits = String(written.filter(\.isNumber))
            #expect(number?.national() == digits && number?.e164 == "+86" + digits.dropFirst())
            #expect(number.flatMap { PhoneNumber($0.national()) } == number)
        }
        for written in ["4001234567", "8008101234", "95588123", "19912345678"] { #expect(PhoneNumber(written)?.national() == written) }
    }

    @Test("an E.164 number reads as itself, however it is spaced; a Chinese national form leads back to it")
    func phoneProperty() throws {
        var random = SeededGenerator(seed: 3)
        for _ in 0..<2_000 {
            let length = Int.random(in: 7...15, using: &random)
            var digits = String(Int.random(in: 1...9, using: &random))
            for _ in 1..<length { digits += String(Int.random(in: 0...9, using: &random)) }
            let number = try #require(PhoneNumber("+" + digits))
            #expect(number.e164 == "+" + digits)
            #expect(PhoneNumber(number.e164) == number)
            var spaced = "+"
            for digit in digits {
                spaced.append(digit)
                if Bool.random(using: &random) {
                    spaced += [" ", "-", ")", "\u{3000}"].randomElement(using: &random) ?? ""
                }
            }
            #expect(PhoneNumber(spaced) == number)

            let mobile = "1" + String(Int.random(in: 3_000_000_000...9_999_999_999, using: &random))
            let chinese = try #require(PhoneNumber(mobile))
            #expect(chinese.national() == mobile)
            #expect(PhoneNumber(chinese.national()) == chinese)
        }
    }

    @Test("no text whatever makes the number reader fail otherwise than by nil")
    func phoneFuzz() {
        var random = SeededGenerator(seed: 5)
        let pool = Array("0123456789+-() ０９＋abc\u{0}\u{FF}١½Ⅷ①🙂\u{301}".unicodeScalars)
        for _ in 0..<5_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                text.append(pool[Int.random(in: 0..<pool.count, using: &random)])
            }
            guard let number = PhoneNumber(String(text)) else { continue }
            #expect(number.e164.hasPrefix("+") && (8...16).contains(number.e164.utf8.count))
            #expect(number.e164.dropFirst().utf8.allSatisfy { (48...57).contains($0) })
        }
    }

    @Test("a browser's language gives Chinese only when it is named first")
    func language() {
        #expect(Language(acceptLanguage: "zh-CN,zh;q=0.9,en;q=0.8") == .zh)
        #expect(Language(acceptLanguage: "ZH-TW") == .zh)
        #expect(Language(acceptLanguage: "en-US,zh;q=0.5") == .en)
        #expect(Language(acceptLanguage: nil) == .en)
        #expect(Language(acceptLanguage: "") == .en)
        #expect(Language.zh.tag == "zh-CN")
    }
}
