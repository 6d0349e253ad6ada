import App
import Foundation
import Kernel
import Logging
import Platform
import Storage
import TestSupport
import Testing

/// Ids of processes that share a folder never meet, however long a command takes (architecture.md, values).
@Suite("Node numbers of processes")
struct LeaseTests {
    private func runtime(_ folder: String, _ clock: FrozenClock) throws -> Runtime {
        var configuration = Configuration()
        configuration.data = folder
        configuration.database = TestDatabases.url(data: folder)
        configuration.share = Checkout.share.root
        configuration.durability = "normal"
        return try Runtime(
            configuration, clock: clock, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a command of ten minutes keeps its number; one that could not renew goes on with another")
    func long() async throws {
        let folder = NSTemporaryDirectory() + "switchboard-lease-" + UUID().uuidString
        defer {
            try? FileManager.default.removeItem(atPath: folder)
            TestDatabases.drop(data: folder)
        }
        let clock = FrozenClock()
        // A command without workers: `import`, `seed`, `train`.
        let command = try runtime(folder, clock)
        let tenant = try await command.tenants.tenant("default")
        let number = tenant.ids.node
        for _ in 0..<10 {
            clock.advance(seconds: 60)
            await command.tenants.renewLeases()
        }
        let other = try runtime(folder, clock)
        let second = try await other.tenants.tenant("default")
        #expect(tenant.ids.node == number && second.ids.node != number)
        // The machine sleeps; another process takes both numbers.
        clock.advance(seconds: 400)
        let third = try runtime(folder, clock)
        let heir = try await third.tenants.tenant("default")
        #expect(heir.ids.node == number)
        let entry = AuditEntry("test.entry.record")
        let principal = command.operatorPrincipal(tenant: "default")
        for _ in 0..<20 {
            for each in [tenant, heir, second] {
                // An id met twice would break the key.
                try await each.database.write { try each.audit.record(entry, by: principal, $0) }
            }
        }
        #expect(Set([tenant, second, heir].map(\.ids.node)).count == 3)
        for each in [command, other, third] { await each.tenants.close() }
        let last = try runtime(folder, clock)
        clock.advance(seconds: 1)
        #expect(try await last.tenants.tenant("default").ids.node == 0, "numbers are given back at the end")
        await last.tenants.close()
    }
}
