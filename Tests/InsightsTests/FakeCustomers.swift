import Compute
import Contracts
import Foundation
import Kernel
import Platform
import Storage
import Synchronization

/// A base in memory that answers as Customers would. Leavers follow a known rule: short tenure, no contract term, late
/// bills and high charges raise the risk, online security lowers it. `Churn Reason` is filled for leavers only.
final class FakeCustomers: CustomerReading, Sendable {
    struct Customer: Sendable {
        let id: CustomerID
        var name: String
        var region: String
        var charge: Int64?
        var left: Bool?
        var cells: [String: String]
    }

    private let state: Mutex<[Customer]>
    /// Called before a table is read, once.
    let beforeTable = Mutex<(@Sendable () -> Void)?>(nil)

    init(_ customers: [Customer]) { state = Mutex(customers.sorted { $0.id < $1.id }) }

    convenience init(_ count: Int, seed: UInt64 = 3, leavers: Bool = true) {
        var random = SeededRandom(seed: seed)
        self.init(
            (0..<count).map { index in
                let tenure = 1 + random.below(72)
                let term = [0, 0, 12, 24][random.below(4)]
                let charge = 2_000 + Int64(random.below(9_000))
                let overdue = random.below(4) == 0 ? 1 + random.below(3) : 0
                let secure = random.below(2) == 0
                let satisfaction = 1 + random.below(5)
                var odds = -1.4 - 0.045 * Double(tenure - 36)
                odds += (term == 0 ? 1.3 : -0.9) + (secure ? -0.6 : 0.3)
                odds += 0.00025 * Double(charge - 6_500) + 0.7 * Double(overdue) - 0.5 * Double(satisfaction - 3)
                let left = random.unit() < LogisticRegression.sigmoid(odds) && leavers
                var cells = [
                    "tenure_months": "\(tenure)", "contract_term": "\(term)",
                    "monthly_charge": "\(Double(charge) / 100)",
                    "overdue_count": "\(overdue)", "addon_online_security": secure ? "yes" : "no",
                    "Satisfaction": "\(satisfaction)", "region": index % 3 == 0 ? "North" : "South",
                ]
                if left { cells["Churn Reason"] = ["price", "quality", "moved"][random.below(3)] }
                return Customer(
                    id: CustomerID(Int64(1_000 + index)), name: "王小\(index)",
                    region: index % 3 == 0 ? "North" : "South",
                    charge: charge, left: left, cells: cells)
            })
    }

    var all: [Customer] { state.withLock { $0 } }
    func change(_ body: (inout [Customer]) -> Void) { state.withLock { body(&$0) } }
    func set(_ id: CustomerID, _ body: (inout Customer) -> Void) {
        change { all in
            if let place = all.firstIndex(where: { $0.id == id }) { body(&all[place]) }
        }
    }

    private func allows(_ customer: Customer, _ principal: Principal) -> Bool {
        principal.scope.regions.map { $0.contains(customer.region) } ?? true
    }

    func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard] {
        let masking = Masking(principal)
        let known = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return ids.compactMap { id in
            guard let customer = known[id], allows(customer, principal) else { return nil }
            return CustomerCard(
                id: id, displayName: masking.apply(.name, customer.name),
                phone: masking.apply(.phone, "+861381234\(id.rawValue)"), region: customer.region, segment: nil,
                monthlyCharge: customer.charge.map { Money(minor: $0, currency: "CNY") },
                status: customer.left == true ? "churned" : "active")
        }
    }

    func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable {
        let hook = beforeTable.withLock { hook in
            defer { hook = nil }
            return hook
        }
        hook?()
        let page = all.filter { customer in after.map { customer.id > $0 } ?? true }.prefix(limit)
        // As Customers does: a column that nobody on the page has is left out.
        let columns = Set(page.flatMap(\.cells.keys)).sorted()
        return CustomerTable(
            ids: page.map(\.id), columns: columns, values: columns.map { column in page.map { $0.cells[column] } },
            titles: columns.map(Self.title), left: page.map(\.left))
    }

    /// As Customers does: an attribute's column has its key for a name and its title for words.
    private static func title(_ column: String) -> Words {
        switch column {
        case "Satisfaction", "attr.satisfaction": Words(en: "Satisfaction", zh: "满意度评价")
        default: Words(en: column, zh: column)
        }
    }

    /// Gives a column another name.
    func rename(_ old: String, _ new: String) {
        change { all in
            for place in all.indices { all[place].cells[new] = all[place].cells.removeValue(forKey: old) }
        }
    }

    func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID> {
        Set(all.filter { ids.contains($0.id) && allows($0, principal) }.map(\.id))
    }

    func customerCount(_ session: any SQLSession) throws -> Int { all.count }
}
