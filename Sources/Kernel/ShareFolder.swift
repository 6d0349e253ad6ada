import Foundation

/// The program this process runs.
package enum Executable {
    /// Its real path, whatever name it was called by: argument 0 is a bare word when it was found through `PATH`, and the
    /// name of a link when it was called through one.
    package static var path: String {
        let named = CommandLine.arguments.first ?? ""
        #if os(Linux)
            return (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? named
        #elseif canImport(Darwin)
            var size: UInt32 = 0
            _ = _NSGetExecutablePath(nil, &size)
            var buffer = [CChar](repeating: 0, count: Int(size) + 1)
            guard _NSGetExecutablePath(&buffer, &size) == 0 else { return named }
            return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #else
            return named
        #endif
    }
}

/// The read-only files the binary works with: `<root>/<Target>/<Templates|Migrations|Texts|Assets|Data>/<name>`.
/// In a checkout the root is `Sources/`; installed it is `share/switchboard/`. Its place is a setting.
package struct ShareFolder: Sendable {
    package let root: String
    package init(root: String) { self.root = root }

    /// The first of: the given path, `../share/switchboard` beside the executable, `Sources` in a folder above the
    /// executable, `Sources` in the current folder.
    /// - Throws: `CRMError` naming the places looked at.
    package static func locate(_ explicit: String?, executable: String = Executable.path) throws
        -> ShareFolder
    {
        var places: [String] = []
        if let explicit, !explicit.isEmpty {
            places.append(explicit)
        } else {
            let real = URL(fileURLWithPath: executable).resolvingSymlinksInPath()
            var folder = real.deletingLastPathComponent()
            places.append(folder.deletingLastPathComponent().appendingPathComponent("share/switchboard").path)
            for _ in 0..<6 {
                places.append(folder.appendingPathComponent("Sources").path)
                folder = folder.deletingLastPathComponent()
            }
            places.append(FileManager.default.currentDirectoryPath + "/Sources")
        }
        for place in places where FileManager.default.fileExists(atPath: place + "/Web/Templates") {
            return ShareFolder(root: place)
        }
        let looked = places.joined(separator: ", ")
        throw CRMError(
            "share_missing", status: 500,
            Words(
                en:
                    "The share folder (templates, migrations, texts, assets) was not found; looked at: \(looked). Set SWITCHBOARD_SHARE.",
                zh: "找不到 share 目录（模板、迁移、文本、资源），已查找：\(looked)。请设置 SWITCHBOARD_SHARE。"))
    }

    package func path(_ target: String, _ kind: String, _ name: String = "") -> String {
        root + "/" + target + "/" + kind + (name.isEmpty ? "" : "/" + name)
    }

    /// Names of the files of one kind, sorted; empty when the folder does not exist.
    package func names(_ target: String, _ kind: String, suffix: String) -> [String] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: path(target, kind))) ?? []
        return all.filter { $0.hasSuffix(suffix) }.sorted()
    }

    package func text(_ target: String, _ kind: String, _ name: String) throws -> String {
        try String(contentsOfFile: path(target, kind, name), encoding: .utf8)
    }

    /// The targets that have a folder here.
    package func targets() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()
    }
}
