import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Kernel
import NIOCore

/// Style sheets, scripts, icons: read at start, served under a path that holds their common hash, so browsers keep them
/// until they change. `vendor/` names files of Debian packages.
package struct Assets: Sendable {
    private struct File: Sendable { let body: ByteBuffer; let type: String }
    private let files: [String: File]
    /// `/assets/<hash>`: what templates put before a name.
    package let base: String
    /// Vendor files that were not found, with the Debian package they come from.
    package let missing: [String]

    /// Vendor file -> (path below the vendor root, Debian package).
    static let vendor: [(name: String, path: String, package: String)] = [
        ("vendor/chart.js", "chart.js/chart.min.js", "libjs-chart.js"),
        ("vendor/leaflet.js", "leaflet/leaflet.min.js", "libjs-leaflet"),
        ("vendor/leaflet.css", "leaflet/leaflet.css", "libjs-leaflet"),
    ]

    /// - Parameter vendorRoot: `/usr/share/javascript` on Debian.
    package init(share: ShareFolder, vendorRoot: String) {
        var files: [String: File] = [:]
        var missing: [String] = []
        var hash = SHA256()
        func add(_ name: String, _ path: String) -> Bool {
            guard let data = FileManager.default.contents(atPath: path) else { return false }
            hash.update(data: data)
            files[name] = File(body: ByteBuffer(bytes: data), type: Self.type(name))
            return true
        }
        for target in share.targets() {
            for suffix in [".css", ".js", ".svg", ".png", ".webmanifest", ".ico"] {
                for name in share.names(target, "Assets", suffix: suffix) {
                    _ = add(name, share.path(target, "Assets", name))
                }
            }
        }
        for item in Self.vendor where !add(item.name, vendorRoot + "/" + item.path) {
            missing.append("\(item.name) (\(item.package))")
        }
        self.files = files
        self.missing = missing
        base =
            "/assets/"
            + hash.finalize().prefix(6).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    static func type(_ name: String) -> String {
        switch name.split(separator: ".").last {
        case "css": "text/css; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "ico": "image/x-icon"
        case "webmanifest": "application/manifest+json"
        default: "application/octet-stream"
        }
    }

    /// `/assets/<any hash>/<name>`: an old page's address still gets today's file, kept for a day only.
    func respond(path: String, headers: HTTPFields) throws -> WebResponse {
        let name = path.dropFirst("/assets/".count)
        let parts = name.split(separator: "/", maxSplits: 1)
        guard let file = files[parts.count == 2 ? String(parts[1]) : ""] ?? files[String(name)] else {
            throw CRMError.notFound
        }
        var answer = WebResponse(headers: [.contentType: file.type], body: ResponseBody(byteBuffer: file.body))
        answer.isPublicAsset = true
        let current = parts.count == 2 && base.hasSuffix("/" + parts[0])
        answer.headers[.cacheControl] = current ? "public, max-age=31536000, immutable" : "public, max-age=300"
        return answer
    }

    package var names: [String] { files.keys.sorted() }
}
