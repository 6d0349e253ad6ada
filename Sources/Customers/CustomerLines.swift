import Kernel
import Storage

/// Which line of a customer a fact is about, and how lines come, change and end.
extension CustomerRecord {
    /// The standing line of a service; for somebody who has left, the one they had.
    func line(_ service: ServiceCode) -> Subscription? {
        subscriptions.first { $0.service == service && stands($0) }
    }

    /// In service, or the last that was known of somebody who has left.
    func stands(_ line: Subscription) -> Bool { line.status != .terminated || customer.hasLeft == true }

    /// The line that plan, contract, charge and status are about.
    func main(_ context: FieldContext) -> Subscription? { mainPlace(context).map { subscriptions[$0] } }

    private func mainPlace(_ context: FieldContext) -> Int? {
        if let line = context.line { return subscriptions.firstIndex { $0.id == line } }
        return subscriptions.isEmpty ? nil : 0
    }

    mutating func changeMain(_ context: FieldContext, creating: Bool, _ change: (inout Subscription) -> Void) {
        if let place = mainPlace(context) { return change(&subscriptions[place]) }
        guard creating else { return }
        var line = newLine(.other, context)
        change(&line)
        subscriptions.append(line)
    }

    private func newLine(_ service: ServiceCode, _ context: FieldContext) -> Subscription {
        let left = customer.hasLeft == true
        return Subscription(
            id: context.ids.next(), service: service, startedOn: customer.since,
            endedOn: left ? outcome?.leftOn : nil, status: left ? .terminated : .active, currency: context.currency)
    }

    // MARK: The line of an imported row

    /// The line that a row is about: the one that holds the row's number, else the one of the service it names (a number
    /// names a mobile line), else the main one. A line that is not there yet is added, before those of other services.
    ///
    /// A number that no line has is a new one of the customer's first line of the service. Where that has ended, it is a line of its own:
    /// another one in service has its number from elsewhere (a page, an order, a file of lines) and is not turned into this one.
    mutating func chooseLine(for values: [String: SQLValue], _ context: inout FieldContext) {
        let number = values["msisdn"]?.asText
        let named = values["service"]?.asText
        context.namesLine = number != nil
        if let number, let held = numberPlace(number) { return context.line = subscriptions[held].id }
        guard number != nil || named != nil else { return context.line = subscriptions.first?.id }
        let service = named.map(ServiceWords.service) ?? .mobile
        func isMeant(_ line: Subscription) -> Bool {
            line.service == service && (service != .other || line.technology == named)
        }
        func isUnknown(_ line: Subscription) -> Bool {
            line.service == .other && line.technology == nil && line.msisdn == nil && stands(line)
        }
        let first = subscriptions.first(where: isMeant)?.id
        func mayTake(_ line: Subscription) -> Bool { number == nil || line.msisdn == nil || line.id == first }
        let known =
            subscriptions.first { isMeant($0) && stands($0) && mayTake($0) }
            ?? (number == nil ? subscriptions.first(where: isMeant) : nil)
            ?? subscriptions.first(where: isUnknown)
        if let known { return context.line = known.id }
        if number == nil, let main = subscriptions.first, !Self.hasOwnColumn(main.service, values) {
            return context.line = main.id
        }
        let line = newLine(number == nil ? .other : service, context)
        subscriptions.append(line)
        context.line = line.id
        context.isNew = true
    }

    private func numberPlace(_ number: String) -> Int? {
        subscriptions.firstIndex { $0.msisdn == number && $0.status != .terminated }
            ?? subscriptions.firstIndex { $0.msisdn == number }
    }

    private static func hasOwnColumn(_ service: ServiceCode, _ values: [String: SQLValue]) -> Bool {
        switch service {
        case .broadband: values["internet_service"] != nil
        case .fixedVoice: values["phone_service"] != nil
        default: false
        }
    }

    // MARK: Numbers

    /// The line whose number is shown and changed: the chosen one, else the first mobile line in service.
    func numberLine(_ context: FieldContext) -> Subscription? {
        if let line = context.line { return subscriptions.first { $0.id == line } }
        return subscriptions.first { $0.service == .mobile && stands($0) }
            ?? subscriptions.first { $0.msisdn != nil && stands($0) } ?? subscriptions.first { $0.msisdn != nil }
            ?? subscriptions.first { $0.service == .other && $0.technology == nil && stands($0) }
    }

    mutating func setNumber(_ number: String?, _ context: FieldContext) {
        let line = numberLine(context)
        guard line?.msisdn != number else { return }
        var place = line.flatMap { line in subscriptions.firstIndex { $0.id == line.id } }
        // A new number is not that of a line which has ended.
        if number != nil, context.line == nil, let line, !stands(line) { place = nil }
        if place == nil, number != nil {
            subscriptions.append(newLine(.mobile, context))
            place = subscriptions.count - 1
        }
        guard let place else { return }
        subscriptions[place].msisdn = number
        if subscriptions[place].service == .other, subscriptions[place].technology == nil, number != nil {
            subscriptions[place].service = .mobile
        }
    }

    // MARK: Services and add-ons

    /// Adds, brings back or ends the line of a service.
    mutating func setLine(
        _ service: ServiceCode, wanted: Bool, _ context: FieldContext, _ change: (inout Subscription) -> Void
    ) {
        let left = customer.hasLeft == true
        let place =
            subscriptions.firstIndex { $0.service == service && ($0.status != .terminated || left) }
            ?? (wanted ? subscriptions.firstIndex { $0.service == service } : nil)
        if wanted {
            if let place {
                if subscriptions[place].status == .terminated, !left {
                    subscriptions[place].status = .active
                    subscriptions[place].endedOn = nil
                }
                change(&subscriptions[place])
            } else {
                var line = newLine(service, context)
                change(&line)
                subscriptions.append(line)
            }
        } else if let place, !left {
            subscriptions[place].status = .terminated
            subscriptions[place].endedOn = context.today
        }
    }

    /// A number that is another customer's line is this one's contact number: it does not claim the line, and a line of
    /// which nothing else is known goes.
    mutating func yield(_ number: String, _ context: FieldContext) {
        subscriptions = subscriptions.compactMap { line in
            guard line.msisdn == number, line.status != .terminated else { return line }
            var bare = line
            bare.msisdn = nil
            let isEmpty =
                bare.technology == nil && bare.plan == nil && bare.contractTerm == nil && bare.contractEnd == nil
                && bare.monthlyCharge == nil && bare.addons.isEmpty && bare.iccid == nil && bare.imsi == nil
                && bare.imei == nil && bare.device == nil
            return isEmpty ? nil : bare
        }
        guard !contacts.contains(where: { $0.kind == .phone && $0.value == number }) else { return }
        contacts.append(
            ContactMedium(
                id: context.ids.next(), kind: .phone, value: number,
                preferred: !contacts.contains { $0.kind == .phone }))
    }

    /// A line of which nothing is known any more goes.
    mutating func dropEmptyLines() {
        subscriptions.removeAll { line in
            line.service == .other && line.technology == nil && line.plan == nil && line.msisdn == nil
                && line.contractTerm == nil && line.contractEnd == nil && line.monthlyCharge == nil
                && line.addons.isEmpty && line.iccid == nil && line.imsi == nil && line.imei == nil
                && line.device == nil && line.simKind == nil
        }
    }

    /// The lines an add-on is looked for on: all, but only the named one of a customer with several numbers.
    private func addonPlaces(_ context: FieldContext) -> [Int] {
        if context.namesLine, subscriptions.count(where: { $0.msisdn != nil }) > 1, let place = mainPlace(context) {
            return [place]
        }
        return Array(subscriptions.indices)
    }

    func has(_ addon: String, _ context: FieldContext) -> Bool {
        addonPlaces(context).contains { subscriptions[$0].addons.contains { $0.code == addon } }
    }

    mutating func setAddon(_ code: String, _ wanted: Bool, _ context: FieldContext) {
        guard wanted != has(code, context) else { return }
        if wanted {
            changeMain(context, creating: true) { $0.addons.append(Addon(code: code)) }
        } else {
            for place in addonPlaces(context) { subscriptions[place].addons.removeAll { $0.code == code } }
        }
    }

    // MARK: Beginning and end

    /// Months from the start to the end of the relation, or to `today`.
    func tenureMonths(on today: LocalDate) -> Int? {
        guard let since = customer.since else { return nil }
        return monthsBetween(since, customer.hasLeft == true ? outcome?.leftOn ?? outcome?.recordedOn ?? today : today)
    }

    mutating func setStart(_ date: LocalDate?) {
        let old = customer.since
        customer.since = date
        for index in subscriptions.indices where subscriptions[index].startedOn == old {
            subscriptions[index].startedOn = date
        }
    }

    /// Leaving ends the lines and the lifecycle; taking it back restores what it ended.
    mutating func setLeft(_ left: Bool?, _ context: FieldContext) {
        let was = customer.hasLeft == true
        customer.hasLeft = left
        if left == true, !was {
            if outcome == nil {
                outcome = Outcome(id: context.ids.next(), leftOn: context.leftOn, recordedOn: context.today)
            }
            customer.status = .churned
            for index in subscriptions.indices where subscriptions[index].status != .terminated {
                subscriptions[index].status = .terminated
                subscriptions[index].endedOn = outcome?.leftOn
            }
        } else if left != true, was {
            let on = outcome?.leftOn
            outcome = nil
            if customer.status == .churned { customer.status = .active }
            for index in subscriptions.indices
            where subscriptions[index].status == .terminated && subscriptions[index].endedOn == on {
                subscriptions[index].status = .active
                subscriptions[index].endedOn = nil
            }
        }
    }

    /// The day of leaving. It is the end of the lines that this leaving ended, not of those that ended before.
    mutating func setLeftOn(_ date: LocalDate?, _ context: FieldContext) {
        if date != nil, customer.hasLeft != true {
            var context = context
            context.leftOn = date
            setLeft(true, context)
        }
        let old = outcome?.leftOn
        guard old != date else { return }
        outcome?.leftOn = date
        for index in subscriptions.indices
        where subscriptions[index].status == .terminated && subscriptions[index].endedOn == old {
            subscriptions[index].endedOn = date
        }
    }
}
