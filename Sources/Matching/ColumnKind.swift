import Kernel

/// What a column holds, as far as matching is concerned.
package enum ColumnKind: String, Sendable, Codable, CaseIterable {
    case givenName = "given_name"
    case surname
    case fullName = "full_name"
    case phone, email
    case birthDate = "birth_date"
    /// Any other date: of joining, of the last bill.
    case date
    /// A number that names one person: citizen identity number, passport, social security number.
    case identityNumber = "identity_number"
    /// A street, or a whole address in one field.
    case street
    case houseNumber = "house_number"
    case suburb
    case postcode
    /// Few values: state, gender, kind of customer.
    case category
    /// A code or number that many rows may share.
    case code
    /// A quantity: compared by distance.
    case number
    case text
    /// Nothing to compare: no values, the same value everywhere.
    case nothing

    /// Names one person or one line by itself.
    package var isStrong: Bool { self == .identityNumber || self == .phone || self == .email }
    /// Shared by a household as a rule.
    var isShared: Bool {
        switch self {
        case .street, .houseNumber, .suburb, .postcode, .phone: true
        default: false
        }
    }
    /// Says which member of a household it is.
    var isPersonal: Bool {
        switch self {
        case .givenName, .fullName, .birthDate, .identityNumber, .email: true
        default: false
        }
    }
    var levels: Int { Comparison.levels(of: self) }
}

/// What a header's words say.
enum HeaderWords {
    private static let organisations = [
        "company", "company name", "organisation", "organization", "business name", "firm", "enterprise", "legal name",
    ]
    private static let chineseOrganisations = ["公司", "企业", "单位", "机构", "商户"]
    private static let contacts = ["contact", "contact person", "contact name", "representative", "attention"]
    private static let chineseContacts = ["联系人", "联络人", "经办人", "负责人", "法人代表", "法定代表人"]

    /// Whether the column names an organisation: there are digits in such names.
    static func isOrganisation(_ header: String) -> Bool { has(header, organisations, chineseOrganisations) }

    /// Whether the column names whoever speaks for the one that the record is about.
    static func isContact(_ header: String) -> Bool { has(header, contacts, chineseContacts) }

    /// Whether the header names the calendar of the Republic of China.
    static func isMinguo(_ header: String) -> Bool { has(header, ["minguo", "roc date"], ["民国"]) }

    /// Whether the header speaks of a day.
    static func isDate(_ header: String) -> Bool {
        kind(header) == .birthDate || has(header, ["date", "day", "time"], ["日期", "时间", "日"])
    }

    /// Whether the header names a plan or tariff.
    static func isPlan(_ header: String) -> Bool { has(header, ["plan", "tariff", "package"], ["套餐", "资费"]) }

    private static func has(_ header: String, _ english: [String], _ chinese: [String]) -> Bool {
        let simple = String(String.UnicodeScalarView(header.unicodeScalars.map(Han.simplified)))
        if chinese.contains(where: simple.contains) { return true }
        let text = " " + words(header) + " "
        return english.contains { text.contains(" " + $0 + " ") }
    }

    private static let english: [(ColumnKind, [String])] = [
        (.email, ["email", "e mail", "mail address", "emailaddress"]),
        (
            .phone,
            ["phone", "mobile", "telephone", "tel", "cell", "msisdn", "fax", "contact number", "cellphone", "ph no"]
        ),
        (
            .birthDate,
            ["date of birth", "birth date", "birthdate", "dob", "birthday", "born", "dateofbirth", "birth dt", "bday"]
        ),
        (
            .identityNumber,
            [
                "soc sec id", "ssn", "social security", "national id", "identity number", "id number", "id card",
                "passport", "idcard", "id no", "nhs number", "nin", "tax id", "sin", "citizen id", "certificate no",
                "licence number", "license number", "driver license", "voter reg num", "medicare",
            ]
        ),
        (.postcode, ["postcode", "postal code", "post code", "zip", "zipcode", "zip code", "plz", "pcode"]),
        (.houseNumber, ["street number", "house number", "house no", "house num", "street no", "building number"]),
        (.suburb, ["suburb", "city", "town", "locality", "district", "village", "municipality", "county"]),
        (
            .category,
            [
                "state", "province", "gender", "sex", "region", "country", "title", "race", "ethnicity", "party", "plan",
                "tariff", "package",
            ]
        ),
        (
            .givenName,
            [
                "given name", "first name", "forename", "firstname", "givenname", "fname", "given", "first",
                "name first",
                "middle name", "middlename", "midl name", "christian name", "mname",
            ]
        ),
        (
            .surname,
            ["surname", "last name", "family name", "lastname", "lname", "familyname", "last", "maiden name", "sname"]
        ),
        (
            .street,
            ["address", "street", "addr", "street address", "address 1", "address 2", "road", "mail addr", "residence"]
        ),
        (.fullName, ["full name", "name", "customer name", "fullname", "person", "customer", "contact", "subscriber"] + organisations),
        (.number, ["amount", "price", "age", "height", "weight", "income", "latitude", "longitude", "lat", "lon"]),
    ]
    private static let chinese: [(ColumnKind, [String])] = [
        (.email, ["邮箱", "电子邮件", "邮件", "电邮"]),
        (.postcode, ["邮编", "邮政编码"]),
        (.phone, ["手机", "电话", "联系方式", "号码", "传真"]),
        (.identityNumber, ["身份证", "证件号", "护照", "社保号", "证件"]),
        (.birthDate, ["出生", "生日", "诞辰"]),
        (.houseNumber, ["门牌"]),
        (.suburb, ["城市", "区县", "市", "区", "县", "镇"]),
        (.category, ["性别", "省", "国家", "民族", "类型", "类别", "称谓", "套餐", "资费", "品牌", "渠道"]),
        (.street, ["地址", "住址", "街道", "安装位置", "装机位置", "位置", "路"]),
        // 名字 is what somebody is called, surname and all.
        (.fullName, ["姓名", "客户名", "户名", "名称", "联系人", "名字", "机主", "户主", "业主"]),
        (.surname, ["姓氏", "姓"]),
        (.givenName, ["名"]),
        (.number, ["金额", "年龄", "价格", "月租", "月费", "租金", "余额", "欠费"]),
    ]

    /// Words of a header: `dateOfBirth`, `date_of_birth` and `Date of Birth` are `date of birth`.
    static func words(_ header: String) -> String {
        var text = ""
        var wasLower = false
        for character in header {
            if character.isUppercase, wasLower { text += " " }
            wasLower = character.isLowercase
            text.append(character)
        }
        return String(decoding: StandardText.forms(text).latin, as: UTF8.self)
    }

    /// The kind that the longest known word in the header names.
    static func kind(_ header: String) -> ColumnKind? {
        if header.unicodeScalars.contains(where: { Han.contains($0) }) {
            let simple = String(String.UnicodeScalarView(header.unicodeScalars.map(Han.simplified)))
            if simple.contains("证件号") || simple.contains("身份证") { return .identityNumber }
            return chinese.first { $0.1.contains { simple.contains($0) } }?.0
        }
        let text = " " + words(header) + " "
        var best: (kind: ColumnKind, length: Int)?
        for (kind, words) in english + EuropeanHeadings.words {
            for word in words where text.contains(" " + word + " ") && word.utf8.count > best?.length ?? 0 {
                best = (kind, word.utf8.count)
            }
        }
        return best?.kind
    }
}
