import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing

@testable import Customers
@testable import Usage

/// Tariffs as data, and what months come to by them.
@Suite("Tariffs")
struct TariffTests {
    private static let gigabyte: Int64 = 1 << 30

    private func use(calls seconds: [Int64] = [], messages: Int64 = 0, bytes: Int64 = 0) -> MonthUse {
        var use = MonthUse()
        use.voiceMs = seconds.reduce(0, +) * 1_000
        use.billedMinutes = seconds.reduce(0) { $0 + ($1 + 59) / 60 }
        use.messages = messages
        use.dataBytes = bytes
        return use
    }

    private func surf() throws -> Tariff {
        try #require(
            TariffFile.read(
                text: """
                    messages_included,mb_per_month_included,minutes_included,usd_monthly_pay,usd_per_gb,usd_per_message,usd_per_minute,plan_name
                    50,15360,500,20,10,0.03,0.03,surf
                    """, currency: "CNY"
            ).first)
    }

    @Test("calls round up one by one, by the month or not at all; data by its step; the allowance goes off what was rounded")
    func rounding() throws {
        var tariff = try surf()
        #expect(tariff.currency == "USD" && tariff.fee == 2_000 && tariff.perMinute == 3_000 && tariff.perGigabyte == 1_000_000)
        tariff.minutes = 1
        let calls = use(calls: [61, 61, 0])
        #expect(tariff.rate(calls).voice == .init(used: 240_000, included: 60_000, beyond: 180_000, amount: 9))
        tariff.voiceRounding = .month
        #expect(tariff.rate(calls).voice.beyond == 120_000 && tariff.rate(calls).total == 2_006)
        tariff.voiceRounding = .none
        // 62 s beyond at 0.03 a minute are 0.031: three cents.
        #expect(tariff.rate(calls).voice == .init(used: 122_000, included: 60_000, beyond: 62_000, amount: 3))
        // 15.2 GB with 15 included is a gigabyte; a byte more than 15 too.
        for bytes in [15 * Self.gigabyte + Self.gigabyte / 5, 15 * Self.gigabyte + 1] {
            #expect(tariff.rate(use(bytes: bytes)).data.amount == 1_000)
        }
        #expect(tariff.rate(use(bytes: 15 * Self.gigabyte)).data.amount == 0)
        tariff.dataStepMB = 0
        #expect(tariff.rate(use(bytes: 15 * Self.gigabyte + Self.gigabyte / 2)).data.amount == 500)
        #expect(tariff.rate(use(messages: 51)).messages.amount == 3 && tariff.rate(use(messages: 50)).total == 2_000)
    }

    @Test("what a month comes to never falls with more use, and is the sum of its parts, up to amounts no bill has (seeded)", arguments: 1...40)
    func property(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var tariff = Tariff(name: "t", currency: "CNY")
        tariff.fee = Int64.random(in: 0...100_000, using: &random)
        tariff.minutes = Int64.random(in: 0...1_000, using: &random)
        tariff.messages = Int64.random(in: 0...100, using: &random)
        tariff.megabytes = Int64.random(in: 0...50_000, using: &random)
        tariff.perMinute = Int64.random(in: 0...1_000_000, using: &random)
        tariff.perMessage = Int64.random(in: 0...1_000_000, using: &random)
        tariff.perGigabyte = Int64.random(in: 0...1_000_000_000_000, using: &random)
        tariff.dataStepMB = [0, 1, 100, 1_024].randomElement(using: &random) ?? 0
        tariff.voiceRounding = Tariff.VoiceRounding.allCases.randomElement(using: &random) ?? .call
        var month = use()
        var last = tariff.rate(month).total
        #expect(last == tariff.fee, "seed \(seed)")
        for _ in 0..<50 {
            let seconds = Int64.random(in: 0...10_000, using: &random)
            month.voiceMs += seconds * 1_000
            month.billedMinutes += (seconds + 59) / 60
            month.messages += Int64.random(in: 0...20, using: &random)
            month.dataBytes += Int64.random(in: 0...(Self.gigabyte << 12), using: &random)
            let rated = tariff.rate(month)
            #expect(rated.total >= last, "seed \(seed)")
            #expect(rated.total == rated.fee + rated.voice.amount + rated.messages.amount + rated.data.amount)
            #expect(rated.voice.used >= month.voiceMs && rated.data.used >= month.dataBytes)
            last = rated.total
        }
    }

    @Test("a plan finds its tariff without case, width and spaces; the one that began last, another name of it, or the one for all others")
    func book() throws {
        let all = try TariffFile.read(
            text: """
                套餐名称,生效月份,适用套餐,月费,包含流量GB,超出每GB
                畅享 59,,ChangXiang59;59元套餐,59.00,10,5
                畅享 59,2026-03,59元套餐,49,20,3
                其他,,*,0,,
                """, currency: "CNY")
        let book = TariffBook(all)
        try book.check()
        func fee(_ plan: String?, _ month: String) -> Int64? { book.tariff(of: plan, in: month)?.fee }
        #expect(fee("畅享 59", "2026-02") == 5_900 && fee(" 畅享  59 ", "2026-03") == 4_900 && fee("５９元套餐", "2026-12") == 4_900)
        #expect(fee("CHANGXIANG59", "2026-12") == 5_900, "the later tariff does not name it")
        #expect(fee("nothing", "2026-01") == 0 && fee(nil, "2026-01") == 0)
        #expect(TariffBook(Array(all.prefix(2))).tariff(of: "nothing", in: "2026-01") == nil)
        #expect(TariffBook(all, only: "畅享 59").tariff(of: "nothing", in: "2026-04")?.fee == 4_900)
        let twice = all + (try TariffFile.read(text: "name,monthly_fee,plans\nother,1,59元套餐\n", currency: "CNY"))
        #expect(throws: CRMError.self) { try TariffBook(twice).check() }
    }

    @Test("half a gigabyte is 512 MB and rated so; what is no whole number of MB is refused and not rounded")
    func halfGigabyte() throws {
        let tariffs = try TariffFile.read(
            text: "name,monthly_fee,gb_included,per_gb,data_step_mb\nhalf,9,0.5,10,0\nmore,9,1.25,10,0\nwhole,9,\"2\",10,0\n",
            currency: "CNY")
        #expect(tariffs.map(\.megabytes) == [512, 1_280, 2_048])
        var use = MonthUse()
        use.dataBytes = 1 << 30
        let rated = try #require(tariffs.first).rate(use)
        #expect(rated.data.included == 512 << 20 && rated.data.beyond == 512 << 20 && rated.data.amount == 500)
        for (value, word) in [("0.3", "no whole number of MB"), ("half", "not “half”"), ("-1", "not “-1”"), ("1000001", "1,000,000")] {
            let error = #expect(throws: CRMError.self) {
                _ = try TariffFile.read(text: "name,monthly_fee,gb_included\nx,1,\(value)\n", currency: "CNY")
            }
            let words = error?.fields.first?.message
            #expect(words?.en.contains(word) == true && words?.zh.contains("第 2 行“gb_included”列") == true, "\(String(describing: words))")
        }
    }

    @Test("a table of tariffs that cannot be read says in which row and column, and what is expected")
    func refused() {
        func words(_ text: String) -> String {
            do {
                return "read: \(try TariffFile.read(text: text, currency: "CNY").count)"
            } catch let error as CRMError {
                return error.fields.first?.message.en ?? error.message.en
            } catch { return "\(error)" }
        }
        #expect(words("") == "There is no tariff in it." && words("name,monthly_fee\n") == "There is no tariff in it.")
        #expect(words("name\nx\n").contains("A column monthly_fee is needed"))
        #expect(words("name,monthly_fee,colour\nx,1,red\n").contains("“colour” means nothing"))
        #expect(words("name,monthly_fee\nx,1.001\n") == "Row 2, column “monthly_fee”: an amount with at most 2 decimals is expected, not “1.001”.")
        #expect(words("name,monthly_fee,per_minute\nx,1,0.00001\nx,1,0.000001\n").contains("Row 3, column “per_minute”"))
        #expect(words("name,monthly_fee,minutes_included\nx,1,many\n").contains("a whole number is expected, not “many”"))
        #expect(words("name,monthly_fee\nx,\n").contains("a fee is expected") && words("name,monthly_fee\n,1\n").contains("a name of 1 to 80"))
        #expect(words("name,monthly_fee,valid_from\nx,1,soon\n").contains("a month is expected"))
        #expect(words("name,monthly_fee,voice_rounding\nx,1,up\n").contains("call, month or none"))
        #expect(words("name,monthly_fee\nx,1\nX,2\n").contains("stands there twice"))
        #expect(words("name,monthly_fee\nx,-1\n").contains("Row 2") && words("name,monthly_fee\nx,1\ny,2\n") == "read: 2")
    }

    @Test("every line of a month is rated once over steps, as its days say; lines of other regions are nobody's, plans without a tariff are told")
    func rating() async throws {
        let world = try await UsageWorld()
        let count = UsageRating.stepRows + 7
        let plans = ["surf", "SURF", "other"]
        let all = (0..<count).map { number in
            ImportRow(
                line: number + 2,
                values: [
                    "source_id": .text("\(number)"), "full_name": .text("N \(number)"), "plan": .text(plans[number % 3]),
                    "region": .text(number % 2 == 0 ? "east" : "west"),
                ])
        }
        let sound = world.test.tenant
        _ = try await sound.database.write { session in
            try CustomerImportTarget(sound).importer(
                ImportOptions(matchKey: "source_id", source: "s"), principal: UsageWorld.principal
            ).applyWhole(all, session)
        }
        let rows = (0..<count).map { "\($0),\($0),2026-01-03 10:00:00,61" } + (0..<count).map { "x\($0),\($0),2026-02-03 10:00:00,1" }
        let report = try await world.take(
            try world.write("calls.csv", "id,user_id,start,seconds\n" + rows.joined(separator: "\n") + "\n"))
        #expect(report.taken == 2 * count)
        var tariff = try surf()
        tariff.minutes = 0
        func rated(_ through: String, _ principal: Principal) async throws -> (lines: [RatedLine], report: RatingReport) {
            let run = try await world.service.rate(from: "2026-01", through: through, book: [tariff], principal: principal)
            var lines: [RatedLine] = []
            while case let more = try await run.next(), !more.isEmpty { lines += more }
            return (lines, run.report)
        }
        let one = try await rated("2026-01", UsageWorld.principal)
        #expect(one.lines.count == count && Set(one.lines.map(\.month.total.line)).count == count)
        #expect(one.report.tariffs.map(\.total) == [Int64(one.report.rated) * 2_006] && one.report.withoutTariff == ["other": count / 3])
        let both = try await rated("2026-02", UsageWorld.principal)
        #expect(both.lines.count == 2 * count && both.report.tariffs.map(\.total) == [Int64(one.report.rated) * (2_006 + 2_003)])
        let east = TestTenant.principal([UsageModule.view], roles: [.supervisor], regions: ["east"])
        #expect(try await rated("2026-01", east).lines.count == (count + 1) / 2)
        await #expect(throws: CRMError.self) { _ = try await rated("2029-02", UsageWorld.principal) }
        await #expect(throws: CRMError.self) {
            _ = try await world.service.rate(from: "2026-01", through: "2026-01", book: nil, principal: UsageWorld.principal)
        }
    }

    /// A customer with so many lines, each with use in one month.
    private struct ManyLines: UsageBase {
        let count: Int64
        func lines(_ names: [String], _ naming: LineNaming, _ session: any SQLSession) throws -> [String: LineRef] { [:] }
        func existing(_ lines: [LineRef], _ session: any SQLSession) throws -> Set<LineRef> { [] }
        func store(_ months: [UsageMonthTotal], _ session: any SQLSession) throws {}
        func months(_ question: LineMonthQuestion, for principal: Principal, _ session: any SQLSession) throws -> [LineMonth] {
            let first = (question.after?.line.subscription.rawValue ?? 0) + 1
            guard first <= count else { return [] }
            return (first...min(count, first + Int64(question.limit) - 1)).map { number in
                LineMonth(
                    total: UsageMonthTotal(
                        line: LineRef(customer: CustomerID(1), subscription: SubscriptionID(number)), month: "2026-01", voiceMinutes: 1, sms: 0,
                        dataMB: 0, roamingMB: 0, calls: 1, droppedCalls: 0, speed: nil),
                    plan: "surf", number: nil, reference: nil)
            }
        }
    }

    @Test(
        "all lines of a customer are rated for the page, each once; when there are too many it is said",
        arguments: [(0, true), (1, true), (499, true), (500, true), (1_234, true), (2_499, true), (2_500, true), (2_501, false), (9_000, false)])
    func manyLines(count: Int, isWhole: Bool) async throws {
        let test = try await TestTenant(["Usage"])
        let tariff = try surf()
        try await test.tenant.database.write { try TariffStore.set([tariff], at: test.clock.now(), by: "test", $0) }
        let rating = UsageMonthRating(base: ManyLines(count: Int64(count)))
        let rated = try await test.tenant.database.read {
            try rating.rated([CustomerID(1)], from: "2026-01", through: "2026-12", for: TestTenant.principal([]), $0)
        }
        #expect(rated.isWhole == isWhole)
        #expect(rated.months.count == (isWhole ? count : 2_500))
        #expect(rated.months.allSatisfy { $0.total == Money(minor: 2_000, currency: "USD") })
    }
}
