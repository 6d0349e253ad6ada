import Foundation
import Testing

@testable import Matching

/// Parents and children share number, address, e-mail and often the name. Birth dates a generation apart are those of two people; a slip
/// in one person's birth date is not.
@Suite("matching: parents and children of one name")
struct GenerationTests {
    private static let surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗".map(String.init)
    private static let given = "伟芳娜敏静丽强磊军洋勇艳杰涛超霞平刚桂华".map(String.init)
    private static let headers = ["姓名", "出生日期", "电话", "地址", "邮箱"]
    private static let home: [String?] = ["13980730215", "测试路241号4栋1301", "fam0@qq.com"]

    private static func source(_ rows: [[String?]]) -> MatchSource {
        MatchSource(headers: headers, cells: headers.indices.map { column in rows.map { $0[column] } }, rows: rows.count)
    }

    /// People of two files who are in both, each at home alone.
    private static func people() -> [[String?]] {
        (0..<120).map { index -> [String?] in
            let name = surnames[index % 20] + given[(index * 7 + index / 20) % 20] + given[(index * 3 + 1) % 20]
            let born = String(format: "%d-%02d-%02d", 1950 + index % 50, 1 + index % 12, 1 + index * 5 % 28)
            let place = "人民路\(index * 3 + 1)号\(index % 9 + 1)栋\(index + 101)"
            return [name, born, "1380013\(1_000 + index * 37)", place, "u\(index * 71)@example.com"]
        }
    }

    /// Whether the last row of the left file and the last of the right are linked, and whether a person is asked.
    private static func ends(_ left: [[String?]], _ right: [[String?]]) -> (isLinked: Bool, isAsked: Bool, others: Int) {
        let base = people()
        let a = base + left, b = base + right
        let result = Matcher.match(source(a), source(b))
        let last = (a.count - 1, a.count + b.count - 1)
        func has(_ pairs: [MatchResult.Pair]) -> Bool { pairs.contains { ($0.left, $0.right) == last } }
        return (has(result.pairs), has(result.review), result.pairs.count { $0.left < base.count && $0.right == $0.left + a.count })
    }

    @Test(
        "a parent and a child of one home are put before a person, whether of one name or of one much alike",
        arguments: [
            ("孙勇", "1962-01-17", "孙勇", "1984年12月22日"), ("周军", "1957-01-13", "周军艳", "1985年11月22日"),
            ("张强", "1960-02-14", "张强强", "1987年11月27日"), ("张涛", "1955-08-15", "张涛", "1967年10月27日"),
            ("李伟", "1970-01-01", "李伟", "2001年1月1日"), ("Paul Omond", "1940-01-10", "Paula Omond", "1966-11-25"),
        ])
    func families(_ parent: String, _ born: String, _ child: String, _ later: String) {
        for mail in [true, false] {
            let home = mail ? Self.home : [Self.home[0], Self.home[1], nil]
            let found = Self.ends([[parent, born] + home], [[child, later] + home])
            #expect(!found.isLinked && found.isAsked, "\(parent), \(child), \(mail): \(found)")
            #expect(found.others == 120)
        }
    }

    @Test(
        "a slip in one person's birth date still links",
        arguments: ["1972-01-17", "1926-01-17", "1962-01-11", "1962-07-17", "1962-01-27", "1963-01-17", "1962-12-29", "1984-01-17"])
    func slips(_ written: String) {
        let found = Self.ends([["孙勇", "1962-01-17"] + Self.home], [["孙勇", written] + Self.home])
        #expect(found.isLinked, "\(written): \(found)")
        let swapped = Self.ends([["孙勇", "1962-03-11"] + Self.home], [["孙勇", "1962-11-03"] + Self.home])
        #expect(swapped.isLinked)
    }

    @Test("families alone, of which no birth date agrees, are not linked for being left over")
    func alone() {
        let rows = (0..<40).map { index -> (name: String, home: [String?]) in
            let place = "测试路\(index * 7 + 1)号\(index % 9 + 1)栋\(index + 301)", phone = "139\(10_730_215 + index * 91_193)"
            return (
                Self.surnames[index % 20] + Self.given[(index * 7) % 20], [phone, place, index % 2 == 0 ? "fam\(index)@qq.com" : nil]
            )
        }
        let parents = rows.enumerated().map { [$1.name, "\(1950 + $0 % 15)-0\(1 + $0 % 6)-1\($0 % 9)"] + $1.home }
        let children = rows.enumerated().map { index, row -> [String?] in
            let name = row.name + (index % 3 == 0 ? "" : index % 3 == 1 ? String(row.name.suffix(1)) : "霞")
            return [name, "\(1978 + index % 15)-1\(index % 3)-2\(index % 8)"] + row.home
        }
        let result = Matcher.match(Self.source(parents), Self.source(children))
        #expect(result.pairs.isEmpty, "\(result.pairs.prefix(3).map { [parents[$0.left], children[$0.right - 40]] })")
        let asked = result.review.count { $0.right == $0.left + 40 }
        #expect(asked == 40, "\(asked)")
    }

    @Test("a third record joins no parent with a child: who might be either is asked about with both")
    func third() {
        let base = Self.people()
        let family: [[String?]] = [
            ["孙勇", "1962-01-17"] + Self.home, ["孙勇", "1984-12-22"] + Self.home, ["孙勇", nil] + Self.home,
        ]
        let rows = base + base + family
        let result = Matcher.match(Self.source(rows)), first = base.count * 2
        #expect(!result.pairs.contains { $0.left >= first || $0.right >= first })
        let asked = Set(result.review.map { [$0.left - first, $0.right - first] })
        #expect(asked.isSuperset(of: [[0, 1], [0, 2], [1, 2]]), "\(asked)")
        #expect(result.pairs.count == base.count)
        // Whoever is the father by his birth date is his.
        let dated = Matcher.match(Self.source(rows + [["孙勇", "1962-01-17", nil, Self.home[1], Self.home[2]]]))
        #expect(dated.pairs.contains { ($0.left, $0.right) == (first, first + 3) })
        #expect(!dated.clusters.contains { $0.contains(first) && $0.contains(first + 1) })
    }

    @Test("one identity number is stronger than two birth dates")
    func identity() {
        let fields = [
            MatchField(name: "n", kind: .fullName), MatchField(name: "b", kind: .birthDate), MatchField(name: "i", kind: .identityNumber),
            MatchField(name: "t", kind: .phone),
        ]
        let scorer = Scorer(.shipped(fields)), standard = RecordStandardiser(fields: fields)
        func score(_ number: String?) -> LinkageModel.Score {
            scorer.score(
                standard.record(["孙勇", "1962-01-17", "773883127", "13980730215"]),
                standard.record(["孙勇", "1984-12-22", number, "13980730215"]))
        }
        #expect(score("773883127").band == .link && !score("773883127").areTwo)
        #expect(score(nil).band == .review && score(nil).areTwo)
    }
}
