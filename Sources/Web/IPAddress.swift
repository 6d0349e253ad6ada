import Foundation

/// An IPv4 or IPv6 address in numbers; an IPv4 address inside IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
package struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// 16 bytes, IPv4 as `::ffff:a.b.c.d`.
    fileprivate let bytes: [UInt8]

    /// Reads a numeric address: four decimal numbers, or IPv6, in brackets or with a zone, as it may be written.
    /// - Returns: `nil` for a name, for `127.1`, for anything after the address.
    package init?(_ text: some StringProtocol) {
        var text = String(text)
        if text.hasPrefix("["), text.hasSuffix("]") { text = String(text.dropFirst().dropLast()) }
        if text.contains(":"), let zone = text.firstIndex(of: "%") { text = String(text[..<zone]) }
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = [UInt8](repeating: 0, count: 10) + [255, 255] + withUnsafeBytes(of: four) { Array($0) }
            return
        }
        var six = in6_addr()
        guard inet_pton(AF_INET6, text, &six) == 1 else { return nil }
        bytes = withUnsafeBytes(of: six) { Array($0) }
    }

    package var isIPv4: Bool { bytes.prefix(12).elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]) }
    /// 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        isIPv4 ? bytes[12] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// The usual short form (RFC 5952).
    package var description: String {
        if isIPv4 { return bytes[12...].map(String.init).joined(separator: ".") }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, bytes, &text, socklen_t(text.count)) != nil else { return "" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The first 64 bits, the rest zero.
    private var network: IPAddress { IPAddress(bytes: bytes.prefix(8) + [UInt8](repeating: 0, count: 8)) }
    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// What one subscriber has: an IPv4 address, the /64 of an IPv6 address (whose other half anybody chooses anew).
    /// A text that is no address stands for itself.
    package static func subscriber(_ text: String) -> String {
        guard let address = IPAddress(text) else { return text }
        return address.isIPv4 ? address.description : address.network.description + "/64"
    }
}

/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or a single address.
package struct IPNetwork: Hashable, Sendable {
    private let address: IPAddress
    /// Leading bits of the 16 bytes that must agree.
    private let bits: Int

    /// - Returns: `nil` for what is no address, or a length beyond the address's own.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let whole = address.isIPv4 && !first.contains(":") ? 32 : 128
        guard parts.count == 1 || parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            let length = parts.count == 1 ? whole : Int(parts[1]), (0...whole).contains(length)
        else { return nil }
        self.address = address
        bits = 128 - whole + length
    }

    package func contains(_ other: IPAddress) -> Bool {
        let whole = bits / 8
        guard address.bytes.prefix(whole) == other.bytes.prefix(whole) else { return false }
        let rest = bits % 8
        return rest == 0 || (address.bytes[whole] ^ other.bytes[whole]) >> (8 - rest) == 0
    }
}
