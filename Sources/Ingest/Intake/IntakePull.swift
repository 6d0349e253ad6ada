import Foundation
import FoundationNetworking
import Kernel
import Platform
import Storage
import Synchronization
import Web

/// Whether an address may be asked (G68): HTTPS, no user in it, at addresses of the public internet; what the installation
/// lists may be private, and plain HTTP where it is this machine.
struct PullGuard: Sendable {
    let hosts: Set<String>

    /// What is nobody's on the public internet (IANA special-purpose registries).
    private static let closed = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    ].compactMap { IPNetwork($0) }

    static func isPublic(_ address: IPAddress) -> Bool { !closed.contains { $0.contains(address) } }

    /// - Throws: `CRMError` 422 that says what is wrong.
    func check(_ text: String) throws -> URL {
        guard text.utf8.count <= 2_000, let url = URL(string: text), let host = url.host, !host.isEmpty,
            let scheme = url.scheme?.lowercased()
        else { throw Self.refused("address", "The address cannot be read.", "地址无法识别。") }
        guard url.user == nil, url.password == nil, url.fragment == nil else {
            throw Self.refused(
                "userinfo", "The address must hold no user name, password or fragment.", "地址中不得包含用户名、密码或片段。")
        }
        let isListed = hosts.contains(host.lowercased())
        let isHere = host == "localhost" || IPAddress(host)?.isLoopback ?? false
        guard scheme == "https" || scheme == "http" && isListed && isHere else {
            throw Self.refused("not_https", "Files are fetched by https only.", "仅支持通过 https 获取文件。")
        }
        guard isListed || [nil, 443, 8443].contains(url.port) else {
            throw Self.refused("port", "Files are fetched at the ports 443 and 8443 only.", "仅支持 443 和 8443 端口。")
        }
        if !isListed { try checkAddresses(host) }
        return url
    }

    /// Every address of the host must be public. A name that changes its address afterwards meets TLS: nothing private has
    /// a certificate for the name.
    private func checkAddresses(_ host: String) throws {
        let found = Self.resolve(host.trimmingCharacters(in: ["[", "]"]))
        guard !found.isEmpty else {
            throw Self.refused("unknown_host", "The host “\(host)” is not known.", "无法解析主机“\(host)”。")
        }
        guard found.allSatisfy(Self.isPublic) else {
            throw Self.refused(
                "private_address",
                "The host “\(host)” is not on the public internet. Whoever runs the installation can allow it (SWITCHBOARD_PULL_HOSTS).",
                "主机“\(host)”不在公网。可由安装维护人员放行（SWITCHBOARD_PULL_HOSTS）。")
        }
    }

    /// Blocks its thread.
    static func resolve(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let one = next?.pointee {
            var name = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(one.ai_addr, one.ai_addrlen, &name, socklen_t(name.count), nil, 0, NI_NUMERICHOST) == 0 {
                let text = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if let address = IPAddress(text) { found.append(address) }
            }
            next = one.ai_next
        }
        return found
    }

    /// The host of an address, for showing where a file comes from.
    static func host(_ text: String) -> String? { URL(string: text)?.host }

    static func refused(_ code: String, _ en: String, _ zh: String) -> CRMError {
        .invalid("url", code, Words(en: en, zh: zh))
    }
}

/// Fetches one file into a file.
final class PullTask: NSObject, URLSessionDataDelegate, Sendable {
    enum Outcome: Sendable {
        case unchanged
        case fetched(bytes: Int64, etag: String?, modified: String?)
    }
    private struct State {
        var handle: FileHandle?
        var bytes: Int64 = 0
        var answer: HTTPURLResponse?
        var error: CRMError?
        var waiting: CheckedContinuation<Outcome, any Error>?
    }

    static let bytesMax: Int64 = 4 << 30
    private let state = Mutex(State())
    private let bytesMax: Int64

    private init(bytesMax: Int64) { self.bytesMax = bytesMax }

    /// - Parameter path: where it goes; a file that is there is replaced.
    /// - Throws: `CRMError` in words for the page.
    static func fetch(
        _ url: URL, etag: String?, modified: String?, secret: PullSecret? = nil, into path: String,
        bytesMax: Int64 = bytesMax
    ) async throws -> Outcome {
        guard
            FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path)
        else {
            throw CRMError("inbox", status: 500, Words(en: "The drop folder cannot be written.", zh: "无法写入收取目录。"))
        }
        let task = PullTask(bytesMax: bytesMax)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = 60
        configuration.timeoutIntervalForResource = 3_600
        configuration.httpCookieAcceptPolicy = .never
        configuration.urlCache = nil
        let session = URLSession(configuration: configuration, delegate: task, delegateQueue: nil)
        defer { session.invalidateAndCancel() }
        var request = URLRequest(url: url)
        request.setValue("switchboard", forHTTPHeaderField: "User-Agent")
        if let header = secret?.header { request.setValue(header.value, forHTTPHeaderField: header.name) }
        if let etag { request.setValue(etag, forHTTPHeaderField: "If-None-Match") }
        if let modified { request.setValue(modified, forHTTPHeaderField: "If-Modified-Since") }
        let work = session.dataTask(with: request)
        defer { try? handle.close() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                task.state.withLock {
                    $0.handle = handle
                    $0.waiting = continuation
                }
                work.resume()
            }
        } onCancel: {
            work.cancel()
        }
    }

    private func stop(_ error: CRMError) { state.withLock { $0.error = $0.error ?? error } }

    private static func failed(_ en: String, _ zh: String) -> CRMError {
        CRMError("pull_failed", status: 422, Words(en: en, zh: zh))
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping (URLRequest?) -> Void
    ) {
        let host = request.url?.host ?? ""
        stop(
            Self.failed(
                "The address sends on to another one (at “\(host)”), which is not followed: enter that address itself.",
                "该地址重定向到“\(host)”，不予跟随：请直接填写目标地址。"))
        completionHandler(nil)
        task.cancel()
    }

    /// A host that asks who we are: what we have was sent already. Left to itself Foundation waits for ever here.
    func urlSession(
        _ session: URLSession, task: URLSessionTask, didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        stop(Self.unwelcome(401))
        completionHandler(.cancelAuthenticationChallenge, nil)
        task.cancel()
    }

    private static func unwelcome(_ status: Int) -> CRMError {
        failed(
            "The host refuses the request (status \(status)): enter its credentials, or other ones.",
            "主机拒绝访问（状态码 \(status)），请填写或更换凭据。")
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
    ) {
        guard let answer = response as? HTTPURLResponse else { return completionHandler(.cancel) }
        state.withLock { $0.answer = answer }
        if answer.statusCode == 200, answer.expectedContentLength > bytesMax {
            stop(tooLarge)
            return completionHandler(.cancel)
        }
        completionHandler(answer.statusCode == 200 ? .allow : .cancel)
    }

    private var tooLarge: CRMError {
        Self.failed("The file is larger than \(bytesMax >> 20) MiB.", "文件超过 \(bytesMax >> 20) MiB。")
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let isTooMuch = state.withLock { state -> Bool in
            guard state.error == nil else { return true }
            state.bytes += Int64(data.count)
            guard state.bytes <= bytesMax else {
                state.error = tooLarge
                return true
            }
            do { try state.handle?.write(contentsOf: data) } catch {
                state.error = Self.failed("The file could not be written: \(error).", "文件写入失败：\(error)。")
                return true
            }
            return false
        }
        if isTooMuch { dataTask.cancel() }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (waiting, result) = state.withLock { state -> (CheckedContinuation<Outcome, any Error>?, Result<Outcome, any Error>) in
            defer { state.waiting = nil }
            return (state.waiting, Self.result(state, error))
        }
        waiting?.resume(with: result)
    }

    private static func result(_ state: State, _ error: (any Error)?) -> Result<Outcome, any Error> {
        if let known = state.error { return .failure(known) }
        guard let answer = state.answer else {
            return .failure(failed("The host does not answer: \(error?.localizedDescription ?? "").", "主机无应答：\(error?.localizedDescription ?? "")。"))
        }
        switch answer.statusCode {
        case 304: return .success(.unchanged)
        case 200:
            if let error { return .failure(failed("The answer broke off: \(error.localizedDescription).", "传输中断。")) }
            if answer.expectedContentLength > 0, answer.value(forHTTPHeaderField: "Content-Encoding") == nil,
                state.bytes != answer.expectedContentLength
            {
                return .failure(failed("The answer broke off before its end.", "传输未完成即中断。"))
            }
            return .success(
                .fetched(
                    bytes: state.bytes, etag: answer.value(forHTTPHeaderField: "ETag"),
                    modified: answer.value(forHTTPHeaderField: "Last-Modified")))
        case 401, 403:
            return .failure(unwelcome(answer.statusCode))
        case let code:
            return .failure(failed("The host answered with status \(code).", "主机返回状态码 \(code)。"))
        }
    }
}

extension IntakeService {
    /// Asks the addresses that are due. What came goes through the drop folder like any other file.
    func pull(force source: String? = nil) async throws -> Int {
        guard settings.inbox != nil else { return 0 }
        let now = tenant.clock.now()
        var fetched = 0
        for intake in try await tenant.database.read({ try IntakeStore.all($0) }) {
            guard intake.enabled, let url = intake.url else { continue }
            guard source == intake.source || (source == nil && intake.nextPullAt.map { $0 <= now } ?? true) else { continue }
            let next = now.adding(seconds: Int64(intake.everyMinutes) * 60)
            // One process asks, however many are at work.
            let isOurs = try await tenant.database.write { session in
                try session.execute(
                    IntakeStore.claimPull, [.text(intake.source), .time(intake.nextPullAt), .time(next)]) == 1
            }
            if isOurs, try await pull(intake, url) { fetched += 1 }
        }
        return fetched
    }

    /// - Returns: whether a file came.
    private func pull(_ intake: Intake, _ text: String) async throws -> Bool {
        var (etag, modified) = (intake.etag, intake.modified)
        var words = Words(en: "", zh: "")
        var came = false
        var unfinished: String?
        do {
            let folder = try folder(intake)
            let hosts = settings.hosts
            let url = try await OwnThread.run {
                try folder.prepare()
                return try PullGuard(hosts: hosts).check(text)
            }
            let secret = try intake.secret.map { try PullSecret.open($0, tenant, source: intake.source, url: text) }
            let part = folder.path + "/" + Self.pulledPrefix + "now.part"
            unfinished = part
            switch try await PullTask.fetch(url, etag: etag, modified: modified, secret: secret, into: part) {
            case .unchanged: words = Words(en: "Nothing new.", zh: "没有新内容。")
            case .fetched(let bytes, let newTag, let newDate):
                (etag, modified) = (newTag, newDate)
                let name = Self.name(url, at: tenant.clock.now())
                try await OwnThread.run {
                    let path = folder.path + "/" + name
                    guard rename(part, path) == 0 else {
                        throw CRMError("inbox", status: 500, Words(en: "The file could not be put into the folder.", zh: "无法放入目录。"))
                    }
                    // Without the mark the file is taken all the same, a minute later.
                    _ = FileManager.default.createFile(atPath: path + DropFolder.marker, contents: nil)
                }
                words = Words(en: "\(Numbers.grouped(bytes)) bytes came.", zh: "收到 \(Numbers.grouped(bytes)) 字节。")
                came = true
            }
        } catch let error as CRMError {
            words = error.message
        }
        // Renamed by now, or of no use.
        if let unfinished { try? FileManager.default.removeItem(atPath: unfinished) }
        let told = words
        let (tag, date, isNew) = (etag, modified, came)
        try await tenant.database.write { [tenant] session in
            try session.execute(
                IntakeStore.pulled,
                [
                    .text(intake.source), .time(tenant.clock.now()), .text(tag), .text(date), .text(told.en),
                    .text(told.zh),
                ])
            if isNew {
                try tenant.audit.record(
                    AuditEntry("ingest.intake.pull", facts: ["source": .string(intake.source)]), by: principal(intake),
                    session)
                // What came is looked at at once.
                _ = try tenant.jobs.enqueue(Self.lookJob, payload: "{}", by: "intake", session)
            }
        }
        return came
    }

    /// `pulled-20261129-021500-bills.csv`
    static func name(_ url: URL, at now: Instant) -> String {
        let stamp = now.iso8601.prefix(19).filter { $0 != "-" && $0 != ":" }.replacing("T", with: "-")
        let last = String(url.lastPathComponent.unicodeScalars.filter {
            CharacterSet.alphanumerics.contains($0) || "._-".unicodeScalars.contains($0)
        }.map(Character.init).suffix(80))
        let clean = String(last.drop { $0 == "." })
        return pulledPrefix + stamp + "-" + (clean.isEmpty ? "file" : clean)
    }
}
