/// An amount in minor units (fen, cents) of an ISO 4217 currency. Stored as BIGINT + TEXT.
package struct Money: Hashable, Sendable {
    package let minor: Int64
    package let currency: String

    package init(minor: Int64, currency: String) {
        self.minor = minor
        self.currency = currency
    }

    /// Digits after the decimal point: 0 for JPY, KRW, VND; 3 for KWD, BHD, OMR, TND; 2 otherwise (ISO 4217).
    package static func exponent(of currency: String) -> Int {
        switch currency {
        case "JPY", "KRW", "VND", "CLP", "ISK", "UGX", "XAF", "XOF": 0
        case "KWD", "BHD", "OMR", "TND", "JOD", "IQD", "LYD": 3
        default: 2
        }
    }

    /// `1,234.50`, without the currency.
    package var amountText: String {
        let digits = Self.exponent(of: currency)
        var scale: Int64 = 1
        for _ in 0..<digits { scale *= 10 }
        let magnitude = minor.magnitude
        let whole = String(magnitude / UInt64(scale)).utf8
        let count = whole.count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + count / 3)
        for (offset, digit) in whole.enumerated() {
            if offset > 0, (count - offset) % 3 == 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(digit)
        }
        let grouped = String(decoding: bytes, as: UTF8.self)
        guard digits > 0 else { return (minor < 0 ? "-" : "") + grouped }
        let fraction = String(magnitude % UInt64(scale))
        return (minor < 0 ? "-" : "") + grouped + "." + String(repeating: "0", count: digits - fraction.count)
            + fraction
    }

    /// `¥1,234.50`, `$12.00`, or `1,234.50 XYZ`.
    package var displayed: String {
        switch currency {
        case "CNY": "¥" + amountText
        case "USD": "$" + amountText
        case "EUR": "€" + amountText
        case "GBP": "£" + amountText
        default: amountText + " " + currency
        }
    }
}

/// A telephone number in E.164 form (`+8613812348000`), as far as it can be told from what was written.
package struct PhoneNumber: Hashable, Sendable, CustomStringConvertible {
    /// `+` and 7...15 digits.
    package let e164: String
    package var description: String { e164 }

    /// Reads what people write: spaces, dashes, brackets, full-width digits, `00` or `+` prefix, a national trunk `0`.
    /// - Parameter defaultCountryCode: used when no country prefix is written, for example `86`.
    /// - Returns: `nil` when fewer than 7 or more than 15 digits remain, or a letter is among them.
    package init?(_ text: some StringProtocol, defaultCountryCode: String = "86") {
        var digits = ""
        var international = false
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 48...57: digits.unicodeScalars.append(scalar)
            case 0xFF10...0xFF19: digits.append(Character(Unicode.Scalar(UInt8(scalar.value - 0xFF10 + 48))))
            case 0x2B, 0xFF0B:
                guard digits.isEmpty, !international else { return nil }
                international = true
            case 0x20, 0x2D, 0x28, 0x29, 0x2E, 0x2F, 0xA0, 0x2010...0x2015, 0x3000, 0xFF08, 0xFF09, 0xFF0D: continue
            default: return nil
            }
        }
        if !international, digits.hasPrefix("00") {
            digits.removeFirst(2)
            international = true
        }
        if !international {
            // A Chinese mobile number written with its country code but without the plus sign.
            let alreadyFull = defaultCountryCode == "86" && digits.count == 13 && digits.hasPrefix("861")
            if !alreadyFull {
                if digits.hasPrefix("0") { digits.removeFirst() }
                digits = defaultCountryCode + digits
            }
        }
        guard (7...15).contains(digits.count), !digits.hasPrefix("0") else { return nil }
        e164 = "+" + digits
    }

    /// The last `count` digits.
    package func tail(_ count: Int) -> String { String(e164.suffix(count)) }

    /// How it is shown inside the operator's own country: without the country code when that is the default one. A number of a
    /// fixed line of China is dialled, and known to people, with a 0 before the area code.
    package func national(countryCode: String = "86") -> String {
        guard e164.hasPrefix("+" + countryCode) else { return e164 }
        let number = e164.dropFirst(1 + countryCode.count)
        return countryCode == "86" && Self.isFixedLine(number) ? "0" + number : String(number)
    }

    /// Ten or eleven digits that begin with an area code: 10, 2x, or three digits. Not a mobile number (eleven digits from 13 on),
    /// and not 400 and 800, which have no area.
    private static func isFixedLine(_ number: Substring) -> Bool {
        switch number.utf8.count {
        case 10: !number.hasPrefix("400") && !number.hasPrefix("800") && (!number.hasPrefix("1") || number.hasPrefix("10"))
        case 11: !number.hasPrefix("1") && !number.hasPrefix("2")
        default: false
        }
    }
}

/// A cursor-paged part of a list. `next` is opaque to the client and holds only ids and sort keys that are not personal.
package struct Page<Element: Sendable>: Sendable {
    package let items: [Element]
    package let next: String?
    package init(items: [Element], next: String?) {
        self.items = items
        self.next = next
    }
}

/// The product's limits in one place. A request over a limit is refused with the limit's name and value.
package enum Limits {
    package static let pageSize = 50
    package static let pageSizeMax = 200
    package static let formBodyBytesMax = 256 * 1024
    package static let jsonBodyBytesMax = 1024 * 1024
    package static let linesBodyBytesMax = 4 * 1024 * 1024
    package static let uploadBytesMax = 4 * 1024 * 1024 * 1024
    package static let jsonDepthMax = 32
    package static let headerSecondsMax = 10
    package static let requestSecondsMax = 30
    package static let uploadSecondsMax = 3_600
    package static let uploadBytesPerSecondMin = 16 * 1024
    package static let searchTextMax = 200
    package static let textFieldMax = 4_000
    package static let bulkSelectionMax = 10_000
    package static let sqlListChunk = 500
    /// Lists, figures and searches may lack what was written within so many seconds (ADR 0015).
    package static let staleReadSeconds = 5
    package static let auditSubjectsMax = 500
    package static let outboxBatch = 200
    package static let attributeCountMax = 500
    package static let shutdownSecondsMax = 20
}
