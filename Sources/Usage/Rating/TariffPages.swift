import HTTPTypes
import Kernel
import Platform
import Storage
import Web

/// The tariffs that months are rated by, and what a month comes to.
struct TariffPages: Sendable {
    static let path = "/usage/tariffs"
    static let manage = Permission("usage.rate")
    /// More lines than this are for the file, not for the page.
    static let summedMax = 50_000
    static let textMax = 60_000
    let service: @Sendable (Tenant) -> UsageService

    var endpoints: [Endpoint] {
        let manage = Route.Access.permission(Self.manage)
        return [
            Endpoint(.get, Self.path, manage, trace: .view, purpose: .administration) { call in
                try await page(call, error: nil, status: .ok)
            },
            Endpoint(
                .post, Self.path, manage, body: .form(["tariffs"]), trace: .change, purpose: .administration,
                effect: .acts, handler: set),
            Endpoint(
                .post, "\(Self.path)/removal", manage, body: .form(["name", "valid_from"]), trace: .change,
                purpose: .administration, effect: .acts, handler: remove),
            Endpoint(
                .get, "\(Self.path)/rated", manage, trace: .view, purpose: .administration, handler: download),
        ]
    }

    private func set(_ call: Call) async throws -> WebResponse {
        do {
            let tariffs = try TariffFile.read(
                text: try call.form.text("tariffs", max: Self.textMax), currency: call.tenant.currency)
            let (now, by) = (call.tenant.clock.now(), try call.principal().userName)
            return try await call.change { session in
                try TariffStore.set(tariffs, at: now, by: by, session)
                try call.record(TariffStore.setEntry(tariffs), session)
                return .redirect(Self.path).flash("usage.tariff.saved")
            }
        } catch let error as CRMError where error.status == 422 {
            return try await page(call, error: error, status: .unprocessableContent)
        }
    }

    private func remove(_ call: Call) async throws -> WebResponse {
        let name = try call.form.text("name", max: Tariff.nameMax)
        let month = try call.form.optionalText("valid_from", max: 7) ?? ""
        return try await call.change { session in
            try TariffStore.remove(name, from: month, session)
            try call.record(TariffStore.removeEntry(name, from: month), session)
            return .redirect(Self.path).flash("usage.tariff.removed")
        }
    }

    private func months(_ call: Call) throws -> (from: String, through: String)? {
        guard let from = call.request.query["month"]?.trimmed, !from.isEmpty else { return nil }
        let through = call.request.query["through"]?.trimmed ?? ""
        return try UsageRating.months(from: from, through: through.isEmpty ? from : through)
    }

    /// The months as CSV, line by line.
    private func download(_ call: Call) async throws -> WebResponse {
        let months = try months(call) ?? UsageRating.months(from: "", through: "")
        let (service, principal, masking) = (service(call.tenant), try call.principal(), try call.masking())
        let tariffs = try await call.read { try TariffStore.all($0) }
        guard !tariffs.isEmpty else { throw UsageService.noTariffs }
        try await call.recordView(UsageService.ratingEntry(months, tariff: nil, masking))
        let name = "rated-\(months.from)" + (months.through == months.from ? "" : "-\(months.through)") + ".csv"
        return .download(name: name, type: "text/csv; charset=utf-8") {
            let run = RatingRun(months, TariffBook(tariffs), service, principal)
            let file = RatingFile(run, masking)
            return { try await file.next() }
        }
    }

    private func page(_ call: Call, error: CRMError?, status: HTTPResponse.Status) async throws -> WebResponse {
        let tariffs = try await call.read { try TariffStore.all($0) }
        var problem = error
        var months: (from: String, through: String)?
        do { months = try self.months(call) } catch let error as CRMError { problem = problem ?? error }
        var report: RatingReport?
        var isMore = false
        if let months, !tariffs.isEmpty {
            let run = RatingRun(months, TariffBook(tariffs), service(call.tenant), try call.principal())
            while !(try await run.next()).isEmpty {
                if run.report.rated + run.report.unrated >= Self.summedMax {
                    isMore = true
                    break
                }
            }
            report = run.report
        }
        try await call.recordView(
            AuditEntry(
                "usage.tariffs.view", [], facts: months.map { ["month": .string($0.from)] } ?? [:]))
        let typed = error == nil ? "" : try call.form.optionalText("tariffs", max: Self.textMax) ?? ""
        var view: View = [
            "problem": .text(problem.map { ($0.fields.first?.message ?? $0.message)[call.language] }),
            "any": .bool(!tariffs.isEmpty), "tariffs": .list(tariffs.map { row($0, call) }), "typed": .text(typed),
            "example": .text(Self.example(call.tenant.currency)), "headings": .text(TariffFile.headings.joined(separator: ", ")),
            "month": .text(call.request.query["month"] ?? lastMonth(call)), "through": .text(call.request.query["through"] ?? ""),
        ]
        if let report, let months { view["report"] = .view(self.view(report, months, isMore: isMore, call)) }
        return call.page("usage/tariffs", title: call.text("usage.tariffs"), active: UsagePages.path, view, status: status)
    }

    private func lastMonth(_ call: Call) -> String {
        call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes).adding(months: -1).yearMonth
    }

    private static func example(_ currency: String) -> String {
        """
        name,monthly_fee,currency,minutes_included,messages_included,gb_included,per_minute,per_message,per_gb
        Basic,39.00,\(currency),200,100,10,0.15,0.10,5.00
        """
    }

    private func row(_ tariff: Tariff, _ call: Call) -> View {
        func money(_ minor: Int64) -> String { Money(minor: minor, currency: tariff.currency).displayed }
        func price(_ value: Int64) -> String { RatedWords.amount(value, tariff.currency) }
        let step =
            tariff.dataStepMB == 0
            ? call.text("usage.tariff.step.none")
            : call.text("usage.tariff.step") + " " + RatedWords.data(tariff.dataStepMB << 20)
        return [
            "name": .text(tariff.name), "validFrom": .text(tariff.validFrom),
            "from": .text(tariff.validFrom.isEmpty ? call.text("usage.tariff.always") : tariff.validFrom),
            "plans": .text(
                tariff.plans.isEmpty
                    ? nil
                    : tariff.plans.map { $0 == Tariff.others ? call.text("usage.tariff.others") : $0 }.joined(separator: ", ")),
            "fee": .text(money(tariff.fee)), "minutes": .text(RatedWords.grouped(tariff.minutes)),
            "messages": .text(RatedWords.grouped(tariff.messages)), "data": .text(RatedWords.data(tariff.megabytes << 20)),
            "perMinute": .text(price(tariff.perMinute)), "perMessage": .text(price(tariff.perMessage)),
            "perGigabyte": .text(price(tariff.perGigabyte)),
            "rounding": .text(call.text("usage.tariff.voice.\(tariff.voiceRounding.rawValue)") + " · " + step),
        ]
    }

    private func view(
        _ report: RatingReport, _ months: (from: String, through: String), isMore: Bool, _ call: Call
    ) -> View {
        let isOne = months.from == months.through
        return [
            "title": .text(isOne ? months.from : "\(months.from) – \(months.through)"),
            "file": .text("\(Self.path)/rated?month=\(months.from)" + (isOne ? "" : "&through=\(months.through)")),
            "isMore": .bool(isMore), "limit": .text(RatedWords.grouped(Int64(Self.summedMax))),
            "fromMonths": .text(report.fromMonths == 0 ? nil : RatedWords.grouped(Int64(report.fromMonths))),
            "none": .bool(report.rated + report.unrated == 0), "any": .bool(report.rated > 0),
            "sums": .list(
                report.tariffs.map { sum in
                    func money(_ minor: Int64) -> ViewValue { .text(Money(minor: minor, currency: sum.currency).displayed) }
                    return [
                        "tariff": .text(sum.tariff), "months": .text(RatedWords.grouped(Int64(sum.months))),
                        "fee": money(sum.fee), "calls": money(sum.calls), "messages": money(sum.messages),
                        "data": money(sum.data), "total": money(sum.total), "mean": money(sum.mean),
                    ]
                }),
            "anyWithout": .bool(report.unrated > 0),
            "without": .list(
                report.withoutTariff.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(20).map { plan, count in
                    [
                        "plan": .text(plan.isEmpty ? call.text("usage.rated.noPlan") : plan),
                        "count": .text(RatedWords.grouped(Int64(count))),
                    ]
                }),
        ]
    }
}

/// The pieces of the file one after another. Used by one task at a time.
package final class RatingFile: @unchecked Sendable {
    private let run: RatingRun
    private var csv: RatingCSV
    private var hasEnded = false

    package init(_ run: RatingRun, _ masking: Masking) {
        self.run = run
        csv = RatingCSV(masking)
    }

    /// `nil` at the end.
    package func next() async throws -> [UInt8]? {
        if hasEnded { return nil }
        let lines = try await run.next()
        hasEnded = lines.isEmpty
        for line in lines { csv.add(line) }
        let bytes = csv.take()
        return bytes.isEmpty ? nil : bytes
    }
}
