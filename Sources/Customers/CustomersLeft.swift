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

extension DeparturesWithdrawn {
    /// Tells which of these had left and have not any more, because what told so was taken back.
    static func tell(
        _ changed: [(before: CustomerRecord, after: CustomerRecord)], _ tenant: Tenant, _ session: any SQLSession
    ) throws {
        var departures: [CustomersLeft.Departure] = []
        for (before, after) in changed where before.customer.hasLeft == true && after.customer.hasLeft != true {
            guard let on = before.outcome?.leftOn ?? before.outcome?.recordedOn else { continue }
            departures.append(CustomersLeft.Departure(customer: after.id, on: on.description))
        }
        for chunk in departures.chunked(Limits.auditSubjectsMax) {
            try tenant.outbox.append(DeparturesWithdrawn(departures: Array(chunk)), session)
        }
    }
}
