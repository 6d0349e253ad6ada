import HTTPTypes
import Hummingbird
import HummingbirdCore
import Kernel
import NIOCore
import NIOHTTP1

extension Site {
    /// HTTP/1.1 as every server of the product speaks it: bounded headers, an end to idle connections, `ConnectionGate` on
    /// each of them (G69).
    package static var server: HTTPServerBuilder {
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGateInstaller()],
            idleTimeout: .seconds(Int64(Limits.headerSecondsMax)),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 100))
        return .http1(configuration: configuration)
    }
}

/// Stands between the HTTP decoder and the framework, for what the framework hides from the gates or leaves undone:
/// - it makes the path out of an absolute-form target (`GET http://other/`), so that nobody sees the other name: such a
///   target is handed on as `*`, which the gate refuses;
/// - it ignores `Connection: close` in an answer and reads the rest of a refused body for as long as the client likes:
///   here the connection is closed after the answer;
/// - it keeps HTTP/1.0 connections open.
final class ConnectionGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a client may go on sending after its answer, so that it gets to read it before the connection is reset.
    private static let lingerSeconds: Int64 = 2

    /// Whether each request that waits for its answer leaves the connection open.
    private var keepsAlive: [Bool] = []
    private var requestEnded = true
    private var closesAfterAnswer = false
    private var isClosing = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes after the last answer is nobody's business.
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            keepsAlive.append(head.isKeepAlive)
            requestEnded = false
            guard !head.uri.hasPrefix("/") else { break }
            head.uri = "*"
            return context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: break
        case .end: requestEnded = true
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            // 1xx answers come before the real one.
            guard head.status.code >= 200 else { break }
            let asked = keepsAlive.isEmpty ? true : keepsAlive.removeFirst()
            closesAfterAnswer =
                !asked || head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        case .end where closesAfterAnswer:
            isClosing = true
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            let hasMore = !requestEnded
            written.futureResult.whenComplete { _ in Self.close(bound.value, lingering: hasMore) }
            return context.writeAndFlush(data, promise: written)
        case .body, .end: break
        }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if isClosing, let event = event as? ChannelEvent, event == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Closes at once, or says the end and gives the client a moment: unread bytes would turn the close into a reset that
    /// can overtake the answer.
    private static func close(_ context: ChannelHandlerContext, lingering: Bool) {
        guard lingering else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(lingerSeconds)) { channel.close(promise: nil) }
    }
}

/// The framework adds handlers behind its own codec only; this one puts the gate before it and goes.
private final class ConnectionGateInstaller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Never

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionGate(), position: .after(decoder))
        } catch {
            // Without its gate a connection is not served.
            context.close(promise: nil)
        }
        pipeline.removeHandler(self, promise: nil)
    }
}
