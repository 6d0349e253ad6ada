import Kernel

/// The encodings a telecom operator's extracts come in.
package enum TextEncoding: String, Sendable, Codable, CaseIterable {
    case utf8 = "utf-8"
    case utf16LittleEndian = "utf-16le"
    case utf16BigEndian = "utf-16be"
    /// Superset of GBK and GB2312 (mainland China).
    case gb18030 = "gb18030"
    /// Microsoft code page 950, its holes filled from Big5-HKSCS (Taiwan, Hong Kong).
    case big5 = "big5"
    case windows1252 = "windows-1252"

    /// The byte order mark of this encoding, if it has one.
    package var byteOrderMark: [UInt8] {
        switch self {
        case .utf8: [0xEF, 0xBB, 0xBF]
        case .utf16LittleEndian: [0xFF, 0xFE]
        case .utf16BigEndian: [0xFE, 0xFF]
        case .gb18030: [0x84, 0x31, 0x95, 0x33]
        case .big5, .windows1252: []
        }
    }
}

/// Files that are not text at all but are often given for one.
package enum BinaryKind: String, Sendable, Codable, CaseIterable {
    case excelWorkbook = "xlsx_or_zip"
    case oldExcelWorkbook = "xls"
    case gzip, pdf, utf32, sqlite
    case elf, windowsProgram = "exe", machO = "mach_o", png, jpeg, gif, webp, tiff, rar, sevenZip = "7z", bzip2, xz
    case zstandard = "zstd", parquet, orc, mp4, mp3, wav, ogg, rtf, postScript = "postscript", accessDatabase = "mdb"
    case javaClass = "java_class"
    /// Nothing known, but no text either.
    case unknown = "binary"

    static let signatures: [(bytes: [UInt8], kind: BinaryKind)] = [
        ([0x50, 0x4B, 0x03, 0x04], .excelWorkbook),
        ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], .oldExcelWorkbook),
        ([0x1F, 0x8B, 0x08], .gzip),
        ([0x25, 0x50, 0x44, 0x46, 0x2D], .pdf),
        ([0xFF, 0xFE, 0x00, 0x00], .utf32),
        ([0x00, 0x00, 0xFE, 0xFF], .utf32),
        (Array("SQLite format 3".utf8), .sqlite),
        ([0x7F, 0x45, 0x4C, 0x46], .elf),
        ([0x4D, 0x5A, 0x90, 0x00], .windowsProgram),
        ([0xFE, 0xED, 0xFA, 0xCF], .machO),
        ([0xCF, 0xFA, 0xED, 0xFE], .machO),
        ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png),
        ([0xFF, 0xD8, 0xFF], .jpeg),
        (Array("GIF87a".utf8), .gif),
        (Array("GIF89a".utf8), .gif),
        ([0x49, 0x49, 0x2A, 0x00], .tiff),
        ([0x4D, 0x4D, 0x00, 0x2A], .tiff),
        ([0x52, 0x61, 0x72, 0x21, 0x1A, 0x07], .rar),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], .sevenZip),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .xz),
        ([0x28, 0xB5, 0x2F, 0xFD], .zstandard),
        (Array("OggS\0".utf8), .ogg),
        (Array("ID3\u{3}".utf8), .mp3),
        (Array("ID3\u{4}".utf8), .mp3),
        (Array("{\\rtf1".utf8), .rtf),
        (Array("%!PS-Adobe".utf8), .postScript),
        ([0x00, 0x01, 0x00, 0x00] + Array("Standard ".utf8), .accessDatabase),
        ([0xCA, 0xFE, 0xBA, 0xBE, 0x00], .javaClass),
    ]

    /// - Parameter firstBytes: as many as were read.
    package init?(firstBytes: some Collection<UInt8>) {
        if let match = Self.signatures.first(where: { firstBytes.starts(with: $0.bytes) }) {
            self = match.kind
            return
        }
        // Those whose mark is a word that a heading could be, or stands further on.
        let head = Array(firstBytes.prefix(16))
        func holds(_ text: String, at place: Int) -> Bool {
            head.count >= place + text.utf8.count && head[place...].starts(with: text.utf8)
        }
        if holds("RIFF", at: 0), holds("WEBP", at: 8) {
            self = .webp
        } else if holds("RIFF", at: 0), holds("WAVE", at: 8) {
            self = .wav
        } else if holds("ftyp", at: 4), head[0] == 0 {
            self = .mp4
        } else if holds("BZh", at: 0), head.count >= 10, head[4...].starts(with: [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]) {
            self = .bzip2
        } else if holds("PAR1", at: 0), head.count > 4, head[4] < 0x20 || head[4] >= 0x80 {
            self = .parquet
        } else if holds("ORC", at: 0), head.count > 3, head[3] < Ascii.space, !Self.isOfText(head[3]) {
            self = .orc
        } else if Self.isNoText(firstBytes) {
            self = .unknown
        } else {
            return nil
        }
    }

    /// Control characters that stand in text: tabulator, ends of lines and pages, the end mark of old systems, escape.
    private static func isOfText(_ byte: UInt8) -> Bool {
        (0x09...0x0D).contains(byte) || byte == 0x1A || byte == 0x1B
    }

    /// One byte in twenty is a control character that no text has. A NUL here and there is a damaged row of a table, and
    /// UTF-16 has its zeros in every second place.
    private static func isNoText(_ bytes: some Collection<UInt8>) -> Bool {
        var count = 0, controls = 0
        var zeros = [0, 0]
        for byte in bytes.prefix(64 << 10) {
            if byte < Ascii.space, !isOfText(byte) {
                controls += 1
                if byte == 0 { zeros[count & 1] += 1 }
            }
            count += 1
        }
        guard controls >= 8, controls * 20 >= count else { return false }
        let isWide = zeros.contains { $0 * 10 > (count / 2) * 3 } && zeros.contains { $0 * 50 < count / 2 }
        return !isWide
    }

    /// What it is, for people.
    package var words: Words {
        switch self {
        case .excelWorkbook: Words(en: "a ZIP archive or workbook", zh: "ZIP 压缩包或工作簿")
        case .oldExcelWorkbook: Words(en: "an old office file (.xls, .doc)", zh: "旧版 Office 文件（.xls、.doc）")
        case .gzip: Words(en: "a gzip file", zh: "gzip 压缩文件")
        case .pdf: Words(en: "a PDF document", zh: "PDF 文档")
        case .utf32: Words(en: "text in UTF-32", zh: "UTF-32 编码的文本")
        case .sqlite: Words(en: "an SQLite database", zh: "SQLite 数据库")
        case .elf: Words(en: "a Linux program (ELF)", zh: "Linux 程序（ELF）")
        case .windowsProgram: Words(en: "a Windows program (.exe, .dll)", zh: "Windows 程序（.exe、.dll）")
        case .machO: Words(en: "a macOS program", zh: "macOS 程序")
        case .png, .jpeg, .gif, .webp, .tiff:
            Words(en: "a picture (\(rawValue.uppercased()))", zh: "图片（\(rawValue.uppercased())）")
        case .rar, .sevenZip, .bzip2, .xz, .zstandard:
            Words(en: "an archive (\(rawValue)) that is not unpacked here", zh: "不支持解压的压缩包（\(rawValue)）")
        case .parquet, .orc: Words(en: "a column file (\(rawValue))", zh: "列式存储文件（\(rawValue)）")
        case .mp4, .mp3, .wav, .ogg: Words(en: "sound or film (\(rawValue))", zh: "音频或视频（\(rawValue)）")
        case .rtf: Words(en: "a text document (RTF)", zh: "RTF 文档")
        case .postScript: Words(en: "a PostScript document", zh: "PostScript 文档")
        case .accessDatabase: Words(en: "an Access database", zh: "Access 数据库")
        case .javaClass: Words(en: "a compiled program (Java class)", zh: "编译后的程序（Java class）")
        case .unknown: Words(en: "a binary file, no text", zh: "二进制文件，不是文本")
        }
    }

    /// What to do with it.
    package var advice: Words {
        switch self {
        case .gzip, .rar, .sevenZip, .bzip2, .xz, .zstandard:
            Words(
                en: "Unpack it and bring the table inside, or pack it as .gz or .zip.",
                zh: "请解压后提供其中的表格，或改用 .gz 或 .zip 压缩。")
        case .utf32: Words(en: "Save it as UTF-8.", zh: "请另存为 UTF-8 编码。")
        case .excelWorkbook, .oldExcelWorkbook:
            Words(en: "Open it and save the table as .xlsx or “CSV UTF-8”.", zh: "请打开并将表格另存为 .xlsx 或“CSV UTF-8”。")
        default:
            Words(
                en: "Export the table as CSV, JSON, XML or .xlsx (each also as .gz or .zip) and bring that.",
                zh: "请将表格导出为 CSV、JSON、XML 或 .xlsx（也可为 .gz 或 .zip）后再提供。")
        }
    }
}

/// Bytes that mean nothing in the stated encoding.
package struct UndecodableText: Error, Sendable, Equatable {
    package let encoding: TextEncoding
    /// Offset of the sequence's first byte in the SOURCE file.
    package let sourceOffset: Int
    /// Physical line it stands in, from 1.
    package let line: Int
    /// The offending bytes, at most 4.
    package let bytes: [UInt8]
    /// The file ends in the middle of a character.
    package let isTruncatedEnd: Bool
}
