import Kernel

/// Brings one column's values into the form they are compared in.
package struct Standardiser: Sendable {
    package let kind: ColumnKind
    package let isDayFirst: Bool
    /// Years of dates count from 1912, also where nothing but the column says so.
    package let isMinguo: Bool
    /// For telephone numbers without one.
    package let countryCode: String

    package init(kind: ColumnKind, isDayFirst: Bool = true, isMinguo: Bool = false, countryCode: String = "86") {
        self.kind = kind
        self.isDayFirst = isDayFirst
        self.isMinguo = isMinguo
        self.countryCode = countryCode
    }

    /// - Returns: nil for a value that says nothing. What cannot be read as its kind is compared as the text it is.
    package func value(_ written: String) -> MatchValue? {
        switch kind {
        case .nothing: return nil
        case .givenName: return name(StandardText.forms(written), written)
        case .surname:
            let forms = StandardText.forms(written, surnameFirst: true)
            return MatchValue(native: forms.native, latin: PinyinUmlaut.plain(forms.latin) ?? forms.latin)
        case .fullName: return name(StandardText.forms(written, spaced: true, surnameFirst: true), written)
        case .phone:
            // An extension and a label are left out.
            let trimmed = written.prefix { $0 != "x" && $0 != "X" && $0 != "转" }
            guard let phone = PhoneNumber(trimmed, defaultCountryCode: countryCode) else { break }
            let digits = Array(phone.e164.utf8.dropFirst())
            return MatchValue(native: digits, latin: digits)
        case .email: return email(written)
        case .birthDate, .date:
            guard let number = StandardDate.number(written, dayFirst: isDayFirst, minguo: isMinguo) else { break }
            let digits = Array(String(number).utf8)
            return MatchValue(native: digits, latin: digits, number: number)
        case .identityNumber:
            if let number = IdentityNumber(written) {
                let digits = Array(number.compact.lowercased().utf8)
                // The old form has no check character: it says nothing for sure of when somebody was born.
                let birth = written.unicodeScalars.count >= 18 ? number.birthDate : nil
                return MatchValue(
                    native: digits, latin: digits, number: birth.map { Int64($0.year * 10_000 + $0.month * 100 + $0.day) } ?? 0,
                    identity: number.kind)
            }
            let compact = StandardText.forms(written).latin.filter { $0 != 32 }
            return MatchValue(native: compact, latin: compact)
        case .street: return text(StandardAddress.forms(written))
        case .suburb: return text(StandardAddress.forms(written))
        case .postcode, .houseNumber, .code:
            var compact = StandardText.forms(written).latin.filter { $0 != 32 }
            // `12.0` is a 12 that went through a spreadsheet.
            if written.hasSuffix(".0") { compact.removeLast() }
            return MatchValue(native: compact, latin: compact)
        case .number:
            guard let number = Double(Folding.fold(written).filter { $0 != "," && $0 != "$" && $0 != "¥" }),
                abs(number) < 1e12
            else { break }
            let scaled = Int64((number * 1_000).rounded())
            let digits = Array(String(scaled).utf8)
            return MatchValue(native: digits, latin: digits, number: scaled)
        case .category, .text: return text(StandardText.forms(written))
        }
        return text(StandardText.forms(written))
    }

    /// Names in Latin letters may be nicknames.
    private func name(_ forms: StandardText.Forms, _ written: String) -> MatchValue? {
        let isPlain = written.utf8.first.map { $0 < 0x80 } ?? false
        let plain = PinyinUmlaut.plain(forms.latin)
        return MatchValue(
            native: forms.native, latin: plain ?? forms.latin, formals: isPlain ? Nicknames.formals(forms.latin) : [],
            isLatin: isPlain || !written.unicodeScalars.contains(where: Han.contains),
            written: plain == nil ? [] : forms.latin.filter { $0 != 32 })
    }

    private func text(_ forms: StandardText.Forms) -> MatchValue? {
        MatchValue(native: forms.native, latin: forms.latin)
    }

    /// Lower case; of the providers that ignore them, dots and what stands behind a plus sign are left out.
    private func email(_ written: String) -> MatchValue? {
        let folded = Folding.fold(written).filter { $0 != " " }
        let parts = folded.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty else { return text(StandardText.forms(written)) }
        var name = parts[0].prefix { $0 != "+" }
        if name.isEmpty { name = parts[0] }
        let domain = parts[1] == "googlemail.com" ? "gmail.com" : parts[1]
        let local = domain == "gmail.com" ? name.filter { $0 != "." } : String(name)
        let whole = Array((local + "@" + domain).utf8)
        return MatchValue(native: whole, latin: whole)
    }
}
