import Foundation

#if os(Linux)
    import CProcess
#endif

/// What a process that holds keys and personal data in memory asks of the system at its start.
package enum ProcessGuard {
    /// No crash may write the memory to a file, and no other process of the same user may read it (G59): core files are
    /// limited to nothing, and on Linux the process is marked as not dumpable.
    package static func forbidDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        #if os(Linux)
            setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
            _ = process_forbid_dumps()
        #else
            setrlimit(RLIMIT_CORE, &none)
        #endif
    }

    /// Each connection is a file: as many as the system lets this user have.
    package static func allowFiles() {
        var limit = rlimit()
        #if os(Linux)
            let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let files = RLIMIT_NOFILE
        #endif
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        setrlimit(files, &limit)
    }

    /// Whether the system may write this process's memory to a file.
    package static var mayBeDumped: Bool {
        #if os(Linux)
            process_may_be_dumped() == 1
        #else
            true
        #endif
    }
}
