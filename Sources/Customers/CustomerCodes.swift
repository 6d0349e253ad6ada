import Kernel

enum AttributeKind {}
/// Id of a custom attribute.
typealias AttributeID = ID<AttributeKind>

enum SavedViewKind {}
typealias SavedViewID = ID<SavedViewKind>

/// A person or an organisation.
enum CustomerKind: String, Sendable, CaseIterable { case individual, organisation }

/// Where a customer stands in the lifecycle (B4).
enum CustomerStatus: String, Sendable, CaseIterable {
    case prospect, onboarding, active
    case atRisk = "at_risk"
    case suspended, churned
    case wonBack = "won_back"

    /// The states a person may move the customer to. Nobody comes back from `churned` but by being won back.
    var next: [CustomerStatus] {
        switch self {
        case .prospect: [.onboarding, .active, .churned]
        case .onboarding: [.active, .suspended, .churned]
        case .active: [.atRisk, .suspended, .churned]
        case .atRisk: [.active, .suspended, .churned]
        case .suspended: [.active, .atRisk, .churned]
        case .churned: [.wonBack]
        case .wonBack: [.active, .atRisk, .suspended, .churned]
        }
    }
}

/// State of a subscription.
enum SubscriptionStatus: String, Sendable, CaseIterable { case pending, active, suspended, terminated }

/// A card, or a profile on the device's own chip (GSMA SGP.22).
enum SIMKind: String, Sendable, CaseIterable { case physical, esim }

/// Services an operator sells. Anything else an import names is `other`.
enum ServiceCode: String, Sendable, CaseIterable {
    case mobile
    case fixedVoice = "fixed_voice"
    case broadband, tv, iot, other
}

enum ContactKind: String, Sendable { case phone, email }

/// Kinds of charge on an account.
/// The last four are bills of which the source says that nobody is to pay them now.
enum ChargeKind: String, Sendable, CaseIterable {
    case bill, payment, fee, adjustment, disputed, cancelled
    case writtenOff = "written_off"
    case draft
}

/// Value tiers (B3), highest first. `unknown` until there is a monthly charge.
enum ValueTier: String, Sendable, CaseIterable { case vip, high, ordinary, unknown }

/// Risk bands, as Insights names them.
enum RiskBand: String, Sendable, CaseIterable { case critical, high, medium, low }

/// Company size (large, medium, small, micro).
enum SizeTier: String, Sendable, CaseIterable { case large, medium, small, micro }

/// Kinds of identity document.
enum DocumentKind: String, Sendable, CaseIterable {
    case idCard = "id_card"
    case passport
    case businessLicence = "business_licence"
    case other
}

/// How the other one of a relation stands to the customer.
enum RelationRole: String, Sendable, CaseIterable {
    case spouse, parent, child, member, payer, employer, employee
    case headOffice = "head_office"
    case branch
}

/// Add-ons that have a column of their own in imports and in learning. Further codes may be stored.
enum AddonCode: String, Sendable, CaseIterable {
    case multipleLines = "multiple_lines"
    case onlineSecurity = "online_security"
    case onlineBackup = "online_backup"
    case deviceProtection = "device_protection"
    case techSupport = "tech_support"
    case streamingTV = "streaming_tv"
    case streamingMovies = "streaming_movies"
    case dataPack = "data_pack"
    case roaming
    case internationalCalls = "international_calls"
    case cloudStorage = "cloud_storage"
}
