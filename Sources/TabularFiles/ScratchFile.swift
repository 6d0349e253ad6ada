import Foundation
import Tabular

/// A file that only this process knows, gone when it is closed: what must be read from any place and does not fit
/// memory.
package final class ScratchFile: Scratch {
    private let handle: FileHandle
    private var size = 0

    package init() throws {
        var template = Array((NSTemporaryDirectory() + "/switchboard-XXXXXX").utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        unlink(template)
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    package func write(_ bytes: [UInt8]) throws {
        try handle.write(contentsOf: bytes)
        size += bytes.count
    }

    package var source: ByteSource {
        ByteSource(size: size) { [self] offset in
            var at = offset
            return { [self] in
                try handle.seek(toOffset: UInt64(at))
                guard let data = try handle.read(upToCount: 1 << 18), !data.isEmpty else { return nil }
                at += data.count
                return [UInt8](data)
            }
        }
    }
}
