import Hummingbird
import Kernel
import Logging
import NIOCore
import ServiceLifecycle
import Web

/// Answers orchestrators and scrapers on an address of its own (ADR 0016): `/healthz`, `/readyz`, `/metrics`, nothing else.
/// They do not come through the TLS proxy and do not know the installation's host name, so the gate would refuse them; and a
/// worker has no other address at all. No session, no cookie and nothing about a person is here.
struct Probes: HTTPResponder {
    typealias Context = SiteContext
    let console: Console

    func respond(to request: Request, context: SiteContext) async throws -> Response {
        var answer = await answer(request)
        answer.headers[.cacheControl] = "no-store"
        // Whatever body came is not read.
        answer.headers[.connection] = "close"
        return Response(status: answer.status, headers: answer.headers, body: answer.body)
    }

    private func answer(_ request: Request) async -> WebResponse {
        guard request.method == .get else { return .text("method not allowed\n", status: .methodNotAllowed) }
        switch request.uri.path {
        case "/healthz": return .text("ok\n")
        case "/readyz":
            do { return try await console.readiness() } catch {
                return .text("not ready\n", status: .serviceUnavailable)
            }
        case "/metrics":
            return .text(console.metrics.exposition(), type: "text/plain; version=0.0.4; charset=utf-8")
        default: return .text("not found\n", status: .notFound)
        }
    }
}

extension Runtime {
    /// The service that answers probes; `nil` when the configuration names no address for them.
    func probes() -> (any Service)? {
        guard let address = configuration.probesAddress else { return nil }
        let logger = logger
        let application = Application(
            responder: Probes(console: console), server: Site.server(),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port), serverName: nil,
                availableConnectionsDelegate: .maximum(64, logger: logger)),
            onServerRunning: { channel in
                logger.info("probes.running", metadata: ["port": "\(channel.localAddress?.port ?? 0)"])
            },
            logger: Logger(label: "probes") { LogLines(label: $0, level: .warning) })
        return ProbesService(application: application, address: configuration.probes ?? "")
    }
}

/// Says which setting is wrong when the address cannot be had.
private struct ProbesService<Base: Service>: Service {
    let application: Base
    let address: String

    func run() async throws {
        do { try await application.run() } catch let error as IOError {
            throw CRMError(
                "probes_address", status: 500,
                Words(
                    en:
                        "Probes cannot be answered on \(address) (errno \(error.errnoCode)): another program has it, or this machine has no such address. Set SWITCHBOARD_PROBES to another.",
                    zh: "无法在 \(address) 上应答探测（errno \(error.errnoCode)）：端口被占用或本机无此地址，请修改 SWITCHBOARD_PROBES。"))
        }
    }
}
