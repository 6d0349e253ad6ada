import Foundation

/// A small HTTP/1.1 client over a plain socket, for tests that must say exactly what goes over the wire. One connection a
/// request unless `raw` is used. Blocking: call it from a test's own task only.
package struct RawHTTP: Sendable {
    package let port: Int
    package init(port: Int) { self.port = port }

    package struct Answer: Sendable {
        package let status: Int
        /// Names in lower case; repeated headers in order.
        package let headers: [(name: String, value: String)]
        package let body: [UInt8]
        package var text: String { String(decoding: body, as: UTF8.self) }
        package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        package func headers(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
        /// `name=value` pairs that Set-Cookie sets.
        package var cookies: [String: String] {
            var result: [String: String] = [:]
            for line in headers("set-cookie") {
                let pair = line.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
                if pair.count == 2 { result[String(pair[0])] = String(pair[1]) }
            }
            return result
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    /// Sends one request and reads the answer to its end.
    package func send(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = [], host: String? = nil
    ) throws -> Answer {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: \(host ?? "127.0.0.1:\(port)")\r\nConnection: close\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if !body.isEmpty || method != "GET" { text += "Content-Length: \(body.count)\r\n" }
        return try Self.parse(try raw(Array((text + "\r\n").utf8) + body, until: Self.isWhole))
    }

    /// Sends bytes as they are and returns everything until the server closes (or `seconds` have passed), or until
    /// `isWhole` says so: chromedriver keeps the connection open whatever the request says.
    package func raw(_ bytes: [UInt8], seconds: Int = 60, until isWhole: ([UInt8]) -> Bool = { _ in false }) throws
        -> [UInt8]
    {
        let descriptor = try connect(seconds: seconds)
        defer { close(descriptor) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { break }
            sent += count
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            received += buffer[..<count]
            if isWhole(received) { break }
        }
        return received
    }

    /// Whether an answer that says its length has arrived to its end.
    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        guard let end = find([13, 10, 13, 10], in: bytes, from: 0) else { return false }
        let head = String(decoding: bytes[..<end], as: UTF8.self).lowercased()
        guard let length = head.firstMatch(of: /\r\ncontent-length: *(\d+)/).flatMap({ Int($0.1) }) else {
            return false
        }
        return bytes.count - end - 4 >= length
    }

    /// An open connection for tests of slow clients; the caller closes it.
    package func connect(seconds: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "no socket") }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw Failure(description: "cannot connect to port \(port)")
        }
        var timeout = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    /// Parses one response with Content-Length, chunked or until-close body.
    package static func parse(_ bytes: [UInt8]) throws -> Answer {
        guard let end = find([13, 10, 13, 10], in: bytes, from: 0) else {
            throw Failure(description: "no answer: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        let headers = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        var body = Array(bytes[(end + 4)...])
        if headers.contains(where: { $0.name == "transfer-encoding" && $0.value == "chunked" }) {
            body = unchunked(body)
        }
        return Answer(status: status, headers: headers, body: body)
    }

    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var at = 0
        while let lineEnd = find([13, 10], in: bytes, from: at) {
            guard let size = Int(String(decoding: bytes[at..<lineEnd], as: UTF8.self), radix: 16), size > 0 else {
                break
            }
            let start = lineEnd + 2
            result += bytes[start..<min(start + size, bytes.count)]
            at = start + size + 2
        }
        return result
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from: Int) -> Int? {
        guard bytes.count >= pattern.count, from <= bytes.count - pattern.count else { return nil }
        return (from...(bytes.count - pattern.count)).first { Array(bytes[$0..<$0 + pattern.count]) == pattern }
    }
}
