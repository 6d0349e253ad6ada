import Contracts
import Kernel
import Platform
import Storage
import TMF
import TestSupport
import Testing
import Web

@testable import Privacy

/// The three resources with a database of their own.
struct PrivacyRig {
    let test: TestTenant
    let module: PrivacyModule
    let profiles: TestResource
    let notices: TestResource
    let agreements: TestResource

    init() async throws {
        test = try await TestTenant(["Privacy"])
        module = try PrivacyModule(customers: NumberedCustomers(), schemas: TMFSchemas(share: Checkout.share))
        let test = self.test
        let all = module.resources.map { TestResource($0, test) }
        (profiles, notices, agreements) = (all[0], all[1], all[2])
    }

    func profile(
        _ said: [(String, String, String)], customer: String = "7", more: String = ""
    ) -> String {
        let characteristics = said.map { #"{"name":"\#($0.0)","privacyUsagePurpose":"\#($0.1)","value":\#($0.2)}"# }.joined(separator: ",")
        return """
            {"agreedByParty":{"id":"\(customer)","@referredType":"Customer"},"partyPrivacyProfileSpecification":{"id":"s"},
            "partyPrivacyProfileCharacteristic":[\(characteristics)]\(more)}
            """
    }

    func ask(
        _ purpose: ConsentPurpose = .marketing, _ topic: String = "SMS", customer: Int64 = 7, at: Instant? = nil
    ) async throws -> ConsentAnswer.Reason {
        let (consents, at) = (module.consents, at ?? test.clock.now())
        return try await test.tenant.database.read {
            try consents.consent(of: CustomerID(customer), to: purpose, on: ConsentTopic(any: topic), at: at, $0).reason
        }
    }

    func evidence() async throws -> [String] {
        try await test.tenant.database.read { session in
            try session.query(
                """
                SELECT customer_id, purpose, topic, decision, step, COALESCE(collected_on, '-'), COALESCE(notice_version, '-'), actor_name
                FROM privacy_consent_evidence ORDER BY id
                """
            ) { row in "\(row.int(0)) " + (1...7).map { row.text($0) }.joined(separator: " ") }
        }
    }
}

@Suite("Consents")
struct ConsentTests {
    @Test("silence is no consent; the service itself needs none")
    func silence() async throws {
        let rig = try await PrivacyRig()
        #expect(try await rig.ask() == .neverGiven)
        #expect(try await rig.ask(.profiling) == .neverGiven)
        #expect(try await rig.ask(.service) == .notNeeded)
        #expect(try await rig.ask(ConsentPurpose(any: "ADMIN")) == .notNeeded)
    }

    @Test("given, it counts for its purpose and its channel; withdrawn, it counts no more; the evidence has both")
    func story() async throws {
        let rig = try await PrivacyRig()
        let notice = try await rig.notices.create(
            #"{"name":"Marketing","version":"3","status":"active","partyPrivacyProfileSpecCharacteristic":[{"name":"sms","privacyUsagePurpose":"MARKETING"}]}"#)
        let id = try #require(notice["id"]?.string)
        let profile = try await rig.profiles.create(
            rig.profile([("SMS", "MARKETING", "true")], more: #","collectionChannel":"shop""#).replacing(#""id":"s""#, with: #""id":"\#(id)""#))
        #expect(try await rig.ask() == .given)
        #expect(try await rig.ask(.marketing, "text message") == .given)
        #expect(try await rig.ask(.marketing, "email") == .neverGiven)
        #expect(try await rig.ask(.profiling) == .neverGiven)
        #expect(try await rig.ask(customer: 8) == .neverGiven)
        rig.test.clock.advance(seconds: 60)
        try await rig.profiles.change(
            profile, #"{"partyPrivacyProfileCharacteristic":[{"name":"SMS","privacyUsagePurpose":"MARKETING","value":false}]}"#)
        #expect(try await rig.ask() == .withdrawn)
        #expect(
            try await rig.evidence() == ["7 marketing sms given created shop 3 tester", "7 marketing sms withdrawn changed shop 3 tester"])
        let hashes = try await rig.test.tenant.database.read { session in
            try session.query("SELECT notice_hash FROM privacy_consent_evidence") { $0.optionalText(0)?.count }
        }
        #expect(hashes == [64, 64])
        let told = try await rig.test.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event WHERE type = 'privacy.consent.changed' ORDER BY id") { $0.text(0) }
        }
        #expect(told.count == 2 && told[0].contains("given") && told[1].contains("withdrawn"))
        // A text that somebody agreed to cannot vanish; retired, nobody agrees to it any more.
        #expect(await TestResource.refusal { try await rig.notices.remove(notice) } == "in_use")
        try await rig.notices.change(notice, #"{"status":"retired"}"#)
        let late = rig.profile([("sms", "marketing", "true")]).replacing(#""id":"s""#, with: #""id":"\#(id)""#)
        #expect(await TestResource.refusal { try await rig.profiles.create(late) } == "specification_ended")
    }

    @Test("a profile that ends, is deleted, loses a line or runs out takes its yes back; its no stays")
    func ends() async throws {
        for end in ["terminated", "deleted", "line", "time"] {
            let rig = try await PrivacyRig()
            try await rig.profiles.create(rig.profile([("email", "MARKETING", "true")]))
            rig.test.clock.advance(seconds: 1)
            let profile = try await rig.profiles.create(
                rig.profile([("sms", "MARKETING", #""allowed""#), ("email", "MARKETING", #"{"value":"no"}"#), ("any", "PROFILING", "true")]))
            #expect(try await rig.ask() == .given)
            #expect(try await rig.ask(.profiling, "usage") == .given)
            #expect(try await rig.ask(.marketing, "email") == .withdrawn)
            rig.test.clock.advance(seconds: 1)
            switch end {
            case "terminated": try await rig.profiles.change(profile, #"{"status":"terminated"}"#)
            case "deleted": try await rig.profiles.remove(profile)
            case "time": try await rig.profiles.change(profile, #"{"validFor":{"endDateTime":"2020-01-01T00:00:00Z"}}"#)
            default:
                try await rig.profiles.change(
                    profile, #"{"partyPrivacyProfileCharacteristic":[{"name":"email","privacyUsagePurpose":"MARKETING","value":{"value":"no"}}]}"#)
            }
            let expected: ConsentAnswer.Reason = end == "time" ? .expired : .withdrawn
            #expect(try await rig.ask() == expected)
            #expect(try await rig.ask(.profiling, "usage") == expected)
            #expect(try await rig.ask(.marketing, "email") == .withdrawn, "\(end)")
            #expect(try await rig.evidence().count == 4 + 2, "\(end)")
        }
    }

    @Test("the last word counts; a no to one channel outlives a general yes, and a general no a yes to one channel")
    func lastWord() async throws {
        let rig = try await PrivacyRig()
        func say(_ topic: String, _ value: String) async throws {
            rig.test.clock.advance(seconds: 1)
            try await rig.profiles.create(rig.profile([(topic, "MARKETING", value)]))
        }
        try await say("any", "true")
        #expect(try await rig.ask() == .given)
        try await say("sms", "false")
        #expect(try await rig.ask() == .refused)
        #expect(try await rig.ask(.marketing, "email") == .given)
        try await say("all", "true")
        #expect(try await rig.ask() == .refused)
        #expect(try await rig.ask(.marketing, "email") == .given)
        try await say("SMS", "true")
        #expect(try await rig.ask() == .given)
        try await say("any", "false")
        #expect(try await rig.ask() == .withdrawn)
        #expect(try await rig.ask(.marketing, "email") == .withdrawn)
        try await say("sms", #""perhaps""#)
        #expect(try await rig.ask() == .withdrawn)
        try await say("sms", #""opt-in""#)
        #expect(try await rig.ask() == .given)
        #expect(try await rig.ask(.marketing, "email") == .withdrawn)
    }

    @Test("it begins and ends with its time; said twice in one profile, no counts")
    func times() async throws {
        let rig = try await PrivacyRig()
        let now = rig.test.clock.now()
        try await rig.profiles.create(
            rig.profile(
                [("sms", "MARKETING", "true"), ("email", "MARKETING", "true"), ("E-Mail", "marketing", "false")],
                more: #","validFor":{"startDateTime":"\#(now.adding(days: 1).iso8601)","endDateTime":"\#(now.adding(days: 3).iso8601)"}"#))
        #expect(try await rig.ask(.marketing, "email") == .refused)
        #expect(try await rig.ask() == .notYet)
        #expect(try await rig.ask(at: now.adding(days: 2)) == .given)
        #expect(try await rig.ask(at: now.adding(days: 3)) == .expired)
    }

    @Test("a parent who agrees for a child agrees to nothing for themselves, and another customer's profile moves its word")
    func applies() async throws {
        let rig = try await PrivacyRig()
        let more = #","applicableForParty":{"id":"child-of-nobody","@referredType":"Individual"}"#
        let profile = try await rig.profiles.create(rig.profile([("sms", "MARKETING", "true")], more: more))
        #expect(try await rig.ask() == .neverGiven)
        try await rig.profiles.change(profile, #"{"applicableForParty":{"id":"9","@referredType":"Customer"}}"#)
        #expect(try await rig.ask() == .neverGiven)
        #expect(try await rig.ask(customer: 9) == .given)
        try await rig.profiles.change(profile, #"{"applicableForParty":{"id":"8","@referredType":"Customer"}}"#)
        #expect(try await rig.ask(customer: 9) == .withdrawn)
        #expect(try await rig.ask(customer: 8) == .given)
    }

    @Test("what is repeated in a later change does not overrule what was said meanwhile")
    func repeated() async throws {
        let rig = try await PrivacyRig()
        let first = try await rig.profiles.create(rig.profile([("sms", "MARKETING", "true")]))
        rig.test.clock.advance(seconds: 1)
        try await rig.profiles.create(rig.profile([("sms", "MARKETING", "false")]))
        rig.test.clock.advance(seconds: 1)
        try await rig.profiles.change(first, #"{"name":"renamed","validFor":{"endDateTime":"2099-01-01T00:00:00Z"}}"#)
        #expect(try await rig.ask() == .withdrawn)
        #expect(try await rig.evidence().count == 2)
    }

    /// 7 and 17 are records of one person.
    private struct Linked: CustomerReading {
        let base = NumberedCustomers()
        func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] { [] }
        func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable { throw CRMError.notFound }
        func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> { Set(ids) }
        func customerCount(_ session: any SQLSession) throws -> Int { 2 }
        func linked(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [CustomerID]] {
            let both = [CustomerID(7), CustomerID(17)]
            return Dictionary(ids.map { ($0, both.contains($0) ? both : [$0]) }, uniquingKeysWith: { first, _ in first })
        }
    }

    @Test("a no on one of several records of a customer counts for all of them")
    func linked() async throws {
        let rig = try await PrivacyRig()
        try await rig.profiles.create(rig.profile([("sms", "MARKETING", "true")]))
        let reader = ConsentReader(Linked())
        func ask(_ customer: Int64) async throws -> ConsentAnswer.Reason {
            let now = rig.test.clock.now()
            return try await rig.test.tenant.database.read {
                try reader.consent(of: CustomerID(customer), to: .marketing, on: ConsentTopic(any: "sms"), at: now, $0).reason
            }
        }
        #expect(try await ask(17) == .given)
        #expect(try await ask(8) == .neverGiven)
        rig.test.clock.advance(seconds: 1)
        try await rig.profiles.create(rig.profile([("any", "MARKETING", "false")], customer: "17"))
        #expect(try await ask(7) == .refused)
        #expect(try await ask(17) == .refused)
    }

    @Test("a removed customer's profiles go, the evidence stays and has no name in it")
    func forgotten() async throws {
        let rig = try await PrivacyRig()
        let more = #","applicableForParty":{"id":"7","name":"Zhang San","@referredType":"Customer"}"#
        try await rig.profiles.create(rig.profile([("sms", "MARKETING", "true")], more: more))
        try await rig.profiles.create(rig.profile([("sms", "MARKETING", "true")], customer: "8"))
        let hold = rig.module.hold
        #expect(try await rig.test.tenant.database.read { try hold.holders([CustomerID(6), CustomerID(7)], $0) } == [CustomerID(7)])
        try await rig.test.tenant.database.write { session in
            try rig.test.tenant.outbox.append(CustomersChanged(ids: [CustomerID(7)], fields: [], kind: .removed), session)
        }
        try await rig.test.drain(handlers: rig.module.eventHandlers(rig.test.tenant))
        #expect(try await rig.ask() == .neverGiven)
        #expect(try await rig.ask(customer: 8) == .given)
        #expect(try await rig.profiles.list([]).count == 1)
        #expect(try await rig.evidence().count == 2)
        #expect(try await !rig.evidence().joined().contains("Zhang"))
    }
}

@Suite("Privacy resources")
struct PrivacyResourceTests {
    private static let notice = """
        {"name":"Home customers","description":"What we ask","version":"2","lastUpdate":"2026-01-01T08:00:00+08:00",
        "validFor":{"startDateTime":"2026-01-01T00:00:00Z"},"productOffering":[{"id":"o1","name":"Fibre"}],
        "relatedParty":[{"id":"dpo","role":"owner","name":"Eve","@referredType":"Individual"}],
        "applicableRole":[{"name":"Shop agent"}],
        "partyPrivacyProfileSpecCharacteristic":[{"id":"1","name":"sms","privacyUsagePurpose":"MARKETING","privacyType":"Internal Purpose",
        "criticalityLevel":"low","partyPrivacyProfileSpecCharacteristicValue":[{"value":true,"isDefault":false},{"value":{"deep":[1]},"valueType":"object"}]},
        {"name":"location","privacyUsagePurpose":"PROFILING"}],"mine":"x"}
        """
    private static let profile = """
        {"name":"Consents","description":"at the shop","agreedByParty":{"id":"7","role":"customer","name":"Ann","@referredType":"Customer"},
        "applicableForParty":{"id":"8","role":"child","name":"Bob","@referredType":"Customer"},"agreement":{"id":"a1","name":"A"},
        "partyPrivacyProfileSpecification":{"id":"s1","name":"S"},"validFor":{"startDateTime":"2026-01-01T00:00:00Z"},
        "creationDate":"2026-01-05T00:00:00Z","collectionChannel":"shop","noticeVersion":"4",
        "partyPrivacyProfileCharacteristic":[{"id":"1","name":"sms","privacyUsagePurpose":"MARKETING","valueType":"boolean","value":true},
        {"name":"location","privacyUsagePurpose":"PROFILING","value":{"mode":["coarse"]},"relatedParty":[{"id":"p","@referredType":"Individual"}]}]}
        """
    private static let agreement = """
        {"name":"Terms","agreementType":"privacy","documentNumber":42,"initialDate":"2026-01-01T00:00:00Z","statementOfIntent":"why","version":"1",
        "agreementPeriod":{"startDateTime":"2026-01-01T00:00:00Z"},"completionDate":{"startDateTime":"2026-02-01T00:00:00Z"},
        "agreementSpecification":{"id":"t1","name":"T"},"engagedParty":[{"id":"7","role":"customer","@referredType":"Customer"}],
        "partyPrivacyProfile":[{"id":"p1","name":"P"}],"agreementAuthorization":[{"date":"2026-01-01T00:00:00Z","signatureRepresentation":"digital","state":"approved"}],
        "agreementItem":[{"id":"1","termOrCondition":[{"id":"t","description":"d","validFor":{"startDateTime":"2026-01-01T00:00:00Z"}}],"product":[{"id":"x"}]}],
        "characteristic":[{"name":"n","value":[1]}]}
        """

    @Test("what was sent comes back whole, and lists by each column are what the documents say")
    func whole() async throws {
        let rig = try await PrivacyRig()
        for (resource, sample) in [(rig.profiles, Self.profile), (rig.notices, Self.notice), (rig.agreements, Self.agreement)] {
            let sent = try TestResource.object(sample)
            let made = try await resource.create(sample)
            for (name, value) in sent { #expect(made[name] == value, "\(name): \(String(describing: made[name]))") }
            #expect(try await resource.read(made) == made)
            for number in 0..<4 {
                rig.test.clock.advance(seconds: 60)
                try await resource.create(
                    sample.replacing(#""id":"7""#, with: #""id":"\#(number)""#).replacing(#""id":"s1""#, with: #""id":"s\#(number % 2)""#)
                        .replacing("Home customers", with: "N\(number % 2)").replacing(#""creationDate":"2026-01-05T00:00:00Z","#, with: ""))
            }
            let (compared, wrong) = try await resource.disagreements()
            #expect(wrong == [] && compared >= 15, "\(resource.resource.name): \(compared)")
        }
    }

    @Test("each resource goes the ways of its life and no other")
    func states() async throws {
        let rig = try await PrivacyRig()
        #expect(try await rig.profiles.allowedMoves("status", ["created", "terminated"], sample: Self.profile) == ["created>terminated"])
        #expect(
            try await rig.notices.allowedMoves("status", ["inDesign", "active", "rejected", "retired"], sample: Self.notice) == [
                "inDesign>active", "inDesign>rejected", "active>retired", "rejected>inDesign",
            ])
        #expect(
            try await rig.agreements.allowedMoves(
                "status", ["initialized", "inProgress", "pendingUpdate", "rejected", "validated"], sample: Self.agreement) == [
                    "initialized>inProgress", "initialized>rejected", "inProgress>pendingUpdate", "inProgress>rejected",
                    "inProgress>validated", "pendingUpdate>inProgress", "pendingUpdate>rejected", "validated>pendingUpdate",
                ])
    }

    @Test("what may not be is refused")
    func refused() async throws {
        let rig = try await PrivacyRig()
        for name in ["agreedByParty", "partyPrivacyProfileCharacteristic", "partyPrivacyProfileSpecification"] {
            var sent = try TestResource.object(Self.profile)
            sent[name] = nil
            let body = JSONValue.object(sent).encoded()
            #expect(await TestResource.refusal { try await rig.profiles.create(body) } == "missing", "\(name)")
        }
        let scoped = TestResource(
            rig.profiles.resource, rig.test, Masking.lifted(TestTenant.principal([PrivacyPermissions.edit], regions: ["north"])))
        #expect(await TestResource.refusal { try await scoped.create(rig.profile([("sms", "MARKETING", "true")], customer: "70")) } == "out_of_reach")
        let profile = try await rig.profiles.create(Self.profile)
        #expect(await TestResource.refusal { try await rig.profiles.change(profile, #"{"creationDate":"2026-02-01T00:00:00Z"}"#) } == "fixed")
        #expect(await TestResource.refusal { try await rig.profiles.change(profile, #"{"status":"suspended"}"#) } == "unknown_state")
    }

    @Test("the customer page shows what counts, in both languages, to those who may see it", arguments: [Language.en, .zh])
    func panel(language: Language) async throws {
        let rig = try await PrivacyRig()
        try await rig.profiles.create(rig.profile([("sms", "MARKETING", "true"), ("any", "PROFILING", "false")]))
        let panel = try #require(rig.module.panels(rig.test.tenant).first)
        #expect(panel.permission == PrivacyPermissions.view)
        let principal = TestTenant.principal([PrivacyPermissions.view])
        let pages = try Pages(share: Checkout.share)
        func html(_ customer: Int64) async throws -> String {
            let request = PanelRequest(
                customers: [CustomerID(customer)], principal: principal, masking: Masking(principal), language: language,
                now: rig.test.clock.now(), assets: "")
            let content = try #require(try await rig.test.tenant.database.read { try panel.load(request, $0) })
            return pages.render(content.template, content.view, language)
        }
        let shown = try await html(7)
        for word in language == .en ? ["Marketing", "Text messages", "Agreed", "Profiling", "Refused"] : ["营销", "短信", "已同意", "画像分析", "已拒绝"] {
            #expect(shown.contains(word), "\(word)")
        }
        #expect(try await html(8).contains(language == .en ? "never agreed" : "从未表示同意"))
    }
}
