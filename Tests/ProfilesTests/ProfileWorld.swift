import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers
@testable import Profiles

/// A tenant with customers, and the live profile over it.
struct ProfileWorld {
    let test: TestTenant
    let service: ProfileService
    let reader: ProfileReader
    var tenant: Tenant { test.tenant }
    static let principal = TestTenant.principal(
        [ProfileService.send, CustomerPermissions.view, CustomerPermissions.edit], roles: [.supervisor])

    init() async throws {
        test = try await TestTenant(["Identity", "Customers", "Profiles"])
        service = ProfileService(tenant: test.tenant, names: CustomerNameLookup())
        reader = ProfileReader(zone: test.tenant.timeZoneOffsetMinutes, measures: [])
    }

    var now: Instant { tenant.clock.now() }

    @discardableResult
    func customer(_ number: String) async throws -> CustomerID {
        let store = CustomerStore(tenant: tenant)
        let tenant = tenant
        return try await tenant.database.write { session in
            try store.create(
                ["full_name": .text("N \(number)"), "kind": .text("individual"), "msisdn": .text(number)],
                by: Self.principal, record: { try tenant.audit.record($0, by: Self.principal, session) }, session
            ).id
        }
    }

    /// A counter that counts from now.
    @discardableResult
    func counter(
        _ key: String, _ kind: String, conditions: String = "", sum: String = "", distinct: String = ""
    ) async throws -> CounterDefinition {
        var counter = CounterDefinition(
            id: tenant.ids.next(), key: key, series: tenant.ids.next(), title: Words(en: key, zh: key), kind: kind)
        counter.conditions = try CounterCondition.parse(conditions)
        counter.sumField = sum
        counter.distinctField = distinct
        counter.startedAt = now
        let made = counter
        let at = now
        let put = try await tenant.database.write { session in
            try ProfileStore.storeShipped(at: at, session)
            return try ProfileStore.put(ProfileStore.insertCounter, made, at: at, by: "t", session)
        }
        #expect(put == 1)
        return made
    }

    func take(_ events: [ProfileEvent], source: String = "s") async throws -> ProfileCounts {
        let (service, tenant) = (service, tenant)
        return try await tenant.database.write { session in
            try service.take(
                events, rejected: 0, source: source, record: { try tenant.audit.record($0, by: Self.principal, $1) }, session
            ).counts
        }
    }

    /// Windows of one counter.
    func windows(_ customer: CustomerID, _ counter: String) async throws -> [LiveWindow] {
        let (reader, now) = (reader, now)
        let all = try await tenant.database.read { try reader.values(of: [customer], now: now, $0) }
        return all.first { $0.counter == counter }?.windows ?? WindowFold.days.map { LiveWindow(days: $0) }
    }

    func event(
        _ id: String, _ kind: String, _ number: String, at: Instant? = nil, _ attributes: [String: AttributeValue] = [:],
        source: String = "s"
    ) -> ProfileEvent {
        ProfileEvent(
            fingerprint: ProfileEvent.fingerprint(source: source, id: id), kind: kind, at: at ?? now, naming: .number,
            name: number, attributes: attributes, id: id)
    }

    func count(_ sql: SQL) async throws -> Int { try await tenant.database.read { try $0.count(sql) } }
}
