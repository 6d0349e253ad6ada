import App
import Platform
import Storage
import TestSupport

/// The database as all migrations of the product leave it, on the engine under test.
final class MigratedDatabase: Sendable {
    private let tenant: TestTenant
    let modules: Modules
    var database: any Database { tenant.tenant.database }
    var owner: Tenant { tenant.tenant }
    var schema: TestSchema { TestSchema(database) }

    init() async throws {
        modules = try Modules(
            share: Checkout.share, clock: FrozenClock(), passwordProfile: Configuration().passwordProfile)
        tenant = try await TestTenant(modules.all.map(\.name))
    }

    func tables() async throws -> [String] { try await schema.tables() }
    func columns() async throws -> [TestSchema.Column] { try await schema.columns() }
}
