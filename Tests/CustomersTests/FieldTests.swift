import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Customers

@Suite("customer fields")
struct FieldTests {
    @Test("each field of a customer and of a line has the words the audit log shows for it, and they are its own")
    func auditNames() throws {
        let texts = try Texts(share: Checkout.share)
        for field in CustomerFields.all {
            let words = try #require(texts.words["audit.name." + field.key], "\(field.key)")
            #expect(words == field.words, "\(field.key)")
        }
        for field in LineFields.all {
            let words = texts.words["audit.name.line." + field.key] ?? texts.words["audit.name." + field.key]
            #expect(words != nil, "\(field.key)")
        }
    }

    @Test(
        "contract terms are understood in both languages",
        arguments: [
            ("Month-to-month", 0), ("One year", 12), ("Two year", 24), ("24", 24), ("24个月", 24), ("一年", 12),
            ("2 years", 24),
            ("无合约", 0), ("36 months", 36),
        ])
    func contract(text: String, months: Int) throws {
        #expect(try ServiceWords.contractMonths(text) == months)
    }

    @Test("a contract term without a meaning is refused", arguments: ["for ever", "999 years", "99999999999999999999"])
    func noContract(text: String) {
        #expect(throws: FieldRefusal.self) { try ServiceWords.contractMonths(text) }
    }

    @Test(
        "reasons for leaving fall into groups",
        arguments: [
            ("Competitor made better offer", "competitor"), ("Price too high", "price"),
            ("Attitude of support person", "service"),
            ("Network reliability", "quality"), ("Product dissatisfaction", "product"), ("Moved", "moved"),
            ("Deceased", "deceased"),
            ("Don't know", "unknown"), ("Lack of affordable download/upload speed", "price"), ("资费太贵", "price"),
            ("信号不好", "quality"), ("携号转网", "competitor"), ("blue moon", "other"),
        ])
    func reasons(text: String, code: String) { #expect(LeaveReason.code(text).rawValue == code) }

    @Test(
        "whole months between dates",
        arguments: [
            ("2026-01-31", "2026-02-28", 1), ("2026-01-15", "2026-02-14", 0), ("2025-03-02", "2026-03-02", 12),
            ("2026-03-02", "2026-01-01", 0),
        ])
    func months(start: String, end: String, expected: Int) throws {
        #expect(monthsBetween(try #require(LocalDate(start)), try #require(LocalDate(end))) == expected)
    }

    @Test("names are put together as their language does")
    func names() {
        var chinese = Party(kind: .individual, displayName: "")
        chinese.rename { $0.familyName = "王" }
        chinese.rename { $0.givenName = "小明" }
        #expect(chinese.displayName == "王小明")
        var english = Party(kind: .individual, displayName: "")
        english.rename { $0.familyName = "Smith" }
        english.rename { $0.givenName = "John" }
        #expect(english.displayName == "John Smith")
        var given = Party(kind: .individual, displayName: "Johnny", familyName: "Smith")
        given.rename { $0.familyName = "Miller" }
        #expect(given.displayName == "Johnny")
    }

    @Test(
        "the smallest and the largest numbers are values or refusals for every kind of field, and never end the process",
        arguments: [
            "-9223372036854775808", "9223372036854775807", "-9223372036854775809", "-9223372036854775808.00",
            "9223372036854775807.99", "-999999999999.99", "1e308", "-1e308", "99999999999999999999999999",
        ])
    func extremes(text: String) throws {
        let kinds: [ImportFieldKind] = [
            .text(200), .integer, .decimal, .money, .boolean, .date, .phone, .email,
            .choice([ImportChoice("a", Words(en: "A", zh: "甲"))]),
        ]
        for kind in kinds {
            for currency in ["CNY", "JPY", "KWD"] {
                guard let value = try? FieldText.value(text, kind, countryCode: "86", currency: currency) else {
                    continue
                }
                _ = FieldText.text(value, kind, currency: currency)
            }
        }
        #expect(FieldText.minorUnits("-9223372036854775808", "CNY") == nil)
        #expect(FieldText.minorUnits("999999999999.99", "CNY") == 99_999_999_999_999)
    }

    @Test("no number that a field takes ends the process, where it is set and where lists are made of it")
    func extremeRecords() throws {
        let now = Instant(milliseconds: 1_700_000_000_000)
        let context = FieldContext(
            ids: IDGenerator(node: 1, clock: FrozenClock(now)), today: now.date(), currency: "CNY", source: "t")
        let values: [SQLValue] = [
            .int(Int64.min), .int(Int64.max), .int(Int64(0)), .double(1e308), .double(-1e308), .double(.infinity),
            .double(.nan),
            .bool(true), .text("9223372036854775807"), .text("-9223372036854775808"), .null,
        ]
        for field in CustomerFields.all {
            for value in values {
                var record = CustomerRecord(
                    id: CustomerID(1), party: Party(kind: .individual, displayName: "A"),
                    customer: Customer(since: now.date(), currency: "CNY", source: "t", createdAt: now))
                record.subscriptions = [
                    Subscription(id: SubscriptionID(1), service: .mobile, monthlyCharge: .max - 1, currency: "CNY")
                ]
                guard (try? field.set(&record, value, context)) != nil else { continue }
                _ = field.get(record, context)
                record.subscriptions.append(
                    record.subscriptions.first
                        ?? Subscription(
                            id: SubscriptionID(2), service: .mobile, monthlyCharge: .max, currency: "CNY"))
                _ = ListingRow(record, policy: .none, risk: nil)
                _ = PanelParts.rounded(record.monthlyCharge ?? 0, "CNY")
            }
        }
    }

    @Test("what a person types becomes a typed value or a refusal")
    func typed() throws {
        func value(_ text: String, _ kind: ImportFieldKind) throws -> SQLValue {
            try FieldText.value(text, kind, countryCode: "86", currency: "CNY")
        }
        #expect(try value(" ", .money) == .null)
        #expect(try value("1,234.5", .money) == .int(123_450))
        #expect(try value("-0.05", .money) == .int(-5))
        #expect(try value("138 1234 5678", .phone) == .text("+8613812345678"))
        #expect(try value("2026-02-28", .date) == .text("2026-02-28"))
        #expect(try value("是", .boolean) == .bool(true))
        for (text, kind) in [
            ("1.234", ImportFieldKind.money), ("12x", .integer), ("2026-02-30", .date), ("abc", .phone),
            ("perhaps", .boolean),
            ("x", .choice([])), ("abcdef", .text(5)), ("a\u{1b}b", .text(50)), ("inf", .decimal),
        ] {
            #expect(throws: FieldRefusal.self, "\(text)") { try value(text, kind) }
        }
    }

    @Test("reading a field gives back what was set, and taking it away leaves no trace")
    func roundTrip() throws {
        let clock = FrozenClock()
        let context = FieldContext(
            ids: IDGenerator(node: 1, clock: clock), today: clock.now().date(), currency: "CNY", source: "s")
        let blank = CustomerRecord(
            id: CustomerID(1), party: Party(kind: .individual, displayName: ""),
            customer: Customer(currency: "CNY", source: "s", createdAt: clock.now()))
        for field in CustomerFields.all where !field.derived {
            let sample: SQLValue =
                switch field.field.kind {
                case .text:
                    field.key == "contract_term"
                        ? .text("24") : field.key == "internet_service" ? .text("fibre") : .text("tv")
                case .integer, .money: .int(12)
                case .decimal: .double(12.5)
                case .boolean: .bool(true)
                case .date: .text("2026-01-31")
                case .time: .int(1_769_817_600_000)
                case .phone: .text("+8613812345678")
                case .email: .text("a@example.com")
                case .choice(let choices): .text(choices.last?.code ?? "")
                }
            var record = blank
            // These hang on another fact.
            if ["leave_reason", "competitor"].contains(field.key) { record.setLeft(true, context) }
            if field.key == "document_kind" {
                record.documents = [IdentityDocument(id: context.ids.next(), kind: .idCard, number: "1")]
            }
            let before = field.get(record, context)
            try field.set(&record, sample, context)
            let expected: SQLValue = field.key.hasPrefix("addon_") ? .null : sample
            #expect(field.get(record, context) == expected, "\(field.key)")
            guard before == .null else { continue }
            try field.set(&record, .null, context)
            record.dropEmptyLines()
            #expect(field.get(record, context) == .null, "\(field.key)")
        }
    }

    @Test("no two fields share a key, and every synonym belongs to one field only")
    func distinct() {
        let fields = CustomerFields.all.map(\.field)
        #expect(Set(fields.map(\.key)).count == fields.count)
        var owner: [String: String] = [:]
        for field in fields {
            for synonym in Set(field.synonyms.map { Folding.fold($0).filter { $0.isLetter || $0.isNumber } }) {
                #expect(owner[synonym] == nil || owner[synonym] == field.key, "\(synonym): \(field.key)")
                owner[synonym] = field.key
            }
        }
    }

    @Test("every column of the domain's tables has a label, and no label names a column that is not there")
    func labels() async throws {
        let test = try await TestTenant(["Customers"])
        let labelled = Dictionary(uniqueKeysWithValues: CustomerLabels.all.map { ($0.table, Set($0.columns.keys)) })
        #expect(try await TestSchema(test.tenant.database).columnsByTable(prefix: "customers_") == labelled)
    }
}
