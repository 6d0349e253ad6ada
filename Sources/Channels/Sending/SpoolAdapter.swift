import Foundation
import Kernel
import Platform
import Storage
import Web

/// Lays each message as a file into a folder, from where whatever the operator runs takes it on: `<folder>/<channel>/<key>.json`. The
/// file appears whole or not at all, and once, however often a process dies on the way:
///
/// 1. The file is written as `.work/KEY.json`, and is on the disk.
/// 2. `.work/KEY.begun` is made: from here on the file leaves.
/// 3. The file is renamed into the channel's folder.
///
/// Who comes after a death finds no `begun` (it did not leave: all over again), `begun` beside the file (rename it), or `begun` alone: it
/// left, be it still there or already taken on. The mark goes when the end is written down, or a week later.
package struct SpoolAdapter: ChannelAdapter {
    private let folder: String

    /// - Parameter folder: of one tenant; it is made when something is to be sent.
    package init(folder: String) { self.folder = folder }

    private var work: String { folder + "/.work" }

    /// Each folder has a name of its own: another machine's folder of the same path is another memory.
    package var memory: String {
        get throws {
            let path = work + "/folder-id"
            if let known = try? String(contentsOfFile: path, encoding: .utf8), !known.isEmpty { return "spool:" + known }
            try prepare(work)
            let made = RandomText.hex(8)
            // Two at once: the first name stands.
            let temporary = path + "." + made
            try Self.write(Array(made.utf8), to: temporary)
            defer { unlink(temporary) }
            if link(temporary, path) != 0, errno != EEXIST { throw Self.trouble() }
            guard let known = try? String(contentsOfFile: path, encoding: .utf8), !known.isEmpty else { throw Self.trouble() }
            return "spool:" + known
        }
    }

    package func send(_ message: OutgoingMessage, isRepeated: Bool) async throws -> ChannelOutcome {
        try await OwnThread.run { try place(message) }
    }

    private func place(_ message: OutgoingMessage) throws -> ChannelOutcome {
        let (file, mark) = (work + "/\(message.key).json", work + "/\(message.key).begun")
        let target = folder + "/" + message.channel
        try prepare(work)
        try prepare(target)
        if access(mark, F_OK) != 0 {
            let temporary = file + "." + RandomText.hex(6)
            try Self.write(Array(message.content.encoded().utf8), to: temporary)
            guard rename(temporary, file) == 0 else { throw Self.trouble() }
            try Self.sync(work)
            let made = open(mark, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard made >= 0 || errno == EEXIST else { throw Self.trouble() }
            if made >= 0 { close(made) }
            try Self.sync(work)
        }
        if rename(file, target + "/\(message.key).json") != 0 {
            // Not there any more: it has left.
            guard errno == ENOENT else { throw Self.trouble() }
        }
        try Self.sync(target)
        return .sent
    }

    package func settled(_ key: String) { unlink(work + "/\(key).begun") }

    /// Takes away the marks that a process left which died after it had written down the end.
    package func forget(before: Instant) async { await OwnThread.perform { clear(before) } }

    private func clear(_ before: Instant) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? [] where name.hasSuffix(".begun") {
            var info = stat()
            guard lstat(work + "/" + name, &info) == 0 else { continue }
            if Int64(info.st_mtim.tv_sec) * 1_000 < before.milliseconds { unlink(work + "/" + name) }
        }
    }

    private func prepare(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw ChannelFailure("the folder cannot be made", isFinal: false) }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let file = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw trouble() }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw trouble() }
            rest = rest.dropFirst(count)
        }
        guard fsync(file) == 0 else { throw trouble() }
    }

    private static func sync(_ folder: String) throws {
        let place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard place >= 0 else { throw trouble() }
        defer { close(place) }
        guard fsync(place) == 0 else { throw trouble() }
    }

    /// A full disk or a folder without rights may pass.
    private static func trouble() -> ChannelFailure { ChannelFailure(String(cString: strerror(errno)), isFinal: false) }
}
