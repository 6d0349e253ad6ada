import Kernel

/// Rules that ship with the product. Each can be switched off or changed on its page. What was taken before there were
/// rules is taken still, or held for a person to look at; nothing is refused that was not. A value of which only the writing is wrong
/// (a day that is none, an amount `abc`) holds its row: a person repairs it, and it is brought again.
enum ShippedRules {
    static func of(_ entity: String) -> [QualityRule] {
        entity == "customer" ? customers : records.filter { $0.entity == entity }
    }

    static let customers: [QualityRule] = [
        rule(
            "named", "A name or a number is there", "有姓名或号码",
            ["full_name", "family_name", "given_name", "source_id", "msisdn", "document_number"], .required,
            .completeness, .reject
        ) { $0.any = true },
        rule(
            "birth", "Birth date is past, age below 120", "出生日期不晚于今天，年龄小于 120", ["birth_date"], .range, .accuracy,
            .quarantine
        ) {
            $0.min = .today(years: -120, days: 1)
            $0.max = .today(years: 0, days: 0)
        },
        rule("email", "E-mail has the shape of an address", "邮箱格式正确", ["email"], .type, .accuracy, .quarantine),
        rule(
            "phone", "Numbers can be read as E.164", "号码可读为 E.164 格式", ["msisdn", "phone"], .type, .accuracy, .fix
        ) {
            $0.repair = .phone
            $0.otherwise = .reject
        },
        rule("e164", "Mobile number is E.164", "手机号码为 E.164 格式", ["msisdn"], .pattern, .accuracy, .quarantine) {
            $0.format = .e164
        },
        rule(
            "mobile", "Mobile number of China has 11 digits", "中国大陆手机号码为 11 位", ["msisdn"], .pattern, .accuracy,
            .quarantine
        ) {
            $0.format = .mobile
        },
        // A number to call somebody by is not what the customer is found by: the row is taken.
        rule(
            "mobile_contact", "Contact number, if a mobile one of China, has 11 digits", "联系电话如为中国大陆手机号码，应为 11 位",
            ["phone"], .pattern, .accuracy, .warn
        ) {
            $0.format = .mobile
        },
        // Asked only of files that have a column for a name: data sets for research have none.
        rule(
            "name", "A name is there", "有姓名", ["full_name", "family_name", "given_name"], .required, .completeness, .warn
        ) { $0.any = true },
        rule(
            "identity", "Identity card number has its check digit", "身份证号码校验位正确", ["document_number"], .pattern,
            .accuracy, .warn
        ) {
            $0.format = .identityNumber
            // Files that say no kind hold identity cards: they are taken in as such.
            $0.condition = RuleCondition(field: "document_kind", values: ["id_card"], orMissing: true)
        },
        rule(
            "dates", "Customer since is not after leaving", "入网日期不晚于离网日期", ["start_date"], .cross, .consistency,
            .quarantine
        ) {
            $0.op = .lessOrEqual
            $0.with = "left_on"
        },
        rule(
            "amounts", "Monthly charge from 0 to 1,000,000", "月租费在 0 到 1,000,000 之间", ["monthly_charge"], .range,
            .accuracy,
            .quarantine
        ) {
            $0.min = .number(0)
            $0.max = .number(1_000_000)
        },
        rule(
            "contact", "A mobile number or e-mail is there", "有手机号码或邮箱", ["msisdn", "phone", "email"], .required,
            .completeness, .warn
        ) { $0.any = true },
        rule(
            "encoding", "Names and places are readable", "姓名与地址可读（无乱码）",
            ["full_name", "family_name", "given_name", "address", "city", "region"], .pattern, .accuracy, .fix
        ) {
            $0.format = .readable
            $0.repair = .mojibake
            $0.otherwise = .quarantine
        },
        rule(
            "width", "Identifiers are written in half width", "标识为半角字符", ["source_id", "document_number", "email"],
            .pattern,
            .consistency, .fix
        ) {
            $0.format = .narrow
            $0.repair = .halfWidth
        },
        rule(
            "spacing", "Names have no stray spaces", "姓名无多余空格", ["full_name", "family_name", "given_name"], .pattern,
            .consistency, .fix
        ) {
            $0.format = .tidy
            $0.repair = .trim
        },
        rule(
            "day_month", "Days can be read, day and month told apart", "日期可读，日与月可区分",
            ["birth_date", "start_date", "left_on", "contract_end"],
            .type, .accuracy, .fix
        ) {
            $0.repair = .dateOrder
            $0.otherwise = .quarantine
        },
        rule(
            "numbers", "Amounts and numbers can be read", "金额与数字可读取",
            ["monthly_charge", "total_charges", "tenure_months", "latitude", "longitude"], .type, .accuracy, .quarantine),
    ]

    static func rule(
        _ key: String, _ en: String, _ zh: String, _ fields: [String], _ kind: RuleKind, _ dimension: RuleDimension,
        _ severity: RuleSeverity, entity: String = "customer", _ change: (inout RuleParameters) -> Void = { _ in }
    ) -> QualityRule {
        var parameters = RuleParameters()
        change(&parameters)
        return QualityRule(
            key: key, name: Words(en: en, zh: zh), source: "", entity: entity, fields: fields, kind: kind,
            dimension: dimension, severity: severity, parameters: parameters)
    }
}
