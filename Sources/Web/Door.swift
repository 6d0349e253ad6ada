import HTTPTypes
import Kernel
import NIOCore
import NIOHTTP1

/// Refuses requests where they come in while more wait for a turn than can have one in time: on the thread of the connection,
/// with an answer made beforehand, before anything is looked up for them. A refusal that goes the way of a request waits
/// behind those it makes room for, and costs a good part of what a page costs.
///
/// Only what has no body, would take a turn and comes alone on a connection that goes on is refused here; everything else
/// goes on to the gate. Such refusals are counted, not logged one by one, and tell nobody whether the caller or the record exists.
package struct Door: Sendable {
    struct Refusal: Sendable {
        let head: HTTPResponseHead
        let body: ByteBuffer
    }

    private let table: RouteTable
    private let turns: Turns
    private let metrics: Metrics
    private let pages: [Language: Refusal]
    private let objects: [Language: Refusal]
    private let problems: [Language: Refusal]
    private let errors: [Language: Refusal]

    init(_ gate: Gate) {
        table = gate.table
        turns = gate.turns
        metrics = gate.metrics
        func made(json: Bool, api: Bool = false, tmf: Bool = false) -> [Language: Refusal] {
            Dictionary(
                Language.allCases.map { ($0, Self.refusal(gate, $0, json: json, api: api, tmf: tmf)) },
                uniquingKeysWith: { first, _ in first })
        }
        pages = made(json: false)
        objects = made(json: true)
        problems = made(json: true, api: true)
        errors = made(json: true, api: true, tmf: true)
    }

    private static func refusal(_ gate: Gate, _ language: Language, json: Bool, api: Bool, tmf: Bool) -> Refusal {
        var visit = Visit(remoteAddress: "", requestID: "-")
        visit.language = language
        visit.wantsJSON = json
        visit.isAPI = api
        visit.isTMF = tmf
        var answer = gate.failure(InFlight.overloaded, visit)
        gate.secure(&answer, visit)
        let body = ByteBuffer(string: answer.content ?? "")
        var headers = NIOHTTP1.HTTPHeaders()
        for field in answer.headers { headers.add(name: field.name.canonicalName, value: field.value) }
        // The same for all: without a nonce, which is good for one answer.
        headers.replaceOrAdd(
            name: "content-security-policy",
            value: "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'")
        headers.replaceOrAdd(name: "content-length", value: String(body.readableBytes))
        return Refusal(head: HTTPResponseHead(version: .http1_1, status: .serviceUnavailable, headers: headers), body: body)
    }

    /// The answer for a request that would wait for too long; `nil` = it may come in.
    func refusal(of head: HTTPRequestHead) -> Refusal? {
        guard turns.isFull, head.method == .GET || head.method == .HEAD, head.version == .http1_1, head.isKeepAlive,
            !head.headers.contains(name: "content-length"), !head.headers.contains(name: "transfer-encoding")
        else { return nil }
        let path = head.uri.prefix { $0 != "?" }
        guard case .route(let route, _) = table.match(.get, path: String(path)), route.takesTurn, route.body == .none else {
            return nil
        }
        metrics.observe(route: route.name, status: 503, milliseconds: 0)
        let wantsJSON = head.headers["accept"].contains { $0.hasPrefix("application/json") }
        let language =
            WebCookie.value(WebCookie.language, of: head.headers["cookie"]).flatMap(Language.init(rawValue:))
            ?? Language(acceptLanguage: head.headers.first(name: "accept-language"))
        let answers = Gate.isTMF(head.uri) ? errors : Gate.isAPI(head.uri) ? problems : wantsJSON ? objects : pages
        guard var refusal = answers[language].map({ ($0.head, $0.body) }) else { return nil }
        refusal.0.headers.replaceOrAdd(name: "x-request-id", value: RandomText.hex(8))
        return Refusal(head: refusal.0, body: refusal.1)
    }
}

extension Gate {
    package var door: Door { Door(self) }
}
