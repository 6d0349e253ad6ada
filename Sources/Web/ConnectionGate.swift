import HTTPTypes
import Hummingbird
import HummingbirdCore
import Kernel
import NIOCore
import NIOHTTP1
import Synchronization

/// What one connection may take (G69).
package struct ConnectionLimits: Sendable {
    /// From its opening, or from the end of the last answer, to the end of a request's head.
    package var headSeconds: Int64 = Int64(Limits.headerSecondsMax)
    /// Without a byte of a body that the server waits for. Longer than a small body may take in all, which is answered.
    package var bodyStallSeconds: Int64 = Int64(Limits.headerSecondsMax) + 5
    /// Without the client taking a byte of an answer. The system frees its send buffer in large pieces: at this buffer's
    /// size a client that reads 3 kB a second is still in time.
    package var sendStallSeconds: Int64 = 30
    package var sendBufferBytes: Int32 = 128 * 1024
    /// Open connections of one address; listed proxies speak for many and are exempt.
    package var perAddressMax = 512
    package var exempt: [IPNetwork] = []
    /// What refuses requests before anything is done for them.
    package var door: Door?
    package init() {}
}

extension Site {
    /// Open connections of the process. Beyond it nobody is accepted until one closes.
    package static let connectionsMax = 4_096

    /// HTTP/1.1 as every server of the product speaks it: bounded headers, `ConnectionGate` on each connection (G69). The
    /// framework's own idle time-out stays off: it closes 10 s after an answer was handed over, also when a slow client
    /// is still reading it.
    package static func server(_ limits: ConnectionLimits = ConnectionLimits()) -> HTTPServerBuilder {
        let counts = ConnectionCounts()
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGateInstaller(limits: limits, counts: counts)],
            idleTimeout: nil,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 * 1024, maxHeaderListSize: 64 * 1024, maxHeaderFieldCount: 100))
        return .http1(configuration: configuration)
    }
}

/// Open connections by address.
final class ConnectionCounts: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func enter(_ address: String, max: Int) -> Bool {
        counts.withLock { counts in
            let count = counts[address] ?? 0
            guard count < max else { return false }
            counts[address] = count + 1
            return true
        }
    }

    func leave(_ address: String) {
        counts.withLock { counts in
            let count = (counts[address] ?? 1) - 1
            counts[address] = count > 0 ? count : nil
        }
    }
}

/// Stands between the HTTP decoder and the framework, for what the framework hides from the gates or leaves undone:
/// - it makes the path out of an absolute-form target (`GET http://other/`), so that nobody sees the other name: such a
///   target is handed on as `*`, which the gate refuses;
/// - it ignores `Connection: close` in an answer and reads the rest of a refused body for as long as the client likes:
///   here the connection is closed after the answer;
/// - it keeps HTTP/1.0 connections open;
/// - clients that are slow with a head, with a body, or in taking an answer keep their connection for ever.
///
/// Under overload it answers for the `Door`.
final class ConnectionGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long a client may go on sending after its answer, so that it gets to read it before the connection is reset.
    private static let lingerSeconds: Int64 = 2

    private let limits: ConnectionLimits
    private let counts: ConnectionCounts
    /// Under which the connection is counted.
    private var counted: String?
    private var began = false

    /// Whether each request that waits for its answer leaves the connection open.
    private var keepsAlive: [Bool] = []
    private var requestEnded = true
    private var closesAfterAnswer = false
    private var isClosing = false
    /// The request that is coming in has its answer.
    private var isRefused = false

    // The watch over slow clients.
    private var watch: RepeatedTask?
    /// Requests whose answers have not ended.
    private var unanswered = 0
    /// Since when nothing is under way.
    private var idleSince = NIODeadline.now()
    private var lastBodyPart = NIODeadline.now()
    /// Whether the server waits for bytes; when it does not, the client is not slow.
    private var wantsBytes = false
    private var writtenBytes = 0
    private var takenBytes = 0
    private var lastTaken = NIODeadline.now()

    init(limits: ConnectionLimits, counts: ConnectionCounts) {
        self.limits = limits
        self.counts = counts
    }

    // MARK: The connection's life

    func handlerAdded(context: ChannelHandlerContext) { if context.channel.isActive { begin(context) } }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    private func begin(_ context: ChannelHandlerContext) {
        guard !began else { return }
        began = true
        let address = context.channel.remoteAddress?.ipAddress ?? "unknown"
        if let parsed = IPAddress(address), !limits.exempt.contains(where: { $0.contains(parsed) }) {
            let subscriber = IPAddress.subscriber(address)
            guard counts.enter(subscriber, max: limits.perAddressMax) else {
                isClosing = true
                return context.close(promise: nil)
            }
            counted = subscriber
        }
        // Bounds what a slow reader makes the system keep, and makes its progress visible in time.
        try? context.channel.syncOptions?.setOption(
            .socketOption(.so_sndbuf), value: SocketOptionValue(limits.sendBufferBytes))
        let now = NIODeadline.now()
        (idleSince, lastBodyPart, lastTaken) = (now, now, now)
        let bound = NIOLoopBound((gate: self, context: context), eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            bound.value.gate.look(bound.value.context)
        }
    }

    private func end() {
        watch?.cancel()
        watch = nil
        if let counted { counts.leave(counted) }
        counted = nil
    }

    /// Every second: closes the connection of a client that is too slow.
    private func look(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        let buffered = (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
        if buffered > 0 {
            // While bytes wait to be taken, nothing else is the client's turn.
            idleSince = now
            let taken = writtenBytes - buffered
            if taken != takenBytes {
                takenBytes = taken
                lastTaken = now
            } else if now - lastTaken > .seconds(limits.sendStallSeconds) {
                context.close(promise: nil)
            }
            return
        }
        lastTaken = now
        if unanswered == 0 {
            if now - idleSince > .seconds(limits.headSeconds) { context.close(promise: nil) }
        } else {
            idleSince = now
            if requestEnded || !wantsBytes {
                lastBodyPart = now
            } else if now - lastBodyPart > .seconds(limits.bodyStallSeconds) {
                context.close(promise: nil)
            }
        }
    }

    // MARK: In

    func read(context: ChannelHandlerContext) {
        wantsBytes = true
        context.read()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        wantsBytes = false
        context.fireChannelReadComplete()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What comes after the last answer is nobody's business.
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            // Nobody's answer is overtaken, and who does not take answers gets no more of them.
            if keepsAlive.isEmpty, unanswered == 0, context.channel.isWritable, let door = limits.door,
                let refusal = door.refusal(of: head)
            {
                isRefused = true
                return answer(context, refusal, hasBody: head.method != .HEAD)
            }
            keepsAlive.append(head.isKeepAlive)
            requestEnded = false
            unanswered += 1
            lastBodyPart = .now()
            guard !head.uri.hasPrefix("/") else { break }
            head.uri = "*"
            return context.fireChannelRead(wrapInboundOut(.head(head)))
        case .body: lastBodyPart = .now()
        case .end where isRefused:
            isRefused = false
            return
        case .end: requestEnded = true
        }
        context.fireChannelRead(data)
    }

    private func answer(_ context: ChannelHandlerContext, _ refusal: Door.Refusal, hasBody: Bool) {
        context.write(wrapOutboundOut(.head(refusal.head)), promise: nil)
        if hasBody {
            writtenBytes += refusal.body.readableBytes
            context.write(wrapOutboundOut(.body(.byteBuffer(refusal.body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        idleSince = .now()
    }

    // MARK: Out

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            // 1xx answers come before the real one.
            guard head.status.code >= 200 else { break }
            let asked = keepsAlive.isEmpty ? true : keepsAlive.removeFirst()
            closesAfterAnswer =
                !asked || head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        case .end:
            unanswered = max(0, unanswered - 1)
            idleSince = .now()
            guard closesAfterAnswer else { break }
            isClosing = true
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
            let hasMore = !requestEnded
            written.futureResult.whenComplete { _ in Self.close(bound.value, lingering: hasMore) }
            return context.writeAndFlush(data, promise: written)
        case .body(let part): writtenBytes += part.readableBytes
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

    private let limits: ConnectionLimits
    private let counts: ConnectionCounts

    init(limits: ConnectionLimits, counts: ConnectionCounts) {
        self.limits = limits
        self.counts = counts
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        do {
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionGate(limits: limits, counts: counts), position: .after(decoder))
        } catch {
            // Without its gate a connection is not served.
            context.close(promise: nil)
        }
        pipeline.removeHandler(self, promise: nil)
    }
}
