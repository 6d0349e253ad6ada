import Compute
import Foundation
import Kernel
import Testing

@testable import Matching

@Suite("standard forms")
struct StandardTests {
    private func latin(_ kind: ColumnKind, _ text: String) -> String? { Standardiser(kind: kind).value(text)?.text }
    private func level(_ kind: ColumnKind, _ a: String, _ b: String) -> UInt8? {
        guard let x = Standardiser(kind: kind).value(a), let y = Standardiser(kind: kind).value(b) else { return nil }
        return Comparison.level(kind, x, y)
    }

    @Test(
        "names meet across script, width, case and accents",
        arguments: [
            ("張偉", "张伟", 0), ("张伟", "Zhang Wei", 1), ("Wei Zhang", "张伟", 1), ("王小明", "Xiaoming Wang", 1),
            ("ＪＯＳＥ　ＧＡＲＣＩＡ", "José García", 0), ("Smith, John", "John Smith", 1), ("John A Smith", "John Smith", 2),
            ("曾国强", "Zeng Guoqiang", 1), ("O'Brien Pat", "obrien pat", 0), ("J Smith", "John Smith", 4),
            ("James Jones", "Susan J Jones", 5), ("王伟", "王芳", 5),
            ("吕佳", "Lv Jia", 1), ("呂佳", "Jia Lyu", 1), ("吕佳", "Lu Jia", 1), ("Lyu Jia", "lv jia", 1),
            ("罗佳宇", "Lu Jiayu", 4), ("Jiayu Lu", "罗佳宇", 4), ("王丽", "Wang Lei", 5), ("罗佳宇", "Luo Meiling", 5),
        ] as [(String, String, UInt8)])
    func names(_ a: String, _ b: String, _ expected: UInt8) { #expect(level(.fullName, a, b) == expected) }

    @Test(
        "lv, lyu and lu are one where all else of the word is pinyin, and nowhere else",
        arguments: [
            ("Lv Jia", "lu jia"), ("LYU", "lu"), ("Lü Jia", "lu jia"), ("Xiaolv Nyu", "xiaolu nu"), ("Xinyu Li", "xinyu li"),
            ("Calvin Silva", "calvin silva"), ("Silvan Alves", "silvan alves"), ("Lyudmila", "lyudmila"),
            ("L V Rao", "l v rao"),
        ] as [(String, String)])
    func umlauts(_ written: String, _ read: String) { #expect(latin(.fullName, written) == read) }

    @Test(
        "stored keys meet in either order of the words, and those made before are among them",
        arguments: [
            ("陈伦浩", "Lunhao Chen"), ("陈伦浩", "Chen Lunhao"), ("Chen Lunhao", "Lun Hao Chen"), ("John Smith", "Smith, John"),
            ("吕佳", "Jia Lv"), ("Lyu Jia", "Jia Lu"),
        ] as [(String, String)])
    func keys(_ a: String, _ b: String) {
        let fields = [MatchField(name: "name", kind: .fullName), MatchField(name: "born", kind: .birthDate)]
        let blocking = LinkageModel.shipped(fields).blocking
        let former = Blocking(
            passes: blocking.passes.map { pass in
                BlockingPass(
                    atoms: pass.atoms.map { BlockingAtom(field: $0.field, form: $0.form == .turned ? .whole : $0.form) })
            }, kinds: fields.map(\.kind), commonWords: [[], []])
        let standardiser = RecordStandardiser(fields: fields)
        func keys(_ name: String) -> Set<UInt64> {
            let record = standardiser.record([name, "1990-02-03"])
            let now = Set(blocking.hashes(record))
            #expect(now.isSuperset(of: former.hashes(record)))
            return now
        }
        #expect(!keys(a).isDisjoint(with: keys(b)))
        #expect(keys(a).isDisjoint(with: keys("Ann Miller")))
        // As it was read before ü was known.
        let lv = standardiser.record(["Lv Jia", "1990-02-03"]).values[0]
        #expect(lv.map { Blocking.hashes($0, .turned, salt: 0, common: []).contains(StableHash.of(Array("lvjia".utf8), salt: 0)) } == true)
    }

    @Test("a missing birth date is that of the identity number, when that is whole and right; a known one stays")
    func birthOfIdentity() {
        var births = PreparedColumn(kind: .birthDate), identities = PreparedColumn(kind: .identityNumber)
        births.append([nil, "1990-02-03", nil, nil, nil], Standardiser(kind: .birthDate))
        identities.append(
            ["11010519491231002X", "11010519491231002X", "110105194912310021", "110105491231002", nil],
            Standardiser(kind: .identityNumber))
        births.complete(from: identities)
        #expect((0..<5).map { births.value($0)?.text } == ["19491231", "19900203", nil, nil, nil])
        #expect(births.present == 2 && births.counts.reduce(0, +) == 2)
    }

    @Test("a word is taken out of a text as the library does it, whatever is left around it")
    func removal() {
        let pieces = ["中华人民共和国", "中国", "自治区", "省", "中", "国", "自治", "治区", "中华", "浙江", "路", "12", "A", " "]
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix64(seed: seed)
        func some() -> String { pieces[Int.random(in: 0..<pieces.count, using: &random)] }
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...8, using: &random)).map { _ in some() }.joined()
            let word = some()
            var scalars = Array(text.unicodeScalars)
            StandardAddress.remove(Array(word.unicodeScalars), from: &scalars)
            var left = String.UnicodeScalarView()
            left.append(contentsOf: scalars)
            #expect(
                String(left) == text.replacingOccurrences(of: word, with: ""), "\(word) of \(text), seed \(seed)")
        }
    }

    @Test("provinces, cities and the like say nothing of where somebody lives")
    func regions() {
        #expect(level(.street, "中国浙江省杭州市解放路12号3室", "浙江杭州解放路12号3室") == 0)
        #expect(level(.street, "广西壮族自治区南宁市民族大道8号", "广西壮族南宁民族大道8号") == 0)
        #expect(Standardiser(kind: .suburb).value("市") == nil)
    }

    @Test("the same sound in other characters is less than the same name")
    func homophones() {
        #expect(level(.givenName, "伟", "玮") == 1)
        #expect(level(.givenName, "伟", "伟") == 0)
        #expect(level(.givenName, "mary", "mark") ?? 0 > 2)
    }

    @Test(
        "a date is read in every order it is written in",
        arguments: [
            "1980-02-03", "19800203", "3/2/1980", "03.02.1980", "1980年2月3日", "Feb 3, 1980", "3 February 1980",
            "3-Feb-80",
            "1980/2/3 00:00:00", "1980-02-03T10:20:30Z", "１９８０-０２-０３", "03021980",
        ])
    func dates(_ text: String) { #expect(latin(.birthDate, text) == "19800203") }

    @Test("a column says whether the day or the month comes first")
    func dateOrder() {
        let american = ColumnUnderstanding(header: "dob", values: ["02/13/1980", "03/04/1975", "12/30/1999"])
        #expect(american.kind == .birthDate && !american.isDayFirst)
        #expect(Standardiser(kind: .birthDate, isDayFirst: false).value("03/04/1975")?.text == "19750304")
    }

    @Test(
        "a year of the Republic of China is that of everybody else",
        arguments: [
            "民國78年3月4日", "民国七十八年三月四日", "078/03/04", "078年3月4號", "中華民國７８年３月４日", "民國 78/3/4", "一九八九年三月四日",
        ])
    func minguo(_ text: String) { #expect(latin(.birthDate, text) == "19890304") }

    @Test("years of two digits are of the Republic of China where the column shows it, and otherwise of nobody")
    func minguoColumn() {
        for values in [["78/03/04", "101/05/06", "67/11/30"], ["0780304", "1010506", "670112"], ["民國78年3月4日", "67/11/30", "x"]] {
            let column = ColumnUnderstanding(header: "生日", values: values)
            #expect(column.kind == .birthDate && column.isMinguo, "\(values)")
            #expect(column.standardiser(.birthDate, "886").value("78/03/04")?.text == "19890304")
            #expect(column.standardiser(.birthDate, "886").value("0780304")?.text == "19890304")
        }
        let open = ColumnUnderstanding(header: "dob", values: ["28/03/84", "17/11/80", "05/06/75"])
        #expect(!open.isMinguo && open.isDayFirst)
        #expect(open.standardiser(.birthDate, "86").value("28/03/84")?.text == "19840328")
        #expect(Standardiser(kind: .birthDate).value("78/03/04")?.number == 0, "no day of any calendar is made of it")
        let street = ColumnUnderstanding(header: "f3", values: ["101号5楼6室", "102号7楼8室", "103号9楼1室"])
        #expect(!street.isMinguo)
    }

    @Test("the identity number's check digit decides, fifteen digits become eighteen")
    func identityNumbers() throws {
        let number = try #require(IdentityNumber("11010519491231002X"))
        #expect(number.birthDate?.description == "1949-12-31")
        #expect(IdentityNumber("11010519491231002x") == number)
        #expect(IdentityNumber("110105491231002") == number)
        #expect(IdentityNumber("１１０１０５１９４９１２３１００２Ｘ") == number)
        for last in "0123456789" { #expect(IdentityNumber("11010519491231002\(last)") == nil) }
        #expect(IdentityNumber("11010519491331002X") == nil)
        #expect(IdentityNumber("") == nil && IdentityNumber("X1010519491231002X") == nil)
    }

    @Test("numbers of two governments say nothing of each other, two of one are two people, and Macau's are not proven")
    func governments() throws {
        func value(_ text: String) throws -> MatchValue { try #require(Standardiser(kind: .identityNumber).value(text)) }
        let (taiwan, other) = (try value("A123456789"), try value("B234567894"))
        let (hong, mainland, macau) = (try value("A123456(3)"), try value("11010519491231002X"), try value("1234567(8)"))
        #expect(Comparison.level(.identityNumber, taiwan, mainland) == Comparison.missing)
        #expect(Comparison.level(.identityNumber, hong, taiwan) == Comparison.missing)
        #expect(Comparison.level(.identityNumber, taiwan, other) == 3 && taiwan.isVerified(like: other))
        let (otherMacau, wide) = (try value("5234567(8)"), try value("a１２３４５６（3）"))
        #expect(!taiwan.isVerified(like: mainland) && !macau.isVerified(like: otherMacau))
        #expect(wide == hong && hong.text == "a1234563" && mainland.number == 19_491_231 && taiwan.number == 0)
    }

    @Test("every slip in one digit of an identity number is noticed")
    func checkDigit() {
        let digits = Array("440305199403257558")
        let whole = String(digits)
        guard IdentityNumber(whole) != nil else { return #expect(Bool(false), "the example is valid") }
        for at in 0..<17 {
            for other in "0123456789" where other != digits[at] {
                var copy = digits
                copy[at] = other
                #expect(IdentityNumber(String(copy)) == nil, "\(String(copy))")
            }
        }
    }

    @Test("telephone numbers and e-mail addresses have one form")
    func contacts() {
        for text in ["13812348000", "+86 138-1234-8000", "0086 13812348000", "１３８１２３４８０００", "(138) 1234 8000"] {
            #expect(latin(.phone, text) == "8613812348000")
        }
        #expect(latin(.email, " John.Smith+news@GoogleMail.com ") == "johnsmith@gmail.com")
        #expect(latin(.email, "Zhang.Wei@QQ.com") == "zhang.wei@qq.com")
    }

    @Test(
        "addresses meet however their words are shortened",
        arguments: [
            ("12 Main Street", "12 main st.", 0), ("Unit 5, 12 North Road", "Apt 5 12 N Rd", 0),
            ("北京市朝阳区建设路12号3单元501室", "北京朝阳区建设路１２号三单元501", 0), ("上海市徐匯區中山路8號", "上海徐汇区中山路8号", 0),
        ] as [(String, String, UInt8)])
    func addresses(_ a: String, _ b: String, _ expected: UInt8) { #expect(level(.street, a, b) == expected) }

    @Test("another house number is another address")
    func houseNumbers() {
        #expect(
            level(.street, "12 Main Street", "14 Main Street") ?? 0 > level(.street, "12 Main Street", "12 Main Stret")
                ?? 9)
    }

    @Test("a standard form is its own standard form", arguments: ColumnKind.allCases)
    func idempotent(_ kind: ColumnKind) {
        let standardiser = Standardiser(kind: kind)
        for text in Samples.texts(seed: 11) {
            guard let once = standardiser.value(text), let twice = standardiser.value(once.text) else { continue }
            // The E.164 form has lost its plus sign, a scaled number its point: both are read from files only.
            if kind == .phone || kind == .number { continue }
            #expect(once.latin == twice.latin, "\(kind) \(text)")
        }
    }

    @Test("comparison is symmetric and equal texts are the same", arguments: ColumnKind.allCases)
    func symmetric(_ kind: ColumnKind) {
        let standardiser = Standardiser(kind: kind)
        let values = Samples.texts(seed: 12).compactMap(standardiser.value)
        for (index, a) in values.enumerated() {
            #expect(Comparison.level(kind, a, a) == 0)
            for b in values[index...] {
                let one = Comparison.level(kind, a, b)
                #expect(one == Comparison.level(kind, b, a), "\(kind) \(a.text) \(b.text)")
                #expect(Int(one) < Comparison.names(of: kind).count)
            }
        }
    }

    @Test("similarities have the values of their definitions")
    func similarities() {
        func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }
        // Winkler's own examples.
        #expect(abs(Similarity.jaroWinkler(bytes("martha"), bytes("marhta")) - 0.9611) < 0.0001)
        #expect(abs(Similarity.jaroWinkler(bytes("dixon"), bytes("dicksonx")) - 0.8133) < 0.0001)
        #expect(abs(Similarity.jaroWinkler(bytes("dwayne"), bytes("duane")) - 0.84) < 0.0001)
        #expect(Similarity.edits(bytes("ca"), bytes("ac"), limit: 2) == 1)
        #expect(Similarity.edits(bytes("kitten"), bytes("sitting"), limit: 3) == 3)
        #expect(Similarity.edits(bytes("abc"), bytes("xyz"), limit: 1) == 2)
        #expect(abs(Similarity.dice(bytes("night"), bytes("nacht")) - 0.25) < 0.0001)
    }

    @Test("the banded edit distance is that of the full table")
    func editsAgainstTable() {
        var random = SeededRandom(seed: 5)
        func word() -> [UInt8] { (0..<random.below(9)).map { _ in 97 + UInt8(random.below(3)) } }
        for _ in 0..<3_000 {
            let a = word(), b = word()
            let expected = Self.table(a, b)
            for limit in 1...3 {
                #expect(Similarity.edits(a, b, limit: limit) == min(expected, limit + 1), "\(a) \(b)")
            }
        }
    }

    /// Optimal string alignment by the book.
    private static func table(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var d = Array(repeating: Array(repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { d[i][0] = i }
        for j in 0...b.count { d[0][j] = j }
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        for i in 1...a.count {
            for j in 1...b.count {
                let cost = a[i - 1] == b[j - 1] ? 0 : 1
                d[i][j] = min(d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1)
                }
            }
        }
        return d[a.count][b.count]
    }
}

/// Values of all kinds, good and broken.
enum Samples {
    static func texts(seed: UInt64) -> [String] {
        var options = DirtyRecords.Options()
        (options.seed, options.people, options.missing) = (seed, 12, 0)
        let rows = DirtyRecords.chinese(options).rows + DirtyRecords.latin(options).rows
        return rows.flatMap { $0.compactMap { $0 } }
            + [
                "", " ", "-", "N/A", "🙂", "ß", "Łódź", "Ян Иванов", "０", "a", "ab", "1st", "99/99/9999", "+", "@",
                "null\u{0}",
            ]
    }
}

@Suite("names that people are called by, and slips in them")
struct NicknameTests {
    private func level(_ kind: ColumnKind, _ a: String, _ b: String) -> UInt8? {
        guard let x = Standardiser(kind: kind).value(a), let y = Standardiser(kind: kind).value(b) else { return nil }
        let (there, back) = (Comparison.level(kind, x, y), Comparison.level(kind, y, x))
        #expect(there == back, "\(a), \(b)")
        return there
    }

    @Test(
        "a nickname is the name, also with a slip in it",
        arguments: [
            ("Bob", "Robert"), ("Bill", "William"), ("Liz", "Elizabeth"), ("Dick", "Richard"), ("Jim", "James"), ("Peggy", "Margaret"),
            ("Blil", "William"), ("Dikc", "Richadr"), ("Bob", "Rboert"), ("ROB", "bobby"), ("Jack", "John"), ("Pat", "Patricia"),
        ])
    func nicknames(_ a: String, _ b: String) {
        #expect(level(.givenName, a, b) == 2)
        #expect(level(.fullName, "\(a) Miller", "Miller, \(b)") == 2)
    }

    @Test(
        "other names stay other names",
        arguments: [
            ("Bob", "William", 5), ("Bill", "Robert", 5), ("Christine", "Christopher", 5), ("Alexandra", "Alfred", 5),
        ] as [(String, String, UInt8)])
    func others(_ a: String, _ b: String, _ least: UInt8) {
        let found = level(.givenName, a, b) ?? 0
        #expect(found >= least || found == 4, "\(found)")
        #expect((level(.fullName, "\(a) Miller", "\(b) Jones") ?? 0) == 5)
    }

    @Test(
        "two letters that changed places are a slip in pinyin, cut into words or not, beside characters or letters",
        arguments: [
            ("Zhnag Wei", "Zhang Wei"), ("Zhang Wie", "Zhang Wei"), ("Zhang Wie", "张伟"), ("Wang Xiaomnig", "王小明"), ("Xiaomnig Wang", "王小明"),
            ("Wang Xioaming", "Wang Xiao Ming"), ("Lui Yang", "刘洋"), ("Cehn Jie", "陳潔"), ("Wnag Xiaoming", "Xiaoming Wang"), ("Wie Zhang", "张伟"),
        ])
    func exchanged(_ a: String, _ b: String) { #expect(level(.fullName, a, b) == 2) }

    @Test(
        "an exchange that makes another name is another name",
        arguments: [("Li An", "Li Na"), ("李安", "李娜"), ("Wang An", "王娜"), ("Li Na", "李安")])
    func anotherName(_ a: String, _ b: String) { #expect((level(.fullName, a, b) ?? 0) >= 4) }

    @Test("an exchange of two letters in a name of any script is found from both sides, and nothing else is taken for one")
    func property() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix64(seed: seed)
        let syllables = ["zhang", "wei", "xiao", "ming", "li", "chen", "guo", "qiang", "hua", "liu", "shan"]
        for _ in 0..<2_000 {
            let words = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                syllables[Int.random(in: 0..<syllables.count, using: &random)]
            }
            let name = Array(words.joined().utf8)
            let at = Int.random(in: 1..<name.count, using: &random)
            var other = name
            other.swapAt(at - 1, at)
            let isOther = other != name && name.count >= 3 && !Slip.isPinyin(other[...])
            #expect(Slip.isPinyin(name[...]))
            #expect(Slip.isExchange(name[...], other[...]) == isOther, "\(words) \(at), seed \(seed)")
            #expect(Slip.isExchange(other[...], name[...]) == isOther)
            other[at] = other[at] == 120 ? 122 : 120
            #expect(!Slip.isExchange(name[...], other[...]) || other.sorted() == name.sorted())
        }
    }
}
