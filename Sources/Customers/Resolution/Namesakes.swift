import Kernel
import Storage

/// Whether a name and a birth date say who somebody is. Of n customers of one name and other birth dates one in n / 20,000 was born on
/// a given day (some 65 years of days, not all alike frequent); with 40 of them chance makes every hundredth such pair, counting that one
/// of five newcomers is known at all.
enum Namesakes {
    static let most = 40
    /// Before: how far an import has come must not decide who is linked.
    static let counting: SQL = """
        SELECT COUNT(*) FROM (
          SELECT 1 AS one FROM customers_listing WHERE sort_name = $1 AND customer_id < $2 LIMIT $3) AS counted
        """

    /// How many customers of a name came before one; no more than need be are counted.
    static func count(_ name: String, before id: CustomerID, _ session: any SQLSession) throws -> Int {
        try session.count(counting, [.text(Folding.fold(name)), .id(id), .int(most + 1)])
    }

    /// - Parameter count: of customers of that name.
    static func judged(_ verdict: MatchVerdict, _ count: Int) -> MatchVerdict {
        guard verdict.rule == .nameAndBirth, verdict.band == .link, count > most else { return verdict }
        var judged = verdict
        (judged.band, judged.rule) = (.review, .namesake)
        return judged
    }
}
