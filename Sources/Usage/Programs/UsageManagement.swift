import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Usages one by one, and what they may be (TMF635; ADR 0062).
enum UsageManagement {
    static let api = TMFAPI(635, "usageManagement")
    static let type = "Usage"
    static let name = "usage"

    /// Who is the last to have had a usage in hand says where it stands: mediation finds the line (guided), a rating engine puts a
    /// price to it, billing bills it. What is rejected is not counted; recycled it is tried again.
    static let states = TMFStates(
        "status", first: "received", initial: ["guided", "rated", "billed", "rejected"],
        next: [
            "received": ["guided", "rejected"],
            "rejected": ["recycled"],
            "recycled": ["guided", "rejected"],
            "guided": ["rated", "rejected", "recycled"],
            "rated": ["rerated", "billed", "rejected"],
            "rerated": ["billed", "rejected"],
        ])

    /// Why a usage is not in the sums of days.
    enum Reason: String, Sendable {
        /// Nobody known has the number; it waits.
        case unknownLine = "unknown_line"
        /// Nothing says which line it was.
        case noLine = "no_line"
        /// The line was found at last, and is not one of the customer who was named.
        case lineOfAnother = "line_of_another"
        /// Its specification is none of those that are counted.
        case notCounted = "not_counted"
    }

    static func resource(_ schema: TMFSchema, _ store: UsageRecordStore) -> TMFResource {
        TMFResource(
            api, name, type: type,
            schema: schema.adding(
                [.init("isCounted", .boolean, isServers: true), .init("statusReason", .text, isServers: true)], to: type
            ),
            view: UsageModule.view, edit: UsageService.permission, states: states,
            subjects: TMFResource.subjects("usage"),
            store: { _ in store })
    }

    static func specifications(_ schema: TMFSchema, _ store: UsageSpecificationStore) -> TMFResource {
        TMFResource(
            api, UsageSpecifications.name, type: UsageSpecifications.type,
            schema: schema.adding([.init("isCounted", .boolean, isServers: true)], to: UsageSpecifications.type),
            view: UsageModule.view, edit: UsageService.permission,
            subjects: { id, _ in [AuditSubject(kind: "usage_specification", id: id)] }, store: { _ in store })
    }
}

/// Finds the numbers of a product of the inventory (TMF637). Injected by App.
package struct ProductNumbers: Sendable {
    /// Numbers as they are written there, and whose product it is; `nil` = there is no such product.
    package let of: @Sendable (_ product: Int64, any SQLSession) throws -> (customer: CustomerID, numbers: [String])?
    package init(_ of: @escaping @Sendable (Int64, any SQLSession) throws -> (customer: CustomerID, numbers: [String])?)
    { self.of = of }
    /// There is no inventory.
    package static let none = ProductNumbers { _, _ in nil }
}
