import Compute
import Foundation
import Kernel
import Matching

/// Invented people, written down several times by careless hands. The same seed gives the same file.
struct DirtyRecords {
    struct Options {
        var seed: UInt64 = 1
        var people = 1_200
        /// Share of people who are in the file again, up to four times.
        var repeated = 0.4
        /// Chance that a value of a repeated record has an error.
        var errors = 0.15
        /// Chance that a value is missing, in any record.
        var missing = 0.2
        /// Share of people who live with the person before: same surname, address and telephone at home.
        var households = 0.2
    }

    private(set) var headers: [String] = []
    private(set) var rows: [[String?]] = []
    /// The person of each row.
    private(set) var truth: [Int] = []
    private var random: SeededRandom
    private let options: Options

    var source: MatchSource {
        MatchSource(headers: headers, cells: headers.indices.map { c in rows.map { $0[c] } }, rows: rows.count)
    }
    /// The same values under headers that say nothing.
    var unnamed: MatchSource {
        MatchSource(
            headers: headers.indices.map { "f\($0 + 1)" }, cells: headers.indices.map { c in rows.map { $0[c] } },
            rows: rows.count)
    }

    /// Pairwise precision, recall and F1.
    func quality(_ result: MatchResult) -> (precision: Double, recall: Double, f1: Double) {
        var sizes: [Int: Int] = [:]
        for person in truth { sizes[person, default: 0] += 1 }
        let all = sizes.values.reduce(0) { $0 + $1 * ($1 - 1) / 2 }
        let right = result.pairs.count { truth[$0.left] == truth[$0.right] }
        let precision = Double(right) / Double(max(1, result.pairs.count)), recall = Double(right) / Double(max(1, all))
        return (precision, recall, 2 * precision * recall / max(1e-9, precision + recall))
    }

    // MARK: Chinese customers

    static func chinese(_ options: Options = Options()) -> DirtyRecords {
        var made = DirtyRecords(options)
        made.headers = ["姓名", "手机号码", "证件号码", "出生日期", "联系地址", "邮箱", "套餐", "入网时间"]
        made.fill({ $0.chinesePerson($1) }, { $0.chineseRecord($1, isCopy: $2) })
        return made
    }

    // MARK: Latin people

    static func latin(_ options: Options = Options()) -> DirtyRecords {
        var made = DirtyRecords(options)
        made.headers = ["CustomerName", "Tel", "Mail", "Birthday", "Addr", "Town", "ZIP", "JoinDate", "Balance"]
        made.fill({ $0.latinPerson($1) }, { $0.latinRecord($1, isCopy: $2) })
        return made
    }

    private struct Person {
        var surname = "", given = "", phone = "", home = "", identity = "", email = ""
        var year = 0, month = 0, day = 0
        var road = "", number = 0, unit = 0, town = "", zip = "", plan = ""
        var middle = ""
    }

    private init(_ options: Options) {
        self.options = options
        random = SeededRandom(seed: options.seed)
    }

    private mutating func fill(
        _ person: (inout DirtyRecords, Person?) -> Person, _ record: (inout DirtyRecords, Person, Bool) -> [String?]
    ) {
        var before: Person?
        var made: [(Int, [String?])] = []
        for number in 0..<options.people {
            let own = person(&self, chance(options.households) ? before : nil)
            before = own
            let copies = chance(options.repeated) ? 1 + random.below(3) : 0
            for copy in 0...copies { made.append((number, missed(record(&self, own, copy > 0)))) }
        }
        random.shuffle(&made)
        (truth, rows) = (made.map(\.0), made.map(\.1))
    }

    private mutating func chance(_ share: Double) -> Bool { random.unit() < share }
    private mutating func pick<T>(_ values: [T]) -> T { values[random.below(values.count)] }
    /// Some values are far more frequent than others.
    private mutating func skewed<T>(_ values: [T]) -> T {
        values[min(values.count - 1, Int(Double(values.count) * random.unit() * random.unit()))]
    }
    private mutating func digits(_ count: Int) -> String { (0..<count).map { _ in String(random.below(10)) }.joined() }
    private mutating func missed(_ row: [String?]) -> [String?] { row.map { chance(options.missing) ? nil : $0 } }

    /// One letter more, less, other or in the wrong place.
    private mutating func mistyped(_ text: String) -> String {
        var letters = Array(text)
        guard letters.count > 2 else { return text }
        let at = random.below(letters.count - 1)
        let isDigit = letters[at].isNumber
        let other = isDigit ? Character(String(random.below(10))) : pick(Array("abcdefghijklmnopqrstuvwxyz"))
        switch random.below(4) {
        case 0: letters.swapAt(at, at + 1)
        case 1: letters.remove(at: at)
        case 2: letters.insert(other, at: at)
        default: letters[at] = other
        }
        return String(letters)
    }

    private mutating func chinesePerson(_ member: Person?) -> Person {
        var person = member ?? Person()
        if member == nil {
            person.surname = skewed(Self.hanSurnames)
            person.home = "0" + pick(["10", "21", "755", "571", "28"]) + "-" + digits(8)
            person.road = pick(Self.hanTowns) + pick(Self.hanRoads) + pick(["路", "街", "大道", "巷"])
            (person.number, person.unit) = (1 + random.below(300), 101 + random.below(900))
        }
        person.given = skewed(Self.hanGiven) + (chance(0.75) ? skewed(Self.hanGiven) : "")
        person.phone = pick(["138", "139", "150", "186", "177", "199"]) + digits(8)
        (person.year, person.month, person.day) = (1950 + random.below(56), 1 + random.below(12), 1 + random.below(28))
        let body =
            pick(["110101", "310104", "440305", "330106"]) + "\(person.year)\(two(person.month))\(two(person.day))"
            + digits(3)
        person.identity = (0...10).map { body + ($0 == 10 ? "X" : "\($0)") }.first { IdentityNumber($0) != nil } ?? body
        person.email = pick(["wx", "user", "abc", "qq"]) + digits(6) + "@" + pick(["163.com", "qq.com", "139.com"])
        person.plan = pick(["畅享套餐", "校园套餐", "家庭套餐", "商务套餐"])
        return person
    }

    private mutating func chineseRecord(_ own: Person, isCopy: Bool) -> [String?] {
        let wrong = isCopy ? options.errors : 0
        var name = own.surname + own.given, phone = own.phone, identity = own.identity
        if chance(wrong) {
            switch random.below(3) {
            case 0: name = Self.traditional(name)
            case 1: name = Self.pinyin(name)
            default:
                name = own.surname + String(own.given.prefix(1)) + (own.given.count > 1 ? skewed(Self.hanGiven) : "")
            }
        }
        if chance(wrong) { phone = pick(["138", "186", "199"]) + digits(8) }
        if chance(wrong) { phone = mistyped(phone) }
        if chance(wrong) { phone = "+86 " + phone.prefix(3) + "-" + phone.dropFirst(3) }
        if chance(wrong) { identity = mistyped(identity) }
        var date = "\(own.year)-\(two(own.month))-\(two(own.day))"
        if chance(wrong) { date = "\(own.year)年\(own.month)月\(own.day)日" }
        if chance(wrong) { date = "\(own.year)-\(two(own.month))-\(two(1 + random.below(28)))" }
        var address = own.road + "\(own.number)号\(own.unit)室"
        if chance(wrong) { address = own.road + "\(own.number)号" + "\(own.unit)" }
        if chance(wrong) { address = pick(Self.hanTowns) + pick(Self.hanRoads) + "路\(1 + random.below(300))号" }
        var email = own.email
        if chance(wrong) { email = mistyped(email) }
        return [
            name, phone, identity, date, address, email, chance(wrong) ? "国际套餐" : own.plan,
            "20\(two(10 + random.below(15)))-\(two(1 + random.below(12)))-\(two(1 + random.below(28)))",
        ]
    }

    private mutating func latinPerson(_ member: Person?) -> Person {
        var person = member ?? Person()
        if member == nil {
            person.surname = chance(0.5) ? skewed(Self.surnames) : word(2 + random.below(2))
            person.home = "0" + digits(9)
            person.road = word(2).capitalized + " " + pick(["Street", "Road", "Avenue", "Lane", "Court"])
            (person.number, person.unit) = (1 + random.below(200), random.below(3) == 0 ? 1 + random.below(30) : 0)
            person.town = skewed(Self.towns)
            person.zip = String(10_000 + (Self.towns.firstIndex(of: person.town) ?? 0) * 37 + random.below(5))
        }
        person.given = skewed(Self.givenNames)
        person.middle = chance(0.3) ? pick(["A", "J", "M", "R"]) : ""
        (person.year, person.month, person.day) = (1940 + random.below(66), 1 + random.below(12), 1 + random.below(28))
        person.email =
            person.given.lowercased() + "." + person.surname.lowercased() + digits(2) + "@"
            + pick(["gmail.com", "mail.org", "example.net"])
        person.phone = chance(0.5) ? person.home : "07" + digits(8)
        return person
    }

    private mutating func latinRecord(_ own: Person, isCopy: Bool) -> [String?] {
        let wrong = isCopy ? options.errors : 0
        var given = own.given, last = own.surname
        if chance(wrong) { given = mistyped(given) }
        if chance(wrong) { last = mistyped(last) }
        if chance(wrong / 2) { given = String(given.prefix(1)) }
        var name = [given, own.middle, last].filter { !$0.isEmpty }.joined(separator: " ")
        if chance(wrong) { name = last.uppercased() + ", " + given }
        var phone = own.phone
        if chance(wrong) { phone = chance(0.5) ? "07" + digits(8) : mistyped(phone) }
        var day = own.day
        if chance(wrong) { day = 1 + random.below(28) }
        var date = "\(two(day))/\(two(own.month))/\(own.year)"
        if chance(wrong) { date = "\(two(own.month))/\(two(day))/\(own.year)" }
        var address = (own.unit > 0 ? "Apt \(own.unit), " : "") + "\(own.number) " + own.road
        if chance(wrong) { address = mistyped(address) }
        if chance(wrong) { address = address.replacing("Street", with: "St").replacing("Road", with: "Rd") }
        var town = own.town, zip = own.zip
        if chance(wrong * 0.7) {
            // Moved.
            (address, town, zip) = ("\(1 + random.below(200)) " + word(2) + " Road", pick(Self.towns), digits(5))
        }
        return [
            name, phone, chance(wrong) ? mistyped(own.email) : own.email, date, address,
            chance(wrong) ? mistyped(town) : town, chance(wrong) ? mistyped(zip) : zip,
            "20\(two(10 + random.below(15)))-\(two(1 + random.below(12)))-\(two(1 + random.below(28)))",
            "\(random.below(5_000)).\(two(random.below(100)))",
        ]
    }

    private mutating func word(_ syllables: Int) -> String {
        let text = (0..<syllables).map { _ in
            pick(["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "w", "br", "st", "tr"])
                + pick(["a", "e", "i", "o", "u", "ea", "oo"]) + pick(["", "n", "r", "l", "s", "ck"])
        }.joined()
        return text.capitalized
    }

    private func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func traditional(_ text: String) -> String {
        String(text.map { traditionalForms[$0] ?? $0 })
    }

    private static func pinyin(_ text: String) -> String {
        let latin = text.applyingTransform(.mandarinToLatin, reverse: false) ?? text
        let words = latin.folding(options: .diacriticInsensitive, locale: nil).split(separator: " ").map(String.init)
        return (words.first ?? "").uppercased() + " " + words.dropFirst().joined().capitalized
    }

    private static let traditionalForms: [Character: Character] = [
        "张": "張", "陈": "陳", "刘": "劉", "杨": "楊", "赵": "趙", "黄": "黃", "吴": "吳", "孙": "孫", "马": "馬", "罗": "羅",
        "郑": "鄭", "许": "許", "邓": "鄧", "韩": "韓", "冯": "馮", "伟": "偉", "丽": "麗", "强": "強", "杰": "傑", "军": "軍",
        "华": "華", "国": "國", "艳": "艷", "红": "紅", "龙": "龍", "凤": "鳳", "云": "雲", "兰": "蘭", "东": "東", "庆": "慶",
    ]
    private static let hanSurnames =
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文".map(
            String.init)
    private static let hanGiven =
        "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国文志海燕云飞龙凤春梅东宁晨宇欣怡思雨佳琪俊浩然子轩梓涵一诺雪婷慧琳鹏辉斌波峰庆荣福康安乐天成立新永生光亮青松柏林森江河".map(String.init)
    private static let hanTowns = ["北京市朝阳区", "北京市海淀区", "上海市徐汇区", "上海市浦东新区", "深圳市南山区", "杭州市西湖区", "成都市武侯区", "广州市天河区"]
    private static let hanRoads = [
        "建设", "人民", "解放", "中山", "和平", "长安", "学院", "科技", "新华", "文化", "胜利", "光明", "东风", "团结", "幸福", "龙华", "金沙", "红旗",
    ]
    private static let surnames = [
        "Smith", "Jones", "Brown", "Taylor", "Wilson", "Davies", "Evans", "Thomas", "Johnson", "Roberts", "Walker",
        "Wright", "Thompson", "White", "Hughes", "Edwards", "Green", "Lewis", "Wood", "Harris", "Martin", "Jackson",
        "Clarke", "O'Brien", "García", "Müller", "Nowak", "Nguyen",
    ]
    private static let givenNames = [
        "James", "Mary", "John", "Linda", "Robert", "Susan", "Michael", "Karen", "David", "Lisa", "William", "Nancy",
        "Richard", "Betty", "Joseph", "Helen", "Thomas", "Sandra", "Charles", "Donna", "Daniel", "Carol", "Matthew",
        "Ruth", "Anthony", "Sharon", "Mark", "Michelle", "Paul", "Laura", "Steven", "Sarah", "Andrew", "Kim", "Kenneth",
        "Deborah", "José", "Zoë", "Aoife", "Piotr", "Chloe", "Ethan", "Olivia", "Noah", "Emily", "Lucas", "Grace",
        "Jack",
    ]
    private static let towns = [
        "Northfield", "Ashford", "Kingsbury", "Rivermouth", "Oldham", "Westbrook", "Lakeside", "Hillview",
        "Stonebridge", "Marlow", "Eastham", "Fairwater", "Redcliff", "Greenwich", "Millbrook",
    ]
}
