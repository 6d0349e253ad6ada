import Foundation
import Kernel

/// What the system said of a file or folder, in our words: the path, the reason, what to do.
package enum FileTrouble {
    /// `nil` for errors that are not about files.
    package static func crmError(_ error: any Error) -> CRMError? {
        if error is CRMError { return nil }
        let told = error as NSError
        guard told.domain == NSCocoaErrorDomain || told.domain == NSPOSIXErrorDomain else { return nil }
        let beneath = told.userInfo[NSUnderlyingErrorKey] as? NSError
        let number =
            told.domain == NSPOSIXErrorDomain
            ? told.code : beneath?.domain == NSPOSIXErrorDomain ? beneath?.code : systemNumber(of: told.code)
        guard let number = number else { return nil }
        let path =
            (error as? CocoaError)?.filePath ?? told.userInfo[NSFilePathErrorKey] as? String
            ?? (told.userInfo[NSURLErrorKey] as? URL)?.path
        return trouble(path, Int32(number))
    }

    /// - Parameters:
    ///   - path: `nil` when nobody said which.
    ///   - number: the system's (`errno`).
    package static func trouble(_ path: String?, _ number: Int32) -> CRMError {
        let place = path.map { URL(fileURLWithPath: $0).path }
        let (en, zh) = words(number)
        return CRMError(
            "file", status: 500,
            Words(en: "\(place ?? "A file"): \(en)", zh: "\(place ?? "文件")：\(zh)"))
    }

    /// Sees that a folder can be made or used, before anything is done.
    /// - Throws: `CRMError` "file" that names what is in the way.
    package static func checkFolder(_ path: String) throws {
        var place = URL(fileURLWithPath: path).standardizedFileURL.path
        var isLast = true
        while true {
            var status = stat()
            if stat(place, &status) == 0 {
                guard status.st_mode & S_IFMT == S_IFDIR else { throw trouble(place, ENOTDIR) }
                guard access(place, isLast ? R_OK | X_OK : W_OK | X_OK) == 0 else { throw trouble(place, errno) }
                return
            }
            guard [ENOENT, ENOTDIR].contains(errno), place != "/" else { throw trouble(place, errno) }
            place = URL(fileURLWithPath: place).deletingLastPathComponent().path
            isLast = false
        }
    }

    /// Sees that what is given as a file is there, is one, and may be read: each has words of its own.
    /// - Parameter isRegular: a pipe or a device will not do, because the file is read more than once.
    /// - Throws: `CRMError` "file".
    package static func checkFile(_ path: String, isRegular: Bool = false) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw trouble(path, errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw trouble(path, EISDIR) }
        guard access(path, R_OK) == 0 else { throw trouble(path, errno) }
        guard !isRegular || status.st_mode & S_IFMT == S_IFREG else { throw trouble(path, ESPIPE) }
    }

    /// Sees that a file can be written there, before the work whose result it is to hold.
    /// - Throws: `CRMError` "file".
    package static func checkOutput(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT != S_IFDIR else { throw trouble(path, EISDIR) }
            guard access(path, W_OK) == 0 else { throw trouble(path, errno) }
        }
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard stat(folder, &status) == 0 else { throw trouble(folder, errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw trouble(folder, ENOTDIR) }
        guard access(folder, W_OK | X_OK) == 0 else { throw trouble(folder, errno) }
    }

    private static func words(_ number: Int32) -> (String, String) {
        switch number {
        case ENOENT: ("there is no such file or folder. Check the path.", "没有这个文件或目录，请检查路径。")
        case ENOTDIR:
            ("this is a file, and a folder is needed. Give the path of a folder.", "这是文件，而此处需要目录，请指定目录路径。")
        case EISDIR: ("this is a folder, and a file is needed. Give the path of a file.", "这是目录，而此处需要文件，请指定文件路径。")
        case EACCES, EPERM:
            (
                "this user may not use it. Give the user of this process the right, or another path.",
                "当前用户无权访问，请授予权限或更换路径。"
            )
        case EROFS: ("it lies on a file system that is read-only. Give another path.", "位于只读文件系统，请更换路径。")
        case ENOSPC, EDQUOT: ("there is no space left. Make room, or give another path.", "空间不足，请清理空间或更换路径。")
        case ESPIPE:
            (
                "this is a pipe or a device, and it has to be read more than once. Write it to a file and give that.",
                "这是管道或设备，而内容需要多次读取，请先写入文件再指定该文件。"
            )
        case EEXIST: ("it is there already. Give another path, or take it away.", "已存在，请更换路径或先移走。")
        case ENAMETOOLONG: ("the path is too long.", "路径过长。")
        default: ("\(String(cString: strerror(number))).", "\(String(cString: strerror(number)))。")
        }
    }

    /// Of the codes of `CocoaError` that come without the system's.
    private static func systemNumber(of code: Int) -> Int? {
        switch CocoaError.Code(rawValue: code) {
        case .fileNoSuchFile, .fileReadNoSuchFile: Int(ENOENT)
        case .fileReadNoPermission, .fileWriteNoPermission: Int(EACCES)
        case .fileWriteFileExists: Int(EEXIST)
        case .fileWriteOutOfSpace: Int(ENOSPC)
        case .fileWriteVolumeReadOnly: Int(EROFS)
        case .fileReadInvalidFileName, .fileWriteInvalidFileName: Int(EINVAL)
        case .fileReadUnknown, .fileWriteUnknown: Int(EIO)
        default: nil
        }
    }
}
