import Kernel
import Platform
import Storage
import Synchronization
import Web

/// Where the references of documents lead: what every domain has, by the word that the specifications call it by. Filled once, when all
/// domains have declared their resources; until then nothing is looked up.
package final class TMFDirectory: Sendable {
    /// Rows of something that is no resource of its own and is named as one (lines as products).
    package struct Others: Sendable {
        let type: String
        /// Those of the ids that are there, within the caller's reach.
        let present: @Sendable (_ ids: [Int64], Principal, any SQLSession) throws -> Set<Int64>

        package init(
            of type: String, _ present: @escaping @Sendable (_ ids: [Int64], Principal, any SQLSession) throws -> Set<Int64>
        ) {
            self.type = type
            self.present = present
        }
    }

    /// Types whose ids may be given for one another: a customer has the id of its party, an account is named by its class.
    private static let families: [(name: String, types: [String])] = [
        ("Party", ["Customer", "Individual", "Organization", "PartyRole"]),
        ("Account", ["PartyAccount", "BillingAccount", "SettlementAccount", "FinancialAccount"]),
        ("Agreement", ["Agreement", "PartyPrivacyAgreement"]),
    ]
    /// Kinds that are kinds of another one: a customer is a party role, a party account may be any that is billed.
    private static let special: [String: [String]] = [
        "PartyRole": ["Customer"], "PartyAccount": ["BillingAccount", "SettlementAccount"], "Agreement": ["PartyPrivacyAgreement"],
    ]
    /// What else the specifications call a reference to one of these.
    private static let aliases: [String: String] = [
        "RelatedParty": "Party", "V5Party": "Party", "Bill": "CustomerBill", "BundledProductOffering": "ProductOffering",
        "UsageConsumptionProduct": "Product",
    ]

    private struct Known: Sendable {
        var resources: [String: TMFResource] = [:]
        var others: [String: [Others]] = [:]
        /// By the word in lower case.
        var families: [String: String] = [:]
        /// Bases of interfaces that are offered in version 5.
        var next: Set<String> = []
        var memory: HubMemory?
    }
    private let known = Mutex(Known())

    package init() {}

    package func fill(_ resources: [TMFResource], others: [Others]) {
        known.withLock { known in
            for resource in resources {
                known.resources[resource.type] = resource
                known.families[resource.type.lowercased()] = resource.type
                if resource.next != nil { known.next.insert(resource.api.base + "/") }
            }
            for other in others { known.others[other.type, default: []].append(other) }
            for (family, types) in Self.families where types.contains(where: { known.resources[$0] != nil }) {
                for type in types + [family] { known.families[type.lowercased()] = family }
            }
            for (alias, type) in Self.aliases {
                if let family = known.families[type.lowercased()] { known.families[alias.lowercased()] = family }
            }
        }
    }

    /// What is done with documents of resources that are removed, once there are hubs.
    func remember(with memory: HubMemory) { known.withLock { $0.memory = memory } }
    var memory: HubMemory? { known.withLock { $0.memory } }

    var next: Set<String> { known.withLock { $0.next } }

    /// What a word of a document or of a schema stands for: `BillingAccountRef` for `Account`; `nil` = nothing of ours.
    func family(_ word: String) -> String? {
        let end = ["RefOrValue", "Ref", "Relationship"].first { word.hasSuffix($0) && word.count > $0.count }
        return known.withLock { $0.families[word.dropLast(end?.count ?? 0).lowercased()] }
    }

    /// The one of several kinds of a family that a word means; `nil` for the family as a whole (`Party`), and where there is one kind only.
    func kind(_ word: String) -> String? {
        let end = word.hasSuffix("Ref") && word.count > 3 ? 3 : 0
        let name = word.dropLast(end).lowercased()
        return Self.families.lazy.flatMap(\.types).first { $0.lowercased() == name }.flatMap { kind in
            known.withLock { $0.resources[kind] == nil ? nil : kind }
        }
    }

    /// The kinds that a reference to one kind may lead to.
    func kinds(under kind: String) -> [String] { [kind] + (Self.special[kind] ?? []) }

    func kinds(of family: String) -> [String] {
        let all = Self.families.first { $0.name == family }?.types ?? [family]
        return known.withLock { known in all.filter { known.resources[$0] != nil || known.others[$0] != nil } }
    }

    /// Whether a resource of another kind has this name: something that says so of itself is not what it is sent as.
    func isOther(_ word: String, than type: String) -> Bool {
        word != type && known.withLock { $0.resources[word] != nil }
    }

    /// Those of the ids that are there, within the caller's reach. What lies out of it is as what does not exist.
    func present(
        _ types: [String], _ ids: Set<Int64>, _ tenant: Tenant, _ principal: Principal, _ session: any SQLSession
    ) throws -> Set<Int64> {
        let (resources, others) = known.withLock { known in
            (types.compactMap { known.resources[$0] }, types.flatMap { known.others[$0] ?? [] })
        }
        var found: Set<Int64> = []
        // Most are of the first kind; the others are asked for what is still missing.
        for resource in resources where found.count < ids.count {
            let store = resource.store(tenant)
            for chunk in ids.subtracting(found).sorted().chunked(Limits.sqlListChunk) {
                found.formUnion(try Self.present(chunk, store, principal, session))
            }
        }
        for other in others where found.count < ids.count {
            found.formUnion(try other.present(ids.subtracting(found).sorted(), principal, session))
        }
        return found
    }

    private static func present(
        _ ids: [Int64], _ store: any TMFStore, _ principal: Principal, _ session: any SQLSession
    ) throws -> [Int64] {
        if store.table.needsDocuments(principal) { return try store.documents(ids, principal, session).map(\.id) }
        var builder = SQLBuilder("SELECT \(store.table.id) FROM \(store.table.from) WHERE TRUE")
        store.table.scope(principal, &builder)
        builder.appendIn("AND \(store.table.id)", ids.map { .int($0) })
        return try session.query(builder) { $0.int(0) }
    }
}
