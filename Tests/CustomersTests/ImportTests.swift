import Contracts
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers

@Suite("customer import")
struct ImportTests {
    /// A leaver as the IBM file has them.
    static let leaver: [String: SQLValue] = [
        "source_id": .text("3668-QPYBK"), "city": .text("Los Angeles"), "region": .text("California"),
        "latitude": .double(33.96), "longitude": .double(-118.27), "gender": .text("male"), "senior": .bool(false),
        "tenure_months": .int(2), "phone_service": .bool(true), "internet_service": .text("DSL"),
        "addon_online_security": .text("yes"), "addon_tech_support": .text("no"),
        "contract_term": .text("Month-to-month"), "paperless": .bool(true), "payment_method": .text("Mailed check"),
        "monthly_charge": .int(5385), "total_charges": .int(10815), "left": .bool(true),
        "leave_reason": .text("Competitor made better offer"),
    ]
    static let stayer: [String: SQLValue] = [
        "source_id": .text("7590-VHVEG"), "full_name": .text("王小明"), "phone": .text("+8613800001111"),
        "msisdn": .text("+8613812345678"), "plan": .text("5G 畅享 199"), "contract_term": .text("24 months"),
        "document_number": .text("110101199001017758"), "monthly_charge": .int(19900), "left": .bool(false),
    ]

    @Test("a row of a churn extract becomes a customer with place, lines, add-ons and the reason for leaving")
    func create() async throws {
        let bench = try await ImportBench()
        let outcomes = try await bench.apply([Self.leaver, Self.stayer])
        #expect(outcomes.map(\.name) == ["created", "created"])
        let id = try #require(outcomes[0].customer)
        let record = try #require(try await bench.record(id))
        #expect(record.customer.reference == "3668-QPYBK")
        #expect(record.customer.status == .churned)
        #expect(record.customer.hasLeft == true)
        #expect(record.outcome?.reasonCode == "competitor")
        #expect(record.outcome?.reasonText == "Competitor made better offer")
        #expect(record.subscriptions.map(\.service) == [.broadband, .fixedVoice])
        #expect(record.subscriptions.map(\.status) == [.terminated, .terminated])
        #expect(record.subscriptions[0].technology == "dsl")
        #expect(record.subscriptions[0].contractTerm == 0)
        #expect(record.subscriptions[0].monthlyCharge == 5385)
        #expect(record.subscriptions[0].addons.map(\.code) == ["online_security"])
        #expect(record.customer.paymentMethod == "mailed_check")
        #expect(record.addresses.first?.latitude == 33.96)
        // The clock stands at 2026-03-02, so two months of tenure began on 2026-01-02.
        #expect(record.customer.since == LocalDate("2026-01-02"))
        let second = try #require(outcomes[1].customer)
        let other = try #require(try await bench.record(second))
        #expect(other.party.displayName == "王小明")
        #expect(other.subscriptions.first?.service == .mobile)
        #expect(other.subscriptions.first?.contractTerm == 24)
        #expect(other.customer.hasLeft == false)
        #expect(other.monthlyCharge == 19900)
    }

    @Test("each chunk leaves one audit event and one outbox event")
    func trace() async throws {
        let bench = try await ImportBench()
        _ = try await bench.apply([Self.leaver, Self.stayer])
        #expect(try await bench.test.auditCount("customers.customer.import") == 1)
        #expect(try await bench.count("SELECT COUNT(*) FROM storage_outbox_event") == 1)
        #expect(try await bench.count("SELECT COUNT(*) FROM platform_audit_subject") == 2)
    }

    @Test("the same file again changes nothing")
    func again() async throws {
        let bench = try await ImportBench()
        let first = try await bench.apply([Self.leaver, Self.stayer])
        let id = try #require(first[1].customer)
        let before = try await bench.record(id)
        let second = try await bench.apply([Self.leaver, Self.stayer])
        #expect(second.map(\.name) == ["unchanged", "unchanged"])
        #expect(try await bench.record(id) == before)
    }

    @Test("an update names exactly the fields that changed, and the dry run says the same beforehand")
    func update() async throws {
        let bench = try await ImportBench()
        let id = try #require(try await bench.apply([Self.stayer])[0].customer)
        var row = Self.stayer
        row["monthly_charge"] = .int(12900)
        row["plan"] = .text("畅享 129")
        row["phone"] = .text("+8613800002222")
        let planned = try await bench.plan([row])
        #expect(planned.map(\.name) == ["updated phone,plan,monthly_charge"])
        let done = try await bench.apply([row])
        #expect(done.map(\.name) == ["updated phone,plan,monthly_charge"])
        let record = try #require(try await bench.record(id))
        #expect(record.customer.revision == 2)
        #expect(record.monthlyCharge == 12900)
        #expect(try await bench.count("SELECT COUNT(*) FROM customers_listing WHERE monthly_charge = 12900") == 1)
        // The old number finds nobody any more.
        let old = try await bench.test.tenant.database.read { [principal = bench.principal] in
            try CustomerSearch.find("13800001111", limit: 5, principal, $0)
        }
        #expect(old.isEmpty)
    }

    @Test("a dry run writes nothing")
    func dryRun() async throws {
        let bench = try await ImportBench()
        #expect(try await bench.plan([Self.leaver, Self.stayer]).map(\.name) == ["created", "created"])
        #expect(try await bench.everything().values.allSatisfy { $0 == 0 })
    }

    @Test("rows that cannot be taken are rejected with field and reason and leave nothing behind")
    func reject() async throws {
        let bench = try await ImportBench()
        var term = Self.stayer
        term["contract_term"] = .text("for ever")
        var born = Self.leaver
        born["birth_date"] = .text("2031-01-01")
        var place = Self.leaver
        place["latitude"] = .double(133)
        var cheap = Self.leaver
        cheap["monthly_charge"] = .int(-5)
        let outcomes = try await bench.apply([term, born, place, cheap, ["source_id": .null], ["city": .text("X")]])
        #expect(
            outcomes.map(\.name) == [
                "rejected contract_term contract_term", "rejected birth_date birth_date", "rejected latitude latitude",
                "rejected monthly_charge monthly_charge", "rejected source_id match_missing",
                "rejected source_id match_missing",
            ])
        let nobody = try await bench.apply([["city": .text("X")]], match: nil)
        #expect(nobody.map(\.name) == ["rejected source_id nobody"])
        #expect(try await bench.everything().values.allSatisfy { $0 == 0 })
    }

    @Test("a repeated customer number or mobile number is a collision, inside the file and with the base")
    func collisions() async throws {
        let bench = try await ImportBench()
        var twin = Self.leaver
        twin["city"] = .text("Elsewhere")
        var number = Self.leaver
        number["source_id"] = .text("OTHER")
        number["msisdn"] = Self.stayer["msisdn"]
        // Somebody in service; a number whose line has ended may be given to the next customer.
        number["left"] = .bool(false)
        number["leave_reason"] = nil
        let outcomes = try await bench.apply([Self.stayer, Self.leaver, twin, number])
        #expect(
            outcomes.map(\.name) == [
                "created", "created", "rejected source_id duplicate_in_file", "rejected msisdn duplicate_in_file",
            ])
        if case .rejected(_, _, let words) = outcomes[2] { #expect(words.en.contains("line 3")) }
        let later = try await bench.apply([number])
        #expect(later.map(\.name) == ["rejected msisdn taken"])
        let unmatched = try await bench.apply([Self.leaver], match: nil)
        #expect(unmatched.map(\.name) == ["rejected source_id taken"])
    }

    @Test("the options decide whether new customers are made and known ones changed")
    func options() async throws {
        let bench = try await ImportBench()
        #expect(try await bench.apply([Self.leaver], creates: false).map(\.name) == ["rejected source_id no_match"])
        _ = try await bench.apply([Self.leaver])
        var row = Self.leaver
        row["city"] = .text("San Diego")
        #expect(try await bench.apply([row], updates: false).map(\.name) == ["unchanged"])
        #expect(try await bench.apply([row]).map(\.name) == ["updated city"])
    }

    @Test("a regional clerk neither changes nor creates customers elsewhere")
    func scope() async throws {
        let bench = try await ImportBench()
        _ = try await bench.apply([Self.leaver])
        let clerk = TestTenant.principal([CustomerPermissions.view], regions: ["浙江"])
        var row = Self.leaver
        row["city"] = .text("San Diego")
        #expect(try await bench.apply([row], as: clerk).map(\.name) == ["rejected source_id out_of_scope"])
        row["source_id"] = .text("NEW")
        #expect(try await bench.apply([row], as: clerk).map(\.name) == ["rejected region out_of_scope"])
    }

    @Test("where a file names cities only, who has no region gets that of the city; a region that is known stays")
    func cities() async throws {
        let bench = try await ImportBench()
        let old = try await bench.apply([["source_id": .text("C0"), "full_name": .text("甲"), "region": .text("浙江省")]])
        let rows: [[String: SQLValue]] = [
            ["source_id": .text("C0"), "city": .text("深圳")],
            ["source_id": .text("C1"), "full_name": .text("乙"), "city": .text("杭州市")],
            ["source_id": .text("C2"), "full_name": .text("丙"), "city": .text("Springfield")],
        ]
        let new = try await bench.apply(rows)
        #expect(new.map(\.name) == ["updated city", "created", "created"])
        #expect(try await bench.record(try #require(old[0].customer))?.customer.region == "浙江省")
        #expect(
            try await bench.record(try #require(new[1].customer))?.customer.region == "浙江省", "as it is written already")
        #expect(try await bench.record(try #require(new[2].customer))?.customer.region == nil)
        let clerk = TestTenant.principal([CustomerPermissions.view], regions: ["浙江"])
        let far: [String: SQLValue] = ["source_id": .text("C9"), "full_name": .text("丁"), "city": .text("深圳")]
        #expect(try await bench.apply([far], as: clerk).map(\.name) == ["rejected region out_of_scope"])
    }

    @Test("where regions are other than provinces, a city gives none")
    func ownRegions() async throws {
        let bench = try await ImportBench()
        _ = try await bench.apply([["source_id": .text("C0"), "full_name": .text("甲"), "region": .text("East")]])
        let new = try await bench.apply([["source_id": .text("C1"), "full_name": .text("乙"), "city": .text("杭州")]])
        #expect(try await bench.record(try #require(new[0].customer))?.customer.region == nil)
    }

    @Test("a document number finds an existing customer when it is the match key")
    func byDocument() async throws {
        let bench = try await ImportBench()
        let id = try await bench.apply([Self.stayer])[0].customer
        let found = try await bench.apply(
            [["document_number": .text("110101199001017758"), "city": .text("杭州")]], match: "document_number",
            source: "crm2")
        #expect(found.map(\.name) == ["updated city,region"])
        #expect(found[0].customer == id)
    }

    @Test("another source's number is kept beside the first, and both find the customer")
    func secondSource() async throws {
        let bench = try await ImportBench()
        let id = try #require(try await bench.apply([Self.stayer])[0].customer)
        let row: [String: SQLValue] = ["msisdn": .text("+8613812345678"), "source_id": .text("B-77")]
        let outcome = try await bench.apply([row], match: "msisdn", source: "billing")
        #expect(outcome.map(\.name) == ["updated source_id"])
        let record = try #require(try await bench.record(id))
        #expect(record.customer.reference == "7590-VHVEG")
        #expect(record.sourceIDs == ["ibm": "7590-VHVEG", "billing": "B-77"])
        for number in ["7590-VHVEG", "b-77"] {
            let found = try await bench.test.tenant.database.read { [principal = bench.principal] in
                try CustomerSearch.find(number, limit: 5, principal, $0)
            }
            #expect(found == [id])
        }
    }

    @Test("a number goes over to its next holder once the line has ended, and never while it stands")
    func recycledNumber() async throws {
        let bench = try await ImportBench()
        let number = SQLValue.text("+8613900000001")
        let old: [String: SQLValue] = [
            "source_id": .text("A"), "msisdn": number, "subscription_status": .text("terminated"),
        ]
        let new: [String: SQLValue] = ["source_id": .text("B"), "msisdn": number, "plan": .text("X")]
        // Together in one file, and again.
        #expect(try await bench.apply([old, new]).map(\.name) == ["created", "created"])
        #expect(try await bench.apply([old, new]).map(\.name) == ["unchanged", "unchanged"])
        let third: [String: SQLValue] = ["source_id": .text("C"), "msisdn": number]
        #expect(try await bench.apply([third]).map(\.name) == ["rejected msisdn taken"])
        // The second holder leaves; the number is given out once more.
        var left = new
        left["left"] = .bool(true)
        #expect(try await bench.apply([left])[0].name.hasPrefix("updated left"))
        #expect(try await bench.apply([third]).map(\.name) == ["created"])
        let holder = try await bench.test.tenant.database.read { session in
            try IdentifierStore.owners([.msisdn("+8613900000001")], session).values.first
        }
        #expect(try await bench.record(try #require(holder))?.customer.reference == "C")
        // Back with the old number: it is somebody else's now.
        #expect(
            try await bench.apply([new.merging(["left": .bool(false)]) { _, b in b }]).map(\.name) == [
                "rejected msisdn taken"
            ])
    }

    @Test("leavers are found by the number they had, so that the same file again changes nothing")
    func leaverByNumber() async throws {
        let bench = try await ImportBench()
        var row = Self.leaver
        row["source_id"] = nil
        row["msisdn"] = .text("+8613900000002")
        #expect(try await bench.apply([row], match: "msisdn").map(\.name) == ["created"])
        #expect(try await bench.apply([row], match: "msisdn").map(\.name) == ["unchanged"])
    }

    // MARK: Revert

    @Test("reverting creates removes every row of them")
    func revertCreated() async throws {
        let bench = try await ImportBench()
        let field = try await bench.test.tenant.database.write { [target = bench.target] in
            try target.defineAttribute(title: "CLTV", kind: .integer, $0)
        }
        var row = Self.stayer
        row[field.key] = .int(3239)
        let outcomes = try await bench.apply([Self.leaver, row])
        let made = outcomes.compactMap { outcome -> (CustomerID, revision: Int64, undo: [ImportChange])? in
            if case .created(let id, let revision, let undo) = outcome { (id, revision, undo) } else { nil }
        }
        let issues = try await bench.test.tenant.database.write { [target = bench.target, who = bench.principal] in
            try target.revertCreated(made, principal: who, $0)
        }
        #expect(issues.isEmpty)
        let left = try await bench.everything()
        #expect(left.values.allSatisfy { $0 == 0 }, "\(left)")
        let events = try await bench.test.tenant.database.read { session in
            try session.query("SELECT payload FROM storage_outbox_event ORDER BY id DESC LIMIT 1") { $0.text(0) }
        }
        #expect(events.first?.contains("removed") == true)
    }

    @Test("a created customer that somebody changed since is kept and named")
    func revertChanged() async throws {
        let bench = try await ImportBench()
        let id = try #require(try await bench.apply([Self.stayer])[0].customer)
        var row = Self.stayer
        row["plan"] = .text("畅享 129")
        _ = try await bench.apply([row])
        let issues = try await bench.test.tenant.database.write { [target = bench.target, who = bench.principal] in
            var memory = RevertMemory()
            let told = try #require(
                try target.forecastRevert(created: [(id, revision: 1, undo: [])], updated: [], &memory, $0))
            #expect(told.removed == 0 && told.issues.map(\.customer) == [id])
            return try target.revertCreated([(id, revision: 1, undo: [])], principal: who, $0)
        }
        #expect(issues.map(\.customer) == [id])
        #expect(try await bench.record(id) != nil)
    }

    @Test("reverting updates gives back what still stands and names what does not")
    func revertUpdated() async throws {
        let bench = try await ImportBench()
        let id = try #require(try await bench.apply([Self.stayer])[0].customer)
        var row = Self.stayer
        row["plan"] = .text("畅享 129")
        row["city"] = .text("杭州")
        let undo = try await bench.apply([row])[0].undo
        var later = row
        later["city"] = .text("宁波")
        _ = try await bench.apply([later])
        let issues = try await bench.test.tenant.database.write { [target = bench.target, who = bench.principal] in
            var memory = RevertMemory()
            let told = try #require(try target.forecastRevert(created: [], updated: [(id, undo: undo)], &memory, $0))
            #expect(told.restored == 1 && told.issues.map(\.field) == ["city"])
            return try target.revertUpdated([(id, undo: undo)], principal: who, $0)
        }
        #expect(issues.map(\.field) == ["city"])
        let record = try #require(try await bench.record(id))
        #expect(record.subscriptions.first?.plan == "5G 畅享 199")
        #expect(record.customer.city == "宁波")
    }

    @Test("two imports reverted in turn leave nothing, as if they had never been")
    func revertBoth() async throws {
        let bench = try await ImportBench()
        var bare = Self.stayer
        for key in ["msisdn", "plan", "contract_term", "monthly_charge"] { bare[key] = nil }
        let first = try await bench.apply([bare, Self.leaver])
        let ids = first.compactMap(\.customer)
        let before = try await bench.test.tenant.database.read { try CustomerLoader.records(ids, $0) }
        // The stayer gets a line, broadband and leaves; the leaver has stayed after all.
        var one = Self.stayer
        one["internet_service"] = .text("Fiber optic")
        one["left"] = .bool(true)
        one["left_on"] = .text("2026-02-20")
        one["leave_reason"] = .text("Price too high")
        var two = Self.leaver
        two["left"] = .bool(false)
        two["leave_reason"] = nil
        two["addon_tech_support"] = .text("yes")
        let second = try await bench.apply([one, two])
        #expect(second.allSatisfy { $0.name.hasPrefix("updated") })
        let undo = second.compactMap { outcome -> (CustomerID, undo: [ImportChange])? in
            outcome.customer.map { ($0, outcome.undo) }
        }
        let issues = try await bench.test.tenant.database.write { [target = bench.target, who = bench.principal] in
            try target.revertUpdated(undo, principal: who, $0)
        }
        #expect(issues.isEmpty, "\(issues)")
        let after = try await bench.test.tenant.database.read { try CustomerLoader.records(ids, $0) }
        for (old, new) in zip(before, after) {
            let today = bench.test.clock.now().date()
            let context = FieldContext(ids: bench.test.tenant.ids, today: today, currency: "CNY", source: "ibm")
            #expect(CustomerFields.changes(from: old, to: new, context).isEmpty)
            #expect(old.subscriptions.count == new.subscriptions.count)
            #expect(old.customer.revision == new.customer.revision)
        }
        let gone = try await bench.test.tenant.database.write { [target = bench.target, who = bench.principal] in
            try target.revertCreated(ids.map { ($0, revision: 1, undo: []) }, principal: who, $0)
        }
        #expect(gone.isEmpty)
        let left = try await bench.everything()
        #expect(left.values.allSatisfy { $0 == 0 }, "\(left)")
    }

    // MARK: Attributes

    @Test("a column nobody mapped becomes a typed attribute that is hidden until it is labelled")
    func attributes() async throws {
        let bench = try await ImportBench()
        let (target, tenant) = (bench.target, bench.test.tenant)
        let fields = try await tenant.database.write { session in
            [
                try target.defineAttribute(title: "Churn Score", kind: .integer, session),
                try target.defineAttribute(title: "Churn  score", kind: .integer, session),
                try target.defineAttribute(title: "客户等级", kind: .text(100), session),
                try target.defineAttribute(title: "Churn Score", kind: .text(100), session),
            ]
        }
        #expect(fields.map(\.key) == ["attr.churn_score", "attr.churn_score", "attr.客户等级", "attr.churn_score_text"])
        #expect(try await tenant.database.read { try target.attributeFields($0).count } == 3)
        let all = try await tenant.database.read { try AttributeStore.all($0) }
        #expect(all.allSatisfy { $0.mask == .full && !$0.labelled })
        var row = Self.leaver
        row["attr.churn_score"] = .int(86)
        let id = try #require(try await bench.apply([row])[0].customer)
        #expect(try await bench.record(id)?.attributes[all[0].id] == .integer(86))
        row["attr.churn_score"] = .int(12)
        let outcome = try await bench.apply([row])[0]
        #expect(outcome.name == "updated attr.churn_score")
        let issues = try await tenant.database.write { [who = bench.principal] in
            try target.revertUpdated([(id, undo: outcome.undo)], principal: who, $0)
        }
        #expect(issues.isEmpty)
        #expect(try await bench.record(id)?.attributes[all[0].id] == .integer(86))
    }

    @Test("the headers of the public extracts and of Chinese billing files are among the synonyms")
    func synonyms() {
        func fold(_ text: String) -> String { Folding.fold(text).filter { $0.isLetter || $0.isNumber } }
        var owner: [String: String] = [:]
        for field in CustomerFields.all.map(\.field) {
            for name in [field.words.en, field.words.zh, field.key] + field.synonyms where owner[fold(name)] == nil {
                owner[fold(name)] = field.key
            }
        }
        let expected = [
            "CustomerID": "source_id", "客户编号": "source_id", "手机号": "msisdn", "Monthly Charges": "monthly_charge",
            "月租": "monthly_charge", "Churn Label": "left", "Churn Reason": "leave_reason", "Latitude": "latitude",
            "Zip Code": "postcode", "State": "region", "Tenure Months": "tenure_months", "Contract": "contract_term",
            "Senior Citizen": "senior", "SeniorCitizen": "senior", "Paperless Billing": "paperless",
            "Streaming TV": "addon_streaming_tv", "Multiple Lines": "addon_multiple_lines", "姓名": "full_name",
            "first_name": "given_name", "reg_date": "start_date", "churn_date": "left_on", "tariff": "plan",
            "证件号码": "document_number", "套餐名称": "plan", "Internet Service": "internet_service",
        ]
        for (header, key) in expected { #expect(owner[fold(header)] == key, "\(header)") }
    }
}
