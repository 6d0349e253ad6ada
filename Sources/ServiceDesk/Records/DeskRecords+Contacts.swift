import Foundation
import Kernel
import Platform
import Storage

extension DeskRecords {
    static let selectContacts: SQL = """
        SELECT customer_id, id, happened_at, channel, direction, topic, outcome, language, case_id, note, survey, score
        FROM servicedesk_interaction WHERE TRUE
        """
    static let updateContact: SQL = """
        UPDATE servicedesk_interaction SET happened_at = $3, channel = $4, direction = $5, topic = $6, outcome = $7,
          language = $8, case_id = $9, note = $10, survey = $11, score = $12
        WHERE customer_id = $1 AND id = $2
        """
    static let deleteContact: SQL = "DELETE FROM servicedesk_interaction WHERE customer_id = $1 AND id = $2"
    static let caseNumbers: SQL = "SELECT number, customer_id, case_id FROM servicedesk_case_number WHERE TRUE"

    private static let columns = [
        "happened_at", "channel", "direction", "topic", "outcome", "language", "case_id", "note", "survey", "score",
    ]
    private static let sql = RecordSQL(
        select: selectContacts, table: "servicedesk_interaction",
        list: """
            customer_id, id, happened_at, channel, direction, topic, outcome, language, case_id, note, survey, score
            """, update: updateContact, delete: deleteContact, keys: keys)

    @Sendable private static func instant(_ values: [String: SQLValue]) -> Instant? {
        guard case .int(let at)? = values["happened_at"] else { return nil }
        return Instant(milliseconds: at)
    }

    /// Contacts on all channels: calls, visits, messages, chats with their transcripts.
    static let contacts = RecordKind(
        entity: "interactions", title: Words(en: "Contacts and chats", zh: "接触与会话"),
        fields: [
            ImportField(
                "interaction_id", Words(en: "Contact number at the source", zh: "来源接触编号"), .text(80), required: true,
                canMatch: true,
                synonyms: [
                    "interaction", "id", "contact id", "call id", "chat id", "conversation id", "session id", "message id",
                    "接触编号", "会话编号", "会话ID", "通话编号",
                ]),
            OwnerFields.reference, OwnerFields.source, OwnerFields.msisdn, OwnerFields.account,
            time(
                "happened_at", Words(en: "Time", zh: "时间"), required: true,
                ["time", "timestamp", "date", "started at", "start time", "created at", "contact date", "接触时间", "开始时间", "通话时间"]),
            channelOfContact,
            ImportField(
                "direction", Words(en: "Direction", zh: "方向"),
                choices(
                    DeskDirection.self, \.words,
                    ["inbound": ["in", "incoming", "from customer", "呼入"], "outbound": ["out", "outgoing", "呼出", "外呼"]]),
                synonyms: ["call direction", "呼叫方向"]),
            topic,
            ImportField(
                "outcome", Words(en: "Outcome", zh: "结果"),
                choices(
                    DeskOutcome.self, \.words,
                    [
                        "answered": ["done", "handled", "resolved", "已处理"], "not_reached": ["no answer", "busy", "未接"],
                        "abandoned": ["hung up", "left queue", "放弃"], "case_opened": ["ticket", "escalated", "转工单"],
                    ]), synonyms: ["result", "disposition", "处理结果"]),
            ImportField("language", Words(en: "Language", zh: "语言"), .text(12), synonyms: ["lang", "语种"]),
            ImportField(
                "case_number", Words(en: "Case number", zh: "工单编号"), .text(60),
                synonyms: ["case", "ticket", "ticket id", "工单号"]),
            // Where a source names the topic by a code of its own it is free text: it stands before the text.
            ImportField(
                "subject", Words(en: "Subject", zh: "事由"), .text(500), mask: "full",
                synonyms: ["title", "subject line", "summary line", "主题", "主旨", "标题", "来访事由", "沟通主题", "会话主题"]),
            ImportField(
                "note", Words(en: "Text", zh: "内容"), .text(noteMax), mask: "full",
                synonyms: ["text", "message", "notes", "content", "transcript", "summary", "comment", "内容摘要", "备注", "会话内容"]),
            ImportField(
                "messages", Words(en: "Messages of a chat", zh: "会话消息"), .text(200_000), mask: "full",
                synonyms: ["turns", "dialogue", "utterances", "消息", "对话"]),
        ], keyField: "interaction_id", columns: columns, sql: sql, instant: instant, check: cases(of:_:_:),
        audit: audit
    ) { draft throws(RecordRefusal) in
        let at = try refuseFuture("happened_at", draft)
        guard let way = draft.text("channel") else {
            throw RecordRefusal("channel", "required", en: "The channel is missing.", zh: "缺少渠道。")
        }
        var made = draft.columns(["language", "case_id", "note"])
        made["happened_at"] = .int(at)
        made["channel"] = .text(way)
        made["direction"] = .text(draft.text("direction") ?? DeskDirection.inbound.rawValue)
        made["topic"] = .text(draft.text("topic") ?? DeskTopic.other.rawValue)
        made["outcome"] = .text(draft.text("outcome") ?? DeskOutcome.answered.rawValue)
        if case .text(let messages)? = draft.values["messages"] {
            made["note"] = .text(try Transcript.text(messages, max: noteMax))
        }
        if let subject = draft.text("subject") {
            var text = subject
            if case .text(let note)? = made["note"] { text += "\n" + note }
            made["note"] = .text(String(text.prefix(noteMax)))
        }
        if case .text(let note)? = made["note"] { try Transcript.refuseDamaged(note) }
        return made
    }

    /// What customers answered: a contact with a score.
    static let answers = RecordKind(
        entity: "survey_answers", title: Words(en: "Survey answers", zh: "问卷回答"),
        fields: [
            ImportField(
                "answer_id", Words(en: "Answer number at the source", zh: "来源回答编号"), .text(80), required: true,
                canMatch: true, synonyms: ["response id", "answer", "survey response", "答卷编号", "回答编号"]),
            OwnerFields.reference, OwnerFields.source, OwnerFields.msisdn, OwnerFields.account,
            time(
                "answered_at", Words(en: "Answered at", zh: "回答时间"), required: true,
                ["time", "timestamp", "date", "response date", "submitted at", "提交时间", "日期"]),
            ImportField(
                "survey", Words(en: "Survey", zh: "问卷"), .text(80), required: true,
                synonyms: ["survey name", "questionnaire", "question", "metric", "问卷名称", "调查名称", "题目", "问题", "问卷"]),
            ImportField(
                "score", Words(en: "Score", zh: "评分"), .integer, required: true,
                synonyms: ["rating", "nps", "csat", "answer score", "points", "得分", "满意度", "打分", "答案", "评分"]),
            ImportField(
                "note", Words(en: "Comment", zh: "评语"), .text(noteMax), mask: "full",
                synonyms: ["comment", "text", "verbatim", "free text", "意见", "备注"]),
            channel, topics(otherwise: "note"),
        ], keyField: "answer_id", columns: columns, sql: sql, instant: instant, isOpenedByID: true, audit: audit
    ) { draft throws(RecordRefusal) in
        let at: Int64
        if draft.values["answered_at"] == nil, let known = draft.int("happened_at") {
            at = known
        } else {
            at = try refuseFuture("answered_at", draft)
        }
        guard let survey = draft.text("survey") else {
            throw RecordRefusal("survey", "required", en: "The name of the survey is missing.", zh: "缺少问卷名称。")
        }
        guard let score = draft.int("score"), (0...100).contains(score) else {
            throw RecordRefusal("score", "range", en: "A score from 0 to 100 is expected.", zh: "评分应在 0 到 100 之间。")
        }
        if SurveyScale.isNPS(survey), score > SurveyScale.npsMax {
            throw RecordRefusal(
                "score", "range", en: "An answer to NPS is a number from 0 to 10.", zh: "NPS 评分应在 0 到 10 之间。")
        }
        var made = draft.columns(["note"])
        if case .text(let note)? = made["note"] { try Transcript.refuseDamaged(note) }
        made["happened_at"] = .int(at)
        made["survey"] = .text(survey)
        made["score"] = .int(score)
        made["channel"] = .text(draft.text("channel") ?? DeskChannel.sms.rawValue)
        made["direction"] = .text(DeskDirection.outbound.rawValue)
        made["topic"] = .text(draft.text("topic") ?? DeskTopic.other.rawValue)
        made["outcome"] = .text(DeskOutcome.answered.rawValue)
        return made
    }

    /// The cases that contacts name.
    @Sendable private static func cases(
        of rows: [ImportRow], _ source: String, _ session: any SQLSession
    ) throws -> [Result<[String: SQLValue], RecordRefusal>] {
        let numbers = rows.map { row -> String? in
            if case .text(let text)? = row.values["case_number"], !text.isEmpty { return text }
            return nil
        }
        let wanted = Set(numbers.compactMap { $0 })
        guard !wanted.isEmpty else { return rows.map { _ in .success([:]) } }
        let found = try RecordStore(Self.cases).places(wanted, source, session)
        return numbers.map { number in
            guard let number else { return .success([:]) }
            guard let place = found[number] else {
                return .failure(
                    RecordRefusal(
                        "case_number", "unknown_case",
                        en: "There is no case of this number at the source “\(source)”. Import its cases first.",
                        zh: "来源“\(source)”中没有该工单，请先导入工单。"))
            }
            return .success(["case_id": .int(place.id)])
        }
    }
}

/// A chat as text.
enum Transcript {
    private static let speakers = ["from", "sender", "role", "author", "speaker", "who", "发送方", "角色"]
    private static let texts = ["text", "content", "message", "body", "utterance", "内容", "消息"]
    private static let times = ["at", "time", "timestamp", "sent_at", "时间"]

    /// `[{"from": "customer", "text": "..."}, ...]` or `["...", ...]` as lines `customer: ...`.
    static func text(_ json: String, max: Int) throws(RecordRefusal) -> String {
        guard let parsed = try? JSONSerialization.jsonObject(with: Data(json.utf8)), let messages = parsed as? [Any] else {
            throw RecordRefusal(
                "messages", "not_messages",
                en: "A list of messages is expected, such as [{\"from\": \"customer\", \"text\": \"...\"}].",
                zh: "应为消息列表，例如 [{\"from\": \"customer\", \"text\": \"...\"}]。")
        }
        var lines: [String] = []
        for (offset, message) in messages.enumerated() {
            if let text = message as? String {
                lines.append(text)
                continue
            }
            guard let fields = message as? [String: Any], let text = first(texts, fields) else {
                throw RecordRefusal(
                    "messages", "not_a_message", en: "Message \(offset + 1) of the chat has no text.",
                    zh: "会话第 \(offset + 1) 条消息没有内容。")
            }
            let time = first(times, fields).map { $0 + " " } ?? ""
            lines.append(time + (first(speakers, fields).map { $0 + ": " } ?? "") + text)
        }
        let whole = lines.joined(separator: "\n")
        guard whole.unicodeScalars.count <= max else {
            throw RecordRefusal(
                "messages", "too_long", en: "The chat is longer than \(max) characters.", zh: "会话超过 \(max) 个字符。")
        }
        return whole
    }

    private static func first(_ names: [String], _ fields: [String: Any]) -> String? {
        for name in names {
            switch fields[name] {
            case let text as String: return text
            case let number as NSNumber: return number.stringValue
            default: continue
            }
        }
        return nil
    }

    /// A text in which characters were lost cannot be mended: the file has to come again in its own encoding.
    static func refuseDamaged(_ text: String) throws(RecordRefusal) {
        guard text.unicodeScalars.contains("\u{FFFD}") || isMojibake(text) else { return }
        throw RecordRefusal(
            "note", "garbled",
            en: "The text was garbled before it came here: it was written in one encoding and read in another. Export it again as UTF-8.",
            zh: "文本在导入前已成乱码（以错误的编码读取过）。请以 UTF-8 重新导出。")
    }

    /// `锟斤拷` is what UTF-8's mark of loss becomes when it is read as GBK; `Ã©`, `ä½ å¥½` is UTF-8 read as Latin letters.
    static func isMojibake(_ text: String) -> Bool {
        if text.contains("锟斤拷") || text.contains("烫烫烫") || text.contains("ï¿½") { return true }
        var pairs = 0
        var other = 0
        var before: UInt32 = 0
        for scalar in text.unicodeScalars {
            let isLead = (0xC2...0xF4).contains(before)
            if isLead, (0x80...0xBF).contains(scalar.value) || latinTails.contains(scalar.value) { pairs += 1 }
            if scalar.value > 0x2FFF { other += 1 }
            before = scalar.value
        }
        return pairs >= 3 && other == 0
    }

    /// What windows-1252 makes of the bytes 0x80 to 0x9F.
    private static let latinTails: Set<UInt32> = [
        0x20AC, 0x201A, 0x192, 0x201E, 0x2026, 0x2020, 0x2021, 0x2C6, 0x2030, 0x160, 0x2039, 0x152, 0x17D, 0x2018,
        0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x2DC, 0x2122, 0x161, 0x203A, 0x153, 0x17E, 0x178,
    ]
}
