import Kernel

/// Everything of one customer that people edit and imports fill. Charges and usage are appended apart: they grow.
struct CustomerRecord: Sendable, Equatable {
    let id: CustomerID
    var party: Party
    var customer: Customer
    var contacts: [ContactMedium] = []
    /// The first is the one shown.
    var addresses: [Address] = []
    var documents: [IdentityDocument] = []
    /// The first is the main one: list and learning take plan and contract from it.
    var subscriptions: [Subscription] = []
    /// At most one that stands: set when the customer has left.
    var outcome: Outcome?
    var attributes: [AttributeID: AttributeContent] = [:]
    /// Name of a source -> the number this customer has there. `customer.reference` is the one shown.
    var sourceIDs: [String: String] = [:]

    init(id: CustomerID, party: Party, customer: Customer) {
        self.id = id
        self.party = party
        self.customer = customer
    }

    /// The name, else the source's own number, else our id.
    var title: String { party.displayName.isEmpty ? customer.reference ?? "#\(id)" : party.displayName }

    func contact(_ kind: ContactKind) -> String? {
        let all = contacts.filter { $0.kind == kind }
        return (all.first { $0.preferred } ?? all.first)?.value
    }

    /// Sum over the subscriptions that stand; `nil` when none has a charge.
    var monthlyCharge: Int64? { charge(withEnded: customer.hasLeft == true) }

    /// - Parameter withEnded: lines that have ended count too.
    func charge(withEnded: Bool) -> Int64? {
        var sum: Int64?
        for line in subscriptions where withEnded || line.status != .terminated {
            if let charge = line.monthlyCharge { sum = (sum ?? 0).plus(charge) }
        }
        return sum
    }
}

/// A person or an organisation (customers_party).
struct Party: Sendable, Equatable {
    var kind: CustomerKind
    /// Empty when the source has no names.
    var displayName: String
    var familyName: String?
    var givenName: String?
    /// `male`, `female`, `other`.
    var gender: String?
    var birthDate: LocalDate?
    var senior: Bool?
    /// `zh`, `en`.
    var language: String?
    var industry: String?
    var sizeTier: SizeTier?

    init(
        kind: CustomerKind, displayName: String, familyName: String? = nil, givenName: String? = nil,
        gender: String? = nil, birthDate: LocalDate? = nil, senior: Bool? = nil, language: String? = nil,
        industry: String? = nil, sizeTier: SizeTier? = nil
    ) {
        self.kind = kind
        self.displayName = displayName
        self.familyName = familyName
        self.givenName = givenName
        self.gender = gender
        self.birthDate = birthDate
        self.senior = senior
        self.language = language
        self.industry = industry
        self.sizeTier = sizeTier
    }
}

/// The party as a customer (customers_customer).
struct Customer: Sendable, Equatable {
    /// The source's own number, shown where there is no name.
    var reference: String?
    var status: CustomerStatus
    var statusReason: String?
    /// A code or tag set by people or imports.
    var segment: String?
    var region: String?
    var city: String?
    var since: LocalDate?
    var paymentMethod: String?
    var paperless: Bool?
    /// Minor units, over the whole tenure.
    var totalCharges: Int64?
    var currency: String
    /// `true` = left, `false` = known to have stayed, `nil` = unknown.
    var hasLeft: Bool?
    /// Where the record came from: `console`, `seed`, the name of an import's source.
    var source: String
    /// Counts the changes that stand: reverting an import takes it back. Imports and their revert go by it.
    var revision: Int64
    /// Counts every write and never goes back; the writer sets it. Forms go by it.
    var edition: Int64 = 1
    var createdAt: Instant
    var updatedAt: Instant

    init(
        reference: String? = nil, status: CustomerStatus = .active, statusReason: String? = nil, segment: String? = nil,
        region: String? = nil, city: String? = nil, since: LocalDate? = nil, paymentMethod: String? = nil,
        paperless: Bool? = nil, totalCharges: Int64? = nil, currency: String, hasLeft: Bool? = nil, source: String,
        revision: Int64 = 1, createdAt: Instant, updatedAt: Instant? = nil
    ) {
        self.reference = reference
        self.status = status
        self.statusReason = statusReason
        self.segment = segment
        self.region = region
        self.city = city
        self.since = since
        self.paymentMethod = paymentMethod
        self.paperless = paperless
        self.totalCharges = totalCharges
        self.currency = currency
        self.hasLeft = hasLeft
        self.source = source
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt ?? createdAt
    }
}

struct ContactMedium: Sendable, Equatable {
    let id: ID<AnyKind>
    var kind: ContactKind
    /// E.164 for phones.
    var value: String
    var preferred = true
}

struct Address: Sendable, Equatable {
    let id: ID<AnyKind>
    var lines: String?
    var city: String?
    var region: String?
    var postcode: String?
    var country: String?
    /// Degrees, WGS 84.
    var latitude: Double?
    var longitude: Double?
}

struct IdentityDocument: Sendable, Equatable {
    let id: ID<AnyKind>
    var kind: DocumentKind
    var number: String
}

struct Subscription: Sendable, Equatable {
    let id: SubscriptionID
    var service: ServiceCode
    /// `dsl`, `fibre`, `5g`, ...
    var technology: String?
    var plan: String?
    /// E.164.
    var msisdn: String?
    /// Months; 0 = month to month.
    var contractTerm: Int?
    var contractEnd: LocalDate?
    var startedOn: LocalDate?
    var endedOn: LocalDate?
    var status: SubscriptionStatus = .active
    /// Minor units.
    var monthlyCharge: Int64?
    var currency: String
    var addons: [Addon] = []
    /// Number of the SIM card or eSIM profile (ITU-T E.118).
    var iccid: String?
    /// International mobile subscriber identity (ITU-T E.212).
    var imsi: String?
    /// Number of the device (3GPP TS 23.003).
    var imei: String?
    /// What the device is called: `Xiaomi 14`.
    var device: String?
    var simKind: SIMKind?
}

struct Addon: Sendable, Equatable {
    var code: String
    /// Minor units.
    var monthlyCharge: Int64?
}

/// A change of a subscription's status (customers_subscription_history).
struct SubscriptionChange: Sendable, Equatable {
    let id: ID<AnyKind>
    let subscription: SubscriptionID
    let on: LocalDate
    let from: SubscriptionStatus
    let to: SubscriptionStatus
    let reason: String?
}

struct Charge: Sendable, Equatable {
    let id: ID<AnyKind>
    let kind: ChargeKind
    /// `YYYY-MM`.
    let period: String
    /// Minor units.
    let amount: Int64
    let currency: String
    let issuedOn: LocalDate
    let dueOn: LocalDate?
    let paidOn: LocalDate?
}

struct UsageMonth: Sendable, Equatable {
    let subscription: SubscriptionID
    /// `YYYY-MM`.
    let month: String
    let voiceMin: Int
    let sms: Int
    let dataMB: Int64
    let roamingMB: Int64
    let calls: Int
    let droppedCalls: Int
    let speedMbps: Double?
}

struct Outcome: Sendable, Equatable {
    let id: ID<AnyKind>
    var leftOn: LocalDate?
    /// A `LeaveReason` code.
    var reasonCode: String?
    var reasonText: String?
    var competitor: String?
    /// When we learned of it; stands in for `leftOn` where that is unknown.
    var recordedOn: LocalDate
}

/// The value of a custom attribute.
enum AttributeContent: Sendable, Equatable {
    case text(String)
    /// Also booleans, as 0 and 1.
    case integer(Int64)
    case decimal(Double)
}
