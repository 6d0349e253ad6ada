import Foundation
import Kernel
import Storage

/// A file of events on its way in.
package struct UsageRun: Sendable {
    package enum State: String, Sendable, Codable { case running, succeeded, cancelled, failed }
    package let id: UsageRunID
    package let source: UsageSourceID
    package let state: State
    /// Chunks that are in.
    package let chunk: Int64
    /// Records of the file that are in: where it goes on.
    package let records: Int64
    package let counts: UsageCounts
    package let mapping: UsageMapping
}

/// The first reject of a reason.
package struct UsageReason: Sendable, Codable, Equatable {
    package let code: String
    package let column: String
    package let count: Int
    package let firstLine: Int
    package let reason: String
}

/// The tables of runs.
enum UsageRunStore {
    static let insert: SQL = """
        INSERT INTO usage_run (id, source_id, name, digest, size, mapping, state, worker, chunk, records, taken, duplicate,
          corrected, cancelled, unmatched, rejected, created_at, touched_at, created_by_name)
        VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, 0, 0, 0, 0, 0, 0, 0, 0, $8, $8, $9)
        """
    static let columns: SQL = """
        id, source_id, state, chunk, records, taken, duplicate, corrected, cancelled, unmatched, rejected, mapping
        """
    static let byID: SQL = "SELECT \(columns) FROM usage_run WHERE id = $1"
    static let unfinished: SQL = """
        SELECT \(columns) FROM usage_run
        WHERE source_id = (SELECT id FROM usage_source WHERE name = $1) AND digest = $2 AND state <> 'succeeded'
        ORDER BY id DESC LIMIT 1
        """
    static let take: SQL = "UPDATE usage_run SET worker = $2, state = 'running', touched_at = $3 WHERE id = $1"
    static let advance: SQL = """
        UPDATE usage_run SET chunk = $4, records = records + $5, taken = taken + $6, duplicate = duplicate + $7,
          corrected = corrected + $8, cancelled = cancelled + $9, unmatched = unmatched + $10, rejected = rejected + $11,
          touched_at = $12
        WHERE id = $1 AND worker = $2 AND chunk = $3 AND state = 'running'
        """
    static let finish: SQL = """
        UPDATE usage_run SET state = $3, finished_at = $4, touched_at = $4 WHERE id = $1 AND worker = $2
        """
    static let addReject: SQL = """
        INSERT INTO usage_reject (run_id, line, column_name, code, event_id) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (run_id, line) DO NOTHING
        """
    static let rejectCount: SQL = "SELECT COUNT(*) FROM usage_reject WHERE run_id = $1"
    static let rejects: SQL = """
        SELECT line, column_name, code FROM usage_reject WHERE run_id = $1 ORDER BY line LIMIT $2
        """
    static let reasons: SQL = """
        SELECT code, column_name, COUNT(*), MIN(line) FROM usage_reject WHERE run_id = $1
        GROUP BY code, column_name ORDER BY COUNT(*) DESC, MIN(line)
        """
    static let forgetRejects: SQL = """
        DELETE FROM usage_reject WHERE run_id IN (SELECT id FROM usage_run WHERE touched_at < $1)
        """
    /// Rejects that are kept of a run; all are counted.
    static let rejectsMax = 10_000

    static let taken = CRMError.conflict(
        "run_taken",
        Words(en: "Another process is working on this file now.", zh: "该文件正由另一进程处理。"))

    static func run(_ id: UsageRunID, _ session: any SQLSession) throws -> UsageRun {
        guard let run = try session.first(byID, [.id(id)], read) else { throw CRMError.notFound }
        return run
    }

    static func read(_ row: Row) throws -> UsageRun {
        var counts = UsageCounts()
        counts.taken = row.integer(5)
        counts.duplicate = row.integer(6)
        counts.corrected = row.integer(7)
        counts.cancelled = row.integer(8)
        counts.unmatched = row.integer(9)
        counts.rejected = row.integer(10)
        return UsageRun(
            id: row.id(0), source: row.id(1), state: UsageRun.State(rawValue: row.text(2)) ?? .failed, chunk: row.int(3),
            records: row.int(4), counts: counts,
            mapping: try JSONDecoder().decode(UsageMapping.self, from: Data(row.text(11).utf8)))
    }

    static func encoded(_ mapping: UsageMapping) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(mapping), as: UTF8.self)
    }

    static func reasons(_ run: UsageRunID, _ session: any SQLSession) throws -> [UsageReason] {
        try session.query(reasons, [.id(run)]) { row in
            UsageReason(
                code: row.text(0), column: row.text(1), count: row.integer(2), firstLine: row.integer(3),
                reason: UsageWords.reject(row.text(0)).en)
        }
    }
}

/// Reasons in words. They never hold the value.
package enum UsageWords {
    /// A reason's name in a Chinese list; the code is for programs.
    package static func title(_ code: String) -> String {
        switch code {
        case "unknown_kind": "类型未知"
        case "bad_id": "编号无效"
        case "no_line": "缺少号码"
        case "bad_number": "号码无效"
        case "bad_version": "版本无效"
        case "out_of_range": "超出范围"
        case "not_a_number": "不是数字"
        case "not_a_boolean": "不是“是/否”"
        case "no_quantity": "缺少用量"
        case "no_start": "缺少开始时间"
        case "ambiguous_date": "日月顺序不明"
        case "no_such_day": "日期不存在"
        case "too_old": "时间过早"
        case "in_the_future": "时间在未来"
        case "not_a_date", "not_an_instant": "不是日期或时间"
        case "unknown_field": "未知字段"
        case "json": "不是 JSON 对象"
        default: "无法读取"
        }
    }

    package static func reject(_ code: String) -> Words {
        switch code {
        case "unknown_kind": Words(en: "the kind is none of voice, sms, data, sample", zh: "类型不是 voice、sms、data、sample 之一")
        case "bad_id": Words(en: "the event has no id, or one longer than 200 bytes", zh: "事件没有编号，或编号超过 200 字节")
        case "no_line": Words(en: "the line is not named", zh: "没有号码或用户编号")
        case "bad_number": Words(en: "that is no telephone number", zh: "不是电话号码")
        case "bad_version": Words(en: "the version is no whole number", zh: "版本不是整数")
        case "out_of_range": Words(en: "the number is negative or too large", zh: "数值为负或过大")
        case "not_a_number": Words(en: "not a number", zh: "不是数字")
        case "not_a_boolean": Words(en: "yes or no is expected", zh: "应为是或否")
        case "no_quantity": Words(en: "no duration or volume is given", zh: "没有时长或流量")
        case "no_start": Words(en: "the start is missing", zh: "缺少开始时间")
        case "ambiguous_date":
            Words(en: "day or month first? say it with --date-order dmy or mdy", zh: "无法判断日月次序，请用 --date-order dmy 或 mdy 指明")
        case "no_such_day": Words(en: "there is no such day", zh: "日期不存在")
        case "too_old": Words(en: "the start lies before the year 2000", zh: "开始时间早于 2000 年")
        case "in_the_future": Words(en: "the start lies in the future", zh: "开始时间在未来")
        case "not_a_date", "not_an_instant": Words(en: "not a date or time", zh: "不是日期或时间")
        case "unknown_field": Words(en: "there is a field of no known name", zh: "含有未知字段")
        case "json": Words(en: "the line is no JSON object", zh: "该行不是 JSON 对象")
        default: Words(en: "the row cannot be read (\(code))", zh: "无法读取该行（\(code)）")
        }
    }
}
