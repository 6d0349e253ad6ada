import Compute
import Foundation
import Testing

@testable import Matching

/// A small file of one operator: people who are there twice, twins, and households. What a machine may link are the first only.
@Suite("matching: twins and households")
struct TwinTests {
    private struct Made {
        var rows: [[String?]] = []
        /// Rows of one person.
        var same: [(Int, Int)] = []
        /// Rows of two people who share nearly everything.
        var others: [(Int, Int)] = []
    }

    private static let surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐".map(String.init)
    private static let given = "伟芳娜敏静丽强磊军洋勇艳杰涛超霞平刚桂华玉兰红建国文志海燕云飞龙春梅东宁晨宇欣怡".map(String.init)
    private static let latinSurnames = ["Smith", "Jones", "Taylor", "Wilson", "Davies", "Evans", "Roberts", "Walker", "Wright", "Hughes"]
    /// By the first letter, each far from the others.
    private static let latinGiven = [
        ["James", "Julia", "Joseph"], ["Robert", "Rachel", "Richard"], ["Susan", "Sandra", "Stephen"], ["Karen", "Kevin", "Keith"],
        ["Linda", "Lawrence", "Louise"], ["William", "Wendy", "Walter"], ["Helen", "Harold", "Heather"], ["Daniel", "Deborah", "Douglas"],
    ]

    /// - Parameter share: of people who are there twice.
    private static func made(_ seed: UInt64, isHan: Bool, share: Double) -> Made {
        var random = SeededRandom(seed: seed)
        func pick<T>(_ list: [T]) -> T { list[random.below(list.count)] }
        func phone() -> String { pick(["138", "139", "150", "186"]) + (0..<8).map { _ in String(random.below(10)) }.joined() }
        func day(_ from: Int, _ to: Int) -> String {
            String(format: "%d-%02d-%02d", from + random.below(to - from), 1 + random.below(12), 1 + random.below(28))
        }
        func address() -> String {
            let number = 1 + random.below(400), flat = 101 + random.below(900)
            return isHan
                ? pick(["建设", "人民", "解放", "中山", "和平", "长安", "学院", "科技"]) + "路\(number)号\(flat)室"
                : "\(number) " + pick(["Oak", "Mill", "Church", "Station", "Victoria", "Albert"]) + " Road"
        }
        /// Two given names that begin alike and are not read alike.
        func two() -> (String, String) {
            if !isHan {
                let list = pick(latinGiven), one = random.below(3)
                return (list[one], list[(one + 1) % 3])
            }
            let first = pick(given), one = pick(given)
            var other = pick(given)
            while StandardText.forms(one).latin == StandardText.forms(other).latin { other = pick(given) }
            return (first + one, first + other)
        }
        func name(_ surname: String, _ given: String) -> String { isHan ? surname + given : given + " " + surname }
        var made = Made()
        func add(_ row: [String?]) -> Int {
            made.rows.append(row)
            return made.rows.count - 1
        }
        for number in 0..<260 {
            let surname = pick(isHan ? surnames : latinSurnames), home = address(), line = phone(), names = two()
            switch number % 20 {
            case 0:
                // Twins: only the given name differs.
                let born = day(1960, 2004)
                made.others.append((
                    add([name(surname, names.0), born, line, home]), add([name(surname, names.1), born, line, home])
                ))
            case 1, 2:
                // A parent and a child; half of them without birth dates.
                let knows = number % 20 == 1
                made.others.append((
                    add([name(surname, names.0), knows ? day(1950, 1970) : nil, line, home]),
                    add([name(surname, names.1), knows ? day(1980, 2004) : nil, line, home])
                ))
            default:
                let row: [String?] = [name(surname, names.0), day(1950, 2004), line, home]
                let own = add(row)
                guard random.unit() < share else { continue }
                var again = row
                if random.below(4) == 0 { again[2] = phone() }
                if random.below(6) == 0 { again[1] = nil }
                if random.below(5) == 0 { again[3] = address() }
                made.same.append((own, add(again)))
            }
        }
        return made
    }

    private static func found(_ made: Made, isHan: Bool) -> MatchResult {
        Matcher.match(
            MatchSource(
                headers: isHan ? ["姓名", "出生日期", "手机号码", "联系地址"] : ["Name", "Birth date", "Phone", "Address"],
                cells: (0..<4).map { column in made.rows.map { $0[column] } }, rows: made.rows.count))
    }

    @Test("twins and people of one household are not linked, and those who are there twice still are", arguments: [true, false], [1, 2, 3] as [UInt64])
    func twins(_ isHan: Bool, _ seed: UInt64) {
        for share in [0.3, 0.9] {
            let made = Self.made(seed, isHan: isHan, share: share), result = Self.found(made, isHan: isHan)
            let linked = Set(result.pairs.map { CandidatePairs.pack($0.left, $0.right) })
            let wrong = made.others.filter { linked.contains(CandidatePairs.pack($0.0, $0.1)) }
            #expect(made.others.count == 39)
            #expect(wrong.isEmpty, "seed \(seed), \(share): \(wrong.map { [made.rows[$0.0], made.rows[$0.1]] })")
            let right = made.same.count { linked.contains(CandidatePairs.pack($0.0, $0.1)) }
            #expect(Double(right) >= 0.9 * Double(made.same.count), "seed \(seed), \(share): \(right) of \(made.same.count)")
            // Nobody is lost from sight: twins are put before a person.
            let seen = Set(result.review.map { CandidatePairs.pack($0.left, $0.right) })
            let twins = made.others.filter { made.rows[$0.0][1] != nil && made.rows[$0.0][1] == made.rows[$0.1][1] }
            #expect(twins.count == 13 && twins.allSatisfy { seen.contains(CandidatePairs.pack($0.0, $0.1)) }, "seed \(seed), \(share)")
        }
    }

    @Test("a model learned from few and used in a larger base puts twins before a person, neither linked nor lost")
    func anySize() throws {
        let model = Self.found(Self.made(1, isHan: true, share: 0.3), isHan: true).model
        let scorer = Scorer(model), standardiser = RecordStandardiser(fields: model.fields)
        let one = standardiser.record(["王建国", "1990-02-03", "13801230010", "建设路12号301室"])
        let other = standardiser.record(["王晓雯", "1990-02-03", "13801230010", "建设路12号301室"])
        #expect(model.records < 1_000)
        for size in [model.records, 20_000, 100_000] {
            let score = scorer.score(one, other, among: size)
            #expect(score.band == .review, "\(size): \(score)")
        }
        #expect(scorer.score(one, one, among: 100_000).band == .link)
    }

    @Test("telephone numbers that differ in the last three digits only are no evidence; others that differ in one digit are")
    func neighbours() {
        func level(_ a: String, _ b: String) -> UInt8 {
            let standardiser = Standardiser(kind: .phone)
            guard let x = standardiser.value(a), let y = standardiser.value(b) else { return 99 }
            var levels = [Comparison.level(.phone, x, y)]
            levels.withUnsafeMutableBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                FieldRoles([.phone]).correct(base) { $1 ? y : x }
            }
            return levels[0]
        }
        #expect(level("13801230010", "13801230011") == Comparison.missing)
        #expect(level("13801230010", "+86 138 0123 0981") == 3, "three digits: different, as before")
        #expect(level("13801230010", "13801230020") == Comparison.missing)
        #expect(level("13801230010", "13801250010") == 1)
        #expect(level("13801230010", "13801230010") == 0)
        #expect(level("13801230010", "1380123001") != Comparison.missing, "a digit less is a slip")
    }

    @Test("two Chinese names of as many characters are two, however near they are read; one of the same sound is not")
    func hanNames() {
        func level(_ a: String, _ b: String) -> UInt8 {
            let standardiser = Standardiser(kind: .fullName)
            guard let x = standardiser.value(a), let y = standardiser.value(b) else { return 99 }
            return Comparison.level(.fullName, x, y)
        }
        #expect(level("宋平建", "宋平强") == 5)
        #expect(level("谢佳云", "谢佳燕") == 5)
        #expect(level("王小明", "王小敏") == 5)
        #expect(level("張偉明", "张伟明") == 0)
        #expect(level("张伟", "张炜") == 1)
        #expect(level("王小明", "Wang Xiaoming") == 1)
        #expect(level("上海天宇物流有限公司", "上海天字物流有限公司") < 5, "of a long name a character may be a slip")
        #expect(level("Carol Evans", "Charles Evans") == 5)
        #expect(level("Sarah Davies", "Sarha Davies") < 5)
    }
}
