import Foundation
import Kernel

/// Asks a process of this installation on this machine how it is: for container health checks, whose images have no HTTP
/// client.
package struct HealthQuestion: Sendable {
    package let host: String
    package let port: Int

    /// Where the probes are, else where pages are served.
    /// - Throws: `CRMError` when the process listens on no address that this machine may ask.
    package init(_ configuration: Configuration) throws {
        let wildcards = ["0.0.0.0", "::", "localhost"]
        if let probes = configuration.probesAddress {
            host = wildcards.contains(probes.host) ? "127.0.0.1" : probes.host
            port = probes.port
        } else {
            // Beyond loopback the server answers its TLS proxy and its own machine only.
            host = configuration.isLoopback && configuration.host != "localhost" ? configuration.host : "127.0.0.1"
            port = configuration.port
        }
    }

    /// Status and text of the answer. Blocks for at most about `seconds`.
    /// - Throws: `CRMError` "no_answer".
    package func ask(_ path: String, seconds: Int = 5) throws -> (status: Int, text: String) {
        var hints = addrinfo()
        #if os(Linux)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            let quietly = Int32(MSG_NOSIGNAL)
        #else
            hints.ai_socktype = SOCK_STREAM
            let quietly: Int32 = 0
        #endif
        hints.ai_flags = AI_NUMERICHOST
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let found else { throw silence("no such address") }
        defer { freeaddrinfo(found) }
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype, found.pointee.ai_protocol)
        guard descriptor >= 0 else { throw silence(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connect(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0 else {
            throw silence(String(cString: strerror(errno)))
        }
        let question = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, question, question.count, quietly) == question.count else {
            throw silence(String(cString: strerror(errno)))
        }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4_096)
        while answer.count < 65_536 {
            let count = recv(descriptor, &part, part.count, 0)
            guard count > 0 else { break }
            answer += part[..<count]
        }
        let text = String(decoding: answer, as: UTF8.self)
        let head = text.prefix { !$0.isNewline }.split(separator: " ")
        guard head.count > 1, head[0].hasPrefix("HTTP/1."), let status = Int(head[1]) else {
            throw silence("no answer within \(seconds) s")
        }
        let body = text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
        return (status, body.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    private func silence(_ reason: String) -> CRMError {
        CRMError(
            "no_answer", status: 503,
            Words(
                en: "Nothing answers at \(host):\(port): \(reason). Is the process running, with the same settings?",
                zh: "\(host):\(port) 无应答：\(reason)。请确认进程已使用相同配置运行。"))
    }
}
