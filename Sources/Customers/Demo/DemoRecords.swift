import Kernel

/// Turns invented customers into the records and rows that the customer writer takes.
struct DemoRecords {
    let ids: IDGenerator
    let now: Instant
    let today: LocalDate
    let currency: String
    let attributes: DemoAttributes

    /// Name of the source in identifiers; customer numbers are `C-0000001`...
    static let source = "seed"

    private(set) var records: [CustomerRecord] = []
    private(set) var charges: [(CustomerID, Charge)] = []
    private(set) var usage: [(CustomerID, UsageMonth)] = []
    private(set) var history: [(CustomerID, SubscriptionChange)] = []
    private(set) var relations:
        [(customer: CustomerID, other: CustomerID, role: RelationRole, inverse: RelationRole, since: LocalDate?)] = []

    init(ids: IDGenerator, now: Instant, today: LocalDate, currency: String, attributes: DemoAttributes) {
        self.ids = ids
        self.now = now
        self.today = today
        self.currency = currency
        self.attributes = attributes
    }

    /// - Parameter id: of the customer, made before, so that relations can name it.
    /// - Parameter payer: the household's payer when it is somebody else.
    mutating func add(_ demo: DemoCustomer, id: CustomerID, payer: CustomerID?) {
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
        record.attributes = attributes.values(demo)
        record.sourceIDs = record.customer.reference.map { [Self.source: $0] } ?? [:]
        addBooks(demo, id, record.subscriptions)
        if let payer {
            let role: (RelationRole, RelationRole) =
                (demo.risk.age ?? 40) < 26 && demo.index - demo.payer > 1
                ? (.parent, .child) : (.spouse, .spouse)
            relations.append((id, payer, role.0, role.1, demo.since))
            relations.append((id, payer, .payer, .member, demo.since))
        }
        records.append(record)
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
            reference: "C-" + DemoNumbers.padded(demo.index + 1, 7), status: status, statusReason: nil,
            segment: demo.segment, region: demo.city.region, city: demo.city.zh, since: demo.since,
            paymentMethod: demo.paymentMethod.rawValue, paperless: demo.paymentMethod != .cash,
            totalCharges: demo.monthlyCharge * Int64(max(1, demo.risk.tenureMonths)), currency: currency,
            hasLeft: demo.outcome != nil, source: Self.source, createdAt: now)
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
            charges.append((id, charge))
        }
        for month in demo.usage where month.line < lines.count {
            let row = UsageMonth(
                subscription: lines[month.line].id, month: month.month.yearMonth, voiceMin: month.voiceMinutes,
                sms: month.messages, dataMB: Int64(month.dataMegabytes), roamingMB: 0, calls: month.calls,
                droppedCalls: month.droppedCalls, speedMbps: nil)
            usage.append((id, row))
        }
    }

    private mutating func change(
        _ id: CustomerID, _ line: SubscriptionID, _ on: LocalDate, _ from: SubscriptionStatus,
        _ to: SubscriptionStatus, _ reason: String?
    ) {
        history.append(
            (id, SubscriptionChange(id: ids.next(), subscription: line, on: on, from: from, to: to, reason: reason)))
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
