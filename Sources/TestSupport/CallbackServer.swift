import Foundation
import Kernel
import Synchronization

/// A server of this machine that answers each request as a test says, each on a thread of its own.
package final class CallbackServer: @unchecked Sendable {
    package struct Request: Sendable {
        package let method: String
        package let path: String
        /// Names in lower case.
        package let headers: [String: String]
        package let body: [UInt8]
        package var text: String { String(decoding: body, as: UTF8.self) }
    }
    package struct Answer: Sendable {
        var status = 204
        var headers: [String] = []
        var body = ""
        /// Before anything is said.
        var waitsMilliseconds = 0
        /// The connection ends without an answer.
        var hangsUp = false
        /// Another request may come over the same connection.
        var staysOpen = false

        package init(
            _ status: Int = 204, headers: [String] = [], body: String = "", waitsMilliseconds: Int = 0,
            hangsUp: Bool = false, staysOpen: Bool = false
        ) {
            (self.status, self.headers, self.body) = (status, headers, body)
            (self.waitsMilliseconds, self.hangsUp, self.staysOpen) = (waitsMilliseconds, hangsUp, staysOpen)
        }
    }

    private struct State {
        var answer: @Sendable (Request) -> Answer = { _ in Answer() }
        var asked: [Request] = []
        var open = 0
        var openMost = 0
        var connections = 0
    }
    private let state = Mutex(State())
    private let listening: Int32
    package let port: Int
    package var address: String { "http://127.0.0.1:\(port)" }

    /// Everything that came, in its order.
    package var asked: [Request] { state.withLock { $0.asked } }
    /// So many requests were at work at once.
    package var openMost: Int { state.withLock { $0.openMost } }
    package var connections: Int { state.withLock { $0.connections } }
    package func answer(_ make: @escaping @Sendable (Request) -> Answer) { state.withLock { $0.answer = make } }
    package func forget() { state.withLock { $0.asked = [] } }

    package init() throws {
        listening = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listening
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer -> Int32 in
                guard bind(socket, pointer, length) == 0, listen(socket, 64) == 0 else { return -1 }
                return getsockname(socket, pointer, &length)
            }
        }
        guard bound == 0 else { throw CRMError.notFound }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(socket, nil, nil)
                // Closed here only: a number given back sooner would be another server's by now.
                guard client >= 0 else { close(socket); return }
                Thread.detachNewThread { [weak self] in
                    self?.state.withLock { $0.connections += 1 }
                    while self?.serve(client) == true {}
                    close(client)
                }
            }
        }
    }

    /// Whether another request may come.
    private func serve(_ client: Int32) -> Bool {
        guard let request = read(client) else { return false }
        let answer = state.withLock { state in
            state.asked.append(request)
            state.open += 1
            state.openMost = max(state.openMost, state.open)
            return state.answer
        }(request)
        if answer.waitsMilliseconds > 0 { usleep(UInt32(answer.waitsMilliseconds) * 1_000) }
        // Before the answer: who has it may call again at once.
        state.withLock { $0.open -= 1 }
        if answer.hangsUp { return false }
        var head = "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.utf8.count)\r\n"
        if !answer.staysOpen { head += "Connection: close\r\n" }
        for line in answer.headers { head += line + "\r\n" }
        let all = Array((head + "\r\n" + answer.body).utf8)
        _ = send(client, all, all.count, Int32(MSG_NOSIGNAL))
        return answer.staysOpen
    }

    private func read(_ client: Int32) -> Request? {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        var request: Request?
        while true {
            if let end = bytes.firstRange(of: [13, 10, 13, 10]) {
                let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
                    headers[(parts.first ?? "").lowercased()] = parts.count > 1 ? parts[1] : ""
                }
                let first = (lines.first ?? "").split(separator: " ").map(String.init)
                let body = Array(bytes[end.upperBound...])
                if body.count >= Int(headers["content-length"] ?? "0") ?? 0 {
                    request = Request(
                        method: first.first ?? "", path: first.count > 1 ? first[1] : "", headers: headers, body: body)
                    break
                }
            }
            let count = recv(client, &piece, piece.count, 0)
            guard count > 0 else { break }
            bytes += piece.prefix(count)
        }
        return request
    }

    package func stop() {
        shutdown(listening, Int32(SHUT_RDWR))
    }
}
