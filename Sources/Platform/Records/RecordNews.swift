import Contracts
import Storage

extension RecordKind {
    /// Tells others which rows came, changed or went, behind the writing of it.
    func tell(_ changes: [RecordChange], _ tenant: Tenant, _ session: any SQLSession) throws {
        for chunk in changes.chunked(RecordChange.eventMax) {
            var created: [Int64] = []
            var changed: [Int64] = []
            var moved: [Int64] = []
            var removed: [Int64] = []
            var classes: [String: [Int64]] = [:]
            for change in chunk {
                if let classColumn, case .text(let name)? = (change.after ?? change.before)?[classColumn] {
                    classes[name, default: []].append(change.place.id)
                }
                switch (change.before, change.after) {
                case (nil, _): created.append(change.place.id)
                case (_, nil): removed.append(change.place.id)
                case (let before?, let after?):
                    changed.append(change.place.id)
                    if state.contains(where: { before[$0] != after[$0] }) { moved.append(change.place.id) }
                }
            }
            try tenant.outbox.append(
                RecordsChanged(
                    entity: entity, created: created, changed: changed, moved: moved, removed: removed,
                    classes: classColumn == nil ? nil : classes), session)
        }
    }
}

extension RecordChange {
    /// Of one event.
    static let eventMax = 500
}
