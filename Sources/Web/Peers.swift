import HTTPTypes
import Kernel

/// Who may connect, and which address a request counts for (G6, G15, G69).
///
/// TLS ends at a proxy. A proxy is believed when it is listed; then the request counts for the address the proxy names,
/// and the proxy must say that the browser came over https. A proxy on this machine that nobody listed would make every
/// client one and the same (`127.0.0.1`), share one throttle among all, and be taken for the machine itself: refused.
struct Peers: Sendable {
    let trusted: [IPNetwork]
    /// Bound beyond loopback: only this machine and listed proxies may connect.
    let requiresProxy: Bool

    static let unlisted = CRMError(
        "unlisted_proxy", status: 400,
        Words(
            en: "This request came through a proxy that is not listed. List its address in trustedProxies.",
            zh: "请求经过未登记的代理，请在 trustedProxies 中列出该代理的地址。"))
    static let direct = CRMError(
        "direct_access", status: 403,
        Words(en: "This server answers its TLS proxy only.", zh: "本服务仅接受来自 TLS 代理的请求。"))
    static let insecure = CRMError(
        "insecure_proxy", status: 400,
        Words(
            en: "The proxy must send X-Forwarded-Proto: https; sessions do not travel in the clear.",
            zh: "代理必须发送 X-Forwarded-Proto: https，会话不得以明文传输。"))
    static let nameless = CRMError(
        "no_client_address", status: 400,
        Words(
            en: "The proxy must send the client's address in X-Forwarded-For.", zh: "代理必须在 X-Forwarded-For 中提供客户端地址。"))

    /// The address a request counts for.
    /// - Throws: 400 or 403 with the reason, for whoever sets the proxy up.
    func client(of peer: String, _ headers: HTTPFields) throws -> String {
        let address = IPAddress(peer)
        let forwardedFor = headers[values: .init("x-forwarded-for")!].flatMap { $0.split(separator: ",") }
        let isForwarded = !forwardedFor.isEmpty || headers[.init("forwarded")!] != nil
        guard let address, trusted.contains(where: { $0.contains(address) }) else {
            let isLoopback = address?.isLoopback ?? false
            if requiresProxy, !isLoopback { throw Self.direct }
            if isForwarded, isLoopback { throw Self.unlisted }
            return peer
        }
        // The machine itself may ask without a proxy: health checks, the command line.
        guard isForwarded || !address.isLoopback else { return peer }
        let scheme = headers[values: .init("x-forwarded-proto")!].last?.split(separator: ",").last
        guard scheme?.trimmed.lowercased() == "https" else { throw Self.insecure }
        // Each proxy appends who it was asked by; the last name that is not a proxy of ours is the client's.
        var first: IPAddress?
        for text in forwardedFor.reversed() {
            guard let named = Self.address(text.trimmed) else { throw Self.nameless }
            if !trusted.contains(where: { $0.contains(named) }) { return named.description }
            first = named
        }
        // Somebody on a proxy's own machine.
        guard let first else { throw Self.nameless }
        return first.description
    }

    /// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
    private static func address(_ text: String) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        guard let colon = text.lastIndex(of: ":"), text[text.index(after: colon)...].allSatisfy(\.isNumber) else {
            return nil
        }
        return IPAddress(text[..<colon])
    }
}
