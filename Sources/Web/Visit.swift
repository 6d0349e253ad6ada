import Kernel

/// What is known of a request while it passes the gates.
struct Visit {
    let requestID: String
    var address: String
    var tenant = "-"
    var routeName = "-"
    var purpose = Purpose.service
    var language = Language.en
    var theme = "auto"
    var session: SessionState?
    /// Of the browser's cookie, or a new one that this answer sets.
    var cookieToken = ""
    var setsCookie = false
    var wantsJSON = false
    /// It came for an address for programs, `/api` or `/tmf-api`.
    var isAPI = false
    /// Under the addresses of TM Forum's interfaces: errors are of their form.
    var isTMF = false
    /// It came for where programs get their tokens, `/oauth`: errors are worded as RFC 6749 does.
    var isOAuth = false
    /// The access token it came with.
    var bearer: String?
    /// Whose token that is.
    var program: TokenCaller?
    /// Whether it was counted for that caller before the token was looked at.
    var isCounted = false
    /// The methods of the address, where it has none of the request's.
    var allowed: [String] = []
    /// Whether it asks to see something and changes nothing.
    var isRead = false
    /// A message of the last page waits to be shown on this one.
    var hasFlash = false
    let nonce: String

    /// What the caller proves with who they are: a token, or the cookie of a browser that had one.
    var secret: String? { bearer ?? (setsCookie ? nil : cookieToken) }

    /// Whom the request counts for: the account, the client, or the subscriber's address.
    var caller: String {
        if let program { return program.key }
        if let user = session?.principal.userID { return "u\(tenant) \(user)" }
        return "a" + IPAddress.subscriber(address)
    }

    init(remoteAddress: String, requestID: String = RandomText.hex(8)) {
        address = remoteAddress
        self.requestID = requestID
        nonce = RandomText.hex(12)
    }
}
