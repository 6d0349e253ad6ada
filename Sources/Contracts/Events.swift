import Kernel

/// Something that happened in a domain and that others may act on. Delivered at least once through the outbox; a
/// handler is idempotent. The payload carries ids and changed field names, a personal value only where a consumer
/// cannot do without.
package protocol DomainEvent: Codable, Sendable {
    /// Stable name, `domain.noun.verb`.
    static var eventType: String { get }
}
