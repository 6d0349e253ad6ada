extension Route {
    /// What a change does to what is there, and so what its caller has to send along (G70, ADR 0014). A route that says
    /// nothing is taken for one that overwrites.
    package enum Effect: Sendable, Equatable {
        /// Replaces values of a record that somebody looked at: the request's key and the version that was seen.
        case overwrites
        /// Makes something new: the key.
        case adds
        /// A command that checks by itself whether it is still possible, and overwrites nothing that was typed: the key.
        case acts
        /// Key and version are honoured when they are sent: routes whose callers keep to a standard that knows neither.
        case asSent
        /// To send it twice does the same as once, for the reason given: neither is looked at.
        case same(String)

        package enum Need: String, Sendable { case required, optional, none }

        /// `Idempotency-Key`, or the field `_key` of a form.
        package var key: Need {
            switch self {
            case .overwrites, .adds, .acts: .required
            case .asSent: .optional
            case .same: .none
            }
        }

        /// `If-Match`, or the field `revision` of a form.
        package var version: Need {
            switch self {
            case .overwrites: .required
            case .asSent: .optional
            case .adds, .acts, .same: .none
            }
        }

        /// For lists of routes.
        package var name: String {
            switch self {
            case .overwrites: "overwrites"
            case .adds: "adds"
            case .acts: "acts"
            case .asSent: "as sent"
            case .same(let why): "same (\(why))"
            }
        }
    }
}
