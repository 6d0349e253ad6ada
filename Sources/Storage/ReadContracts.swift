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
}

/// Something another domain knows that happened with a customer, for the timeline of the customer page. Already masked
/// for the principal it was read for.
package struct TimelineEntry: Sendable, Equatable {
    package let customer: CustomerID
    package let at: Instant
    /// Which chip of the timeline it belongs to: `contact`.
    package let kind: String
    /// Wording of `kind` for the chip.
    package let kindWords: Words
    /// Name of a symbol in `icons.svg`.
    package let icon: String
    /// Colour of the mark: `info`, `ok`, `warn`, `bad` or empty.
    package let tone: String
    package let title: Words
    /// Free text, already masked; empty = none.
    package let note: Words
    /// Names of fields that were shown without a mask; kept in the audit of the view.
    package let unmasked: [String]
    package init(
        customer: CustomerID, at: Instant, kind: String, kindWords: Words, icon: String, tone: String, title: Words,
        note: Words, unmasked: [String] = []
    ) {
        self.customer = customer
        self.at = at
        self.kind = kind
        self.kindWords = kindWords
        self.icon = icon
        self.tone = tone
        self.title = title
        self.note = note
        self.unmasked = unmasked
    }
}

/// What a domain adds to the timeline of the customer page. Injected by App. Synchronous on the caller's session, so that
/// it sees the same snapshot.
package protocol TimelineSource: Sendable {
    /// Entries of these customers (a merge is a link) before an instant (`nil` = from the newest), newest first, at most
    /// `limit`. Nothing for a principal who may not see them.
    func entries(
        _ customers: [CustomerID], before: Instant?, limit: Int, for principal: Principal, _ session: any SQLSession
    ) throws -> [TimelineEntry]
}
