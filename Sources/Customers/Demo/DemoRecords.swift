import Kernel
import Platform
import Storage

/// Turns invented customers into rows, made before the transaction that writes them.
struct DemoRecords: Sendable {
    /// What stays the same from batch to batch.
    struct Frame: Sendable {
        let ids: IDGenerator
        let now: Instant
        let today: LocalDate
        let months: Int
        let currency: String
        let attributes: DemoAttributes
        let policy: ValuePolicy
        let step: SearchStep
    }

    private let frame: Frame
    private var ids: IDGenerator { frame.ids }
    private var today: LocalDate { frame.today }
    private var currency: String { frame.currency }

    /// Name of the source in identifiers; customer numbers are `C-0000001`...
    static let source = "seed"

    private(set) var subjects: [CustomerID] = []
    private(set) var facts: [DemoFacts] = []
    private var rows = CustomerRows()
    private var words: Set<String> = []
    private var charges: [[SQLValue]] = []
    private var usage: [[SQLValue]] = []
    private var history: [[SQLValue]] = []
    private var relations: [[SQLValue]] = []

    init(_ frame: Frame) { self.frame = frame }

    func write(_ session: any SQLSession) throws {
        try rows.writeNew(isDistinct: true, session)
        try SearchWords.note(words, session)
        try session.bulkInsert(
            into: "customers_charge",
            "customer_id, id, kind, period, amount, currency, issued_on, due_on, paid_on", charges)
        try session.bulkInsert(
            into: "customers_usage_month",
            """
            customer_id, subscription_id, month, voice_min, sms, data_mb, roaming_mb, calls, dropped_calls, speed_mbps
            """, usage)
        try session.bulkInsert(
            into: "customers_subscription_history",
            "customer_id, id, subscription_id, changed_on, from_status, to_status, reason", history)
        try session.bulkInsert(
            into: "customers_relation", "customer_id, other_id, role, valid_from, valid_to", relations)
    }

    /// `C-0000001` for the first.
    static func reference(_ index: Int) -> String { "C-" + DemoNumbers.padded(index + 1, 7) }

    /// - Parameter id: of the customer, made before, so that relations can name it.
    /// - Parameter head: the first of those who belong together, when that is somebody else.
    mutating func add(_ demo: DemoCustomer, id: CustomerID, head: CustomerID?) {
        var record = CustomerRecord(id: id, party: Self.party(demo), customer: customer(demo))
        if let phone = demo.lines.first.map({ DemoNumbers.msisdn($0.index) }) {
            record.contacts.append(ContactMedium(id: ids.next(), kind: .phone, value: phone))
        }
        if let email = demo.email {
            record.contacts.append(ContactMedium(id: ids.next(), kind: .email, value: email, preferred: false))
        }
        record.addresses = [
            Address(
                id: ids.next(), lines: "\(demo.district.zh)\(demo.street)", city: demo.city.zh,
                region: demo.city.region,
                postcode: nil, country: "CN", latitude: demo.latitude, longitude: demo.longitude)
        ]
        record.documents = [
            IdentityDocument(
                id: ids.next(), kind: demo.isOrganisation ? .businessLicence : .idCard, number: demo.documentNumber)
        ]
        record.subscriptions = demo.lines.map(subscription)
        if let outcome = demo.outcome {
            record.outcome = Outcome(
                id: ids.next(), leftOn: outcome.leftOn, reasonCode: outcome.reason.coded.code.rawValue,
                reasonText: outcome.reason.coded.text, competitor: outcome.competitor, recordedOn: outcome.leftOn)
        }
        record.attributes = frame.attributes.values(demo)
        record.sourceIDs = record.customer.reference.map { [Self.source: $0] } ?? [:]
        addBooks(demo, id, record.subscriptions)
        if let head { relate(demo, id, head) }
        rows.addNew(record, policy: frame.policy, frame.step)
        words.formUnion(SearchWords.words(record.party.displayName))
        subjects.append(id)
        facts.append(Self.facts(demo, id, lastDay: demo.outcome?.leftOn ?? today, months: frame.months))
    }

    private mutating func relate(_ demo: DemoCustomer, _ id: CustomerID, _ head: CustomerID) {
        func add(_ role: RelationRole, _ inverse: RelationRole) {
            relations += CustomerRows.rows(id, head, role, inverse, since: demo.since)
        }
        switch demo.tie {
        case .household?:
            let isChild = (demo.risk.age ?? 40) < 26 && demo.index - demo.head > 1
            add(isChild ? .parent : .spouse, isChild ? .child : .spouse)
            add(.payer, .member)
        case .branch?: add(.headOffice, .branch)
        case .employee?: add(.employer, .employee)
        case nil: break
        }
    }

    private static func facts(_ demo: DemoCustomer, _ id: CustomerID, lastDay: LocalDate, months: Int) -> DemoFacts {
        DemoFacts(
            customer: id, index: demo.index, seed: demo.seed, isOrganisation: demo.isOrganisation,
            language: demo.isEnglish ? "en" : "zh", since: demo.since, lastDay: lastDay,
            hasLeft: demo.outcome != nil, wentToCompetitor: demo.outcome?.reason.goesToCompetitor ?? false,
            complaints: demo.risk.complaints, droppedCallPercent: demo.risk.droppedCallPercent,
            priceRisePercent: demo.risk.priceRisePercent, priceRaisedOn: demo.priceRaisedOn,
            lateBillsDue: demo.bills.filter { bill in
                bill.paidOn.map { $0 > bill.dueOn } ?? (bill.dueOn < lastDay)
            }.map(\.dueOn),
            termEndsOn: demo.lines.first?.termEndsOn, suspendedOn: demo.suspendedOn, months: months)
    }

    private static func party(_ demo: DemoCustomer) -> Party {
        if demo.isOrganisation {
            return Party(
                kind: .organisation, displayName: demo.organisationName, language: demo.isEnglish ? "en" : "zh",
                industry: demo.industry, sizeTier: demo.sizeTier.flatMap(SizeTier.init))
        }
        let name = demo.isEnglish ? "\(demo.givenName) \(demo.familyName)" : demo.familyName + demo.givenName
        return Party(
            kind: .individual, displayName: name, familyName: demo.familyName, givenName: demo.givenName,
            gender: demo.female ? "female" : "male", birthDate: demo.birthDate, senior: (demo.risk.age ?? 0) >= 65,
            language: demo.isEnglish ? "en" : "zh")
    }

    private func customer(_ demo: DemoCustomer) -> Customer {
        let status: CustomerStatus =
            demo.outcome != nil
            ? .churned
            : demo.suspendedOn != nil ? .suspended : demo.risk.tenureMonths == 0 ? .onboarding : .active
        return Customer(
            reference: Self.reference(demo.index), status: status, statusReason: nil,
            segment: demo.segment, region: demo.city.region, city: demo.city.zh, since: demo.since,
            paymentMethod: demo.paymentMethod.rawValue, paperless: demo.paymentMethod != .cash,
            totalCharges: demo.monthlyCharge * Int64(max(1, demo.risk.tenureMonths)), currency: currency,
            hasLeft: demo.outcome != nil, source: Self.source, createdAt: frame.now)
    }

    private func subscription(_ line: DemoCustomer.Line) -> Subscription {
        Subscription(
            id: ids.next(), service: .mobile, technology: line.plan.technology, plan: line.plan.name,
            msisdn: DemoNumbers.msisdn(line.index), contractTerm: line.termMonths, contractEnd: line.termEndsOn,
            startedOn: line.startedOn, endedOn: line.endedOn,
            status: line.endedOn != nil ? .terminated : line.suspendedOn != nil ? .suspended : .active,
            monthlyCharge: line.monthly, currency: currency, addons: line.addOns, iccid: DemoNumbers.iccid(line.index),
            imsi: DemoNumbers.imsi(line.index), imei: DemoNumbers.imei(line.index),
            device: Self.devices[line.index % Self.devices.count])
    }

    /// Names of no maker.
    private static let devices = [
        "Aurora 5", "Pine X2", "Aurora 4 Lite", "Lotus Pro", "Pine X1", "Lotus Fold", "Reed M",
    ]

    private mutating func addBooks(_ demo: DemoCustomer, _ id: CustomerID, _ lines: [Subscription]) {
        for (line, subscription) in zip(demo.lines, lines) {
            if let day = line.suspendedOn { change(id, subscription.id, day, .active, .suspended, "overdue") }
            if let day = line.endedOn {
                change(id, subscription.id, day, .active, .terminated, demo.outcome?.reason.coded.code.rawValue)
            }
        }
        for bill in demo.bills {
            let charge = Charge(
                id: ids.next(), kind: .bill, period: bill.month.yearMonth, amount: bill.amount, currency: currency,
                issuedOn: bill.month.adding(months: 1), dueOn: bill.dueOn, paidOn: bill.paidOn)
            charges.append(CustomerRows.row(id, charge))
        }
        for month in demo.usage where month.line < lines.count {
            let row = UsageMonth(
                subscription: lines[month.line].id, month: month.month.yearMonth, voiceMin: month.voiceMinutes,
                sms: month.messages, dataMB: Int64(month.dataMegabytes), roamingMB: 0, calls: month.calls,
                droppedCalls: month.droppedCalls, speedMbps: nil)
            usage.append(CustomerRows.row(id, row))
        }
    }

    private mutating func change(
        _ id: CustomerID, _ line: SubscriptionID, _ on: LocalDate, _ from: SubscriptionStatus,
        _ to: SubscriptionStatus, _ reason: String?
    ) {
        let change = SubscriptionChange(id: ids.next(), subscription: line, on: on, from: from, to: to, reason: reason)
        history.append(CustomerRows.row(id, change))
    }
}

extension DemoCustomer {
    /// What marketing calls them.
    var segment: String {
        if isOrganisation { return "business" }
        if risk.familyPlan { return "family" }
        let age = risk.age ?? 40
        return age > 60 ? "senior" : age < 26 ? "youth" : "mass"
    }
}
