import Kernel

/// Rows of customers (bills, cases, contacts, ...) came, changed or went by an import, by taking one back, or because of what one brought
/// (a payment settles a bill). At most 500 ids of each an event. Changes by programs are told as `TMFChanged`.
package struct RecordsChanged: DomainEvent {
    package static let eventType = "platform.records.changed"
    /// `bills`, `cases`, `interactions`, ...: the name of the kind in imports.
    package let entity: String
    package let created: [Int64]
    package let changed: [Int64]
    /// Those of `changed` whose state is another one now.
    package let moved: [Int64]
    package let removed: [Int64]
    /// Of kinds of record that are of several classes (accounts): the class with its ids, of the removed ones too.
    package let classes: [String: [Int64]]?

    package init(
        entity: String, created: [Int64] = [], changed: [Int64] = [], moved: [Int64] = [], removed: [Int64] = [],
        classes: [String: [Int64]]? = nil
    ) {
        self.classes = classes
        self.entity = entity
        self.created = created
        self.changed = changed
        self.moved = moved
        self.removed = removed
    }
}
