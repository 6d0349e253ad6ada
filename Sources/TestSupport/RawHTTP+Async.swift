import Dispatch

extension RawHTTP {
    /// `send` on a thread of its own. The server under test needs the cooperative pool, which has as many threads as the
    /// machine has cores: tests that block them would starve it.
    package func ask(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8] = [], host: String? = nil
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    with: Result { try send(method, path, headers: headers, body: body, host: host) })
            }
        }
    }

    /// `raw` on a thread of its own.
    package func exchange(_ bytes: [UInt8], seconds: Int = 20) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try raw(bytes, seconds: seconds) }) }
        }
    }
}
