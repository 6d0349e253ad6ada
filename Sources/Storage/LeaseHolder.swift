import Foundation

/// Who holds a lease: `HOST/PROCESS/RANDOM`, unique for each process start. Older versions wrote the last part alone.
package enum LeaseHolder {
    static func own() -> String {
        var generator = SystemRandomNumberGenerator()
        let random = String(generator.next() as UInt64, radix: 16)
        return "\(host)/\(ProcessInfo.processInfo.processIdentifier)/\(random)"
    }

    /// `process 4711 on crm-1`, for a person who looks for it.
    package static func words(_ holder: String) -> String {
        let parts = holder.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 3 ? "process \(parts[1]) on \(parts[0])" : "a process"
    }

    /// Whether it is known to have ended: it was on this machine, which has no such process any more.
    package static func hasEnded(_ holder: String) -> Bool {
        let parts = holder.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == host, let number = Int32(parts[1]) else { return false }
        return kill(number, 0) != 0 && errno == ESRCH
    }

    /// Without asking a name server.
    private static let host: String = {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "unknown" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            .replacing("/", with: "-")
    }()
}
