import Contracts
import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import TMF

@Suite("What is kept of removed records")
struct KeptUpkeepTests {
    @Test("what a client sent of a record that a domain removed is forgotten when customers are removed; the rest stays")
    func forgotten() async throws {
        let world = try await HubWorld()
        defer { world.server.stop() }
        var ids: [Int64] = []
        for number in 0..<7 { ids.append(try #require(Int64(try await world.make(#"{"name":"n\#(number)","mine":"zebra\#(number)"}"#)))) }
        func kept() async throws -> [Int64] {
            try await world.tenant.database.read { try $0.query("SELECT id FROM tmf_kept ORDER BY id") { $0.int(0) } }
        }
        #expect(try await kept() == ids.sorted())
        let gone = [ids[1], ids[4]]
        try await world.tenant.database.write { [world] session in
            for id in gone { try session.execute(Things.deleteThing, [.int(id)]) }
            try world.tenant.outbox.append(CustomersChanged(ids: [CustomerID(gone[0])], fields: [], kind: .updated), session)
        }
        try await world.drain()
        world.test.clock.advance(seconds: 3_600)
        try await world.drain()
        #expect(try await kept().count == 7, "nobody was removed")
        try await world.tenant.database.write { [world] session in
            try world.tenant.outbox.append(CustomersChanged(ids: [CustomerID(gone[0])], fields: [], kind: .removed), session)
        }
        try await world.drain()
        #expect(try await kept() == ids.filter { $0 != gone[0] }.sorted(), "itself at once; what others have, when they have heard of it")
        // More of them make no more work.
        try await world.tenant.database.write { [world] session in
            for _ in 0..<3 { try world.tenant.outbox.append(CustomersChanged(ids: [CustomerID(1)], fields: [], kind: .removed), session) }
        }
        try await world.drain()
        #expect(try await world.tenant.database.read { try $0.count("SELECT COUNT(*) FROM storage_job WHERE kind = 'tmf.kept.sweep'") } == 1)
        world.test.clock.advance(seconds: KeptUpkeep.waitSeconds + 1)
        try await world.drain()
        #expect(try await kept() == ids.filter { !gone.contains($0) }.sorted())
    }
}
