import Crypto
import Foundation
import Kernel
import Platform

/// Keys of the installation: files of 32 random bytes, mode 0400, outside the database (G4, G65).
package enum Keys {
    /// Reads the key, or makes it when the folder is new.
    /// - Throws: `CRMError` when the file is readable by others, has another length or is all zero.
    package static func load(_ name: String, folder: String) throws -> SymmetricKey {
        let files = FileManager.default
        try files.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let path = folder + "/" + name
        if !files.fileExists(atPath: path) {
            let fresh = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
            // O_EXCL: of two processes that start together, one makes the key and both read it.
            if let handle = open(path) {
                try handle.write(contentsOf: fresh)
                try handle.synchronize()
                try handle.close()
            }
        }
        let attributes = try files.attributesOfItem(atPath: path)
        let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
        guard mode & 0o077 == 0 else {
            throw failure(
                path, "readable by others (mode \(String(mode, radix: 8))); run chmod 400", "可被其他用户读取，请执行 chmod 400")
        }
        guard let data = files.contents(atPath: path), data.count == 32, data.contains(where: { $0 != 0 }) else {
            throw failure(path, "not a key of 32 bytes", "不是 32 字节的密钥")
        }
        return SymmetricKey(data: data)
    }

    private static func open(_ path: String) -> FileHandle? {
        let descriptor = Foundation.open(path, O_WRONLY | O_CREAT | O_EXCL, 0o400)
        return descriptor >= 0 ? FileHandle(fileDescriptor: descriptor, closeOnDealloc: true) : nil
    }

    private static func failure(_ path: String, _ en: String, _ zh: String) -> CRMError {
        CRMError("key", status: 500, Words(en: "Key file \(path) is \(en).", zh: "密钥文件 \(path) \(zh)。"))
    }
}
