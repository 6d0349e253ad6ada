import Dispatch
import Foundation

/// Chinese characters, each looked up once: traditional to simplified, and Mandarin pinyin without tones.
///
/// Both tables, of the block U+4E00...U+9FFF, lie in files: ICU, which they were made with, takes 0.4 s for them, a quarter of what
/// an import of ten thousand customers takes. Keys that are stored hold readings, so they are those of the files on every machine.
package enum Han {
    private static let first: UInt32 = 0x4E00, last: UInt32 = 0x9FFF

    package static func contains(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= first && scalar.value <= last }

    /// Reads the tables on a thread of its own, so that whoever needs them first need not wait for them.
    package static func warm() {
        DispatchQueue.global().async { _ = (simplifiedTable, pinyinTable) }
    }

    /// The simplified form; the character itself when it has none.
    package static func simplified(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        contains(scalar) ? simplifiedTable[Int(scalar.value - first)] : scalar
    }

    /// `zhang` for 张; empty for a character that has no reading.
    /// - Parameter isSurname: the reading as a surname, where that is another one (单 shan, 曾 zeng).
    package static func pinyin(_ scalar: Unicode.Scalar, isSurname: Bool = false) -> [UInt8] {
        guard contains(scalar) else { return [] }
        if isSurname, let reading = surnameReadings[scalar] { return reading }
        return pinyinTable[Int(scalar.value - first)]
    }

    /// Every reading that the character may have where it stands: as a surname first, then the common one.
    /// - Parameter scalar: a simplified character.
    package static func readings(_ scalar: Unicode.Scalar, isFirst: Bool) -> [[UInt8]] {
        let common = pinyin(scalar)
        let surname = isFirst ? pinyin(scalar, isSurname: true) : common
        return surname == common ? (common.isEmpty ? [] : [common]) : [surname, common].filter { !$0.isEmpty }
    }

    /// All readings there are, of characters and of surnames.
    package static let syllables: Set<[UInt8]> = Set(pinyinTable).union(surnameReadings.values).subtracting([[]])

    /// Surnames of two characters: the first character alone is not the surname.
    package static let doubleSurnames: Set<String> = [
        "欧阳", "上官", "司马", "诸葛", "司徒", "东方", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "长孙", "宇文", "端木",
        "南宫", "轩辕", "独孤", "西门", "百里", "呼延", "申屠", "太史", "闻人", "东郭", "钟离", "澹台", "公冶", "淳于", "单于",
    ]

    private static let surnameReadings: [Unicode.Scalar: [UInt8]] = {
        let readings: [(Unicode.Scalar, String)] = [
            ("单", "shan"), ("曾", "zeng"), ("解", "xie"), ("仇", "qiu"), ("查", "zha"), ("盖", "ge"), ("朴", "piao"),
            ("区", "ou"), ("翟", "zhai"), ("覃", "qin"), ("冼", "xian"), ("任", "ren"), ("华", "hua"), ("繁", "po"),
            ("乐", "yue"), ("员", "yun"), ("尉", "yu"), ("缪", "miao"), ("宓", "mi"), ("折", "she"), ("黑", "he"),
        ]
        return Dictionary(readings.map { ($0.0, Array($0.1.utf8)) }, uniquingKeysWith: { first, _ in first })
    }()

    private static let simplifiedTable: [Unicode.Scalar] = {
        let block = (first...last).compactMap { Unicode.Scalar($0) }
        guard let lines = lines("simplified.tsv") else { return zip(block, HanTables.simplified(block)).map { $1 ?? $0 } }
        var table = block
        for line in lines {
            for (own, simple) in zip(line.0.unicodeScalars, line.1.unicodeScalars) where contains(own) {
                table[Int(own.value - first)] = simple
            }
        }
        return table
    }()

    private static let pinyinTable: [[UInt8]] = {
        let block = (first...last).compactMap { Unicode.Scalar($0) }
        guard let lines = lines("pinyin.tsv") else { return HanTables.pinyin(block) }
        var table = [[UInt8]](repeating: [], count: block.count)
        for line in lines {
            let reading = Array(line.0.utf8)
            for scalar in line.1.unicodeScalars where contains(scalar) { table[Int(scalar.value - first)] = reading }
        }
        return table
    }()

    /// Lines of two columns; `nil` where no share folder is found.
    private static func lines(_ name: String) -> [(Substring, Substring)]? {
        guard let text = try? ShareFolder.locate(ProcessInfo.processInfo.environment["SWITCHBOARD_SHARE"]).text("Kernel", "Data", name)
        else { return nil }
        return text.split(separator: "\n").compactMap { line in
            guard let tab = line.firstIndex(of: "\t") else { return nil }
            return (line[..<tab], line[line.index(after: tab)...])
        }
    }
}

/// What ICU makes of characters, with one call for all: a call costs microseconds.
enum HanTables {
    private static let separator = "\n"

    /// `nil` of what has no simplified form of one character.
    static func simplified(_ block: [Unicode.Scalar]) -> [Unicode.Scalar?] {
        zip(block, transformed(block, StringTransform("Traditional-Simplified"))).map { own, part in
            let scalars = part.unicodeScalars
            return scalars.count == 1 && scalars.first != own ? scalars.first : nil
        }
    }

    /// Without tones; empty for what has no reading.
    static func pinyin(_ block: [Unicode.Scalar]) -> [[UInt8]] {
        transformed(block, .mandarinToLatin).map { part in
            let plain = part.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
            return plain.utf8.filter { $0 >= 97 && $0 <= 122 }
        }
    }

    /// Characters transformed one by one: a line break stands between them.
    private static func transformed(_ block: [Unicode.Scalar], _ transform: StringTransform) -> [String] {
        let whole = block.map { String(Character($0)) }.joined(separator: separator)
        let parts = (whole.applyingTransform(transform, reverse: false) ?? whole)
            .split(separator: Character(separator), omittingEmptySubsequences: false).map(String.init)
        return parts.count == block.count ? parts : block.map { String(Character($0)) }
    }
}
