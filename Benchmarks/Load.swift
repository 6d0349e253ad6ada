import Foundation
import Synchronization
import TestSupport

/// A connection that is kept open, with a parser that costs little beside what is measured. Used by one thread.
final class KeptConnection {
    struct Answer {
        let status: Int
        let head: String
        let body: [UInt8]

        func header(_ name: String) -> String? {
            for line in head.components(separatedBy: "\r\n").dropFirst() {
                guard let colon = line.firstIndex(of: ":") else { continue }
                if line[..<colon].lowercased() == name { return String(line[line.index(after: colon)...]).trimmed }
            }
            return nil
        }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private let http: RawHTTP
    private var descriptor: Int32 = -1
    private var buffer = [UInt8](repeating: 0, count: 1 << 20)

    init(port: Int) { http = RawHTTP(port: port) }
    deinit { hangUp() }

    private func hangUp() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
    }

    func send(
        _ method: String, _ path: String, cookie: String = "", form: String? = nil,
        type: String = "application/x-www-form-urlencoded", more: String = ""
    ) throws -> Answer {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(http.port)\r\n\(more)"
        if !cookie.isEmpty { text += "Cookie: \(cookie)\r\n" }
        if let form {
            text += "Content-Type: \(type)\r\nContent-Length: \(form.utf8.count)\r\n\r\n\(form)"
        } else {
            text += "\r\n"
        }
        let isFresh = descriptor < 0
        if isFresh { descriptor = try http.connect(seconds: 60) }
        do { return try exchange(Array(text.utf8)) } catch {
            hangUp()
            // The server may have closed an idle connection just before; what was not read is asked for again.
            guard !isFresh, error is Gone else { throw error }
            descriptor = try http.connect(seconds: 60)
            return try exchange(Array(text.utf8))
        }
    }

    private struct Gone: Error {}

    private func exchange(_ request: [UInt8]) throws -> Answer {
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes { Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Gone() }
            sent += count
        }
        var filled = 0
        var headEnd: Int?
        var head = ""
        var wanted: Int?
        while true {
            if filled == buffer.count { buffer += [UInt8](repeating: 0, count: buffer.count) }
            let room = buffer.count - filled
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress?.advanced(by: filled), room, 0) }
            guard count > 0 else {
                if filled == 0 { throw Gone() }
                throw RawHTTP.Failure(description: "the answer ended early")
            }
            filled += count
            if headEnd == nil, let end = Self.find([13, 10, 13, 10], buffer, filled) {
                headEnd = end + 4
                head = String(decoding: buffer[..<end], as: UTF8.self)
                // By bytes: to take the head apart as text cost the client more than the rest of a request.
                if let place = Self.find(Self.lengthName, buffer, end) {
                    wanted = buffer[(place + Self.lengthName.count)...].prefix { (48...57).contains($0) }
                        .reduce(0) { $0 * 10 + Int($1 - 48) }
                } else if Self.find(Self.chunkedName, buffer, end) == nil {
                    wanted = 0
                }
            }
            guard let headEnd else { continue }
            // A chunked body ends with an empty chunk.
            let isWhole = wanted.map { filled - headEnd >= $0 } ?? (filled >= 5 && Array(buffer[filled - 5..<filled]) == [48, 13, 10, 13, 10])
            guard isWhole else { continue }
            let status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
            let answer = Answer(status: status, head: head, body: Array(buffer[headEnd..<filled]))
            if Self.find(Self.closeName, buffer, headEnd) != nil { hangUp() }
            return answer
        }
    }

    private static let lengthName = Array("\r\ncontent-length: ".utf8)
    private static let chunkedName = Array("\r\ntransfer-encoding: ".utf8)
    private static let closeName = Array("\r\nconnection: close".utf8)

    /// Where the pattern begins; letters of the bytes count as small ones.
    private static func find(_ pattern: [UInt8], _ bytes: [UInt8], _ count: Int) -> Int? {
        guard count >= pattern.count else { return nil }
        func small(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 32 : byte }
        return bytes.withUnsafeBufferPointer { bytes in
            var at = 0
            while at <= count - pattern.count {
                var same = 0
                while same < pattern.count, small(bytes[at + same]) == pattern[same] { same += 1 }
                if same == pattern.count { return at }
                at += 1
            }
            return nil
        }
    }
}

/// What a load of requests came to.
struct Outcome {
    /// Seconds from the intended start to the end of each answer that did what was asked for.
    var admitted: [Double] = []
    /// The same of 429 and 503.
    var refused: [Double] = []
    /// How late requests left, beyond their intended start: the client's own share, also in the figures above.
    var late: [Double] = []
    var failures = 0
    var firstFailure = ""
    var seconds = 0.0

    var rate: Double { Double(admitted.count) / max(seconds, 1e-9) }

    /// What part was refused, for the line of a measure that was not meant to overload.
    var refusals: String {
        refused.isEmpty ? "" : "\(refused.count) of \(refused.count + admitted.count) were refused with 429 or 503"
    }

    /// Errors are the bench's or the product's defects: nothing is measured then.
    func checked(_ what: String) throws -> Outcome {
        guard failures == 0, !admitted.isEmpty else {
            throw RawHTTP.Failure(
                description: "\(what): \(failures) failures, \(refused.count) refused, \(admitted.count) good. \(firstFailure)")
        }
        return self
    }
}

/// Clients on threads of their own, each with a connection that is kept open.
enum Load {
    /// Does the request of this number; returns the last status.
    typealias Work = @Sendable (KeptConnection, Int) throws -> Int

    /// Open loop: requests are due at a fixed rate whatever the answers do, and their time is counted from when they were due,
    /// also when all of the clients were still waiting for earlier answers. So waiting is not hidden.
    static func open(port: Int, perSecond: Double, seconds: Double, clients: Int = 64, _ work: @escaping Work) -> Outcome {
        let total = max(1, Int(perSecond * seconds))
        let start = Clock.now + 0.05
        return run(port: port, clients: min(clients, total), work) { number in
            number < total ? start + Double(number) / perSecond : nil
        }
    }

    /// Closed loop: each client sends its next request when it has its answer.
    static func closed(port: Int, clients: Int, seconds: Double, _ work: @escaping Work) -> Outcome {
        let end = Clock.now + seconds
        return run(port: port, clients: clients, work) { _ in
            let now = Clock.now
            return now < end ? now : nil
        }
    }

    private static func run(
        port: Int, clients: Int, _ work: @escaping Work, _ due: @escaping @Sendable (Int) -> Double?
    ) -> Outcome {
        let gathered = Gathered()
        let begun = Clock.now
        let group = DispatchGroup()
        for _ in 0..<clients {
            group.enter()
            let thread = Thread {
                gathered.add(client(port: port, gathered, work, due))
                group.leave()
            }
            thread.stackSize = 1 << 19
            thread.start()
        }
        group.wait()
        var outcome = gathered.outcome
        outcome.seconds = Clock.now - begun
        return outcome
    }

    /// What the clients of one run share.
    private final class Gathered: Sendable {
        private let number = Mutex(0)
        private let all = Mutex(Outcome())

        func take() -> Int {
            number.withLock { number in
                defer { number += 1 }
                return number
            }
        }

        func add(_ part: Outcome) {
            all.withLock { all in
                all.admitted += part.admitted
                all.refused += part.refused
                all.late += part.late
                all.failures += part.failures
                if all.firstFailure.isEmpty { all.firstFailure = part.firstFailure }
            }
        }

        var outcome: Outcome { all.withLock { $0 } }
    }

    private static func client(
        port: Int, _ gathered: Gathered, _ work: Work, _ due: (Int) -> Double?
    ) -> Outcome {
        let connection = KeptConnection(port: port)
        var outcome = Outcome()
        while true {
            let number = gathered.take()
            guard let due = due(number) else { return outcome }
            Clock.sleep(until: due)
            outcome.late.append(Clock.now - due)
            do {
                let status = try work(connection, number)
                let took = Clock.now - due
                switch status {
                case 200, 303: outcome.admitted.append(took)
                case 429, 503: outcome.refused.append(took)
                default: throw RawHTTP.Failure(description: "answered \(status)")
                }
            } catch {
                outcome.failures += 1
                if outcome.firstFailure.isEmpty { outcome.firstFailure = "\(error)" }
            }
        }
    }
}
