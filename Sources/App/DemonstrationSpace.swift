import Foundation
import Kernel
import Platform
import Storage

/// What an invented base takes on the disk, asked before it is begun: a disk that fills up half-way is worse for whoever
/// shares it than a refusal.
extension Demonstration {
    /// Bytes a customer takes at the most: what does not depend on the months, and what a month adds. A base of 100,000 with
    /// 24 months and its scores took 8.0 KB a customer on SQLite, one of 4,000 without scores 4.5 KB with 12 months and
    /// 5.7 KB with 24; a fifth is added. On PostgreSQL the tuple headers come on top; its log is the server's affair.
    static func bytes(_ dialect: Dialect) -> (fixed: Int64, month: Int64) {
        switch dialect {
        case .sqlite: (6_900, 115)
        case .postgres: (13_000, 600)
        }
    }

    /// The log of changes before it goes into the file, and what sorting takes.
    private static let besides: Int64 = 1 << 29

    package static func bytesNeeded(customers: Int, months: Int?, _ dialect: Dialect) -> Int64 {
        let kept = Int64(months ?? SeedRequest.months(for: customers))
        let each = bytes(dialect)
        return Int64(customers) * (each.fixed + each.month * kept) + (customers > 10_000 ? besides : 0)
    }

    /// - Throws: `CRMError` "disk_too_small" when the data folder's disk has less room than the base needs. On PostgreSQL
    ///   the disk is the server's, which does not tell.
    package func checkSpace(customers: Int, months: Int?) async throws {
        guard case .sqlite(let folder) = try runtime.configuration.address else { return }
        var (total, kept, there) = (customers, months, 0)
        if case .begun(let before, _, _, let with) = try await state() {
            (total, kept) = (before, with)
            there = try await runtime.modules.customerCount(tenant)
        }
        let needed = Self.bytesNeeded(customers: max(0, total - there), months: kept, .sqlite)
        guard let free = Self.free(folder), free < needed else { return }
        throw CRMError(
            "disk_too_small", status: 507,
            Words(
                en: "\(total) customers take about \(Self.gigabytes(needed)) GB, and \(folder) has "
                    + "\(Self.gigabytes(free)) GB left. Ask for fewer (--customers, --months), use another --data folder, "
                    + "or begin all the same with --force.",
                zh: "\(total) 位客户约需 \(Self.gigabytes(needed)) GB，而 \(folder) 仅剩 \(Self.gigabytes(free)) GB。"
                    + "请减少数量（--customers、--months）、换用其他 --data 目录，或用 --force 强制开始。"))
    }

    /// Bytes that may still be written where the folder is (or will be); `nil` when the system does not tell.
    static func free(_ folder: String) -> Int64? {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
        return (attributes?[.systemFreeSize] as? NSNumber)?.int64Value
    }

    private static func gigabytes(_ bytes: Int64) -> String {
        let tenths = (bytes + 50_000_000) / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
