import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("what attributes are called today")
struct AttributeTitleTests {
    @Test("by key the title of today is found, whatever it was when a model was trained; other columns have none")
    func titles() async throws {
        let bench = try await ImportBench()
        let tenant = bench.test.tenant
        let found = try await tenant.database.write { [target = bench.target] session in
            let field = try target.defineAttribute(title: "Sat Score", kind: .integer, session)
            let reader = CustomerReader()
            let before = try reader.attributeTitles([field.key, "city"], session).value()
            let attribute = try #require(try AttributeStore.all(session).first)
            try AttributeStore(ids: tenant.ids, clock: tenant.clock).label(
                attribute.id, title: Words(en: "Happy with us", zh: "客户心情"), mask: .none, session)
            let after = try reader.attributeTitles([field.key, "city", "Happy with us"], session).value()
            return (field.key, before, after)
        }
        let (key, before, after) = found
        #expect(before == [key: Words(en: "Sat Score", zh: "Sat Score")])
        let today = Words(en: "Happy with us", zh: "客户心情")
        #expect(after == [key: today, "Happy with us": today])
    }
}
