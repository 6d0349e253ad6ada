import HTTPTypes
import Kernel
import Testing

@testable import Web

@Suite("Route table, rate limits")
struct RouteTests {
    private func route(_ method: HTTPRequest.Method, _ pattern: String) -> Route {
        Route(method, pattern, .anonymous, trace: .none) { _ in .text(pattern) }
    }

    private var table: RouteTable {
        RouteTable([
            route(.get, "/"), route(.get, "/customers"), route(.get, "/customers/{id}"), route(.get, "/customers/new"),
            route(.post, "/customers/{id}"), route(.delete, "/customers/{id}/media/{medium}"),
            route(.get, "/files/{name}/raw"),
        ])
    }

    private func found(_ method: HTTPRequest.Method, _ path: String) -> String {
        switch table.match(method, path: path) {
        case .route(let route, let parameters):
            route.name + parameters.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        case .methodNotAllowed(let methods): "405 " + methods.joined(separator: ",")
        case .notFound: "404"
        }
    }

    @Test("a literal segment wins over a parameter, on every place of the path")
    func literals() {
        #expect(found(.get, "/customers/new") == "GET /customers/new")
        #expect(found(.get, "/customers/17") == "GET /customers/{id} id=17")
        #expect(found(.get, "/customers") == "GET /customers")
        #expect(found(.get, "/") == "GET /")
        #expect(found(.delete, "/customers/17/media/4") == "DELETE /customers/{id}/media/{medium} id=17 medium=4")
    }

    @Test("another method of a known path is 405 with the methods there are; an unknown path is 404")
    func methods() {
        #expect(found(.put, "/customers/17") == "405 GET,POST")
        #expect(found(.post, "/customers") == "405 GET")
        #expect(found(.get, "/customers/17/media/4") == "405 DELETE")
        #expect(found(.get, "/nothing") == "404")
        #expect(found(.get, "/customers/17/media") == "404")
        #expect(found(.get, "/customers/17/media/4/5") == "404")
    }

    @Test("HEAD is answered where GET is")
    func head() {
        #expect(found(.head, "/customers/17") == "GET /customers/{id} id=17")
        #expect(found(.head, "/customers/17/media/4") == "405 DELETE")
    }

    @Test("parameters are percent-decoded after the path was split, so that an escaped slash makes no segment")
    func decoding() {
        #expect(found(.get, "/files/a%2Fb/raw") == "GET /files/{name}/raw name=a/b")
        #expect(found(.get, "/files/%E7%8E%8B/raw") == "GET /files/{name}/raw name=王")
        #expect(found(.get, "/files/..%2F..%2Fetc/raw") == "GET /files/{name}/raw name=../../etc")
        #expect(found(.get, "/files/%zz/raw") == "GET /files/{name}/raw name=%zz")
        #expect(found(.get, "/%63ustomers") == "404")
    }

    @Test("case matters, and the parameter is never empty")
    func exact() {
        #expect(found(.get, "/Customers") == "404")
        #expect(found(.get, "/customers//media/4") != "DELETE /customers/{id}/media/{medium} id= medium=4")
    }

    @Test("the table keeps every route for those who walk it")
    func walk() {
        #expect(table.routes.count == 7)
        #expect(Set(table.routes.map(\.name)).count == 7)
    }

    @Test("a caller may burst twice the rate, then waits; another caller is not held up; 0 means no limit")
    func rateLimit() throws {
        let limiter = RateLimiter(perSecond: 5)
        for _ in 0..<10 { try limiter.check("a") }
        var refused = 0
        for _ in 0..<10 {
            do { try limiter.check("a") } catch let error as CRMError {
                refused += 1
                #expect(error.status == 429 && error.retryAfterSeconds == 1)
            }
        }
        #expect(refused >= 9)
        try limiter.check("b")
        let open = RateLimiter(perSecond: 0)
        for _ in 0..<10_000 { try open.check("a") }
    }

    @Test("a bucket fills again with time")
    func refill() async throws {
        let limiter = RateLimiter(perSecond: 100)
        for _ in 0..<200 { try limiter.check("a") }
        let deadline = ContinuousClock.now + .seconds(10)
        var passed = false
        while !passed, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(15))
            passed = (try? limiter.check("a")) != nil
        }
        #expect(passed)
    }

    @Test("metrics are Prometheus text with buckets that add up")
    func metrics() {
        let metrics = Metrics()
        metrics.observe(route: "GET /x", status: 200, milliseconds: 3)
        metrics.observe(route: "GET /x", status: 200, milliseconds: 30)
        metrics.observe(route: "GET /x", status: 500, milliseconds: 99_999)
        metrics.add("jobs_total{kind=\"a\"}", 2)
        metrics.set("age_seconds", 1.5)
        let lines = Set(metrics.exposition().split(separator: "\n").map(String.init))
        for line in [
            #"switchboard_http_requests_total{route="GET /x",status="200"} 2"#,
            #"switchboard_http_requests_total{route="GET /x",status="500"} 1"#,
            #"switchboard_http_request_duration_ms_bucket{route="GET /x",le="2.5"} 0"#,
            #"switchboard_http_request_duration_ms_bucket{route="GET /x",le="5.0"} 1"#,
            #"switchboard_http_request_duration_ms_bucket{route="GET /x",le="5000.0"} 2"#,
            #"switchboard_http_request_duration_ms_bucket{route="GET /x",le="+Inf"} 3"#,
            #"switchboard_http_request_duration_ms_count{route="GET /x"} 3"#, #"jobs_total{kind="a"} 2"#,
            "age_seconds 1.5",
        ] { #expect(lines.contains(line), "\(line)") }
    }
}
