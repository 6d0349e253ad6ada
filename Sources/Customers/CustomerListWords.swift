import Kernel
import Platform
import Web

/// The customer list in words: rows for the page and cells for the export.
struct CustomerListWords {
    private let call: Call
    private let language: Language
    private let today: LocalDate

    init(_ call: Call) {
        self.call = call
        language = call.language
        today = call.tenant.clock.now().date(offsetMinutes: call.tenant.timeZoneOffsetMinutes)
    }

    func facet(_ facet: CustomerFilter.Facet) -> String { call.text("customers.facet.\(facet.rawValue)") }

    /// A code in words; what an import brought is shown as it came.
    func value(_ facet: CustomerFilter.Facet, _ code: String) -> String {
        switch facet {
        case .plan, .region: code
        case .segment: PageWords.of(code: code, language)
        case .reason: PageWords.reason(code, language)
        case .band: RiskBand(rawValue: code).map { PageWords.of($0)[language] } ?? code
        case .tier: ValueTier(rawValue: code).map { PageWords.of($0)[language] } ?? code
        case .service: ServiceCode(rawValue: code).map { PageWords.of($0)[language] } ?? code
        case .status: CustomerStatus(rawValue: code).map { PageWords.of($0)[language] } ?? code
        case .kind: CustomerKind(rawValue: code).map { PageWords.of($0)[language] } ?? code
        }
    }

    private func months(_ line: CustomerLine) -> Int? {
        line.since.map { monthsBetween($0, LocalDate(line.leftOn) ?? today) }
    }

    private func tenure(_ line: CustomerLine) -> String {
        months(line).map { PanelParts.tenure($0, language) } ?? ""
    }

    private func contract(_ line: CustomerLine) -> String {
        switch line.contractTerm {
        case ..<0: ""
        case 0: call.text("customers.contract.monthly")
        default: Words(en: "\(line.contractTerm) months", zh: "\(line.contractTerm) 个月")[language]
        }
    }

    private func place(_ line: CustomerLine) -> String {
        line.city.isEmpty || line.city == line.region ? line.region : "\(line.region) \(line.city)".trimmed
    }

    /// The look of a status: the ordinary one is quiet.
    private func badge(_ status: String) -> String {
        switch CustomerStatus(rawValue: status) {
        case .active, .wonBack: "ok"
        case .prospect, .onboarding: "info"
        case .atRisk, .suspended: "warn"
        case .churned: "bad"
        case nil: ""
        }
    }

    /// `0.71`.
    static func probability(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        return hundredths >= 100 ? "1.00" : "0." + (hundredths < 10 ? "0" : "") + String(hundredths)
    }

    func row(_ line: CustomerLine) -> View {
        [
            "id": .text(line.id.description), "path": .text("/customers/\(line.id)"), "name": .text(line.name),
            "note": .text(line.plan.isEmpty ? line.service.isEmpty ? nil : value(.service, line.service) : line.plan),
            "phone": .text(line.phone), "organisation": .bool(line.kind == CustomerKind.organisation.rawValue),
            "place": .text(place(line)), "status": .text(value(.status, line.status)),
            "statusBadge": .text(badge(line.status)),
            "segment": .text(line.segment.isEmpty ? nil : value(.segment, line.segment)),
            "tier": .text(
                line.tier == ValueTier.vip.rawValue || line.tier == ValueTier.high.rawValue
                    ? value(.tier, line.tier) : nil),
            "tenure": .text(tenure(line)), "contract": .text(contract(line)),
            "charge": .text(line.monthlyCharge?.displayed),
            "value": .text(line.value.map { PanelParts.rounded($0.minor, $0.currency) }),
            "hasRisk": .bool(line.risk != nil && !line.band.isEmpty),
            "band": .text(line.band), "bandLabel": .text(value(.band, line.band)),
            "risk": .text(line.risk.map(Self.probability)),
        ]
    }

    var columns: [String] {
        [
            "id", "reference", "name", "phone", "kind", "status", "region", "city", "segment", "tier", "service",
            "plan", "contract",
            "since_date", "tenure_months", "charge", "currency", "value", "risk", "band", "left_on", "reason",
        ].map { call.text("customers.column.\($0)") }
    }

    func cells(_ line: CustomerLine) -> [String] {
        [
            line.id.description, line.reference ?? "", line.name, line.phone ?? "", value(.kind, line.kind),
            value(.status, line.status),
            line.region, line.city, line.segment.isEmpty ? "" : value(.segment, line.segment), value(.tier, line.tier),
            line.service.isEmpty ? "" : value(.service, line.service), line.plan, contract(line),
            line.since?.description ?? "", months(line).map { String($0) } ?? "",
            line.monthlyCharge?.amountText.replacing(",", with: "") ?? "",
            line.monthlyCharge?.currency ?? "", line.value?.amountText.replacing(",", with: "") ?? "",
            line.risk.map(Self.probability) ?? "", line.band.isEmpty ? "" : value(.band, line.band), line.leftOn,
            line.reason.isEmpty ? "" : value(.reason, line.reason),
        ]
    }
}

/// CSV by RFC 4180 with a byte order mark, so that spreadsheets read Chinese. A cell that a spreadsheet would take for a
/// formula gets an apostrophe (G68), which an import takes away again; numbers, also those to call, stay as they are.
struct ListCSV {
    private(set) var text = "\u{FEFF}"

    mutating func append(_ cells: [String]) {
        text += cells.map(Self.cell).joined(separator: ",") + "\r\n"
    }

    static func cell(_ value: String) -> String {
        let cell = isHarmless(value) ? value : "'" + value
        guard cell.unicodeScalars.contains(where: { ",\"\r\n".unicodeScalars.contains($0) }) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }

    /// Also `+86 138 0013 8000`, `-12.50`: a sign, then digits and what stands between them. A value that looks as if it had
    /// the apostrophe already gets another one, so that taking one away restores every value.
    private static func isHarmless(_ value: String) -> Bool {
        let core = value.utf8.drop { $0 == UInt8(ascii: "'") }
        guard let first = core.first, "=+-@\t\r".utf8.contains(first) else { return true }
        guard core.count == value.utf8.count, first == UInt8(ascii: "+") || first == UInt8(ascii: "-"),
            let last = core.last, isDigit(last)
        else { return false }
        let rest = core.dropFirst()
        if rest.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: ".") }) {
            return rest.count { $0 == UInt8(ascii: ".") } <= 1
        }
        return first == UInt8(ascii: "+") && (6...15).contains(rest.count(where: isDigit))
            && rest.allSatisfy { isDigit($0) || " -()".utf8.contains($0) }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
}
