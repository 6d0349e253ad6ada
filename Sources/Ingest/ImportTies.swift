import Kernel
import Storage

/// How much of what was decided about customers goes with them when their import is taken back.
package struct ImportTies: Sendable, Codable, Equatable {
    /// Links to other customers.
    package var links = 0
    /// Decisions of people: that two are one, or that they are two.
    package var decisions = 0
    /// Pairs that wait for a person.
    package var waiting = 0
    package init() {}

    init(_ ties: Set<ImportTie>) {
        links = ties.count(where: \.isLinked)
        decisions = ties.count(where: \.isByPerson)
        waiting = ties.count(where: \.isOpen)
    }

    var isEmpty: Bool { self == ImportTies() }

    /// `3 links to other customers, 1 decision of a person, 2 pairs that waited for a person`; empty when there is nothing.
    var words: Words {
        func count(_ number: Int, _ one: String, _ many: String) -> String? {
            number == 0 ? nil : "\(Numbers.grouped(number)) \(number == 1 ? one : many)"
        }
        let en = [
            count(links, "link to another customer", "links to other customers"),
            count(decisions, "decision of a person about a pair", "decisions of people about pairs"),
            count(waiting, "pair that waited for a person", "pairs that waited for a person"),
        ]
        let zh = [
            links == 0 ? nil : "\(Numbers.grouped(links)) 个与其他客户的关联",
            decisions == 0 ? nil : "\(Numbers.grouped(decisions)) 个人工判定",
            waiting == 0 ? nil : "\(Numbers.grouped(waiting)) 对待人工确认的记录",
        ]
        return Words(
            en: en.compactMap { $0 }.joined(separator: ", "), zh: zh.compactMap { $0 }.joined(separator: "、"))
    }
}
