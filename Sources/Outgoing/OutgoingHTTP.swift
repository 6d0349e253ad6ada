import CCurl
import Foundation
import Kernel
import Web

/// What is sent.
package struct OutgoingRequest: Sendable {
    package let address: AddressGuard.Checked
    package var method = "GET"
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    package var connectSeconds = 5
    /// For all of it, the answer included.
    package var seconds = 10
    /// An answer that is longer breaks off.
    package var answerMax: Int64 = 64 << 10
    /// Certificates of an authority beside those of the system.
    package var authorities: String?

    package init(_ address: AddressGuard.Checked) { self.address = address }
}

/// The head of an answer; its body went to whoever asked for it.
package struct OutgoingAnswer: Sendable {
    package let status: Int
    /// Names in lower case.
    package let headers: [String: String]
    package let bytes: Int64
    /// Longer than was allowed: the rest was not read.
    package let isCut: Bool
    package let retryAfterSeconds: Int?
}

/// Why there was no answer.
package struct OutgoingFailure: Error, Sendable, Equatable {
    package enum Reason: String, Sendable {
        case timeout, unreachable, tls
        case unknownHost = "unknown_host", privateAddress = "private_address", brokenOff = "broken_off", cancelled
    }
    package let reason: Reason
    /// In curl's words, for the log.
    package let detail: String
}

/// A connection that is kept from one call to the next of the same address, one call at a time.
package final class OutgoingConnection: @unchecked Sendable {
    // SAFETY: used under the lock only.
    fileprivate let handle: UnsafeMutableRawPointer?
    fileprivate let lock = NSLock()

    package init() { handle = OutgoingHTTP.isReady ? curl_easy_init() : nil }
    deinit { if let handle { curl_easy_cleanup(handle) } }
}

/// Calls others over HTTP: no redirect is followed, no proxy, cookie or password of the environment is used, TLS is verified,
/// and every address is looked at when it is connected to, so that a name that moves to a private address after it was
/// checked leads nowhere (ADR 0057).
package enum OutgoingHTTP {
    fileprivate static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    private final class Work: @unchecked Sendable {
        // SAFETY: touched by the thread of the request only.
        let request: OutgoingRequest
        let sink: @Sendable (Int, UnsafeRawBufferPointer) throws -> Void
        var status = 0
        var headers: [String: String] = [:]
        var bytes: Int64 = 0
        var isCut = false
        var refused = false
        var error: (any Error)?

        init(_ request: OutgoingRequest, _ sink: @escaping @Sendable (Int, UnsafeRawBufferPointer) throws -> Void) {
            self.request = request
            self.sink = sink
        }

        func line(_ text: String) {
            if text.hasPrefix("HTTP/") {
                // An interim answer comes before the real one.
                headers = [:]
                status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
                return
            }
            guard headers.count < 100, let colon = text.firstIndex(of: ":") else { return }
            headers[text[..<colon].lowercased()] = text[text.index(after: colon)...].trimmed
        }
    }

    /// Sends a request and waits for the end of the answer; blocks its thread.
    /// - Parameters:
    ///   - connection: `nil` = one of its own.
    ///   - isCancelled: asked about once a second.
    ///   - sink: is given the status and the body of the answer as it comes.
    /// - Throws: `OutgoingFailure`, or what `sink` throws.
    package static func send(
        _ request: OutgoingRequest, over connection: OutgoingConnection? = nil, isCancelled: @escaping @Sendable () -> Bool = { false },
        sink: @escaping @Sendable (Int, UnsafeRawBufferPointer) throws -> Void = { _, _ in }
    ) throws -> OutgoingAnswer {
        let connection = connection ?? OutgoingConnection()
        guard let handle = connection.handle else {
            throw OutgoingFailure(reason: .unreachable, detail: "curl cannot be used")
        }
        connection.lock.lock()
        defer {
            // Keeps the connection and forgets all that was said of this call.
            curl_easy_reset(handle)
            connection.lock.unlock()
        }
        let work = Work(request, sink)
        var list: UnsafeMutablePointer<curl_slist>?
        // Curl would ask first and wait for a leave to go on.
        for (name, value) in [("Expect", "")] + request.headers.map({ ($0.name, $0.value) }) {
            list = curl_slist_append(list, value.isEmpty ? "\(name):" : "\(name): \(value)")
        }
        defer { curl_slist_free_all(list) }
        let cancelled = Cancelled(isCancelled)
        return try withExtendedLifetime((work, cancelled)) {
            prepare(handle, work, cancelled)
            scurl_set_pointer(handle, CURLOPT_HTTPHEADER, list)
            let code = request.body.withUnsafeBytes { bytes in
                if !request.body.isEmpty || request.method == "POST" {
                    scurl_set_number(handle, CURLOPT_POST, 1)
                    scurl_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
                    scurl_set_pointer(
                        handle, CURLOPT_POSTFIELDS, bytes.baseAddress.map { UnsafeMutableRawPointer(mutating: $0) })
                }
                scurl_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
                return curl_easy_perform(handle)
            }
            return try answer(handle, code, work)
        }
    }

    private final class Cancelled: Sendable {
        let ask: @Sendable () -> Bool
        init(_ ask: @escaping @Sendable () -> Bool) { self.ask = ask }
    }

    private static func prepare(_ handle: UnsafeMutableRawPointer, _ work: Work, _ cancelled: Cancelled) {
        let request = work.request
        scurl_set_text(handle, CURLOPT_URL, request.address.text)
        scurl_set_text(handle, CURLOPT_PROTOCOLS_STR, request.address.isListed ? "http,https" : "https")
        scurl_set_number(handle, CURLOPT_FOLLOWLOCATION, 0)
        scurl_set_text(handle, CURLOPT_PROXY, "")
        scurl_set_text(handle, CURLOPT_NOPROXY, "*")
        scurl_set_number(handle, CURLOPT_NETRC, 0)
        scurl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        scurl_set_number(handle, CURLOPT_CONNECTTIMEOUT_MS, request.connectSeconds * 1_000)
        scurl_set_number(handle, CURLOPT_TIMEOUT_MS, request.seconds * 1_000)
        scurl_set_number(handle, CURLOPT_SSL_VERIFYPEER, 1)
        scurl_set_number(handle, CURLOPT_SSL_VERIFYHOST, 2)
        scurl_set_number(handle, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2)
        scurl_set_number(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        scurl_set_number(handle, CURLOPT_DNS_CACHE_TIMEOUT, 0)
        scurl_set_text(handle, CURLOPT_USERAGENT, "switchboard")
        if let file = request.authorities { scurl_set_text(handle, CURLOPT_CAINFO, file) }
        let pointer = Unmanaged.passUnretained(work).toOpaque()
        scurl_set_pointer(handle, CURLOPT_OPENSOCKETDATA, pointer)
        scurl_set_open(handle) { data, _, address in
            guard let data, let address else { return -1 }
            let work = Unmanaged<Work>.fromOpaque(data).takeUnretainedValue()
            guard let found = AddressGuard.address(scurl_address(address), socklen_t(address.pointee.addrlen)),
                work.request.address.allows(found)
            else {
                work.refused = true
                return -1
            }
            return socket(
                address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
                address.pointee.protocol)
        }
        scurl_set_pointer(handle, CURLOPT_HEADERDATA, pointer)
        scurl_set_data(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, data in
            guard let bytes, let data else { return 0 }
            let text = String(decoding: UnsafeRawBufferPointer(start: bytes, count: size * count), as: UTF8.self)
            Unmanaged<Work>.fromOpaque(data).takeUnretainedValue().line(text.trimmed)
            return size * count
        }
        scurl_set_pointer(handle, CURLOPT_WRITEDATA, pointer)
        scurl_set_data(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, data in
            guard let bytes, let data else { return 0 }
            let work = Unmanaged<Work>.fromOpaque(data).takeUnretainedValue()
            work.bytes += Int64(size * count)
            guard work.bytes <= work.request.answerMax else {
                work.isCut = true
                return 0
            }
            do { try work.sink(work.status, UnsafeRawBufferPointer(start: bytes, count: size * count)) } catch {
                work.error = error
                return 0
            }
            return size * count
        }
        scurl_set_pointer(handle, CURLOPT_XFERINFODATA, Unmanaged.passUnretained(cancelled).toOpaque())
        scurl_set_progress(handle) { data, _, _, _, _ in
            guard let data else { return 0 }
            return Unmanaged<Cancelled>.fromOpaque(data).takeUnretainedValue().ask() ? 1 : 0
        }
        scurl_set_number(handle, CURLOPT_NOPROGRESS, 0)
    }

    private static func answer(
        _ handle: UnsafeMutableRawPointer, _ code: CURLcode, _ work: Work
    ) throws -> OutgoingAnswer {
        if let error = work.error { throw error }
        guard code == CURLE_OK || work.isCut else {
            let detail = String(cString: curl_easy_strerror(code))
            let reason: OutgoingFailure.Reason =
                switch code {
                case _ where work.refused: .privateAddress
                case CURLE_OPERATION_TIMEDOUT: .timeout
                case CURLE_COULDNT_RESOLVE_HOST: .unknownHost
                case CURLE_COULDNT_CONNECT: .unreachable
                case CURLE_ABORTED_BY_CALLBACK: .cancelled
                case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
                    CURLE_SSL_CACERT_BADFILE: .tls
                default: .brokenOff
                }
            throw OutgoingFailure(reason: reason, detail: detail)
        }
        let wait = Int(scurl_retry_after(handle))
        return OutgoingAnswer(
            status: scurl_status(handle), headers: work.headers, bytes: work.bytes, isCut: work.isCut,
            retryAfterSeconds: wait > 0 ? wait : nil)
    }
}
