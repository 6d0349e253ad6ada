import CZlib

/// Bytes that can be read from any place: a blob, a file, memory.
package struct ByteSource {
    package let size: Int
    /// Reads on from an offset, piece by piece.
    package let open: (_ offset: Int) throws -> TabularReader.Source

    package init(size: Int, open: @escaping (_ offset: Int) throws -> TabularReader.Source) {
        self.size = size
        self.open = open
    }

    package init(bytes: [UInt8]) {
        self.init(size: bytes.count) { offset in
            var at = offset
            return {
                guard at < bytes.count else { return nil }
                let end = min(bytes.count, at + 1 << 16)
                defer { at = end }
                return Array(bytes[at..<end])
            }
        }
    }

    /// Up to `count` bytes from an offset; fewer only at the end.
    func read(at offset: Int, _ count: Int) throws -> [UInt8] {
        guard count > 0, offset < size else { return [] }
        let next = try open(offset)
        var bytes: [UInt8] = []
        while bytes.count < count, let more = try next(), !more.isEmpty { bytes += more.prefix(count - bytes.count) }
        return bytes
    }
}

/// The directory of a ZIP archive (APPNOTE 6.3), ZIP64 included, and its entries as checked streams.
struct ZipArchive {
    struct Entry {
        let name: String
        let isEncrypted: Bool
        let method: Int
        let crc: UInt32
        let packed: Int
        let size: Int
        let header: Int

        /// Folders, and what macOS adds.
        var isAside: Bool {
            name.hasSuffix("/") || name.hasPrefix("__MACOSX/") || name.hasSuffix(".DS_Store")
        }
    }

    let entries: [Entry]
    private let source: ByteSource
    private let limits: ContainerLimits

    init(_ source: ByteSource, _ limits: ContainerLimits) throws {
        self.source = source
        self.limits = limits
        let (offset, size, count) = try Self.directory(source)
        guard count <= limits.entriesMax, size <= 64 << 20 else {
            throw ContainerError.damagedZip("it lists \(count) files", "目录列出 \(count) 个文件")
        }
        let bytes = try source.read(at: offset, size)
        var entries: [Entry] = [], at = 0
        while entries.count < count {
            guard let (entry, next) = Self.entry(bytes, at) else { throw Self.badDirectory }
            entries.append(entry)
            at = next
        }
        self.entries = entries
    }

    func entry(_ name: String) -> Entry? {
        entries.first { $0.name == name } ?? entries.first { $0.name.lowercased() == name.lowercased() }
    }

    private static let badDirectory = ContainerError.damagedZip(
        "its directory cannot be read, the file may be cut off", "目录无法读取，文件可能不完整")

    /// Where the list of entries is: told by a record at the end of the file, behind which only a comment may stand.
    private static func directory(_ source: ByteSource) throws -> (offset: Int, size: Int, count: Int) {
        let tailAt = max(0, source.size - 66_000)
        let tail = try source.read(at: tailAt, source.size - tailAt)
        var at = tail.count - 22
        while at >= 0 {
            // The comment must reach exactly to the end: else what looks like the record is something else.
            if number(tail, at, 4) == 0x0605_4B50, at + 22 + number(tail, at + 20, 2) == tail.count { break }
            at -= 1
        }
        guard at >= 0 else { throw badDirectory }
        var (count, size, offset) = (number(tail, at + 10, 2), number(tail, at + 12, 4), number(tail, at + 16, 4))
        if count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
            guard at >= 20, number(tail, at - 20, 4) == 0x0706_4B50 else { throw badDirectory }
            let record = try source.read(at: number(tail, at - 12, 8), 56)
            guard record.count == 56, number(record, 0, 4) == 0x0606_4B50 else { throw badDirectory }
            (count, size, offset) = (number(record, 32, 8), number(record, 40, 8), number(record, 48, 8))
        }
        guard count >= 0, size >= 0, offset >= 0, offset <= source.size, size <= source.size - offset else {
            throw badDirectory
        }
        return (offset, size, count)
    }

    private static func entry(_ bytes: [UInt8], _ at: Int) -> (Entry, Int)? {
        guard at + 46 <= bytes.count, number(bytes, at, 4) == 0x0201_4B50 else { return nil }
        let nameLength = number(bytes, at + 28, 2), extraLength = number(bytes, at + 30, 2)
        let next = at + 46 + nameLength + extraLength + number(bytes, at + 32, 2)
        guard next <= bytes.count else { return nil }
        var packed = number(bytes, at + 20, 4), size = number(bytes, at + 24, 4), header = number(bytes, at + 42, 4)
        var extra = at + 46 + nameLength
        let extraEnd = extra + extraLength
        while extra + 4 <= extraEnd {
            let id = number(bytes, extra, 2), end = extra + 4 + number(bytes, extra + 2, 2)
            guard end <= extraEnd else { break }
            if id == 1 {
                var field = extra + 4
                func wide(_ value: inout Int) {
                    guard value == 0xFFFF_FFFF, field + 8 <= end else { return }
                    value = number(bytes, field, 8)
                    field += 8
                }
                wide(&size)
                wide(&packed)
                wide(&header)
            }
            extra = end
        }
        guard packed >= 0, size >= 0, header >= 0 else { return nil }
        let name = String(decoding: bytes[(at + 46)..<(at + 46 + nameLength)], as: UTF8.self)
        return (
            Entry(
                name: name.replacing("\\", with: "/"), isEncrypted: number(bytes, at + 8, 2) & 1 != 0,
                method: number(bytes, at + 10, 2), crc: UInt32(truncatingIfNeeded: number(bytes, at + 16, 4)),
                packed: packed, size: size, header: header), next
        )
    }

    /// Little-endian; -1 past the end and for what no file is long enough for.
    private static func number(_ bytes: [UInt8], _ at: Int, _ width: Int) -> Int {
        guard at >= 0, at + width <= bytes.count else { return -1 }
        var value: UInt64 = 0
        for index in (0..<width).reversed() { value = value << 8 | UInt64(bytes[at + index]) }
        return value > UInt64(1 << 50) ? -1 : Int(value)
    }

    /// The contents of an entry, checked against its size and CRC-32 at the end.
    func open(_ entry: Entry) throws -> TabularReader.Source {
        guard !entry.isEncrypted else { throw ContainerError.encryptedZip(entry.name) }
        let name = entry.name
        guard entry.method == 0 || entry.method == 8 else {
            throw ContainerError.damagedZip(
                "“\(name)” is packed in a way that is not known (\(entry.method))", "“\(name)”的压缩方式未知（\(entry.method)）")
        }
        let local = try source.read(at: entry.header, 30)
        let names = Self.number(local, 26, 2), extras = Self.number(local, 28, 2)
        let start = entry.header + 30 + names + extras
        guard local.count == 30, Self.number(local, 0, 4) == 0x0403_4B50, names >= 0, extras >= 0,
            start <= source.size, entry.packed <= source.size - start
        else { throw ContainerError.damagedZip("“\(name)” is not where the directory says", "“\(name)”的位置有误") }
        return try contents(entry, try source.open(start))
    }

    private func contents(_ entry: Entry, _ next: @escaping TabularReader.Source) throws -> TabularReader.Source {
        let broken = ContainerError.damagedZip(
            "“\(entry.name)” ends too early or its checksum does not fit", "“\(entry.name)”不完整或校验和不符")
        let inflater = entry.method == 8 ? try Inflater(isGzip: false) : nil
        var expansion = ExpansionGuard(limits: limits)
        var left = entry.packed, input: [UInt8] = [], at = 0, crc: UInt = 0, hasEnded = false
        func finish() throws -> [UInt8]? {
            hasEnded = true
            guard expansion.unpacked == entry.size, crc == UInt(entry.crc) else { throw broken }
            return nil
        }
        return {
            while !hasEnded {
                if at == input.count, left > 0 {
                    guard let more = try next(), !more.isEmpty else { throw broken }
                    (input, at) = (more.count > left ? Array(more.prefix(left)) : more, 0)
                    left -= input.count
                    expansion.packed += input.count
                }
                var piece: (bytes: [UInt8], isEnd: Bool)
                if let inflater {
                    do { piece = try inflater.step(input, &at, max: 1 << 18) } catch { throw broken }
                    if piece.bytes.isEmpty, !piece.isEnd, at == input.count, left == 0 { throw broken }
                } else {
                    piece = (input, left == 0)
                    at = input.count
                }
                try expansion.add(piece.bytes.count)
                guard expansion.unpacked <= entry.size else { throw broken }
                piece.bytes.withUnsafeBufferPointer { crc = crc32(crc, $0.baseAddress, UInt32($0.count)) }
                if piece.isEnd { _ = try finish() }
                if !piece.bytes.isEmpty { return piece.bytes }
            }
            return nil
        }
    }
}
