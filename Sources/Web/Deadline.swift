import Kernel

/// Ends work that takes too long.
///
/// By design work that does not look at cancellation is waited for: an answer before its end would let the place of the
/// request go while its work goes on, and work would pile up without bound. Handlers suspend in the database, on the
/// hasher's threads or in the network, which all end; a computation that runs for long belongs in a job.
enum Deadline {
    /// - Parameter status: 503 when the product was slow, 408 when the client was.
    static func run<T: Sendable>(
        seconds: Int, status: Int = 503, _ work: @escaping @Sendable () async throws -> T
    ) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                try await Task.sleep(for: .seconds(seconds))
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw CRMError(
                    "timeout", status: status, Words(en: "The request took too long.", zh: "请求处理超时。"),
                    retryAfterSeconds: 5)
            }
            return value
        }
    }
}
