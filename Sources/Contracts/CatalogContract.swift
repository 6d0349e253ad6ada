import Kernel

package enum OfferingKind {}
/// A product offering of the catalogue.
package typealias OfferingID = ID<OfferingKind>

/// What another domain may know of a product offering: whether it can be sold now, what it is made of and what it costs.
package struct OfferingCard: Sendable, Equatable {
    /// What it costs, once or again and again.
    package struct Price: Sendable, Equatable {
        package let id: Int64
        package let name: String
        /// `recurring`, `oneTime`, `usage`: the client's own word.
        package let type: String?
        package let amount: Money?
        /// `month`, with a length other than one in front: `3 month`.
        package let period: String?
        package init(id: Int64, name: String, type: String?, amount: Money?, period: String?) {
            self.id = id
            self.name = name
            self.type = type
            self.amount = amount
            self.period = period
        }
    }

    package let id: OfferingID
    package let name: String
    /// As the catalogue has it: `Launched`.
    package let status: String
    /// In a state in which it is sold, and within its validity.
    package let isOffered: Bool
    /// The same, and sold by itself, not only as a part of bundles.
    package let isSellable: Bool
    package let isBundle: Bool
    /// The id is the client's, which need not be one of ours.
    package let specificationID: String?
    package let specificationName: String?
    package let prices: [Price]

    package init(
        id: OfferingID, name: String, status: String, isOffered: Bool, isSellable: Bool, isBundle: Bool, specificationID: String?,
        specificationName: String?, prices: [Price]
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.isOffered = isOffered
        self.isSellable = isSellable
        self.isBundle = isBundle
        self.specificationID = specificationID
        self.specificationName = specificationName
        self.prices = prices
    }
}
