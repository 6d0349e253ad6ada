import Crypto
import Foundation
import Kernel

/// Settings of the gates.
package struct GateSettings: Sendable {
    /// Reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count.
    package var trustedProxies: [IPNetwork] = []
    /// Bound beyond loopback: whoever is neither this machine nor a listed proxy is refused.
    package var requiresProxy = false
    /// Secret for CSRF tokens, from the data folder; 32 bytes.
    package var csrfKey: SymmetricKey
    /// Requests a second that one account or (anonymous) address may send, with a burst of twice that; 0 = no limit.
    package var requestsPerSecond: Double = 200
    /// How much more than one caller a whole tenant may send.
    package var tenantTimes: Double = 20
    /// Handlers at work before new requests are refused with 503.
    package var concurrentMax = 512
    /// Of these, for one account or (anonymous) address.
    package var callerMax = 32
    /// Requests that work at once; others wait for their turn. 0 = as many as come. About what keeps the threads that read busy.
    package var turns = max(16, 8 * ProcessInfo.processInfo.activeProcessorCount)
    /// Requests that wait for the client to send a body, files apart.
    package var receivingMax = 1_024
    /// Files that come in, answers that are made while they are sent.
    package var streamsMax = 128
    package var streamsCallerMax = 8
    /// For a small body to arrive.
    package var bodySeconds: Int = Limits.headerSecondsMax
    package var requestSeconds: Int = Limits.requestSecondsMax
    package var uploadSeconds: Int = Limits.uploadSecondsMax

    package init(csrfKey: SymmetricKey) { self.csrfKey = csrfKey }
}
