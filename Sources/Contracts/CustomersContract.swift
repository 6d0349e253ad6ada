import Kernel

/// Customers were created, changed, or removed again by a reverted import. At most 500 ids an event.
package struct CustomersChanged: DomainEvent {
    package static let eventType = "customers.customer.changed"
    package let ids: [CustomerID]
    /// Field names that changed; empty = many (an import).
    package let fields: [String]
    package let kind: Kind
    package enum Kind: String, Codable, Sendable { case created, updated, removed }
    /// Only records of this kind came, changed or went (`bills`); `nil` = the customers themselves.
    package let records: String?
    /// The resource of the TM Forum interface by which a program made the change, and of which it is told already (`customer`).
    package let program: String?
    /// Which of those that were removed were organisations: nobody can look it up any more.
    package let organisations: [CustomerID]?
    /// What became of their lines; `nil` = nothing.
    package let lines: LinesChanged?
    package init(
        ids: [CustomerID], fields: [String], kind: Kind, records: String? = nil, program: String? = nil,
        organisations: [CustomerID]? = nil, lines: LinesChanged? = nil
    ) {
        self.lines = lines
        self.organisations = organisations
        self.ids = ids
        self.fields = fields
        self.kind = kind
        self.records = records
        self.program = program
    }
}

/// Ids of lines that came, changed (`moved`: their state too) and went.
package struct LinesChanged: Codable, Sendable, Equatable {
    package var created: [Int64]
    package var changed: [Int64]
    package var moved: [Int64]
    package var removed: [Int64]
    package init(created: [Int64] = [], changed: [Int64] = [], moved: [Int64] = [], removed: [Int64] = []) {
        self.created = created
        self.changed = changed
        self.moved = moved
        self.removed = removed
    }
    package var isEmpty: Bool { created.isEmpty && changed.isEmpty && moved.isEmpty && removed.isEmpty }
}

/// Churn scores of up to 500 customers were computed. Consumed by Customers for its listing projection.
package struct ChurnScored: DomainEvent {
    package static let eventType = "insights.churn.scored"
    package struct Score: Codable, Sendable {
        package let customer: CustomerID
        /// Calibrated probability, 0...1.
        package let probability: Double
        /// `low`, `medium`, `high`, `critical`.
        package let band: String
        package init(customer: CustomerID, probability: Double, band: String) {
            self.customer = customer
            self.probability = probability
            self.band = band
        }
    }
    package let scores: [Score]
    package let model: ModelID
    /// When the pass began that made them; a consumer keeps what a later pass told. `nil` in events of older versions.
    package let scoredAt: Instant?
    package init(scores: [Score], model: ModelID, scoredAt: Instant? = nil) {
        self.scores = scores
        self.model = model
        self.scoredAt = scoredAt
    }
}

/// What another domain may know of a customer for showing it in a list; already masked for the principal.
package struct CustomerCard: Sendable {
    package let id: CustomerID
    package let displayName: String
    /// Masked by role.
    package let phone: String?
    package let region: String?
    package let segment: String?
    /// Monthly charge, when known.
    package let monthlyCharge: Money?
    package let status: String
    /// Shown with another record as one customer, which stands for both where each customer is listed once.
    package let isBehind: Bool
    package init(
        id: CustomerID, displayName: String, phone: String?, region: String?, segment: String?,
        monthlyCharge: Money?, status: String, isBehind: Bool = false
    ) {
        self.id = id
        self.displayName = displayName
        self.phone = phone
        self.region = region
        self.segment = segment
        self.monthlyCharge = monthlyCharge
        self.status = status
        self.isBehind = isBehind
    }
}

/// A table of customers in columns for learning and scoring: one row a customer, values as text, `nil` = missing.
package struct CustomerTable: Sendable {
    package let ids: [CustomerID]
    /// Column names in a stable order. Built-in ones use the field's own name (`tenure_months`), custom attributes
    /// `attr.<key>`, which stays when their title is edited.
    package let columns: [String]
    /// `values[column][row]`.
    package let values: [[String?]]
    /// Wording of each column for people.
    package let titles: [Words]
    /// `true` = left, `false` = stayed, `nil` = unknown; parallel to `ids`.
    package let left: [Bool?]
    package init(ids: [CustomerID], columns: [String], values: [[String?]], titles: [Words], left: [Bool?]) {
        self.ids = ids
        self.columns = columns
        self.values = values
        self.titles = titles
        self.left = left
    }
}
