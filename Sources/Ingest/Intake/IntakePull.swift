import Foundation
import Kernel
import Outgoing
import Platform
import Storage
import Synchronization
import Web

extension AddressGuard {
    /// For files: what `SWITCHBOARD_PULL_HOSTS` lists may be private.
    static func pull(_ hosts: Set<String>) -> AddressGuard { AddressGuard(hosts: hosts, setting: "SWITCHBOARD_PULL_HOSTS") }
}

/// Fetches one file into a file.
enum PullTask {
    enum Outcome: Sendable {
        case unchanged
        case fetched(bytes: Int64, etag: String?, modified: String?)
    }

    static let bytesMax: Int64 = 4 << 30

    /// - Parameter path: where it goes; a file that is there is replaced.
    /// - Throws: `CRMError` in words for the page.
    static func fetch(
        _ address: AddressGuard.Checked, etag: String?, modified: String?, secret: PullSecret? = nil,
        into path: String, bytesMax: Int64 = bytesMax
    ) async throws -> Outcome {
        guard
            FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let handle = FileHandle(forWritingAtPath: path)
        else {
            throw CRMError("inbox", status: 500, Words(en: "The drop folder cannot be written.", zh: "无法写入收取目录。"))
        }
        defer { try? handle.close() }
        var request = OutgoingRequest(address)
        request.connectSeconds = 60
        request.seconds = 3_600
        request.answerMax = bytesMax
        if let header = secret?.header { request.headers.append(header) }
        if let etag { request.headers.append(("If-None-Match", etag)) }
        if let modified { request.headers.append(("If-Modified-Since", modified)) }
        let (sent, isCancelled) = (request, Stop())
        do {
            let answer = try await withTaskCancellationHandler {
                try await OwnThread.run {
                    try OutgoingHTTP.send(sent, isCancelled: { isCancelled.isSet }) { status, bytes in
                        // What is said beside a refusal is of no use.
                        guard status == 200 else { throw Unwanted(status: status) }
                        do { try handle.write(contentsOf: Data(bytes)) } catch {
                            throw failed("The file could not be written: \(error).", "文件写入失败：\(error)。")
                        }
                    }
                }
            } onCancel: {
                isCancelled.set()
            }
            return try outcome(answer, bytesMax)
        } catch let error as Unwanted {
            throw unwelcome(error.status, redirect: nil)
        } catch let error as OutgoingFailure {
            throw error.reason == .brokenOff
                ? failed("The answer broke off before its end: \(error.detail).", "传输未完成即中断：\(error.detail)。")
                : failed("The host does not answer: \(error.detail).", "主机无应答：\(error.detail)。")
        }
    }

    private struct Unwanted: Error { let status: Int }

    private final class Stop: Sendable {
        private let state = Mutex(false)
        var isSet: Bool { state.withLock { $0 } }
        func set() { state.withLock { $0 = true } }
    }

    private static func failed(_ en: String, _ zh: String) -> CRMError {
        CRMError("pull_failed", status: 422, Words(en: en, zh: zh))
    }

    private static func unwelcome(_ status: Int, redirect: String?) -> CRMError {
        if (300..<400).contains(status) {
            let host = redirect.flatMap { AddressGuard.host($0) } ?? ""
            return failed(
                "The address sends on to another one (at “\(host)”), which is not followed: enter that address itself.",
                "该地址重定向到“\(host)”，不予跟随：请直接填写目标地址。")
        }
        guard status == 401 || status == 403 else {
            return failed("The host answered with status \(status).", "主机返回状态码 \(status)。")
        }
        return failed(
            "The host refuses the request (status \(status)): enter its credentials, or other ones.",
            "主机拒绝访问（状态码 \(status)），请填写或更换凭据。")
    }

    private static func outcome(_ answer: OutgoingAnswer, _ bytesMax: Int64) throws -> Outcome {
        if answer.status == 304 { return .unchanged }
        guard answer.status == 200 else { throw unwelcome(answer.status, redirect: answer.headers["location"]) }
        if answer.isCut {
            throw failed("The file is larger than \(bytesMax >> 20) MiB.", "文件超过 \(bytesMax >> 20) MiB。")
        }
        return .fetched(
            bytes: answer.bytes, etag: answer.headers["etag"], modified: answer.headers["last-modified"])
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
            let address = try await OwnThread.run {
                try folder.prepare()
                return try AddressGuard.pull(hosts).check(text)
            }
            let secret = try intake.secret.map { try PullSecret.open($0, tenant, source: intake.source, url: text) }
            let part = folder.path + "/" + Self.pulledPrefix + "now.part"
            unfinished = part
            switch try await PullTask.fetch(address, etag: etag, modified: modified, secret: secret, into: part) {
            case .unchanged: words = Words(en: "Nothing new.", zh: "没有新内容。")
            case .fetched(let bytes, let newTag, let newDate):
                (etag, modified) = (newTag, newDate)
                let name = Self.name(address.url, at: tenant.clock.now())
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
