import Kernel
import Platform
import Storage

/// Measurements of the network as customers had it (speed tests, probes in apps), as a target of imports. They go the way of
/// every usage event: counted into the day of their line, seen once, then let go.
struct NetworkImportTarget: ImportTarget {
    static let sourceByName: SQL = "SELECT id FROM usage_source WHERE name = $1"

    let service: UsageService

    var entity: String { "network_experience" }
    var title: Words { Words(en: "Network experience", zh: "网络体验") }
    var takesAttributes: Bool { false }
    var needsMatchKey: Bool { true }
    var revertRefusal: Words? {
        Words(
            en: "Measurements cannot be taken back: they are counted into days, and the measurements themselves are not kept. Send a correction as a usage event (switchboard usage import).",
            zh: "测量数据无法撤销：已计入每日汇总，原始测量不再保留。请以使用事件方式发送更正（switchboard usage import）。")
    }

    static let fields: [ImportField] = [
        ImportField(
            "sample_id", Words(en: "Number of the measurement at the source", zh: "来源测量编号"), .text(200), required: true,
            canMatch: true, synonyms: ["sample", "measurement id", "test id", "event id", "id", "测量编号", "测速编号"]),
        ImportField(
            "msisdn", OwnerFields.msisdn.words, .phone, required: true, synonyms: OwnerFields.msisdn.synonyms),
        ImportField(
            "measured_at", Words(en: "Measured at", zh: "测量时间"), .time, required: true,
            synonyms: ["time", "timestamp", "date", "measured", "测速时间", "时间"]),
        ImportField(
            "speed_mbps", Words(en: "Speed (Mbit/s)", zh: "速率（Mbit/s）"), .decimal, required: true,
            synonyms: ["speed", "download", "download mbps", "throughput", "mbps", "下载速率", "速率"]),
        ImportField(
            "cell", Words(en: "Cell", zh: "小区"), .text(100), synonyms: ["cell id", "eci", "nci", "cgi", "小区编号", "基站"]),
    ]
    var fields: [ImportField] { Self.fields }

    func attributeFields(_ session: any SQLSession) throws -> [ImportField] { [] }
    func defineAttribute(title: String, kind: ImportFieldKind, _ session: any SQLSession) throws -> ImportField {
        throw CRMError.invalid(
            "columns", "no_attributes",
            Words(
                en: "Column “\(title)” cannot become a custom attribute: only customers have those. Leave it out.",
                zh: "列“\(title)”不能成为自定义属性（仅客户支持），请忽略该列。"))
    }
    func removeUnusedAttributes(
        _ keys: [String], principal: Principal, _ session: any SQLSession
    ) throws -> [Words] { [] }
    func holdsRecords(_ session: any SQLSession) throws -> Bool { false }
    func importer(_ options: ImportOptions, principal: Principal) -> any Importer {
        NetworkImporter(service: service, options: options, principal: principal)
    }

    func revertCreated(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], principal: Principal,
        _ session: any SQLSession
    ) throws -> [RevertIssue] { throw refused }
    func revertUpdated(
        _ records: [(CustomerID, undo: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue] { throw refused }

    private var refused: CRMError { .conflict("no_revert", revertRefusal ?? Words(en: "", zh: "")) }
}

private final class NetworkImporter: Importer {
    private let service: UsageService
    private let options: ImportOptions
    private let principal: Principal
    private let lines: LineCache
    private let print: UsagePrint

    init(service: UsageService, options: ImportOptions, principal: Principal) {
        self.service = service
        self.options = options
        self.principal = principal
        lines = LineCache(.number, countryCode: service.tenant.countryCode)
        print = UsagePrint(source: options.source)
    }

    private enum Step {
        case event(UsageEvent, CustomerID)
        case done(ImportOutcome)
    }

    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        let source = try session.first(NetworkImportTarget.sourceByName, [.text(options.source)]) {
            $0.id(0, UsageSourceKind.self)
        }
        return try steps(rows, source, session).map { step in
            switch step {
            case .event(_, let customer): .created(customer, revision: 0)
            case .done(let outcome): outcome
            }
        }
    }

    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome] {
        let source = try service.source(options.source, session)
        let steps = try steps(rows, source, session)
        let events = steps.compactMap { step -> UsageEvent? in
            if case .event(let event, _) = step { event } else { nil }
        }
        if !events.isEmpty {
            let chunk = UsageService.Chunk(number: 1, records: events.count, events: events, rejects: [], rejected: 0)
            _ = try service.take(
                chunk, source, lines,
                record: { [service, principal] in try service.tenant.audit.record($0, by: principal, $1) }, session)
        }
        return steps.map { step in
            switch step {
            case .event(_, let customer): .created(customer, revision: 0)
            case .done(let outcome): outcome
            }
        }
    }

    private func steps(
        _ rows: [ImportRow], _ source: UsageSourceID?, _ session: any SQLSession
    ) throws -> [Step] {
        let read = rows.map { row -> Result<UsageEvent, RecordRefusal> in
            do throws(RecordRefusal) { return .success(try event(row)) } catch { return .failure(error) }
        }
        let events = read.compactMap { try? $0.get() }
        let places = try service.base.lines(Set(events.map(\.line)).sorted(), .number, session)
        let prints = Set(events.map(\.fingerprint)).sorted()
        let known = try source.map { try service.index.find(prints, $0, session) } ?? [:]
        var seen: Set<UInt64> = []
        return read.map { result in
            switch result {
            case .failure(let refusal):
                return .done(.rejected(field: refusal.field, code: refusal.code, refusal.words))
            case .success(let event):
                guard let line = places[event.line] else {
                    return .done(
                        .rejected(
                            field: "msisdn", code: "unknown_number",
                            Words(en: "No customer has a line with this number.", zh: "没有客户拥有该号码。")))
                }
                guard known[event.fingerprint] == nil, seen.insert(event.fingerprint).inserted else {
                    return .done(.unchanged(line.customer))
                }
                return .event(event, line.customer)
            }
        }
    }

    private func event(_ row: ImportRow) throws(RecordRefusal) -> UsageEvent {
        func text(_ key: String) -> String? {
            if case .text(let text)? = row.values[key], !text.isEmpty { return text }
            return nil
        }
        guard let id = text("sample_id") else {
            throw RecordRefusal("sample_id", "no_key", en: "The number of the measurement is missing.", zh: "缺少测量编号。")
        }
        guard let line = text("msisdn") else {
            throw RecordRefusal("msisdn", "required", en: "The number is missing.", zh: "缺少手机号码。")
        }
        guard case .int(let at)? = row.values["measured_at"] else {
            throw RecordRefusal("measured_at", "required", en: "The time is missing.", zh: "缺少时间。")
        }
        let date = Instant(milliseconds: at).date(offsetMinutes: service.tenant.timeZoneOffsetMinutes)
        let day = Int32(clamping: date.daysSinceEpoch)
        guard day <= service.bounds.lastDay, day >= UsageParser.Bounds.firstDay else {
            throw RecordRefusal("measured_at", "range", en: "The time lies too far away.", zh: "时间超出范围。")
        }
        guard case .double(let speed)? = row.values["speed_mbps"], speed > 0,
            speed * 1_000 <= Double(UsageParser.Bounds.speedMax)
        else {
            throw RecordRefusal(
                "speed_mbps", "range", en: "A speed above 0 and up to 100,000 Mbit/s is expected.", zh: "速率应大于 0 且不超过 100000 Mbit/s。")
        }
        let cell = text("cell").map { UsagePrint.cell($0) & 63 }
        return UsageEvent(
            fingerprint: print.of(.sample, id), line: line, day: day,
            amount: UsageAmount(.sample, speed: Int64((speed * 1_000).rounded()), cell: cell), at: row.line)
    }
}
