import Kernel
import Web

/// Tells a person how far a run is; throws `JobCancelled` when it is to stop.
package typealias RunReport = @Sendable (_ done: Int64, _ total: Int64, Words) async throws -> Void

extension Bilingual {
    var words: Words { Words(en: en, zh: zh) }
}

extension ModelError: CRMErrorConvertible {
    /// A refusal that names what is wrong with the data; trying again would give the same.
    package var crmError: CRMError { CRMError(code, status: 422, text.words) }
}
