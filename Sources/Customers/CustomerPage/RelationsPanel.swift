import Kernel
import Platform
import Storage
import Web

/// Household and company: who belongs together with the customer. Somebody outside the reader's scope is left out.
enum RelationsPanel {
    static let relations: SQL = """
        SELECT r.other_id, r.role, p.display_name, p.kind, c.reference, c.status, c.region, l.plan, l.band
        FROM customers_relation r
        JOIN customers_party p ON p.id = r.other_id
        JOIN customers_customer c ON c.id = r.other_id
        JOIN customers_listing l ON l.customer_id = r.other_id
        WHERE r.valid_to IS NULL
        """
    static let shownMax = 20

    struct Relative: Sendable {
        let id: CustomerID
        var roles: [RelationRole]
        let name: String
        let kind: CustomerKind
        let reference: String?
        let status: CustomerStatus
        let plan: String?
        let band: RiskBand?
    }

    /// Each relative once, with all roles, in the order of first mention.
    static func relatives(_ request: PanelRequest, _ session: any SQLSession) throws -> Asked<[Relative]> {
        var builder = SQLBuilder(relations)
        builder.appendIn("AND r.customer_id", request.customers.map { .id($0) })
        CustomerScope.narrow(&builder, request.principal, column: "AND l.region")
        builder.append("ORDER BY r.other_id, r.role LIMIT ?", .int(shownMax * 3))
        return try session.asking(builder) { row in
            Relative(
                id: CustomerID(row.int(0)), roles: [RelationRole(rawValue: row.text(1)) ?? .member], name: row.text(2),
                kind: CustomerKind(rawValue: row.text(3)) ?? .individual,
                reference: row.optionalText(4), status: CustomerStatus(rawValue: row.text(5)) ?? .active,
                plan: row.optionalText(7), band: row.optionalText(8).flatMap(RiskBand.init))
        }.map { merged($0, leavingOut: request.customers) }
    }

    private static func merged(_ rows: [Relative], leavingOut own: [CustomerID]) -> [Relative] {
        var result: [Relative] = []
        for row in rows {
            if let at = result.firstIndex(where: { $0.id == row.id }) {
                result[at].roles += row.roles
            } else if !own.contains(row.id), result.count < shownMax {
                result.append(row)
            }
        }
        return result
    }

    static func begin(_ request: PanelRequest, _ session: any SQLSession) throws -> Staged<PanelContent?> {
        try relatives(request, session).map { content($0, request) }.staged
    }

    private static func content(_ found: [Relative], _ request: PanelRequest) -> PanelContent? {
        guard !found.isEmpty else { return nil }
        let language = request.language
        let showsNames = request.masking.shows(.name)
        let views = found.map { relative -> View in
            let name =
                relative.kind == .individual
                ? request.masking.apply(.name, relative.name) : relative.name
            return [
                "href": .text("/customers/\(relative.id)"),
                "name": .text(name.isEmpty ? relative.reference ?? "#\(relative.id)" : name),
                "roles": .text(relative.roles.map { PageWords.of($0)[language] }.joined(separator: " · ")),
                "plan": .text(relative.plan), "icon": .text(relative.kind == .organisation ? "building" : "person"),
                "status": .text(PageWords.of(relative.status)[language]),
                "badge": .text(PanelParts.badge(relative.status)),
                "band": .text(relative.band?.rawValue),
                "bandWords": .text(relative.band.map { PageWords.of($0)[language] }),
            ]
        }
        let sawNames = showsNames && found.contains { $0.kind == .individual && !$0.name.isEmpty }
        return PanelContent(
            template: "customers/panel-relations", view: ["relatives": .list(views)],
            unmasked: sawNames ? ["name"] : [], others: found.map(\.id))
    }
}
