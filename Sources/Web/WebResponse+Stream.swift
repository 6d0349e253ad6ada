import HTTPTypes
import Hummingbird
import Kernel
import NIOCore
import Synchronization

extension WebResponse {
    /// A file to be saved that is made while it is sent: `next` gives its pieces in order and `nil` at the end.
    /// - Parameter open: called once when the answer begins; what it returns is used by one task only.
    package static func download(
        name: String, type: String, length: Int? = nil,
        _ open: @escaping @Sendable () throws -> (() async throws -> [UInt8]?)
    ) -> WebResponse {
        let body = ResponseBody(contentLength: length) { writer in
            let next = try open()
            while let bytes = try await next() { try await writer.write(ByteBuffer(bytes: bytes)) }
            try await writer.finish(nil)
        }
        var answer = download(body, name: name, type: type)
        answer.isStreamed = true
        return answer
    }
}

extension WebResponse {
    /// The whole body, for tests and for answers known to be small.
    package func collectedBody() async throws -> [UInt8] {
        let collector = BodyCollector()
        try await body.write(collector)
        return collector.bytes.withLock { $0 }
    }
}

/// Keeps what is written.
private final class BodyCollector: ResponseBodyWriter, Sendable {
    let bytes = Mutex<[UInt8]>([])
    func write(_ buffer: ByteBuffer) async throws { bytes.withLock { $0 += Array(buffer.readableBytesView) } }
    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
