import Channels
import Platform

/// Who takes messages to customers on: a folder, from where the operator's own programs bring them to their gateways, or the log alone.
package enum OutgoingSettings: Sendable, Equatable {
    /// Of all tenants: `<folder>/<tenant>/<channel>`.
    case folder(String)
    case log

    func adapter(_ tenant: Tenant) -> any ChannelAdapter {
        switch self {
        case .folder(let path): SpoolAdapter(folder: path + "/" + tenant.name)
        case .log: LogAdapter(logger: tenant.logger)
        }
    }
}
