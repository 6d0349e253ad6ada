import Kernel

/// What customers' data is used for, as consents are asked for it: `marketing`, `profiling`, `research`, `sharing`.
package struct ConsentPurpose: Sendable, Hashable {
    package let code: String

    /// Reads a word of another system; `MARKETING` and `marketing` are the same purpose.
    package init(any text: String) { code = ConsentTopic.code(text) }

    package static let marketing = ConsentPurpose(any: "marketing")
    package static let profiling = ConsentPurpose(any: "profiling")
    /// What the contract itself needs, and keeping the books.
    package static let service = ConsentPurpose(any: "service")

    /// Whether it needs a consent: everything but what the contract with the customer rests on (PIPL 13, GDPR 6(1)(b)).
    package var needsConsent: Bool { code != Self.service.code && code != "admin" }
}

/// What a consent is about besides its purpose: a channel (`sms`), a kind of data (`location`), or all of them (`any`).
package struct ConsentTopic: Sendable, Hashable {
    package let code: String

    package static let any = ConsentTopic(code: "any")

    private init(code: String) { self.code = code }

    /// Reads a word of another system; `SMS`, `text message` and `短信` are one channel.
    package init(any text: String) {
        let code = Self.code(text)
        self.code = Self.channels.first { $0.words.contains(code) }?.code ?? code
    }

    private static let channels: [(code: String, words: Set<String>)] = [
        ("sms", ["sms", "text", "text_message", "short_message", "mms", "短信"]),
        ("email", ["email", "e_mail", "email_address", "emailaddress", "mail", "邮件", "电子邮件"]),
        ("call", ["call", "phone", "phone_call", "telephone", "phonenumber", "phone_number", "voice", "电话", "外呼"]),
        (
            "push",
            ["push", "app", "mobile_app_push", "mobileapppush", "mobile_app_push_notification", "push_notification", "app推送", "推送"]
        ),
        ("post", ["post", "letter", "postal", "postal_address", "信函"]),
        ("wechat", ["wechat", "weixin", "微信"]),
        ("any", ["any", "all", "*", "consent", "全部", ""]),
    ]

    /// Lower case, one underscore for what is neither letter nor digit.
    static func code(_ text: String) -> String {
        var result = ""
        for character in text.lowercased() {
            if character.isLetter || character.isNumber || character == "*" {
                result.append(character)
            } else if !result.isEmpty, result.last != "_" {
                result.append("_")
            }
        }
        return result.last == "_" ? String(result.dropLast()) : result
    }
}

/// Whether something may be done with a customer's data, and why.
package struct ConsentAnswer: Sendable, Equatable {
    package enum Reason: String, Sendable, CaseIterable {
        /// The purpose rests on the contract.
        case notNeeded
        case given
        /// Nobody ever said yes. Silence is no consent.
        case neverGiven
        case refused
        /// It was given once, and taken back or ended with its profile.
        case withdrawn
        /// Given for a time that begins later, or that is over.
        case notYet, expired
    }
    package let reason: Reason
    /// The profile that says so; its history is the evidence.
    package let profile: Int64?
    /// Since when it has been so.
    package let since: Instant?

    package init(_ reason: Reason, profile: Int64? = nil, since: Instant? = nil) {
        self.reason = reason
        self.profile = profile
        self.since = since
    }

    package var isAllowed: Bool { reason == .notNeeded || reason == .given }

    package var words: Words {
        switch reason {
        case .notNeeded: Words(en: "no consent is needed", zh: "无需同意")
        case .given: Words(en: "consent was given", zh: "已同意")
        case .neverGiven: Words(en: "consent was never given", zh: "从未同意")
        case .refused: Words(en: "consent was refused", zh: "已拒绝")
        case .withdrawn: Words(en: "consent was withdrawn", zh: "同意已撤回")
        case .notYet: Words(en: "consent begins later", zh: "同意尚未生效")
        case .expired: Words(en: "consent has expired", zh: "同意已过期")
        }
    }
}

/// A customer's consent changed. It holds from the moment it is stored; the event is for those who keep something because of it.
package struct ConsentChanged: DomainEvent {
    package static let eventType = "privacy.consent.changed"
    package struct Change: Codable, Sendable {
        package let purpose: String
        package let topic: String
        /// `given`, `refused`, `withdrawn`.
        package let decision: String
        package init(purpose: String, topic: String, decision: String) {
            self.purpose = purpose
            self.topic = topic
            self.decision = decision
        }
    }
    package let customer: CustomerID
    package let changes: [Change]
    package init(customer: CustomerID, changes: [Change]) {
        self.customer = customer
        self.changes = changes
    }
}
