import Foundation
import TestSupport

/// A logged-in client of the console.
final class Client: @unchecked Sendable {
    private let http: RawHTTP
    private(set) var cookie = ""

    init(http: RawHTTP) { self.http = http }

    func logIn(_ name: String, _ password: String) throws {
        let page = try http.send("GET", "/login")
        let before = page.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        guard let token = page.text.firstMatch(of: /name="_csrf" value="([^"]+)"/) else {
            throw RawHTTP.Failure(description: "no token on the log-in page")
        }
        let body = "_csrf=\(token.1)&name=\(name)&password=\(password.replacingOccurrences(of: " ", with: "+"))"
        let answer = try http.send(
            "POST", "/login", headers: [("Cookie", before), ("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(body.utf8))
        guard answer.status == 303 else { throw RawHTTP.Failure(description: "log-in answered \(answer.status)") }
        cookie = answer.cookies.filter { $0.key.contains("switchboard") }.map { "\($0.key)=\($0.value)" }.joined()
    }

    func customerIDs() throws -> [String] {
        let page = try http.send("GET", "/customers", headers: [("Cookie", cookie)])
        return page.text.matches(of: /href="\/customers\/(\d+)"/).map { String($0.1) }
    }

    /// Sends requests at a fixed rate whatever the answers do; returns the seconds from the intended start to the end of
    /// each answer, so that waiting is not hidden.
    func openLoop(perSecond: Int, seconds: Int, _ path: @escaping @Sendable (Int) -> String) async throws -> [Double] {
        let total = perSecond * seconds
        let start = ContinuousClock.now
        let pool = DispatchQueue(label: "bench", attributes: .concurrent)
        return try await withThrowingTaskGroup(of: Double.self) { group in
            for number in 0..<total {
                group.addTask { [http, cookie] in
                    let due = start + .milliseconds(number * 1_000 / perSecond)
                    try await Task.sleep(until: due, clock: .continuous)
                    return try await withCheckedThrowingContinuation { continuation in
                        pool.async {
                            do {
                                let answer = try http.send("GET", path(number), headers: [("Cookie", cookie)])
                                guard answer.status == 200 else {
                                    throw RawHTTP.Failure(description: "\(answer.status) for \(path(number))")
                                }
                                let took = ContinuousClock.now - due
                                continuation.resume(
                                    returning: Double(took.components.seconds) + Double(took.components.attoseconds)
                                        / 1e18)
                            } catch { continuation.resume(throwing: error) }
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
