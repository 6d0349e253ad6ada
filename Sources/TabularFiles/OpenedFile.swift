import Foundation
import Kernel
import Tabular

/// What a file was when reading began: another writer must not be mixed into it.
package struct FileStamp: Equatable {
    private let device: UInt64, inode: UInt64, size: Int64, seconds: Int, nanoseconds: Int
    package let isRegular: Bool

    /// Nil when there is no such file.
    package init?(path: String) {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        size = Int64(info.st_size)
        isRegular = info.st_mode & S_IFMT == S_IFREG
        #if os(Linux)
            (seconds, nanoseconds) = (info.st_mtim.tv_sec, info.st_mtim.tv_nsec)
        #else
            (seconds, nanoseconds) = (info.st_mtimespec.tv_sec, info.st_mtimespec.tv_nsec)
        #endif
    }

    /// The file was appended to and nothing else is known to have happened to it.
    package func hasGrown(to later: FileStamp) -> Bool {
        device == later.device && inode == later.inode && later.size > size
    }
}

/// A file of the machine, ready for `TabularReader` whatever it was wrapped in: a container is unpacked into a file that
/// only this process knows.
package final class OpenedFile {
    package let name: String
    package let unpacked: Unpacked?
    /// Bytes of the text.
    package let size: Int
    private let path: String
    private let stamp: FileStamp
    private let text: ByteSource

    /// - Throws: `ContainerError`, `TabularError`.
    package init(
        path: String, sheet: String? = nil, skipRows: Int? = nil, encoding: TextEncoding? = nil,
        limits: ContainerLimits = ContainerLimits()
    ) throws {
        guard let stamp = FileStamp(path: path), stamp.isRegular, let handle = FileHandle(forReadingAtPath: path) else {
            throw ContainerError.unreadable
        }
        self.path = path
        self.stamp = stamp
        name = URL(fileURLWithPath: path).lastPathComponent
        let raw = ByteSource(size: Int(try handle.seekToEnd())) { offset in
            var at = offset
            return {
                try handle.seek(toOffset: UInt64(at))
                guard let data = try handle.read(upToCount: 1 << 18), !data.isEmpty else { return nil }
                at += data.count
                return [UInt8](data)
            }
        }
        let scratch = try ScratchFile()
        unpacked = try Unpacker(
            name: name, sheet: sheet, skipRows: skipRows, encoding: encoding, limits: limits, scratch: { try ScratchFile() }
        ).unpack(raw) {
            try scratch.write($0)
        }
        text = unpacked == nil ? raw : scratch.source
        size = text.size
        try checkUnchanged()
    }

    /// From the beginning; its end checks that nobody wrote to the file meanwhile.
    package func source() throws -> TabularReader.Source {
        let next = try text.open(0)
        return { [self] in
            if let bytes = try next(), !bytes.isEmpty { return bytes }
            try checkUnchanged()
            return nil
        }
    }

    package func options(_ options: TabularOptions) -> TabularOptions {
        var options = options
        options.name = name
        unpacked?.apply(to: &options)
        return options
    }

    /// - Throws: `ContainerError` when the file is not the one that was opened any more.
    package func checkUnchanged() throws {
        guard FileStamp(path: path) == stamp else { throw ContainerError.replaced }
    }
}
