import Kernel

/// The one place where values are hidden. Made for a principal; used by lists, pages, search, exports and the API alike
/// (G24, G25).
package struct Masking: Sendable {
    /// Names: for those who serve the customer.
    package static let seeNames = Permission("personal.name.view")
    /// Whole phone numbers, mail and street addresses.
    package static let seeContacts = Permission("personal.contact.view")
    /// Whole identity document numbers and birth dates.
    package static let seeIdentity = Permission("personal.identity.view")
    /// Imported columns that nobody has labelled yet.
    package static let seeUnlabelled = Permission("personal.unlabelled.view")

    package let names: Bool
    package let contacts: Bool
    package let identity: Bool
    package let unlabelled: Bool

    package init(_ principal: Principal) {
        names = principal.may(Self.seeNames)
        contacts = principal.may(Self.seeContacts)
        identity = principal.may(Self.seeIdentity)
        unlabelled = principal.may(Self.seeUnlabelled)
    }

    /// The same caller without masks: for work on whole values of which the caller is shown only what it may see.
    package static func lifted(_ principal: Principal) -> Principal {
        Principal(
            tenant: principal.tenant, userID: principal.userID, userName: principal.userName, roles: principal.roles,
            permissions: principal.permissions.union([seeNames, seeContacts, seeIdentity, seeUnlabelled]),
            scope: principal.scope, purpose: principal.purpose, address: principal.address,
            requestID: principal.requestID, scopes: principal.scopes, token: principal.token)
    }

    /// Whether a value under this mask is shown whole.
    package func shows(_ mask: MaskKind) -> Bool {
        switch mask {
        case .none: true
        case .name: names
        case .phone, .email, .address: contacts
        case .identity, .date: identity
        case .full: unlabelled
        }
    }

    /// The value as this principal may see it.
    package func apply(_ mask: MaskKind, _ value: String) -> String {
        shows(mask) ? value : Self.masked(mask, value)
    }

    package func apply(_ mask: MaskKind, _ value: String?) -> String? { value.map { apply(mask, $0) } }

    /// The masked form, whoever asks.
    package static func masked(_ mask: MaskKind, _ value: String) -> String {
        switch mask {
        case .none: value
        case .name: maskedName(value)
        case .phone: maskedPhone(value)
        case .email: maskedEmail(value)
        case .identity: maskedIdentity(value)
        case .address: maskedAddress(value)
        case .date: maskedDate(value)
        case .full: value.isEmpty ? "" : "••••"
        }
    }

    /// `138****8000`; a number with a country prefix keeps it: `+86 138****8000` is written `+86138****8000`.
    static func maskedPhone(_ value: String) -> String {
        let digits = value.filter(\.isNumber)
        guard digits.count >= 7 else { return String(repeating: "*", count: max(4, value.count)) }
        let tail = digits.suffix(4)
        var head = digits.dropLast(4)
        let hidden = min(4, max(3, head.count - 1))
        head = head.dropLast(hidden)
        return (value.hasPrefix("+") ? "+" : "") + head + String(repeating: "*", count: hidden) + tail
    }

    /// `王**`, `欧阳**`, `J*** S***`: the family name of a Chinese name, initials of others. A single letter is all of a
    /// name and is hidden.
    static func maskedName(_ value: String) -> String {
        guard let first = value.unicodeScalars.first else { return "" }
        if (0x4E00...0x9FFF).contains(first.value) {
            let keep = value.count >= 4 ? 2 : value.count >= 2 ? 1 : 0
            return String(value.prefix(keep)) + String(repeating: "*", count: max(1, min(2, value.count - keep)))
        }
        return value.split(separator: " ").map { ($0.count > 1 ? String($0.prefix(1)) : "") + "***" }.joined(
            separator: " ")
    }

    /// `a***@example.com`.
    static func maskedEmail(_ value: String) -> String {
        let parts = value.split(separator: "@", maxSplits: 1)
        guard parts.count == 2 else { return "***" }
        return (parts[0].count > 1 ? String(parts[0].prefix(1)) : "") + "***@" + parts[1]
    }

    /// Keeps what tells the district (up to the first Chinese 区 or 县, else 市; the last comma part without a number),
    /// hides the street. A 小区 or 园区 is where somebody lives, and 自治区 is a province.
    static func maskedAddress(_ value: String) -> String {
        let characters = Array(value)
        func isDistrict(_ at: Int) -> Bool {
            guard "区县".contains(characters[at]), at > 0 else { return false }
            return !"小园社厂校院景库治".contains(characters[at - 1])
        }
        let district = characters.indices.first(where: isDistrict)
        let city = characters.indices.first { characters[$0] == "市" && !(characters[($0 + 1)...].first == "场") }
        if let end = district ?? city { return String(characters[...end]) + "****" }
        if let comma = value.lastIndex(of: ","), comma > value.startIndex, !value[comma...].contains(where: \.isNumber)
        {
            return "****" + value[comma...]
        }
        return "****"
    }

    /// `1990-**-**`.
    static func maskedDate(_ value: String) -> String {
        let year = value.prefix(4)
        return year.count == 4 && year.allSatisfy(\.isNumber) ? year + "-**-**" : "****"
    }

    /// `110***********7758`; a shorter document (a passport) shows less, a very short one nothing.
    static func maskedIdentity(_ value: String) -> String {
        let (first, last) = value.count > 14 ? (3, 4) : (1, 2)
        guard value.count >= 7 else { return String(repeating: "*", count: max(4, value.count)) }
        return value.prefix(first) + String(repeating: "*", count: value.count - first - last) + value.suffix(last)
    }
}
