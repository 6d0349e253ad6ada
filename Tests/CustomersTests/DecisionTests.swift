import Kernel
import Matching
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("What a person decided about two records")
struct DecisionTests {
    @Test("what a person took apart no import joins again")
    func staysApart() async throws {
        let desk = try await MatchDesk()
        let a = try await desk.bring("billing", [ResolutionTests.billing]).ids[0]
        let b = try await desk.bring("care", [ResolutionTests.care]).ids[0]
        #expect(try await desk.set(a) == [a, b])
        try await desk.separate(a, b)
        let apart = try await desk.pair(a, b)
        #expect(apart?.state == .apart && apart?.reason == "two people")
        let c = try await desk.bring("retail", [ResolutionTests.retail]).ids[0]
        let sets = [try await desk.set(a), try await desk.set(b)]
        #expect(sets[0].isDisjoint(with: sets[1]))
        #expect(try await desk.set(c).count == 2, "the third joins one of them")
        // The same file once more finds its customer by its number and changes nothing.
        #expect(try await desk.bring("care", [ResolutionTests.care]).outcomes.map(\.name) == ["unchanged"])
        #expect(try await desk.set(a).isDisjoint(with: [b]))
    }

    @Test("what a person kept apart stays apart when the import is taken back and brought again, and nobody goes around it")
    func apartAgain() async throws {
        let desk = try await MatchDesk()
        let a = try await desk.bring("billing", [ResolutionTests.billing]).ids[0]
        let first = try await desk.bring("care", [ResolutionTests.care])
        try await desk.separate(a, first.ids[0])
        #expect(try await desk.bench.revert([first.outcomes]).isEmpty)
        #expect(try await desk.pair(a, first.ids[0]) == nil)
        let kept: SQL = "SELECT COUNT(*) FROM customers_kept_decision"
        #expect(try await desk.bench.count(kept) == 1)
        // Somebody else whom the machine joins with the one who stayed.
        let c = try await desk.bring(
            "retail", [["source_id": "R9", "full_name": "王小明", "phone": "+8613812345678"]]).ids[0]
        #expect(try await desk.set(a) == [a, c])
        let again = try await desk.bring("care", [ResolutionTests.care])
        let b = again.ids[0]
        #expect(b != first.ids[0] && again.matches.linked == 0)
        #expect(try await desk.set(b) == [b])
        let pair = try await desk.pair(a, b)
        #expect(pair?.state == .apart && pair?.reason == "two people" && pair?.decidedBy == desk.decider.userName)
        #expect(try await desk.bench.count(kept) == 0, "from here on the pair knows")
        // The decision lives through it a second time, and through the other one's going too.
        #expect(try await desk.bench.revert([again.outcomes]).isEmpty)
        #expect(try await desk.set(try await desk.bring("care", [ResolutionTests.care]).ids[0]).count == 1)
    }

    @Test("both sides of a decision may be taken back and brought again, in one import or in two, and one may have no source")
    func bothAgain() async throws {
        let desk = try await MatchDesk()
        let one = try await desk.bring("billing", [ResolutionTests.billing]), two = try await desk.bring("care", [ResolutionTests.care])
        try await desk.separate(one.ids[0], two.ids[0])
        #expect(try await desk.bench.revert([two.outcomes]).isEmpty)
        #expect(try await desk.bench.revert([one.outcomes]).isEmpty)
        let second = try await desk.bring("care", [ResolutionTests.care]), first = try await desk.bring("billing", [ResolutionTests.billing])
        #expect(first.matches.linked == 0)
        #expect(try await desk.set(first.ids[0]).count == 1)
        #expect(try await desk.pair(first.ids[0], second.ids[0])?.state == .apart)
        // Kept apart from a customer whom no source knows.
        let store = CustomerStore(tenant: desk.tenant)
        let clerk = TestTenant.principal([CustomerPermissions.view, CustomerPermissions.edit])
        let byHand = try await desk.tenant.database.write { session in
            try store.create(
                ["full_name": .text("王小明"), "phone": .text("+8613812345678")], by: clerk, record: { _ in }, session)
        }
        #expect(try await desk.pair(byHand.id, first.ids[0])?.state == .open)
        let (joining, who, asked) = (Joining(tenant: desk.tenant), desk.decider, first.ids[0])
        try await desk.tenant.database.write { try joining.keepApart(byHand.id, asked, by: who, $0) }
        for brought in [first, second] { #expect(try await desk.bench.revert([brought.outcomes]).isEmpty) }
        let last = try await desk.bring("billing", [ResolutionTests.billing]), also = try await desk.bring("care", [ResolutionTests.care])
        #expect(try await desk.pair(byHand.id, last.ids[0])?.state == .apart)
        #expect(try await desk.set(last.ids[0]) == [last.ids[0]])
        #expect(try await desk.set(byHand.id) == [byHand.id, also.ids[0]], "of the other nobody has said anything")
    }

    @Test("what a person joined is joined again when the import is brought again, and a later word replaces an earlier one")
    func joinedAgain() async throws {
        let desk = try await MatchDesk()
        let known = try await desk.bring(
            "billing", [["source_id": "1", "full_name": "张伟", "phone": "+8613801230004"]]).ids[0]
        let stranger = [["source_id": "2", "full_name": "欧阳丽华", "phone": "+8613900000077", "birth_date": "1980-02-03"]]
        let first = try await desk.bring("care", stranger)
        #expect(first.matches == ImportMatches())
        #expect(try await desk.set(known).count == 1)
        try await desk.join(known, first.ids[0])
        #expect(try await desk.bench.revert([first.outcomes]).isEmpty)
        let second = try await desk.bring("care", stranger)
        #expect(second.matches.linked == 1)
        #expect(try await desk.set(known) == [known, second.ids[0]])
        #expect(try await desk.pair(known, second.ids[0])?.decidedBy == desk.decider.userName)
        let listed: SQL = "SELECT COUNT(*) FROM customers_listing WHERE NOT behind"
        #expect(try await desk.bench.count(listed) == 1, "lists have the customer once")
        // Taken apart by hand, taken back and brought again: the last word counts.
        try await desk.separate(known, second.ids[0])
        #expect(try await desk.bench.revert([second.outcomes]).isEmpty)
        let third = try await desk.bring("care", stranger)
        #expect(try await desk.set(known) == [known] && third.matches.linked == 0)
        #expect(try await desk.pair(known, third.ids[0])?.state == .apart)
        // An answer that was taken back is none.
        let (joining, who, other) = (Joining(tenant: desk.tenant), desk.decider, third.ids[0])
        try await desk.tenant.database.write { try joining.reopen(known, other, by: who, $0) }
        #expect(try await desk.bench.revert([third.outcomes]).isEmpty)
        #expect(try await desk.bench.count("SELECT COUNT(*) FROM customers_kept_decision") == 0)
    }

    @Test("whoever is kept to some regions does not give back what was decided about customers of others")
    func keptScope() async throws {
        let desk = try await MatchDesk()
        let a = try await desk.bring("billing", [ResolutionTests.billing.merging(["region": "上海"]) { $1 }]).ids[0]
        let row = ResolutionTests.care.merging(["region": "北京"]) { $1 }
        let first = try await desk.bring("care", [row])
        try await desk.separate(a, first.ids[0])
        #expect(try await desk.bench.revert([first.outcomes]).isEmpty)
        let local = TestTenant.principal([CustomerPermissions.view], roles: [.supervisor], regions: ["北京"])
        let second = try await desk.bring("care", [row], as: local)
        #expect(try await desk.pair(a, second.ids[0]) == nil)
        #expect(try await desk.bench.count("SELECT COUNT(*) FROM customers_kept_decision") == 1, "it waits")
    }

    @Test("joining two sets answers every question between them; taking the answer back asks them again")
    func answered() async throws {
        let desk = try await MatchDesk()
        let ids = try await desk.bring("crm", (0..<4).map { ["source_id": "\($0)", "full_name": "N\($0)"] }).ids
        let (joining, who) = (Joining(tenant: desk.tenant), desk.decider)
        func open() async throws -> Set<[CustomerID]> {
            let pairs = try await desk.tenant.database.read { try PairStore.open(after: nil, limit: 50, $0) }
            return Set(pairs.map { [$0.left, $0.right] })
        }
        try await desk.join(ids[0], ids[1])
        try await desk.join(ids[2], ids[3])
        try await desk.tenant.database.write { session in
            try joining.propose(ids[0], ids[2], by: who, session)
            try joining.propose(ids[1], ids[3], by: who, session)
        }
        #expect(try await open() == [[ids[0], ids[2]], [ids[1], ids[3]]])
        try await desk.join(ids[0], ids[2])
        let left = try await open()
        let whole = try await desk.set(ids[3])
        #expect(left.isEmpty && whole == Set(ids))
        try await desk.tenant.database.write { try joining.reopen(ids[0], ids[2], by: who, $0) }
        #expect(try await open() == [[ids[0], ids[2]], [ids[1], ids[3]]])
        #expect(try await desk.set(ids[3]) == [ids[2], ids[3]])
    }

    @Test("what was decided about two stays when somebody asks about them again, until it is reopened")
    func askedAgain() async throws {
        let desk = try await MatchDesk()
        let ids = try await desk.bring("crm", (0..<2).map { ["source_id": "\($0)", "full_name": "N\($0)"] }).ids
        try await desk.join(ids[0], ids[1])
        try await desk.separate(ids[0], ids[1])
        let (joining, who) = (Joining(tenant: desk.tenant), desk.decider)
        let isNew = try await desk.tenant.database.write { try joining.propose(ids[0], ids[1], by: who, $0) }
        let pair = try await desk.pair(ids[0], ids[1])
        #expect(!isNew && pair?.state == .apart && pair?.reason == "two people")
        try await desk.tenant.database.write { try joining.reopen(ids[0], ids[1], by: who, $0) }
        #expect(try await desk.pair(ids[0], ids[1])?.state == .open)
    }
}
