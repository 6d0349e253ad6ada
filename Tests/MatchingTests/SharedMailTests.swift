import Compute
import Foundation
import Testing

@testable import Matching

/// Families who have one e-mail address and one home, with much that is missing: those who are there twice are linked, and nobody is
/// taken for his father, her brother or their housemate.
@Suite("matching: households with one e-mail address")
struct SharedMailTests {
    private static let surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐".map(String.init)
    private static let given = "伟芳娜敏静丽强磊军洋勇艳杰涛超霞平刚桂华玉兰红建国文志海燕云飞龙春梅东宁晨宇欣怡".map(String.init)

    private struct Made {
        var rows: [[String?]] = []
        var person: [Int] = []
    }

    /// - Parameters:
    ///   - sons: of families in which a son has his father's name, born a generation later.
    ///   - missing: of number, birth date, address and e-mail.
    private static func made(_ seed: UInt64, sharedMail: Double, sons: Double, missing: Double) -> Made {
        var random = SeededRandom(seed: seed)
        func pick<T>(_ list: [T]) -> T { list[random.below(list.count)] }
        func digits(_ count: Int) -> String { (0..<count).map { _ in String(random.below(10)) }.joined() }
        func day(_ from: Int, _ to: Int) -> String {
            String(format: "%d-%02d-%02d", from + random.below(to - from), 1 + random.below(12), 1 + random.below(28))
        }
        var made = Made()
        var people = 0
        func add(_ row: [String?]) {
            let isTwice = random.unit() < 0.4
            for _ in 0..<(isTwice ? 2 : 1) {
                made.rows.append(row.enumerated().map { $0.offset > 0 && random.unit() < missing ? nil : $0.element })
                made.person.append(people)
            }
            people += 1
        }
        for _ in 0..<700 {
            let home = "\(pick(["建设", "人民", "解放", "中山", "和平", "学院"]))路\(1 + random.below(400))号\(1 + random.below(30))幢\(101 + random.below(900))室"
            let surname = pick(surnames), mail = "home\(digits(7))@example.com"
            let isFamily = random.unit() < 0.4, isShared = random.unit() < sharedMail
            func person(_ name: String, _ born: String) -> [String?] {
                [name, "139" + digits(8), born, home, isFamily && isShared ? mail : "u\(digits(8))@example.com"]
            }
            let father = surname + pick(given) + pick(given)
            add(person(father, day(1945, 1965)))
            guard isFamily else { continue }
            add(person(random.unit() < sons ? father : surname + pick(given) + pick(given), day(1975, 1995)))
        }
        return made
    }

    @Test(
        "linked are those who are there twice, not those who share a home, an e-mail address or a father's name",
        arguments: [(1, 0.6, 0.0, 0.2), (2, 1.0, 0.0, 0.1), (3, 0.0, 0.2, 0.1), (4, 0.5, 0.1, 0.2)] as [(UInt64, Double, Double, Double)])
    func families(seed: UInt64, sharedMail: Double, sons: Double, missing: Double) {
        let made = Self.made(seed, sharedMail: sharedMail, sons: sons, missing: missing)
        let result = Matcher.match(
            MatchSource(
                headers: ["姓名", "手机", "出生日期", "住址", "邮箱"], cells: (0..<5).map { column in made.rows.map { $0[column] } },
                rows: made.rows.count))
        let right = result.pairs.count { made.person[$0.left] == made.person[$0.right] }
        let all = made.person.indices.dropFirst().count { made.person[$0] == made.person[$0 - 1] }
        let wrong = result.pairs.filter { made.person[$0.left] != made.person[$0.right] }
        #expect(all > 300)
        #expect(Double(right) >= 0.95 * Double(all), "\(right) of \(all)")
        // A record without birth date and number may be the father's or the son's.
        #expect(wrong.count <= result.pairs.count * (sons > 0 ? 3 : 1) / 100, "\(wrong.prefix(5).map { [made.rows[$0.left], made.rows[$0.right]] })")
    }
}
