import Testing

@testable import Matching

extension String {
    /// The character at a place, as a text.
    fileprivate subscript(place: Int) -> String { String(self[index(startIndex, offsetBy: place)]) }
}

@Suite("understanding columns")
struct UnderstandingTests {
    private func kind(_ header: String, _ values: [String?]) -> ColumnKind {
        ColumnUnderstanding(header: header, values: values).kind
    }

    @Test(
        "headers in both languages name the kind",
        arguments: [
            ("given_name", ColumnKind.givenName), ("FirstName", .givenName), ("Surname", .surname),
            ("last name", .surname),
            ("family-name", .surname), ("客户姓名", .fullName), ("full_name", .fullName), ("date_of_birth", .birthDate),
            ("DOB", .birthDate), ("出生日期", .birthDate), ("mobilePhone", .phone), ("联系电话", .phone), ("手机號碼", .phone),
            ("E-Mail", .email), ("电子邮箱", .email), ("postcode", .postcode), ("ZIP", .postcode), ("邮政编码", .postcode),
            ("soc_sec_id", .identityNumber), ("身份证号码", .identityNumber), ("street_number", .houseNumber),
            ("address_1", .street), ("联系地址", .street), ("suburb", .suburb), ("性别", .category), ("Gender", .category),
            ("Vorname", .givenName), ("Nachname", .surname), ("Prénom", .givenName), ("nom", .surname), ("Geburtstag", .birthDate),
            ("naissance", .birthDate), ("Straße", .street), ("rue", .street), ("Ort", .suburb), ("ville", .suburb), ("courriel", .email),
            ("fecha_de_nacimiento", .birthDate), ("Apellidos", .surname), ("Cognome", .surname), ("codice fiscale", .identityNumber),
            ("Telemóvel", .phone), ("Sobrenome", .surname), ("achternaam", .surname), ("Geschlecht", .category), ("Código postal", .postcode),
            ("机主", .fullName), ("安装位置", .street), ("装机地址", .street), ("诞辰", .birthDate), ("电邮", .email), ("月租", .number),
        ] as [(String, ColumnKind)])
    func headers(_ header: String, _ expected: ColumnKind) { #expect(HeaderWords.kind(header) == expected) }

    @Test("a company is named by its name, digits and all; whoever speaks for it is another thing")
    func companies() {
        let companies = (0..<60).map { "上海天宇物流\($0)（有限公司）" }, people = (0..<60).map { ["王芳", "李娜", "张伟强"][$0 % 3] + "一二三四五"[$0 % 5] }
        #expect(kind("公司名称", companies) == .fullName)
        #expect(kind("Company Name", (0..<60).map { "Tele \($0) Systems Ltd" }) == .fullName)
        let headers = ["公司名称", "联系人"]
        let columns = [companies, people].enumerated().map { ColumnUnderstanding(header: headers[$0], values: $1) }
        #expect(columns.map(\.kind) == [.fullName, .fullName])
        #expect(ColumnUnderstanding.together(columns, headers: headers).map(\.kind) == [.fullName, .text])
        // Where nobody else is named, the contact is who the record is about.
        #expect(ColumnUnderstanding.together([columns[1]], headers: ["联系人"]).map(\.kind) == [.fullName])
    }

    @Test("a plan is no place, in a small file and in one of hundreds of plans; a city is still one")
    func plans() {
        let plans = ["全球通畅享套餐", "动感地带", "5G智享", "神州行家园卡", "大王卡", "冰神"]
        for header in ["套餐", "套餐名称", "资费套餐", "plan", "Tariff plan"] {
            #expect(kind(header, (0..<30).map { plans[$0 % 6] }) == .category, "\(header)")
            #expect(kind(header, (0..<600).map { "畅享\($0 % 300)元" }) == .text, "\(header)")
            #expect(kind(header, (0..<30).map { _ in "大王卡" }) == .nothing, "\(header)")
        }
        #expect(kind("城市", (0..<30).map { ["杭州", "宁波", "温州", "绍兴"][$0 % 4] }) == .suburb)
    }

    @Test("名字 is the whole name where it is as long as one, and a given name where the surname stands apart")
    func mingzi() {
        #expect(kind("名字", (0..<60).map { "王李张"[$0 % 3] + "伟芳娜敏静"[$0 % 5] + "强明" }) == .fullName)
        #expect(kind("名字", (0..<60).map { "伟芳娜敏静强明"[$0 % 7] }) == .givenName)
    }

    @Test("birth dates a generation apart are other dates; a digit mistyped or two swapped in the year are a slip; a first of January says nothing")
    func generations() {
        let standard = Standardiser(kind: .birthDate)
        func level(_ a: String, _ b: String) -> UInt8? {
            guard let x = standard.value(a), let y = standard.value(b) else { return nil }
            #expect(Comparison.level(.birthDate, x, y) == Comparison.level(.birthDate, y, x))
            return Comparison.level(.birthDate, x, y)
        }
        #expect(level("1970-01-01", "2001-01-01") == 3)
        #expect(level("1970-05-06", "2001-05-06") == 3)
        #expect(level("1970-05-06", "1981-05-06") == 2)
        #expect(level("1970-05-06", "1990-05-06") == 1)
        #expect(level("1979-05-06", "1997-05-06") != 3)
        #expect(level("1970-01-01", "1990-01-01") == 2)
        #expect(level("1970-01-01", "1981-01-01") == 3)
        #expect(level("1970-01-01", "1970-01-01") == 0)
    }

    @Test("who shares a place and a sex only is never linked, whatever a file says of homes; nor are a generation and another number")
    func housemates() {
        let fields = [
            MatchField(name: "n", kind: .fullName), MatchField(name: "b", kind: .birthDate), MatchField(name: "i", kind: .identityNumber),
            MatchField(name: "t", kind: .phone), MatchField(name: "s", kind: .street), MatchField(name: "p", kind: .postcode),
            MatchField(name: "g", kind: .category),
        ]
        var model = LinkageModel.shipped(fields)
        (model.kinship.sameName, model.kinship.otherName, model.priorBits) = (900, 3, 0)
        let scorer = Scorer(model), standard = RecordStandardiser(fields: fields)
        func score(_ a: [String?], _ b: [String?]) -> LinkageModel.Score { scorer.score(standard.record(a), standard.record(b)) }
        let one = score([nil, nil, nil, nil, "12 Oak Road", "4711", "F"], ["Ann Lee", "1970-03-04", nil, nil, "12 Oak Road", "4711", "F"])
        #expect(one.band != .link && one.bits < 0, "\(one)")
        let parents = score(
            ["HE JUN", "1948-03-04", "773883127", "94145191", "12 Oak Road", "4711", nil],
            ["何军", "1977-08-09", "280614652", "94145191", "12 Oak Road", "4711", nil])
        #expect(parents.band == .apart && parents.bar == .verified, "\(parents)")
        let same = score(
            ["HE JUN", "1948-03-04", "773883127", "94145191", "12 Oak Road", "4711", nil],
            ["何军", "1948-03-04", "280614652", "94145191", "12 Oak Road", "4711", nil])
        #expect(same.band == .link, "\(same)")
    }

    @Test("a header that its values contradict is not believed")
    func contradiction() {
        #expect(kind("phone", (0..<50).map { "word \($0 % 7) and" }) != .phone)
        #expect(kind("date of birth", (0..<50).map { "abc\($0)" }) != .birthDate)
    }

    @Test("columns without names are understood by their values")
    func values() {
        var options = DirtyRecords.Options()
        options.people = 300
        let chinese = DirtyRecords.chinese(options).unnamed, latin = DirtyRecords.latin(options).unnamed
        #expect(
            chinese.headers.indices.map { kind("f\($0)", chinese.cells[$0]) }
                == [.fullName, .phone, .identityNumber, .birthDate, .street, .email, .category, .date])
        #expect(
            latin.headers.indices.map { kind("f\($0)", latin.cells[$0]) }.prefix(5)
                == [.fullName, .phone, .email, .birthDate, .street])
    }

    @Test("a column of well-known given names is one, whatever it is called; places and surnames are not")
    func givenNames() {
        let names = ["James", "Mary", "Robert", "Patricia", "Bob", "Liz", "Hans", "Greta"]
        #expect(kind("kol1", (0..<60).map { names[$0 % 8] }) == .givenName)
        #expect(kind("kol2", (0..<90).map { ["Springfield", "Riverton", "Fairview", "Ashford"][$0 % 4] + "xyz".prefix($0 % 3) }) != .givenName)
        #expect(kind("kol3", (0..<90).map { ["Kowalski", "Novak", "Schmidt", "Petrov", "Moreau"][$0 % 5] }) != .givenName)
        #expect(kind("nome", (0..<60).map { "Maria \($0 % 2 == 0 ? "Silva" : "Santos") Lima" }) == .fullName)
    }

    @Test("people of one home and surname who were born years apart are not one where no given name is known")
    func bornApart() {
        let fields = [
            MatchField(name: "n", kind: .surname), MatchField(name: "b", kind: .birthDate), MatchField(name: "s", kind: .street),
            MatchField(name: "t", kind: .phone), MatchField(name: "p", kind: .postcode),
        ]
        let scorer = Scorer(LinkageModel.shipped(fields)), standard = RecordStandardiser(fields: fields)
        func record(_ born: String) -> MatchRecord { standard.record(["Anderson", born, "12 Oak Road", "0201555123", "4711"]) }
        let score = scorer.score(record("1961-03-14"), record("1972-11-02"), among: 1_000)
        #expect(score.band != .link && score.bits < 0, "\(score)")
        #expect(scorer.score(record("1961-03-14"), record("1961-03-14"), among: 1_000).band == .link)
    }

    @Test("a column of one value, or of none, says nothing")
    func nothing() {
        #expect(kind("name", [nil, nil, nil]) == .nothing)
        #expect(kind("country", Array(repeating: "AU", count: 10)) == .nothing)
        #expect(kind("x", []) == .nothing)
    }

    @Test("columns of two files find each other by name, by kind and by shared values")
    func pairing() {
        func side(_ header: String, _ kind: ColumnKind, _ values: [UInt64]) -> FieldPairing.Side {
            .init(header: header, kind: kind, values: Set(values))
        }
        let pairs = FieldPairing.pairs(
            [
                side("SURNAME", .surname, [1]), side("mobile", .phone, [2]), side("x1", .code, [1, 2, 3, 4]),
                side("left", .text, [9]),
            ],
            [
                side("q", .code, [3, 4, 5]), side("Tel.", .phone, [7]), side("surname", .surname, [8]),
                side("right", .text, [8]),
            ])
        #expect(pairs.map { [$0.left, $0.right] } == [[0, 2], [1, 1], [2, 0]])
    }
}
