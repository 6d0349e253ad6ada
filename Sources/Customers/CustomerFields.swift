import Kernel
import Storage

/// All built-in fields, in the order people expect them, which is also the order in which they are set: services before
/// what hangs on them, leaving before the states it implies.
enum CustomerFields {
    static let all: [CustomerField] = identity + contact + place + services + addons + money + leaving + states
    static let byKey: [String: CustomerField] = Dictionary(
        all.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })

    /// What is compared of some fields: their whole descriptions are big, and an import reads them for every row.
    private struct Group: Sendable {
        /// When all fields are certainly the same, which is quicker to see than to read each of them.
        let isSame: @Sendable (CustomerRecord, CustomerRecord) -> Bool
        let readers: [(key: String, get: @Sendable (CustomerRecord, FieldContext) -> SQLValue)]

        init(_ fields: [CustomerField], sameWhen isSame: @escaping @Sendable (CustomerRecord, CustomerRecord) -> Bool) {
            self.isSame = isSame
            readers = fields.filter { !$0.derived }.map { ($0.key, $0.get) }
        }
    }

    private static let groups = [
        Group(identity) { $0.party == $1.party && $0.customer == $1.customer && $0.sourceIDs == $1.sourceIDs },
        Group(contact) { $0.contacts == $1.contacts && $0.documents == $1.documents },
        Group(place) { $0.addresses == $1.addresses },
        Group(services) { _, _ in false },
        Group(addons) { $0.subscriptions == $1.subscriptions },
        Group(money + leaving + states) { _, _ in false },
    ]

    /// The fields whose stored values differ.
    static func changes(from before: CustomerRecord, to after: CustomerRecord, _ context: FieldContext)
        -> [ImportChange]
    {
        guard before != after else { return [] }
        var changes: [ImportChange] = []
        for group in groups where !group.isSame(before, after) {
            for (key, get) in group.readers {
                let (old, new) = (get(before, context), get(after, context))
                if old != new { changes.append(ImportChange(field: key, before: old, after: new)) }
            }
        }
        return changes
    }

    // MARK: Who

    static let identity: [CustomerField] = [
        CustomerField(
            "source_id", Words(en: "Customer number", zh: "客户编号"), .text(100), canMatch: true,
            [
                "customer id", "customer no", "customer number", "client id", "client no", "account id",
                "account number",
                "account no", "acct no", "user id",
                "subscriber id", "cust id", "id", "客户号", "客户ID", "用户编号", "用户ID", "账户号", "账号", "客户标识",
                "客戶代號", "客戶號碼", "用戶代號", "用戶號", "客編", "會員編號", "member id", "member no", "member number", "customer code",
                "会员号", "会员号码", "会员ID", "会员卡号", "会员代码", "客户代码", "客户编码", "客户号码", "用户代码", "用户编码", "顾客编号", "顾客号",
            ],
            get: { record, context in .text(record.sourceIDs[context.source]) },
            set: { record, value, context throws(FieldRefusal) in
                if record.customer.reference == nil || record.customer.source == context.source {
                    record.customer.reference = value.asText
                }
                record.sourceIDs[context.source] = value.asText
            }),
        CustomerField(
            "kind", Words(en: "Kind of customer", zh: "客户类型"),
            .choice([
                ImportChoice(
                    "individual", Words(en: "Individual", zh: "个人"),
                    synonyms: ["person", "consumer", "residential", "personal", "个人客户", "公众"]),
                ImportChoice(
                    "organisation", Words(en: "Organisation", zh: "企业"),
                    synonyms: [
                        "organization", "company", "business", "enterprise", "corporate", "企业客户", "政企", "单位", "公司",
                    ]),
            ]), ["customer type", "party type", "客户类别"],
            get: { record, _ in .text(record.party.kind.rawValue) },
            set: { record, value, _ throws(FieldRefusal) in
                record.party.kind = value.asText.flatMap(CustomerKind.init) ?? .individual
            }),
        CustomerField(
            "full_name", Words(en: "Name", zh: "姓名／名称"), .text(200),
            [
                "name", "customer name", "display name", "company name", "legal name", "organisation name",
                "客户名称", "客户姓名", "姓名", "名称", "用户名称", "公司名称", "企业名称", "用戶姓名", "申請人", "申請人姓名", "戶名",
            ],
            get: { record, _ in .text(record.party.displayName) },
            set: { record, value, _ throws(FieldRefusal) in
                record.party.displayName = value.asText ?? record.party.composedName
            }),
        CustomerField(
            "family_name", Words(en: "Family name", zh: "姓"), .text(100), ["last name", "surname", "姓氏"],
            get: { record, _ in .text(record.party.familyName) },
            set: { record, value, _ throws(FieldRefusal) in record.party.rename { $0.familyName = value.asText } }),
        CustomerField(
            "given_name", Words(en: "Given name", zh: "名"), .text(100), ["first name", "forename", "名字"],
            get: { record, _ in .text(record.party.givenName) },
            set: { record, value, _ throws(FieldRefusal) in record.party.rename { $0.givenName = value.asText } }),
        CustomerField(
            "gender", Words(en: "Gender", zh: "性别"),
            .choice([
                ImportChoice("male", Words(en: "Male", zh: "男"), synonyms: ["m", "man", "男性", "先生", "männlich", "mann", "herr", "homme", "masculin", "hombre", "uomo", "maschio", "homem"]),
                ImportChoice("female", Words(en: "Female", zh: "女"), synonyms: ["f", "woman", "女性", "女士", "weiblich", "frau", "femme", "féminin", "mujer", "donna", "femmina", "mulher", "vrouw"]),
                ImportChoice("other", Words(en: "Other", zh: "其他"), synonyms: ["unknown", "x", "未知", "不详"]),
            ]), ["sex"],
            get: { record, _ in .text(record.party.gender) },
            set: { record, value, _ throws(FieldRefusal) in record.party.gender = value.asText }),
        CustomerField(
            "birth_date", Words(en: "Birth date", zh: "出生日期"), .date,
            ["date of birth", "birthday", "dob", "生日", "出生年月", "出生年月日", "出生日"],
            get: { record, _ in .date(record.party.birthDate) },
            set: { record, value, context throws(FieldRefusal) in
                if let date = value.asDate, date > context.today || date.year < 1880 {
                    throw FieldRefusal(
                        "birth_date", en: "The birth date must lie between 1880 and today.", zh: "出生日期须在 1880 年至今天之间。")
                }
                record.party.birthDate = value.asDate
            }),
        .flag("senior", Words(en: "Senior citizen", zh: "老年客户"), \.party.senior, ["senior citizen", "老年人", "是否老年"]),
        CustomerField(
            "language", Words(en: "Language", zh: "语言"),
            .choice([
                ImportChoice("zh", Words(en: "Chinese", zh: "中文"), synonyms: ["zh-cn", "chn", "汉语"]),
                ImportChoice("en", Words(en: "English", zh: "英文"), synonyms: ["en-us", "eng", "英语"]),
            ]), ["preferred language", "语种"],
            get: { record, _ in .text(record.party.language) },
            set: { record, value, _ throws(FieldRefusal) in record.party.language = value.asText }),
        .text("industry", Words(en: "Industry", zh: "行业"), max: 100, \.party.industry, ["sector", "所属行业"]),
        CustomerField(
            "size_tier", Words(en: "Company size", zh: "企业规模"),
            .choice([
                ImportChoice("large", Words(en: "Large", zh: "大型")),
                ImportChoice("medium", Words(en: "Medium", zh: "中型")),
                ImportChoice("small", Words(en: "Small", zh: "小型")),
                ImportChoice("micro", Words(en: "Micro", zh: "微型")),
            ]), ["company size", "size", "规模"],
            get: { record, _ in .text(record.party.sizeTier?.rawValue) },
            set: { record, value, _ throws(FieldRefusal) in
                record.party.sizeTier = value.asText.flatMap(SizeTier.init)
            }),
        .text(
            "segment", Words(en: "Segment", zh: "客户分群"), max: 60, \.customer.segment,
            ["customer segment", "tag", "分群", "客户群", "标签"]),
    ]

    // MARK: How to reach them

    static let contact: [CustomerField] = [
        contactField(
            "phone", Words(en: "Contact phone", zh: "联系电话"), .phone, .phone,
            ["telephone", "tel", "contact number", "联系方式", "电话", "电话号码", "聯絡電話", "連絡電話", "聯絡方式", "市話", "室內電話"]),
        contactField(
            "email", Words(en: "E-mail", zh: "电子邮箱"), .email, .email, ["e-mail", "mail", "email address", "邮箱", "邮件", "電子郵件", "電子信箱", "信箱", "電郵", "電郵地址"]),
        CustomerField(
            "document_number", Words(en: "Identity document number", zh: "证件号码"), .text(64), canMatch: true,
            [
                "id number", "idno", "id no", "identity number", "passport number", "证件号", "身份证", "身份证号", "身份证号码", "营业执照号", "身分證字號", "身分證統一編號",
                "統一編號", "統編", "護照號碼", "居留證號碼",
            ],
            get: { record, _ in .text(record.documents.first?.number) },
            set: { record, value, context throws(FieldRefusal) in
                guard let number = value.asText else {
                    if !record.documents.isEmpty { record.documents.removeFirst() }
                    return
                }
                if record.documents.isEmpty {
                    let kind = DocumentKind.unsaid(number, of: record.party.kind)
                    record.documents = [IdentityDocument(id: context.ids.next(), kind: kind, number: number)]
                } else {
                    record.documents[0].number = number
                }
            }),
        CustomerField(
            "document_kind", Words(en: "Kind of identity document", zh: "证件类型"),
            .choice([
                ImportChoice("id_card", Words(en: "Identity card", zh: "身份证"), synonyms: ["id", "居民身份证"]),
                ImportChoice("passport", Words(en: "Passport", zh: "护照")),
                ImportChoice(
                    "business_licence", Words(en: "Business licence", zh: "营业执照"), synonyms: ["business license"]),
                ImportChoice("other", Words(en: "Other", zh: "其他")),
            ]), ["document type", "id type", "证件类别", "證件種類"],
            get: { record, _ in .text(record.documents.first?.kind.rawValue) },
            set: { record, value, _ throws(FieldRefusal) in
                guard !record.documents.isEmpty else { return }
                record.documents[0].kind = value.asText.flatMap(DocumentKind.init) ?? .other
            }),
    ]

    private static func contactField(
        _ key: String, _ words: Words, _ kind: ImportFieldKind, _ medium: ContactKind, _ synonyms: [String]
    ) -> CustomerField {
        CustomerField(
            key, words, kind, synonyms, get: { record, _ in .text(record.contact(medium)) },
            set: { record, value, context throws(FieldRefusal) in
                let place =
                    record.contacts.firstIndex { $0.kind == medium && $0.preferred }
                    ?? record.contacts.firstIndex { $0.kind == medium }
                guard let text = value.asText else {
                    if let place { record.contacts.remove(at: place) }
                    return
                }
                if medium == .email, text.split(separator: "@").count != 2 || text.contains(where: \.isWhitespace) {
                    throw FieldRefusal("email", en: "This is not an e-mail address.", zh: "邮箱格式不正确。")
                }
                if let place {
                    record.contacts[place].value = text
                } else {
                    record.contacts.append(ContactMedium(id: context.ids.next(), kind: medium, value: text))
                }
            })
    }

    // MARK: Where

    static let place: [CustomerField] = [
        addressField(
            "address", Words(en: "Street address", zh: "详细地址"), max: 300, \.lines,
            ["street", "address line", "address line 1", "地址", "住址", "通信地址", "装机地址", "通訊地址", "聯絡地址", "戶籍地址", "居住地址"]),
        addressField(
            "city", Words(en: "City", zh: "城市"), max: 100, \.city, ["town", "地市", "市", "所在城市", "鄉鎮市區", "鄉鎮區", "行政區"]
        ) { $0.customer.city = $1 },
        addressField(
            "region", Words(en: "Region", zh: "地区／省"), max: 100, \.region,
            ["state", "province", "省", "省份", "地区", "区域", "大区", "縣市", "縣市別", "居住縣市"]
        ) { $0.customer.region = $1 },
        addressField(
            "postcode", Words(en: "Postcode", zh: "邮政编码"), max: 20, \.postcode,
            ["zip", "zip code", "postal code", "邮编", "郵遞區號"]),
        addressField("country", Words(en: "Country", zh: "国家"), max: 60, \.country, ["country code", "国家或地区", "国别"]),
        coordinate("latitude", Words(en: "Latitude", zh: "纬度"), limit: 90, \.latitude, ["lat"]),
        coordinate("longitude", Words(en: "Longitude", zh: "经度"), limit: 180, \.longitude, ["lon", "lng", "long"]),
    ]

    private static func addressField(
        _ key: String, _ words: Words, max: Int, _ path: any WritableKeyPath<Address, String?> & Sendable,
        _ synonyms: [String], also: (@Sendable (inout CustomerRecord, String?) -> Void)? = nil
    ) -> CustomerField {
        CustomerField(
            key, words, .text(max), synonyms, get: { record, _ in .text(record.addresses.first?[keyPath: path]) },
            set: { record, value, context throws(FieldRefusal) in
                record.changeAddress(context) { $0[keyPath: path] = value.asText }
                also?(&record, value.asText)
            })
    }

    private static func coordinate(
        _ key: String, _ words: Words, limit: Double, _ path: any WritableKeyPath<Address, Double?> & Sendable,
        _ synonyms: [String]
    ) -> CustomerField {
        CustomerField(
            key, words, .decimal, synonyms, get: { record, _ in .double(record.addresses.first?[keyPath: path]) },
            set: { record, value, context throws(FieldRefusal) in
                if let degrees = value.asDouble, !(abs(degrees) <= limit) {
                    throw FieldRefusal(
                        key, en: "Degrees must lie between -\(Int(limit)) and \(Int(limit)).",
                        zh: "度数须在 -\(Int(limit)) 到 \(Int(limit)) 之间。")
                }
                record.changeAddress(context) { $0[keyPath: path] = value.asDouble }
            })
    }
}

extension Party {
    /// `王小明`, `John Smith`.
    var composedName: String {
        let (family, given) = (familyName ?? "", givenName ?? "")
        if family.unicodeScalars.contains(where: SearchTokens.isHan) { return family + given }
        return [given, family].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Changes parts of the name; the whole follows unless it was given by itself.
    mutating func rename(_ change: (inout Party) -> Void) {
        let follows = displayName.isEmpty || displayName == composedName
        change(&self)
        if follows { displayName = composedName }
    }
}

extension CustomerRecord {
    /// Changes the first address; an address that says nothing is taken away.
    mutating func changeAddress(_ context: FieldContext, _ change: (inout Address) -> Void) {
        var address = addresses.first ?? Address(id: context.ids.next())
        change(&address)
        let empty = address == Address(id: address.id)
        if addresses.isEmpty {
            if !empty { addresses.append(address) }
        } else if empty {
            addresses.removeFirst()
        } else {
            addresses[0] = address
        }
    }
}
