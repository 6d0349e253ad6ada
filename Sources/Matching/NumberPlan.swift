import Kernel

extension PhoneNumber {
    /// Whether a number in E.164 has as many digits as such numbers have, by the numbering plan of the mainland (工信部 网络电信号码管理):
    /// 1 and 3 to 9 have 11 digits; numbers of things (10 and 14) have 11 or 13; 10 with eight digits more is a line of Beijing. 11 and
    /// 12 begin no number of a customer. Of other countries nothing is said.
    package static func hasLengthOfPlan(_ e164: String) -> Bool {
        guard e164.hasPrefix("+861") else { return true }
        let count = e164.utf8.count - 3
        switch e164.utf8.dropFirst(4).first {
        case UInt8(ascii: "0"): return [10, 11, 13].contains(count)
        case UInt8(ascii: "4"): return count == 11 || count == 13
        case UInt8(ascii: "1"), UInt8(ascii: "2"): return false
        default: return count == 11
        }
    }
}
