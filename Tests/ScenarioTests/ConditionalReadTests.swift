import Testing
import Web

/// Versions of resources in requests of programs (RFC 9110 13.1).
@Suite("Conditional requests of programs", .timeLimit(.minutes(3)))
struct ConditionalReadTests {
    @Test("who has the present version is not sent it again, and a weak tag changes nothing")
    func versions() async throws {
        let world = try await ContractWorld(customers: 1)
        let path = "/tmf-api/customerManagement/v4/customer/\(try #require(world.customers.first))"
        let tag = try #require(try world.send("GET", path).raw.header("etag"))
        for same in [tag, "W/" + tag, "\"other\", \(tag)", "*"] {
            let answer = try world.send("GET", path, nil, [("If-None-Match", same)])
            #expect(answer.status == 304 && answer.text.isEmpty, "\(same): \(answer.status)")
            #expect(answer.raw.header("etag") == tag)
        }
        #expect(try world.send("GET", path, nil, [("If-None-Match", "\"other\"")]).status == 200)
        let refused = try world.send("PATCH", path, ["status": "Approved"], [("If-Match", "W/" + tag)])
        #expect(refused.status == 412)
        #expect(try world.send("GET", path).raw.header("etag") == tag, "nothing was changed")
        // After a change the old version is no longer the present one.
        #expect(try world.send("PATCH", path, ["note": "seen"], [("If-Match", tag)]).status == 200)
        #expect(try world.send("GET", path, nil, [("If-None-Match", tag)]).status == 200)
    }
}
