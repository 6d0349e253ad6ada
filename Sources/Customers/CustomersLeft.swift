import Contracts
import Kernel
import Platform
import Storage

extension CustomersLeft {
    /// Tells which of these had not left before and have now, with the day on which they did.
    /// - Parameter today: of whom nobody said the day.
    static func tell(
        _ changed: [(before: CustomerRecord, after: CustomerRecord)], on today: LocalDate, _ tenant: Tenant,
        _ session: any SQLSession
    ) throws {
        var departures: [Departure] = []
        for (before, after) in changed where after.customer.hasLeft == true && before.customer.hasLeft != true {
            let on = after.outcome?.leftOn ?? after.outcome?.recordedOn ?? today
            departures.append(Departure(customer: after.id, on: on.description))
        }
        for chunk in departures.chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(CustomersLeft(departures: Array(chunk)), session)
        }
    }
}
