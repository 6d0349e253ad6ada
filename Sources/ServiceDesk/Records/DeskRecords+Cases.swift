import Contracts
import Kernel
import Platform
import Storage

extension DeskRecords {
    static let selectCases: SQL = """
        SELECT customer_id, id, number, kind, topic, status, priority, opened_at, resolved_at, closed_at, subject
        FROM servicedesk_case WHERE TRUE
        """
    static let updateCase: SQL = """
        UPDATE servicedesk_case SET number = $3, kind = $4, topic = $5, status = $6, priority = $7, opened_at = $8,
          resolved_at = $9, closed_at = $10, subject = $11
        WHERE customer_id = $1 AND id = $2
        """
    static let touchCase: SQL = """
        UPDATE servicedesk_case SET updated_at = $3, status_changed_at = COALESCE(CAST($4 AS BIGINT), status_changed_at)
        WHERE customer_id = $1 AND id = $2
        """
    static let deleteCase: SQL = "DELETE FROM servicedesk_case WHERE customer_id = $1 AND id = $2"
    /// Two sources may both have a case 1001: the first one is found by the number, and both by their customers.
    static let insertNumber: SQL = """
        INSERT INTO servicedesk_case_number (number, customer_id, case_id) VALUES ($1, $2, $3)
        ON CONFLICT (number) DO NOTHING
        """
    static let deleteNumber: SQL = """
        DELETE FROM servicedesk_case_number WHERE number = $1 AND customer_id = $2 AND case_id = $3
        """

    /// Faults, enquiries, complaints and requests.
    static let cases = RecordKind(
        entity: "cases", title: Words(en: "Cases and complaints", zh: "工单与投诉"),
        fields: [
            ImportField(
                "case_number", Words(en: "Case number", zh: "工单编号"), .text(60), required: true, canMatch: true,
                synonyms: [
                    "case", "case id", "ticket", "ticket id", "ticket number", "complaint id", "complaint number", "complaint no", "case no", "ticket no", "工单号",
                    "投诉编号", "受理编号",
                ]),
            OwnerFields.reference, OwnerFields.source, OwnerFields.msisdn, OwnerFields.account,
            ImportField(
                "case_kind", Words(en: "Kind", zh: "类型"),
                choices(
                    CaseKind.self, \.words,
                    [
                        "fault": ["incident", "problem", "报障", "故障申告"], "enquiry": ["inquiry", "question", "查询"],
                        "complaint": ["complaints", "申诉", "投诉工单"], "request": ["service request", "order", "申请", "办理"],
                    ]), required: true, synonyms: ["kind", "type", "ticket type", "case type", "工单类型", "受理类型"]),
            topic,
            ImportField(
                "subject", Words(en: "Subject", zh: "事由"), .text(500), mask: "full",
                synonyms: [
                    "title", "description", "summary", "text", "complaint", "subject line", "case subject", "ticket subject",
                    "主题", "主旨", "工单主题", "投诉主题", "投诉内容", "问题描述", "标题", "描述", "内容",
                ]),
            ImportField(
                "status", Words(en: "Status", zh: "状态"),
                choices(
                    CaseStatus.self, \.words,
                    [
                        "open": ["new", "acknowledged", "待受理", "新建", "未结", "未关闭"], "in_progress": ["working", "受理中"],
                        "pending": ["waiting", "waiting for customer", "等待客户"], "held": ["on hold", "suspended", "挂起"],
                        "resolved": ["solved", "done", "已办结"], "closed": ["finished", "归档", "已归档", "已关闭", "已结"],
                        "rejected": ["refused", "不予受理"], "cancelled": ["canceled", "withdrawn", "撤销", "已撤单"],
                    ]), synonyms: ["state", "case status", "ticket status", "工单状态"]),
            ImportField(
                "priority", Words(en: "Priority", zh: "优先级"),
                choices(
                    CasePriority.self, \.words,
                    [
                        "low": ["minor", "P4", "4"], "normal": ["medium", "standard", "P3", "3", "中", "一般"],
                        "high": ["major", "P2", "2"], "urgent": ["critical", "P1", "1", "特急", "加急"],
                    ]), synonyms: ["severity", "urgency", "紧急程度", "级别"]),
            time(
                "opened_at", Words(en: "Opened", zh: "受理时间"), required: true,
                ["opened", "created", "created at",
                 "creation date", "open date", "date", "received", "reported", "when", "投诉时间", "创建时间", "开单时间", "建单时间", "日期"]),
            time(
                "resolved_at", Words(en: "Resolved", zh: "解决时间"),
                ["resolved", "resolution date", "solved at", "办结时间"]),
            time("closed_at", Words(en: "Closed", zh: "关闭时间"), ["closed", "close date", "归档时间", "结单时间", "关闭日期"]),
        ], keyField: "case_number",
        columns: [
            "number", "kind", "topic", "status", "priority", "opened_at", "resolved_at", "closed_at", "subject",
        ],
        sql: RecordSQL(
            select: selectCases, table: "servicedesk_case",
            list: """
                customer_id, id, number, kind, topic, status, priority, opened_at, resolved_at, closed_at, subject
                """, update: updateCase, delete: deleteCase, keys: keys),
        instant: { values in
            if case .int(let at)? = values["opened_at"] { Instant(milliseconds: at) } else { nil }
        }, isOpenedByID: true, audit: audit,
        inserted: { records, session in
            try session.executeMany(
                insertNumber, records.map { [$0.values["number"] ?? .null, .id($0.place.customer), .int($0.place.id)] })
        },
        removed: { records, session in
            try session.executeMany(
                deleteNumber, records.map { [.text($0.key), .id($0.place.customer), .int($0.place.id)] })
        }, changed: tellSteps
    ) { draft throws(RecordRefusal) in
        let opened = try refuseFuture("opened_at", draft)
        let (resolved, closed) = (draft.int("resolved_at"), draft.int("closed_at"))
        for (key, end) in [("resolved_at", resolved), ("closed_at", closed)] {
            if let end, end < opened {
                throw RecordRefusal(key, "before_start", en: "The case would end before it was opened.", zh: "结束时间早于受理时间。")
            }
        }
        guard let kind = draft.text("case_kind") ?? draft.text("kind") else {
            throw RecordRefusal("case_kind", "required", en: "The kind of case is missing.", zh: "缺少工单类型。")
        }
        if let subject = draft.text("subject") { try Transcript.refuseDamaged(subject) }
        let told: CaseStatus = closed != nil ? .closed : resolved != nil ? .resolved : .open
        var made = draft.columns(["subject", "resolved_at", "closed_at"])
        made["number"] = .text(draft.text("case_number") ?? draft.text("number"))
        made["kind"] = .text(kind)
        made["topic"] = .text(draft.text("topic") ?? DeskTopic.other.rawValue)
        made["priority"] = .text(draft.text("priority") ?? CasePriority.normal.rawValue)
        made["opened_at"] = .int(opened)
        // What the row says, else what its dates say; a known case without news keeps what it was.
        let tellsOfEnd = draft.values["closed_at"] != nil || draft.values["resolved_at"] != nil
        made["status"] =
            draft.values["status"] ?? (tellsOfEnd ? .text(told.rawValue) : draft.before["status"])
            ?? .text(told.rawValue)
        return made
    }

    private static func ended(_ values: [String: SQLValue]) -> Bool {
        if case .text(let code)? = values["status"] { CaseStatus(rawValue: code)?.isEnd ?? false } else { false }
    }

    /// Tells that cases were opened or came to their end, with the time at which that was. A case that comes with its end
    /// already tells both. One that goes, or whose end is taken back, takes back what it told.
    @Sendable private static func tellSteps(
        _ changes: [RecordChange], _ tenant: Tenant, _ session: any SQLSession
    ) throws {
        try session.executeMany(
            touchCase,
            changes.compactMap { change in
                guard let after = change.after else { return nil }
                let now = tenant.clock.now()
                let isOther = change.before.map { $0["status"] != after["status"] } ?? false
                return [.id(change.place.customer), .int(change.place.id), .time(now), isOther ? .time(now) : .null]
            })
        let worded = changes.filter { ($0.before?["subject"] ?? .null) != ($0.after?["subject"] ?? .null) || $0.after == nil }
        try CaseIndex.refresh(worded.map(\.place.id), session)
        var opened: [CasesMoved.Case] = []
        var closed: [CasesMoved.Case] = []
        var back: [CasesMoved.Step: [StepPlace]] = [:]
        for change in changes {
            let place = StepPlace(customer: change.place.customer, id: change.place.id)
            guard let after = change.after else {
                for step in [CasesMoved.Step.opened, .closed] { back[step, default: []].append(place) }
                continue
            }
            if !ended(after), change.before.map(ended) ?? false { back[.closed, default: []].append(place) }
            func told(_ columns: String...) -> CasesMoved.Case {
                let at = columns.lazy.compactMap { column -> Instant? in
                    if case .int(let at)? = after[column] { Instant(milliseconds: at) } else { nil }
                }.first
                func code(_ column: String) -> String { if case .text(let text)? = after[column] { text } else { "" } }
                return CasesMoved.Case(
                    customer: change.place.customer, id: change.place.id, at: at ?? tenant.clock.now(),
                    kind: code("kind"), topic: code("topic"))
            }
            if change.before == nil { opened.append(told("opened_at")) }
            if ended(after), !(change.before.map(ended) ?? false) { closed.append(told("resolved_at", "closed_at")) }
        }
        try tell(opened: opened, closed: closed, back: back, tenant, session)
    }

    static func tell(
        opened: [CasesMoved.Case], closed: [CasesMoved.Case], back: [CasesMoved.Step: [StepPlace]], _ tenant: Tenant,
        _ session: any SQLSession
    ) throws {
        for step in [CasesMoved.Step.opened, .closed] {
            for chunk in (back[step] ?? []).chunked(Limits.auditSubjectsMax) {
                try tenant.outbox.append(CasesWithdrawn(step: step, cases: Array(chunk)), session)
            }
        }
        for (step, cases) in [(CasesMoved.Step.opened, opened), (.closed, closed)] {
            for chunk in cases.chunked(Limits.auditSubjectsMax) {
                try tenant.outbox.append(CasesMoved(step: step, cases: Array(chunk)), session)
            }
        }
    }
}
