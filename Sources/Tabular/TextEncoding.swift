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

    static let signatures: [(bytes: [UInt8], kind: BinaryKind)] = [
        ([0x50, 0x4B, 0x03, 0x04], .excelWorkbook),
        ([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], .oldExcelWorkbook),
        ([0x1F, 0x8B, 0x08], .gzip),
        ([0x25, 0x50, 0x44, 0x46, 0x2D], .pdf),
        ([0xFF, 0xFE, 0x00, 0x00], .utf32),
        ([0x00, 0x00, 0xFE, 0xFF], .utf32),
        (Array("SQLite format 3".utf8), .sqlite),
    ]

    package init?(firstBytes: some Collection<UInt8>) {
        guard let match = BinaryKind.signatures.first(where: { firstBytes.starts(with: $0.bytes) }) else { return nil }
        self = match.kind
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
