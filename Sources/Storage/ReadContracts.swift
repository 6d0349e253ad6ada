import Contracts
import Kernel

/// What Customers lets other domains read. Injected by App. Synchronous on the caller's session, so that it sees the
/// same snapshot.
package protocol CustomerReading: Sendable {
    /// Cards in the order of `ids`; ids outside the principal's scope are left out.
    func cards(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> [CustomerCard]
    /// Everything a model may learn from, for customers with `id > after`, in id order, at most `limit` rows. Values are
    /// not masked: they stay inside the process and go to the model only.
    func table(after: CustomerID?, limit: Int, _ session: any SQLSession) throws -> CustomerTable
    /// The ids within the principal's scope.
    func reachable(_ ids: [CustomerID], for principal: Principal, _ session: any SQLSession) throws -> Set<CustomerID>
    func customerCount(_ session: any SQLSession) throws -> Int
    /// The records that stand for the same customer (a merge is a link), each record's with itself.
    func linked(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [CustomerID]]
}

extension CustomerReading {
    /// Nobody is linked with anybody.
    package func linked(_ ids: [CustomerID], _ session: any SQLSession) throws -> [CustomerID: [CustomerID]] {
        Dictionary(ids.map { ($0, [$0]) }, uniquingKeysWith: { first, _ in first })
    }
}

/// What Catalog lets other domains read. Injected by App. Synchronous on the caller's session, so that it sees the same snapshot.
package protocol CatalogReading: Sendable {
    /// The offerings that are in the catalogue; ids that are not are left out.
    /// - Parameter instant: when they are to be sold.
    func offerings(_ ids: [OfferingID], at instant: Instant, _ session: any SQLSession) throws -> [OfferingID: OfferingCard]
}

/// What a chip of the timeline filters by.
package struct TimelineKind: Sendable, Hashable {
    /// Stable, in addresses: `contact`.
    package let name: String
    /// Wording of the chip.
    package let words: Words
    /// Name of a symbol in `icons.svg`.
    package let icon: String
    package init(_ name: String, _ words: Words, icon: String) {
        self.name = name
        self.words = words
        self.icon = icon
    }
}

/// Something another domain knows that happened with a customer, for the timeline of the customer page. Already masked
/// for the principal it was read for.
package struct TimelineEntry: Sendable, Equatable {
    package let customer: CustomerID
    package let at: Instant
    /// Tells entries of one instant apart within their source. It goes into addresses: ids and codes, no personal value.
    package let key: String
    /// Colour of the mark: `info`, `ok`, `warn`, `bad` or empty.
    package let tone: String
    package let title: Words
    /// Free text, already masked; empty = none.
    package let note: Words
    /// Names of fields that were shown without a mask; kept in the audit of the view.
    package let unmasked: [String]
    package init(
        customer: CustomerID, at: Instant, key: String, tone: String, title: Words, note: Words, unmasked: [String] = []
    ) {
        self.customer = customer
        self.at = at
        self.key = key
        self.tone = tone
        self.title = title
        self.note = note
        self.unmasked = unmasked
    }

    /// Where the entry stands in the order of its source.
    package var place: TimelinePlace { TimelinePlace(at: at, key: key) }
}

/// A place in the order of a source.
package struct TimelinePlace: Sendable, Equatable {
    package let at: Instant
    /// The entry of that instant it is; `nil` = before the first of them.
    package let key: String?
    package init(at: Instant, key: String? = nil) {
        self.at = at
        self.key = key
    }
}

/// What a domain adds to the timeline of the customer page. Injected by App. Synchronous on the caller's session, so that
/// it sees the same snapshot.
package protocol TimelineSource: Sendable {
    var kind: TimelineKind { get }
    /// Entries of these customers (a merge is a link) that stand behind a place (`nil` = from the newest), newest first
    /// and of one instant in a fixed order, at most `limit`. Nothing for a principal who may not see them. They are asked
    /// for: the sources of a page share their round trips.
    func asking(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> Asked<[TimelineEntry]>
}

extension TimelineSource {
    /// The same, read at once.
    package func entries(
        _ customers: [CustomerID], behind place: TimelinePlace?, limit: Int, for principal: Principal,
        _ session: any SQLSession
    ) throws -> [TimelineEntry] {
        try asking(customers, behind: place, limit: limit, for: principal, session).value()
    }
}

/// What Privacy lets other domains ask: whether customers may be written to, called, profiled. Injected by App. Synchronous on the
/// caller's session: a withdrawal counts from the moment it is stored.
package protocol ConsentReading: Sendable {
    /// An answer for each of the customers.
    /// - Parameter topic: a channel or a kind of data; a consent to `any` covers each.
    func consents(
        of customers: [CustomerID], to purpose: ConsentPurpose, on topic: ConsentTopic, at: Instant, _ session: any SQLSession
    ) throws -> [CustomerID: ConsentAnswer]
}

extension ConsentReading {
    package func consent(
        of customer: CustomerID, to purpose: ConsentPurpose, on topic: ConsentTopic, at: Instant, _ session: any SQLSession
    ) throws -> ConsentAnswer {
        try consents(of: [customer], to: purpose, on: topic, at: at, session)[customer] ?? ConsentAnswer(.neverGiven)
    }
}
