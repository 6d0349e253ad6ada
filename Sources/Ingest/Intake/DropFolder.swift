import Foundation
import Kernel

/// One source's folder on the machine. Files are taken by renaming: one taker gets a file, whoever else looks.
struct DropFolder: Sendable {
    let path: String

    static let marker = ".done"
    /// Of what is still being written by the usual tools.
    private static let unfinished = [".part", ".tmp", ".filepart", ".crdownload", ".swp"]
    static let filesMax = 100
    static let nameMax = 200

    struct Found: Sendable, Equatable {
        let name: String
        let size: Int64
        let isMarked: Bool
    }

    enum Place: String { case taken, done, failed }

    /// Makes the folder and those in it, for the owner only.
    func prepare() throws {
        for place in ["", "/taken", "/done", "/failed"] {
            try FileManager.default.createDirectory(
                atPath: path + place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
    }

    private struct Info {
        let isRegular: Bool
        let size: Int64
        let changed: Instant

        /// What stands there itself: no link is followed.
        init?(_ path: String) {
            var info = stat()
            guard lstat(path, &info) == 0 else { return nil }
            isRegular = info.st_mode & S_IFMT == S_IFREG
            size = Int64(info.st_size)
            changed = Instant(milliseconds: Int64(info.st_mtim.tv_sec) * 1_000 + Int64(info.st_mtim.tv_nsec) / 1_000_000)
        }
    }

    /// Files that nobody writes any more: untouched for `seconds`, or with a marker `NAME.done` beside them. The oldest first.
    func settled(seconds: Int, at now: Instant) throws -> [Found] {
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        let all = Set(names)
        var found: [(Found, changed: Instant)] = []
        for name in names where Self.mayBeTaken(name) {
            guard let info = Info(path + "/" + name), info.isRegular else { continue }
            let isMarked = all.contains(name + Self.marker)
            guard isMarked || info.changed.adding(seconds: Int64(seconds)) <= now else { continue }
            found.append((Found(name: name, size: info.size, isMarked: isMarked), info.changed))
        }
        return found.sorted { ($0.changed, $0.0.name) < ($1.changed, $1.0.name) }.prefix(Self.filesMax).map(\.0)
    }

    static func mayBeTaken(_ name: String) -> Bool {
        !name.hasPrefix(".") && !name.hasSuffix(marker) && !unfinished.contains { name.lowercased().hasSuffix($0) }
            && name.utf8.count <= nameMax && !name.unicodeScalars.contains { $0.value < 32 || $0.value == 127 }
    }

    func place(_ file: IntakeFile, _ place: Place) -> String { "\(path)/\(place.rawValue)/\(file.storedName)" }

    func isThere(_ path: String) -> Bool { Info(path)?.isRegular ?? false }

    /// Into `taken/`; already there counts.
    /// - Returns: `false` when it is nowhere.
    func take(_ file: IntakeFile) throws -> Bool {
        let target = place(file, .taken)
        let source = path + "/" + file.name
        if isThere(target) {
            // Of a process that died behind the rename; the next file of this name has to settle again.
            if !isThere(source) { unlink(source + Self.marker) }
            return true
        }
        // Between the two looks another may have taken it.
        guard isThere(source) else { return isThere(target) }
        guard rename(source, target) == 0 else {
            if errno == ENOENT { return isThere(target) }
            throw Self.trouble("taken", errno)
        }
        unlink(source + Self.marker)
        return true
    }

    /// Out of `taken/`; already there counts.
    func put(_ file: IntakeFile, _ place: Place) throws {
        let (source, target) = (self.place(file, .taken), self.place(file, place))
        guard isThere(source) else { return }
        guard rename(source, target) == 0 else { throw Self.trouble(place.rawValue, errno) }
    }

    static let reason = ".reason.txt"

    /// Why a file failed, beside it: whoever put it into the folder may have no account here.
    func explain(_ file: IntakeFile, _ words: Words, at time: String) throws {
        let run = file.run.map { "Import 导入批次: \($0)\n" } ?? ""
        let text = "\(file.name)\n\(time)\n\(run)\n\(words.en)\n\(words.zh)\n"
        let path = place(file, .failed) + Self.reason
        guard FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        else { throw Self.trouble("failed", errno) }
    }

    /// What was kept of a file that ended, with its rejects.
    func remove(_ file: IntakeFile) {
        for place in [Place.done, .failed] {
            unlink(self.place(file, place))
            unlink(self.place(file, place) + ".rejects.csv")
            unlink(self.place(file, place) + Self.reason)
        }
    }

    private static func trouble(_ place: String, _ code: Int32) -> CRMError {
        let text = String(cString: strerror(code))
        return CRMError(
            "inbox", status: 500,
            Words(
                en: "A file could not be moved into “\(place)” of its drop folder: \(text).",
                zh: "无法将文件移入收取目录的“\(place)”：\(text)。"))
    }
}
