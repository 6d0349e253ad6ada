import Foundation
import StoragePostgres
import Synchronization
import TestSupport

/// Stands between libpq and its server on loopback and cuts one connection at a message of the client's that was chosen
/// beforehand.
final class FaultProxy: @unchecked Sendable {
    /// When the cut comes.
    enum Cut: String, CaseIterable, Sendable {
        /// The message does not arrive.
        case before
        /// It arrives and is worked on; its answer does not come back.
        case after
    }

    private struct State {
        var cut = Cut.before
        var left: Int?
        var struck: UInt8?
        var open: [Int32] = []
    }
    private let state = Mutex(State())
    private let listener: Int32
    private let target: Int
    let port: Int

    init(to target: Int) throws {
        self.target = target
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, address, &length) == 0
            }
        }
        guard bound else { throw RawHTTP.Failure(description: "no port for the proxy") }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0, let self else { return }
                self.serve(client)
            }
        }.start()
    }

    deinit { close() }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Foundation.close(listener)
        state.withLock { $0.open }.forEach { shutdown($0, Int32(SHUT_RDWR)) }
    }

    /// Message number `message` of the client's (from 1, the start-up apart, over all connections) is where it is cut.
    func arm(_ cut: Cut, message: Int) { state.withLock { ($0.cut, $0.left, $0.struck) = (cut, message, nil) } }
    func disarm() { state.withLock { $0.left = nil } }
    /// The kind of the message it was cut at (`Q` a simple query, `P` parse, `B` bind, `d` a piece of COPY, ...).
    var struck: Character? { state.withLock { $0.struck.map { Character(UnicodeScalar($0)) } } }

    private func next(_ kind: UInt8) -> Cut? {
        state.withLock { state in
            guard let left = state.left else { return nil }
            state.left = left > 1 ? left - 1 : nil
            guard left == 1 else { return nil }
            state.struck = kind
            return state.cut
        }
    }

    private func serve(_ client: Int32) {
        guard let server = try? RawHTTP(port: target).connect(seconds: 0) else {
            Foundation.close(client)
            return
        }
        state.withLock { $0.open += [client, server] }
        // Answers, and whether one came since it was last asked.
        let answered = Flag()
        let isMute = Flag()
        let answers = Background {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = recv(server, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                answered.set()
                if !isMute.isSet, !Self.send(client, buffer[..<count]) { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
        }
        _ = answers
        Thread { [self] in
            relay(client, server, isMute)
            shutdown(server, Int32(SHUT_RDWR))
            shutdown(client, Int32(SHUT_RDWR))
        }.start()
    }

    /// Hands messages on one by one.
    private func relay(_ client: Int32, _ server: Int32, _ isMute: Flag) {
        guard let start = Self.read(client, 4), let rest = Self.read(client, Self.number(start) - 4) else { return }
        guard Self.send(server, (start + rest)[...]) else { return }
        while let head = Self.read(client, 5), let body = Self.read(client, Self.number(Array(head[1...])) - 4) {
            let cut = next(head[0])
            if cut == .before { return }
            if cut == .after { isMute.set() }
            guard Self.send(server, (head + body)[...]) else { return }
            if cut == .after {
                // Time for the server to work on it.
                usleep(60_000)
                return
            }
        }
    }

    private static func number(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private static func read(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: max(0, count))
        var have = 0
        while have < count {
            let more = bytes.withUnsafeMutableBytes {
                recv(descriptor, $0.baseAddress?.advanced(by: have), count - have, 0)
            }
            guard more > 0 else { return nil }
            have += more
        }
        return bytes
    }

    private static func send(_ descriptor: Int32, _ bytes: ArraySlice<UInt8>) -> Bool {
        var sent = 0
        let count = bytes.count
        return bytes.withUnsafeBytes { bytes in
            while sent < count {
                let more = Foundation.send(
                    descriptor, bytes.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
                guard more > 0 else { return false }
                sent += more
            }
            return true
        }
    }
}
