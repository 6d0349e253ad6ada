import Contracts
import Storage

/// What changes documents of the interface besides programs: people on pages, imports, other domains. Those who asked to be told hear
/// of it as of a change by a program.
package struct TMFNews: Sendable {
    private let name: String
    private let make: @Sendable (_ name: String, HubFanOut) -> EventHandler
    /// What is watched, and what such an event means.
    let eventType: String
    let apis: [Int]
    let changes: @Sendable (any DomainEvent, any SQLSession) throws -> [TMFChanged]

    /// - Parameters:
    ///   - name: stable, it is stored in the receipts.
    ///   - apis: the numbers of the interfaces it is about; without a subscription to one of them nothing is read.
    ///   - changes: what an event means for documents.
    package init<E: DomainEvent>(
        _ name: String, _ type: E.Type, of apis: [Int],
        _ changes: @escaping @Sendable (E, any SQLSession) throws -> [TMFChanged]
    ) {
        self.name = name
        self.apis = apis
        eventType = E.eventType
        self.changes = { event, session in try (event as? E).map { try changes($0, session) } ?? [] }
        make = { name, fanOut in
            EventHandler(name: name, type, identified: { event, id, session in
                guard try fanOut.isWanted(apis, session) else { return }
                try fanOut.take(try changes(event, session), id, session)
            })
        }
    }

    func handler(_ fanOut: HubFanOut) -> EventHandler { make("tmf.hub." + name, fanOut) }
}
