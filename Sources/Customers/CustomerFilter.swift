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

        /// The order in which the facet's index goes on: that with which it goes together. Of customers with one plan, band or
        /// tier the walk of another order may have to pass everybody else.
        var order: Sort? {
            switch self {
            case .plan, .kind, .segment: .charge
            case .band, .status, .reason: .risk
            case .tier: .value
            case .region: .created
            case .service: nil
            }
        }

        var column: SQL {
            switch self {
            case .plan: "plan"
            case .region: "region"
            case .segment: "segment"
            case .reason: "leave_reason"
            case .band: "band"
            case .tier: "tier"
            case .service: "service"
            case .status: "status"
            case .kind: "kind"
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

        /// Before the id, which is behind every one of them; `nil` = the id alone.
        var column: SQL? {
            switch self {
            case .created: nil
            case .name: "sort_name"
            case .since: "since"
            case .charge: "monthly_charge"
            case .value: "value_score"
            case .risk: "risk"
            }
        }
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

    /// How the rows of a list are found.
    enum Way: Equatable {
        /// The most selective facet is looked up and what it finds is sorted: right when few rows match.
        case lookUp
        /// The index of the sort order is walked and the facets are checked on its rows: right when many match.
        case walk
        /// The index of this facet is walked, which goes on in the sort order; other facets are checked on its rows.
        case through(Facet)
    }

    /// For many rows.
    var walk: Way { Facet.allCases.first { facets[$0] != nil && $0.order == sort }.map { .through($0) } ?? .walk }

    /// Whether a walk meets rows that do not match.
    func skipsRows(_ principal: Principal) -> Bool {
        if principal.scope.regions != nil { return true }
        if case .through = walk { return facets.count > 1 }
        return !facets.isEmpty
    }

    /// Appends the conditions that decide which index is read; `checks` appends the others.
    func lookUp(_ builder: inout SQLBuilder, _ way: Way) {
        if let facet = looked(way), let value = facets[facet] { builder.append(facet.exact, .text(value)) }
    }

    func checks(_ builder: inout SQLBuilder, _ way: Way, _ principal: Principal) {
        let looked = looked(way)
        for facet in Facet.allCases where facet != looked {
            if let value = facets[facet] { builder.append(facet.checked, .text(value)) }
        }
        let isFree = looked == nil && way == .lookUp
        CustomerScope.narrow(&builder, principal, column: isFree ? "AND region" : "AND region || ''")
        builder.append("AND NOT behind")
    }

    /// The columns that `checks` reads.
    func checked(_ way: Way, _ principal: Principal) -> [SQL] {
        let looked = looked(way)
        var columns = Facet.allCases.filter { $0 != looked && facets[$0] != nil }.map(\.column)
        if principal.scope.regions != nil, !columns.contains("region") { columns.append("region") }
        return columns + ["behind"]
    }

    private func looked(_ way: Way) -> Facet? {
        switch way {
        case .lookUp: Facet.allCases.first { facets[$0] != nil }
        case .walk: nil
        case .through(let facet): facet
        }
    }
}
