import Kernel
import Platform
import Storage
import Web

/// What a customer list shows and in which order. Codes only: a filter is part of an address.
struct CustomerFilter: Sendable, Equatable {
    /// Most selective first: the first one given is looked up by its index, the others are checked on the rows.
    enum Facet: String, Sendable, CaseIterable {
        case plan, region, segment, reason, band, tier, service, status, kind

        /// Through the column's index.
        var exact: SQL {
            switch self {
            case .plan: "AND plan = ?"
            case .region: "AND region = ?"
            case .segment: "AND segment = ?"
            case .reason: "AND leave_reason = ? AND leave_reason <> ''"
            case .band: "AND band = ?"
            case .tier: "AND tier = ?"
            case .service: "AND service = ?"
            case .status: "AND status = ?"
            case .kind: "AND kind = ?"
            }
        }

        /// Checked on the row: the expression keeps either engine from taking the column's index.
        var checked: SQL {
            switch self {
            case .plan: "AND plan || '' = ?"
            case .region: "AND region || '' = ?"
            case .segment: "AND segment || '' = ?"
            case .reason: "AND leave_reason || '' = ?"
            case .band: "AND band || '' = ?"
            case .tier: "AND tier || '' = ?"
            case .service: "AND service || '' = ?"
            case .status: "AND status || '' = ?"
            case .kind: "AND kind || '' = ?"
            }
        }
    }

    enum Sort: String, Sendable, CaseIterable {
        /// By id, which is by the time of creation.
        case created, name, since, charge, value, risk
    }

    var facets: [Facet: String] = [:]
    var sort: Sort = .created
    var descending = true

    init() {}

    /// Reads the query string or a stored view; what is not known is ignored.
    init(_ fields: [(name: String, value: String)]) {
        for (name, value) in fields where !value.isEmpty && value.unicodeScalars.count <= 120 {
            if let facet = Facet(rawValue: name) { facets[facet] = value }
            if name == "sort" {
                let down = value.hasPrefix("-")
                guard let sort = Sort(rawValue: String(down ? value.dropFirst() : value[...])) else { continue }
                self.sort = sort
                descending = down
            }
        }
    }

    /// Who does not see names does not learn them from their order either (G25).
    func permitted(_ masking: Masking) -> CustomerFilter {
        guard sort == .name, !masking.names else { return self }
        var copy = self
        copy.sort = .created
        copy.descending = true
        return copy
    }

    var isEmpty: Bool { facets.isEmpty }
    var sortText: String { (descending ? "-" : "") + sort.rawValue }

    /// In a stable order, for addresses and stored views.
    var fields: [(name: String, value: String)] {
        var result: [(name: String, value: String)] = []
        for facet in Facet.allCases { if let value = facets[facet] { result.append((facet.rawValue, value)) } }
        if sort != .created || !descending { result.append(("sort", sortText)) }
        return result
    }

    /// `band=high&sort=-risk`.
    var query: String { Form(fields).encoded }

    /// The address of a list with this filter and further fields.
    func path(_ more: [(name: String, value: String)] = []) -> String {
        let text = Form(fields + more).encoded
        return text.isEmpty ? "/customers" : "/customers?" + text
    }

    func without(_ facet: Facet) -> CustomerFilter {
        var copy = self
        copy.facets[facet] = nil
        return copy
    }

    /// The filter for the header link of a column: the other direction when it is sorted by already.
    func sorted(by wanted: Sort) -> CustomerFilter {
        var copy = self
        copy.descending = sort == wanted ? !descending : wanted != .name && wanted != .since
        copy.sort = wanted
        return copy
    }

    /// Appends the conditions. With `walking` none of them uses its own index, so that the engine walks the index of the
    /// sort order: right when many rows match. Else the most selective facet is looked up: right when few do.
    func narrow(_ builder: inout SQLBuilder, _ principal: Principal, walking: Bool) {
        var indexed = !walking
        for facet in Facet.allCases {
            guard let value = facets[facet] else { continue }
            builder.append(indexed ? facet.exact : facet.checked, .text(value))
            indexed = false
        }
        CustomerScope.narrow(&builder, principal, column: indexed ? "AND region" : "AND region || ''")
    }
}
