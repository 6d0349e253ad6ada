import Kernel

/// Usage of customers was counted; days and months of any number of customers changed.
package struct UsageTaken: DomainEvent {
    package static let eventType = "usage.events.taken"
    /// Id of the source.
    package let source: Int64
    /// How many events had an effect.
    package let events: Int
    package init(source: Int64, events: Int) {
        self.source = source
        self.events = events
    }
}
