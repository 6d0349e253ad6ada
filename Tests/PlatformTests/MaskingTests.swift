import Kernel
import TestSupport
import Testing

@testable import Platform

@Suite("Masking")
struct MaskingTests {
    @Test(
        "values are hidden the way the field is used to",
        arguments: [
            (.phone, "13812348000", "138****8000"), (.phone, "+8613812348000", "+86138****8000"),
            (.phone, "138 1234 8000", "138****8000"), (.phone, "010-88889999", "010****9999"),
            (.phone, "88889999", "8***9999"), (.phone, "8889999", "***9999"), (.phone, "12345", "*****"),
            (.phone, "110", "****"), (.phone, "", "****"),
            (.identity, "110101199003077758", "110***********7758"), (.identity, "110101900307775", "110********7775"),
            (.identity, "E12345678", "E******78"), (.identity, "AB1234", "******"), (.identity, "7", "****"),
            (.identity, "", "****"),
            (.name, "王小明", "王**"), (.name, "王明", "王*"), (.name, "欧阳小明", "欧阳**"), (.name, "王", "*"),
            (.name, "John Smith", "J*** S***"),
            (.name, "X", "***"), (.name, "", ""), (.name, "上海某某科技有限公司", "上海**"), (.name, "김철수", "김***"),
            (.email, "anna.b@example.com", "a***@example.com"), (.email, "a@example.com", "***@example.com"),
            (.email, "no mail", "***"),
            (.email, "@example.com", "***"), (.email, "a@b@c", "***@b@c"),
            (.address, "上海市浦东新区世纪大道100号", "上海市浦东新区****"), (.address, "广东省深圳市南山区科技园小区3栋502", "广东省深圳市南山区****"),
            (.address, "内蒙古自治区呼和浩特市赛罕区大学街1号", "内蒙古自治区呼和浩特市赛罕区****"), (.address, "北京市幸福小区5号楼", "北京市****"),
            (.address, "浙江省义乌市商城市场3号", "浙江省义乌市****"), (.address, "幸福小区5号楼", "****"),
            (.address, "河北省正定县中山路8号", "河北省正定县****"),
            (.address, "12 Main St, Springfield", "****, Springfield"), (.address, "Springfield, 12 Main St", "****"),
            (.address, "12 Main St", "****"),
            (.address, "", "****"),
            (.date, "1990-03-07", "1990-**-**"), (.date, "07/03/1990", "****"), (.date, "", "****"),
            (.full, "anything", "••••"), (.full, "", ""), (.none, "open", "open"),
        ] as [(MaskKind, String, String)])
    func golden(mask: MaskKind, value: String, expected: String) {
        #expect(Masking.masked(mask, value) == expected)
    }

    @Test("a masked number never holds the whole one, shows at most its last four and hides at least three digits")
    func phones() {
        var random = SeededGenerator(seed: 41)
        for _ in 0..<3_000 {
            let length = Int.random(in: 1...15, using: &random)
            let digits = String((0..<length).map { _ in Character(String(Int.random(in: 0...9, using: &random))) })
            for value in [digits, "+" + digits, digits.prefix(3) + " " + digits.dropFirst(3)] {
                let masked = Masking.masked(.phone, value)
                #expect(!masked.contains(digits) && !masked.contains(value))
                #expect(masked.count { $0 == "*" } >= 3)
                #expect(masked.filter(\.isNumber).count <= max(0, length - 3))
                #expect(length < 7 ? !masked.contains(where: \.isNumber) : masked.hasSuffix(digits.suffix(4)))
            }
        }
    }

    @Test("a masked document number never holds the whole one; at least half of it is hidden")
    func identities() {
        var random = SeededGenerator(seed: 43)
        let signs = Array("0123456789ABCDEFX-")
        for _ in 0..<3_000 {
            let value = String(
                (0..<Int.random(in: 1...24, using: &random)).map { _ in
                    signs[Int.random(in: 0..<signs.count, using: &random)]
                })
            let masked = Masking.masked(.identity, value)
            #expect(masked != value && !masked.contains(value))
            #expect(masked.count >= value.count)
            #expect(masked.count { $0 == "*" } * 2 >= value.count)
        }
    }

    @Test(
        "no mask but none ever gives the value back, whatever it is",
        arguments: MaskKind.allCases.filter { $0 != .none })
    func neverWhole(mask: MaskKind) {
        var random = SeededGenerator(seed: 47)
        let pool = Array("王小明欧区市县,1234567890 ab@.+-🙂é")
        for _ in 0..<3_000 {
            let value = String(
                (0..<Int.random(in: 1...16, using: &random)).map { _ in
                    pool[Int.random(in: 0..<pool.count, using: &random)]
                })
            guard value.contains(where: { !$0.isWhitespace }) else { continue }
            // An address of a city only is as public as the city.
            if mask == .address, let last = value.last, "区县市".contains(last) { continue }
            // The year is what a masked date shows.
            if mask == .date, value.count == 4 { continue }
            let masked = Masking.masked(mask, value)
            #expect(!masked.contains(value), "\(value) -> \(masked)")
        }
    }

    @Test("each right opens its own kind of value and no other")
    func rights() {
        let rights: [(Permission, Set<MaskKind>)] = [
            (Masking.seeNames, [.name]), (Masking.seeContacts, [.phone, .email, .address]),
            (Masking.seeIdentity, [.identity, .date]),
            (Masking.seeUnlabelled, [.full]),
        ]
        for (permission, open) in rights {
            let masking = Masking(TestTenant.principal([permission]))
            for mask in MaskKind.allCases {
                #expect(masking.shows(mask) == (open.contains(mask) || mask == .none), "\(permission.rawValue) \(mask)")
                let shown = masking.apply(mask, "欧阳小明 13812348000")
                #expect((shown == "欧阳小明 13812348000") == masking.shows(mask))
            }
        }
        let nobody = Masking(TestTenant.principal([]))
        #expect(MaskKind.allCases.filter(nobody.shows) == [.none])
        #expect(nobody.apply(.phone, nil as String?) == nil)
    }

    @Test("labels know their grade; what nobody has labelled is hidden from all but those with the right")
    func labels() {
        #expect(ColumnLabel.unlabelled.mask == .full && ColumnLabel.unlabelled.level == 4)
        #expect(ColumnLabel.identity.encrypt && ColumnLabel.identity.sensitive)
        let table = TableLabels.plain("x_y", ["a", "b"])
        #expect(
            Set(table.columns.keys) == ["a", "b"]
                && table.columns.values.allSatisfy { !$0.personal && $0.mask == .none })
    }
}
