import Kernel

/// A date as it is written in Chinese, brought into ASCII digits: `民國七十八年三月四日`, `１９８９年３月４日`, `民國 78/3/4`.
struct EastAsianDate {
    /// Without the name of the calendar; `年`, `月` and `日` stay.
    let plain: [UInt8]
    /// The Republic of China is named.
    let isMinguo: Bool

    private static let calendars = ["中華民國", "中华民国", "民國", "民国"]

    /// Nil when there is nothing of the kind in the text, which most texts are told by at a glance.
    init?(_ text: Bytes) {
        guard Self.isSuspect(text) else { return nil }
        var rest = Substring(String(decoding: text, as: UTF8.self))
        let name = Self.calendars.first { rest.hasPrefix($0) }
        if let name { rest = rest.dropFirst(name.count).drop { $0 == " " || $0 == "\u{3000}" } }
        var plain: [UInt8] = []
        for scalar in HanNumerals.inDigits(String(rest)).unicodeScalars {
            switch scalar.value {
            case 0xFF01...0xFF5E: plain.append(UInt8(scalar.value - 0xFEE0))
            case 0x3000: plain.append(Ascii.space)
            // 號 is written for 号.
            case 0x865F: plain.append(contentsOf: "号".utf8)
            default: plain.append(contentsOf: String(Character(scalar)).utf8)
            }
        }
        guard let first = plain.first, Ascii.isDigit(first) else { return nil }
        self.plain = Self.joined(plain)
        isMinguo = name != nil
    }

    /// The name of the calendar or a full-width digit in front; or 年 within.
    private static func isSuspect(_ text: Bytes) -> Bool {
        guard let first = text.first, first >= 0xE3 || Ascii.isDigit(first) else { return false }
        if first == 0xEF, text.count >= 3, text[1] == 0xBC, (0x90...0x99).contains(text[2]) { return true }
        if text.starts(with: "民".utf8) || text.starts(with: "中".utf8) {
            return calendars.contains { text.starts(with: $0.utf8) }
        }
        var at = 0
        while at + 3 <= text.count {
            if text[at] == 0xE5, text[at + 1] == 0xB9, text[at + 2] == 0xB4 { return true }
            at += 1
        }
        return false
    }

    /// Blanks around 年 and 月 say nothing; one behind 日 stands before the time of day.
    private static func joined(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(Ascii.space) else { return text }
        var out: [UInt8] = []
        for (index, byte) in text.enumerated() {
            if byte == Ascii.space, let before = out.last, index + 1 < text.count {
                let isDay = out.suffix(3).elementsEqual("日".utf8) || out.suffix(3).elementsEqual("号".utf8)
                if before >= 0x80 && !isDay || text[index + 1] >= 0x80 { continue }
            }
            out.append(byte)
        }
        return out
    }
}
