import Foundation
import TestSupport

/// An account that is logged in to the console.
struct Account: Sendable {
    let cookie: String
    /// For forms; good for the whole session.
    let token: String

    static func logIn(_ name: String, port: Int) throws -> Account {
        let connection = KeptConnection(port: port)
        let form = try LogIn.form(connection)
        let answer = try LogIn.post(connection, form, name, Bench.password, from: nil)
        guard answer.status == 303 else { throw RawHTTP.Failure(description: "log-in answered \(answer.status)") }
        let cookie = LogIn.cookies(answer).filter { $0.contains("switchboard") }.joined(separator: "; ")
        let page = try connection.send("GET", "/customers/new", cookie: cookie)
        return Account(cookie: cookie, token: try LogIn.token(page))
    }

    func get(_ path: String, _ connection: KeptConnection) throws -> Int {
        try connection.send("GET", path, cookie: cookie).status
    }

    /// As the search box does it: what is typed is sealed, then looked for; a whole number is looked for at once. Returns where a
    /// single hit leads to.
    func search(_ text: String, _ connection: KeptConnection) throws -> (status: Int, hit: String?) {
        let query = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
        let sealed = try connection.send("POST", "/search", cookie: cookie, form: "_csrf=\(token)&q=\(query)")
        guard sealed.status == 303, let place = sealed.header("location") else { return (sealed.status, nil) }
        guard place.hasPrefix("/search") else { return (sealed.status, place) }
        let found = try connection.send("GET", place, cookie: cookie)
        return (found.status, found.header("location"))
    }

    /// The whole screen pop: a number is typed, the page of its customer is shown.
    func pop(_ number: String, _ connection: KeptConnection) throws -> Int {
        let found = try search(number, connection)
        // A number may be the tail of another one too: then there is a list.
        guard found.status == 303, let hit = found.hit else { return found.status }
        return try get(hit, connection)
    }

    /// Changes a customer's segment through the edit form.
    func save(_ id: String, edition: Int, segment: String, _ connection: KeptConnection) throws -> Int {
        try connection.send(
            "POST", "/customers/\(id)/edit", cookie: cookie,
            form: "_csrf=\(token)&_key=\(UUID().uuidString)&revision=\(edition)&f_segment=\(segment)"
        ).status
    }
}

enum LogIn {
    struct Form { let token: String; let cookie: String }

    static func form(_ connection: KeptConnection) throws -> Form {
        let page = try connection.send("GET", "/login")
        return Form(token: try token(page), cookie: cookies(page).joined(separator: "; "))
    }

    static func post(_ connection: KeptConnection, _ form: Form, _ name: String, _ password: String, from address: String?) throws
        -> KeptConnection.Answer
    {
        let more = address.map { "X-Forwarded-For: \($0)\r\nX-Forwarded-Proto: https\r\n" } ?? ""
        return try connection.send(
            "POST", "/login", cookie: form.cookie,
            form: "_csrf=\(form.token)&name=\(name)&password=\(password.replacingOccurrences(of: " ", with: "+"))", more: more)
    }

    /// Seconds until a log-in was refused; the form is asked for beforehand.
    static func refused(_ connection: KeptConnection, _ name: String, _ password: String, from address: String) throws -> Double {
        let form = try form(connection)
        let start = Clock.now
        let answer = try post(connection, form, name, password, from: address)
        let took = Clock.now - start
        // 400 would be a request that never came to the password.
        guard (401..<429).contains(answer.status) else {
            throw RawHTTP.Failure(description: "a wrong log-in answered \(answer.status)")
        }
        return took
    }

    static func cookies(_ answer: KeptConnection.Answer) -> [String] {
        answer.head.components(separatedBy: "\r\n").filter { $0.lowercased().hasPrefix("set-cookie:") }
            .map { String($0.dropFirst("set-cookie:".count).prefix { $0 != ";" }).trimmed }
    }

    static func token(_ page: KeptConnection.Answer) throws -> String {
        guard let match = page.text.firstMatch(of: /name="_csrf" value="([^"]+)"/) else {
            throw RawHTTP.Failure(description: "no token on the page: \(page.status)")
        }
        return String(match.1)
    }
}
