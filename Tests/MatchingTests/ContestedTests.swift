import Testing

@testable import Matching

/// A record that goes equally well with two verified people goes with neither.
@Suite("matching: whose is it?")
struct ContestedTests {
    private static func identity(_ serial: Int) -> String {
        let body = "11010119900101" + String(String(1_000 + serial).suffix(3))
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
        let sum = zip(body, weights).reduce(0) { $0 + (Int(String($1.0)) ?? 0) * $1.1 }
        return body + ["1", "0", "X", "9", "8", "7", "6", "5", "4", "3", "2"][sum % 11]
    }

    /// People who are there twice, and at the end `more`.
    private static func match(_ more: [[String?]]) -> (result: MatchResult, first: Int) {
        let surnames = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗".map(String.init), given = "伟芳娜敏静丽强磊军洋勇艳杰涛超霞平刚桂华".map(String.init)
        var rows: [[String?]] = []
        for index in 0..<120 {
            let name = surnames[index % 20] + given[(index * 7 + index / 20) % 20] + given[(index * 3) % 20]
            let row: [String?] = [name, "1380013\(1_000 + index * 37)", identity(index + 20), "19\(60 + index % 40)-0\(1 + index % 9)-1\(index % 9)"]
            rows += [row, [row[0], row[1], index % 3 == 0 ? nil : row[2], row[3]]]
        }
        let first = rows.count
        rows += more
        let source = MatchSource(
            headers: ["name", "phone", "identity number", "birth date"], cells: (0..<4).map { column in rows.map { $0[column] } }, rows: rows.count)
        return (Matcher.match(source), first)
    }

    @Test("of two verified people who share name and number, a third without a number is linked with neither and put to review with both")
    func neither() {
        let (one, other) = (Self.identity(1), Self.identity(2))
        let (result, first) = Self.match([
            ["欧阳建国", "13911112222", one, nil], ["欧阳建国", "13911112222", other, nil], ["欧阳建国", "13911112222", nil, nil],
        ])
        let third = first + 2
        #expect(!result.clusters.contains { $0.contains(third) }, "\(result.clusters.filter { $0.contains { $0 >= first } })")
        #expect(!result.pairs.contains { $0.left >= first || $0.right >= first })
        let asked = Set(result.review.filter { $0.left == third || $0.right == third }.map { min($0.left, $0.right) })
        #expect(asked.isSuperset(of: [first, first + 1]))
        #expect(result.pairs.count >= 110, "the others are linked as before")
    }

    @Test("one verified person, or a number of its own, is no question")
    func plain() {
        let one = Self.identity(1)
        let (single, first) = Self.match([["欧阳建国", "13911112222", one, nil], ["欧阳建国", "13911112222", nil, nil]])
        #expect(single.clusters.contains([first, first + 1]))
        let (own, start) = Self.match([
            ["欧阳建国", "13911112222", one, nil], ["欧阳建国", "13911112222", Self.identity(2), nil], ["欧阳建国", "13911112222", one, nil],
        ])
        #expect(own.clusters.contains([start, start + 2]))
    }
}
