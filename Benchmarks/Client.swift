import Foundation
import TestSupport

/// A logged-in client of the console.
final class Client: @unchecked Sendable {
    private let http: RawHTTP
    private(set) var cookie = ""

    init(http: RawHTTP) { self.http = http }

    func logIn(_ name: String, _ password: String) throws {
        let answer = try post(try loginForm(), name, password, from: nil)
        guard answer.status == 303 else { throw RawHTTP.Failure(description: "log-in answered \(answer.status)") }
        cookie = answer.cookies.filter { $0.key.contains("switchboard") }.map { "\($0.key)=\($0.value)" }.joined(
            separator: "; ")
    }

    /// Seconds until a log-in was refused; the form is asked for beforehand.
    func refusedLogIn(_ name: String, _ password: String, from address: String) throws -> Double {
        let form = try loginForm()
        let start = ContinuousClock.now
        let answer = try post(form, name, password, from: address)
        let took = Bench.seconds(since: start)
        // 400 would be a request that never came to the password.
        guard (401..<429).contains(answer.status) else {
            throw RawHTTP.Failure(description: "a wrong log-in answered \(answer.status)")
        }
        return took
    }

    private struct LoginForm { let token: String; let cookie: String }

    private func loginForm() throws -> LoginForm {
        let page = try http.send("GET", "/login")
        let cookie = page.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        return LoginForm(token: try token(page), cookie: cookie)
    }

    private func post(_ form: LoginForm, _ name: String, _ password: String, from address: String?) throws
        -> RawHTTP.Answer
    {
        let body = "_csrf=\(form.token)&name=\(name)&password=\(password.replacingOccurrences(of: " ", with: "+"))"
        var headers = [("Cookie", form.cookie), ("Content-Type", "application/x-www-form-urlencoded")]
        if let address { headers += [("X-Forwarded-For", address), ("X-Forwarded-Proto", "https")] }
        return try http.send("POST", "/login", headers: headers, body: Array(body.utf8))
    }

    private func token(_ page: RawHTTP.Answer) throws -> String {
        guard let match = page.text.firstMatch(of: /name="_csrf" value="([^"]+)"/) else {
            throw RawHTTP.Failure(description: "no token on the page: \(page.status)")
        }
        return String(match.1)
    }

    private var searchToken: String?

    /// Seconds of one search.
    func search(_ text: String) throws -> Double {
        let token: String
        if let searchToken {
            token = searchToken
        } else {
            token = try self.token(try http.send("GET", "/customers", headers: [("Cookie", cookie)]))
            searchToken = token
        }
        let query = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
        let start = ContinuousClock.now
        let answer = try http.send(
            "POST", "/search", headers: [("Cookie", cookie), ("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("_csrf=\(token)&q=\(query)".utf8))
        let took = Bench.seconds(since: start)
        // A single hit is shown at once.
        guard answer.status == 200 || answer.status == 303 else {
            throw RawHTTP.Failure(description: "search answered \(answer.status)")
        }
        return took
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
                                continuation.resume(returning: took.inSeconds)
                            } catch { continuation.resume(throwing: error) }
                        }
                    }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
