import Foundation
import Kernel
import Logging
import Storage
import Web

/// A message on its way to one receiver.
package struct OutgoingMessage: Sendable {
    /// The same at every try: by it a channel knows what it has already.
    package let key: String
    package let tenant: String
    package let channel: String
    /// Everything that is sent.
    package let content: JSONValue
}

/// Who brings messages to a channel: a gateway for text messages, a mail server, a folder.
package protocol ChannelAdapter: Sendable {
    /// Where it keeps what it has taken. An adapter elsewhere knows nothing of that.
    var memory: String { get throws }

    /// Hands a message over.
    /// - Parameter isRepeated: nobody knows what became of the try before: its process died, or did not come back in time.
    /// - Throws: `ChannelFailure`; any other error is one that may pass.
    func send(_ message: OutgoingMessage, isRepeated: Bool) async throws -> ChannelOutcome

    /// It is written down that a message was sent: it will not come again, and need not be remembered.
    func settled(_ key: String)

    /// Forgets what it remembers of messages from before a time.
    func forget(before: Instant) async
}

extension ChannelAdapter {
    package func settled(_ key: String) {}
    package func forget(before: Instant) async {}
}

package enum ChannelOutcome: Sendable, Equatable {
    case sent
    /// The try before may have arrived, and there is no way to tell: it is not sent again.
    case unknown
}

/// Why a channel does not take a message.
package struct ChannelFailure: Error, Sendable {
    /// For people; no address, no content.
    package let reason: String
    /// Whether another try would end alike.
    package let isFinal: Bool
    package init(_ reason: String, isFinal: Bool) {
        self.reason = reason
        self.isFinal = isFinal
    }
}

/// Notes in the log that a message would have gone out: for trying things, and where nothing may leave.
package struct LogAdapter: ChannelAdapter {
    private let logger: Logger

    package init(logger: Logger) { self.logger = logger }

    package var memory: String { "log" }

    package func send(_ message: OutgoingMessage, isRepeated: Bool) async throws -> ChannelOutcome {
        if isRepeated { return .unknown }
        // The log holds no address and no content (G59).
        logger.notice("channels.sent", metadata: ["message": "\(message.key)", "channel": "\(message.channel)"])
        return .sent
    }
}
