import Kernel
import TestSupport
import Testing

@testable import Identity

@Suite("Which passwords are accepted")
struct PasswordPolicyTests {
    let policy: PasswordPolicy
    let graded: PasswordPolicy

    /// Read once for all examples.
    private static let profiles = Result {
        (
            try PasswordPolicy.profile("nist", share: Checkout.share),
            try PasswordPolicy.profile("dengbao-l3", share: Checkout.share)
        )
    }

    init() throws { (policy, graded) = try Self.profiles.get() }

    private func verdict(_ password: String, _ policy: PasswordPolicy) -> String {
        policy.problem(password, names: ["zhangwei", "张伟"], tenant: "eastern")?.rawValue ?? "ok"
    }

    @Test(
        "the goldens of the standard policy (G1, G2, G3)",
        arguments: [
            ("Tr0ub4d", "too_short"), ("fourteen chars", "too_short"), ("gray heron dawn", "ok"),
            ("qjvmwzkrhbtxcpnf", "ok"), (sentence, "ok"), ("河边的灰鹭每天早晨都在那里等鱼", "ok"),
            ("grey herons 🐟 and a 河 behind the third house on the left side!!", "ok"),
            (String(repeating: "heron 7 river ", count: 10), "too_long"),
            ("tab\tin the middle of it", "invalid_text"),
            ("thequickbrownfoxjumpsoverthelazydog", "too_common"), ("my-secret-password", "too_common"),
            ("password123456789", "too_common"), ("zz77zz77zz77zz77", "repeated"),
            ("床前明月光疑是地上霜举头望明月低头思故乡", "too_common"), ("sunshine!!!!!!!!2025", "too_common"),
            ("aaaaaaaaaaaaaaaa", "too_common"), ("hunter2hunter2hunter2", "repeated"),
            ("abcabcabcabcabcab", "repeated"),
            ("abcdefghijklmnoq", "sequence"), ("9876543210987654", "too_common"), ("ööööööööööööööööö", "repeated"),
            ("123456789098765432", "sequence"),
            ("poiuytrewqlkjhgfdsa", "sequence"),
            ("qqwwwweeerrrttttyyy", "sequence"), ("zhangwei likes rivers", "contains_name"),
            ("the ZHANG WEI of rivers", "contains_name"), ("每天早晨张伟都在河边等鱼和虾", "too_short"),
            ("每天早晨张伟都在河边等鱼和虾吃", "contains_name"), ("in the Eastern river", "contains_tenant"),
            ("my switchboard by the river", "contains_product"),
            ("correct horse battery staple", "too_common"), ("correct horse battery staple 7", "too_common"),
            ("Summer2024Summer2024!", "too_common"), ("changemeplease123", "too_common"),
            ("dragon-monkey-99!", "too_common"), ("LetMeIn!LetMeIn!LetMeIn1", "too_common"),
            ("seven grey herons wait 7 hours", "ok"),
        ])
    func goldens(_ example: (String, String)) {
        #expect(verdict(example.0, policy) == example.1, "\(example.0)")
    }

    @Test(
        "each word of a name counts, a short one where it stands by itself",
        arguments: [
            ("Maria Zhou", "herons of zhou by the river", "contains_name"),
            ("Maria Zhou", "herons of MARIAS at the river", "contains_name"),
            ("Eve Li", "seven herons in the evening", "ok"),
            ("Eve Li", "grey herons, eve, and a river", "contains_name"),
            ("Eve Li", "grey herons 7eve7 and a river", "contains_name"),
            ("eve.li@x", "grey herons and li by a river", "contains_name"),
            ("欧阳 娜娜", "每天早晨娜娜都在河边等鱼和虾吃", "contains_name"),
            ("", "seven herons in the evening", "ok"), ("A B", "a kettle b sings behind the door", "ok"),
        ])
    func nameWords(_ example: (String, String, String)) {
        let verdict = policy.problem(example.1, names: ["someone", example.0], tenant: "eastern")?.rawValue ?? "ok"
        #expect(verdict == example.2, "\(example)")
    }

    @Test("whatever is on a list and long enough otherwise is refused as too common (G3)")
    func everyEntry() throws {
        var long = 0
        for list in PasswordPolicy.lists {
            for entry in try PasswordPolicy.lines(list, Checkout.share) where entry.unicodeScalars.count >= 15 {
                long += 1
                #expect(verdict(entry, policy) == "too_common", "\(entry)")
            }
        }
        #expect(long > 2_000)
        #expect(try PasswordPolicy.lines("top-passwords.txt", Checkout.share).count == 10_000)
        #expect(try Checkout.share.text("Identity", "Data", "top-passwords.txt").hasPrefix("#! "))
    }

    @Test("the graded profile wants three kinds of characters and a change after 90 days, the standard does not (G2)")
    func profiles() {
        let start = FrozenClock().now()
        #expect(verdict("qjvmwzkrhbtxcpnf", policy) == "ok")
        #expect(verdict("qjvmwzkrhbtxcpnf", graded) == "needs_classes")
        #expect(verdict("qjvmWzkr7btxcpnf", graded) == "ok")
        #expect(!policy.isExpired(changedAt: start, now: start.adding(days: 400)))
        #expect(!graded.isExpired(changedAt: start, now: start.adding(days: 89)))
        #expect(graded.isExpired(changedAt: start, now: start.adding(days: 90)))
    }

    @Test("the list of common passwords is there, with several thousand long ones")
    func list() throws {
        let common = try PasswordPolicy.commonPasswords(Checkout.share).all
        #expect(common.count > 15_000)
        #expect(common.count { $0.count >= 15 } > 2_000)
        #expect(!common.contains(""))
    }

    @Test("a refusal names the field, the reason code, and words in both languages")
    func wording() {
        for problem in PasswordProblem.allCases {
            let words = problem.words(policy)
            #expect(!words.en.isEmpty && words.zh.unicodeScalars.contains { $0.value > 0x4E00 })
        }
        let error = #expect(throws: CRMError.self) { try policy.check("short", userName: "li", tenant: "eastern") }
        #expect(error?.status == 422)
        #expect(error?.fields.first?.field == "password")
        #expect(error?.fields.first?.code == "too_short")
    }

    @Test("an unknown profile is refused by name")
    func unknown() {
        #expect(throws: CRMError.self) { try PasswordPolicy.profile("none", share: Checkout.share) }
    }
}
