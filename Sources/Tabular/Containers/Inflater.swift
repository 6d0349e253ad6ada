import CZlib

/// How far a file may expand, and how much of it may be held.
package struct ContainerLimits: Sendable {
    /// Bytes unpacked from one file.
    package var bytesMax = 16 << 30
    /// Unpacked for packed, judged from `ratioFrom` bytes on: text packs 5 to 50 times, a bomb 1000 times.
    package var ratioMax = 300
    package var ratioFrom = 64 << 20
    /// The texts of a workbook that its cells refer to are held in memory.
    package var sharedStringBytesMax = 512 << 20
    package var entriesMax = 10_000
    package init() {}
}

/// zlib's inflate behind an address that does not move (zlib refuses a moved state).
final class Inflater {
    struct Fault: Error {
        let isChecksum: Bool
    }

    private let stream: UnsafeMutablePointer<z_stream>

    /// - Parameter isGzip: with header and trailer of gzip, which zlib checks; else bare deflate data.
    init(isGzip: Bool) throws {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let bits: Int32 = isGzip ? 31 : -15
        guard inflateInit2_(stream, bits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw Fault(isChecksum: false)
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    func reset() { inflateReset(stream) }

    /// Inflates what it can of `input[at...]` into at most `max` bytes.
    /// - Returns: the bytes, and whether the data has come to its end.
    func step(_ input: [UInt8], _ at: inout Int, max: Int) throws(Fault) -> (bytes: [UInt8], isEnd: Bool) {
        var code = Z_OK, used = 0
        let output = [UInt8](unsafeUninitializedCapacity: max) { buffer, count in
            input.withUnsafeBufferPointer { source in
                stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress.map { $0 + at })
                stream.pointee.avail_in = UInt32(source.count - at)
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(max)
                code = inflate(stream, Z_NO_FLUSH)
                used = source.count - at - Int(stream.pointee.avail_in)
                count = max - Int(stream.pointee.avail_out)
            }
        }
        at += used
        switch code {
        case Z_OK, Z_BUF_ERROR: return (output, false)
        case Z_STREAM_END: return (output, true)
        default:
            let message = stream.pointee.msg.map { String(cString: $0) } ?? ""
            throw Fault(isChecksum: message.hasPrefix("incorrect"))
        }
    }
}

/// Counts what goes in and comes out, and stops what expands too far.
struct ExpansionGuard {
    let limits: ContainerLimits
    var packed = 0, unpacked = 0

    mutating func add(_ written: Int) throws(ContainerError) {
        unpacked += written
        guard unpacked <= limits.bytesMax,
            unpacked <= limits.ratioFrom || unpacked / max(1, packed) <= limits.ratioMax
        else { throw .bomb(packed, unpacked) }
    }
}

/// The contents of a gzip file of one or several members (RFC 1952), checked to their last byte.
final class GzipSource {
    private static let pieceBytes = 1 << 18
    private let source: TabularReader.Source
    private let inflater: Inflater
    private var expansion: ExpansionGuard
    private var input: [UInt8] = [], at = 0
    private var isInside = true, isPadding = false, hasEnded = false

    init(_ limits: ContainerLimits, _ source: @escaping TabularReader.Source) throws {
        self.source = source
        expansion = ExpansionGuard(limits: limits)
        inflater = try Inflater(isGzip: true)
    }

    func next() throws -> [UInt8]? {
        while !hasEnded {
            if at == input.count {
                guard let more = try source(), !more.isEmpty else {
                    hasEnded = true
                    if isInside { throw ContainerError.truncatedGzip(expansion.packed) }
                    return nil
                }
                (input, at) = (more, 0)
                expansion.packed += more.count
            }
            if !isInside { try begin() }
            guard isInside else { continue }
            let piece: (bytes: [UInt8], isEnd: Bool)
            do {
                piece = try inflater.step(input, &at, max: Self.pieceBytes)
            } catch {
                throw ContainerError.damagedGzip(expansion.packed - input.count + at, error.isChecksum)
            }
            isInside = !piece.isEnd
            try expansion.add(piece.bytes.count)
            if !piece.bytes.isEmpty { return piece.bytes }
        }
        return nil
    }

    /// Behind a member comes another, or zeros to fill a tape's block, or nothing.
    private func begin() throws {
        if !isPadding, input[at] == 0x1F {
            inflater.reset()
            isInside = true
            return
        }
        isPadding = true
        guard let other = input[at...].firstIndex(where: { $0 != 0 }) else {
            at = input.count
            return
        }
        throw ContainerError.afterGzip(expansion.packed - input.count + other)
    }
}
