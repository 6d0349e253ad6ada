import Foundation
import Kernel
import Web

/// Whether an address may be called (G68): HTTPS, no user in it, at addresses of the public internet; what the installation
/// lists may be private, and plain HTTP where it is this machine.
package struct AddressGuard: Sendable {
    package let hosts: Set<String>
    /// The setting that lists them, for whoever is refused.
    private let setting: String
    private let field: String

    /// - Parameters:
    ///   - hosts: names and addresses that may be private, in lower case.
    ///   - field: what the address is called where it was entered.
    package init(hosts: Set<String>, setting: String, field: String = "url") {
        self.hosts = hosts
        self.setting = setting
        self.field = field
    }

    /// What is nobody's on the public internet (IANA special-purpose registries).
    private static let closed = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].compactMap { IPNetwork($0) }

    package static func isPublic(_ address: IPAddress) -> Bool { !closed.contains { $0.contains(address) } }

    /// What may stand in an address. Two readers of one may disagree about anything else, such as a backslash.
    private static let letters = Set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?[]!$&'()*+,;=%".utf8)
    private static let hostLetters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]".utf8)

    /// Reads an address and looks up its host; blocks its thread.
    /// - Throws: `CRMError` 422 that says what is wrong.
    package func check(_ text: String) throws -> Checked {
        guard !text.utf8.contains(0x40), !text.utf8.contains(0x23) else {
            throw refused(
                "userinfo", "The address must hold no user name, password or fragment.", "地址中不得包含用户名、密码或片段。")
        }
        guard text.utf8.count <= 2_000, text.utf8.allSatisfy(Self.letters.contains), let url = URL(string: text),
            let host = url.host, !host.isEmpty, host.utf8.allSatisfy(Self.hostLetters.contains),
            let scheme = url.scheme?.lowercased()
        else { throw refused("address", "The address cannot be read.", "地址无法识别。") }
        let isListed = hosts.contains(host.lowercased())
        let isHere = host == "localhost" || IPAddress(host)?.isLoopback ?? false
        guard scheme == "https" || scheme == "http" && isListed && isHere else {
            throw refused("not_https", "Only https addresses are called.", "仅支持 https 地址。")
        }
        guard isListed || [nil, 443, 8443].contains(url.port) else {
            throw refused("port", "Only the ports 443 and 8443 are called.", "仅支持 443 和 8443 端口。")
        }
        if !isListed { try checkAddresses(host) }
        return Checked(url: url, text: text, isListed: isListed)
    }

    /// An address that was found good, and whether its host is one of those that may be private. What it is connected to is
    /// looked at once more then: a name may have moved meanwhile.
    package struct Checked: Sendable {
        package let url: URL
        let text: String
        let isListed: Bool

        func allows(_ address: IPAddress) -> Bool { isListed || AddressGuard.isPublic(address) }

        /// An address that no guard has seen: for tests of what happens at the connection.
        package init?(unchecked text: String) {
            guard let url = URL(string: text) else { return nil }
            self.init(url: url, text: text, isListed: false)
        }

        init(url: URL, text: String, isListed: Bool) {
            (self.url, self.text, self.isListed) = (url, text, isListed)
        }
    }

    /// Every address of the host must be public.
    private func checkAddresses(_ host: String) throws {
        let found = Self.resolve(host.trimmingCharacters(in: ["[", "]"]))
        guard !found.isEmpty else {
            throw refused("unknown_host", "The host “\(host)” is not known.", "无法解析主机“\(host)”。")
        }
        guard found.allSatisfy(Self.isPublic) else {
            throw refused(
                "private_address",
                "The host “\(host)” is not on the public internet. Whoever runs the installation can allow it (\(setting)).",
                "主机“\(host)”不在公网。可由安装维护人员放行（\(setting)）。")
        }
    }

    /// Blocks its thread.
    package static func resolve(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let one = next?.pointee {
            if let address = address(one.ai_addr, one.ai_addrlen) { found.append(address) }
            next = one.ai_next
        }
        return found
    }

    static func address(_ socket: UnsafePointer<sockaddr>?, _ length: socklen_t) -> IPAddress? {
        var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard let socket, getnameinfo(socket, length, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 else {
            return nil
        }
        return IPAddress(String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// The host of an address, for showing where something comes from or goes to.
    package static func host(_ text: String) -> String? { URL(string: text)?.host }

    private func refused(_ code: String, _ en: String, _ zh: String) -> CRMError {
        .invalid(field, code, Words(en: en, zh: zh))
    }
}
