import Kernel
import Platform
import Storage

/// What sources bring of contacts, answers to surveys, and cases.
enum DeskRecords {
    static let findKey: SQL = """
        SELECT value, customer_id, record_id FROM servicedesk_record_key WHERE kind = $1 AND source = $2
        """
    static let deleteKey: SQL = "DELETE FROM servicedesk_record_key WHERE kind = $1 AND source = $2 AND value = $3"
    static let keys = RecordKeySQL(find: findKey, table: "servicedesk_record_key", delete: deleteKey)

    static let audit = "servicedesk.record.import"
    /// A transcript of a long chat fits; a whole mailbox does not.
    static let noteMax = 20_000

    static func all(_ tenant: Tenant, _ naming: any CustomerFinding) -> [RecordTarget] {
        [contacts, answers, cases].map { RecordTarget($0, tenant, naming: naming) }
    }

    // MARK: Fields

    static func choices<Code: RawRepresentable<String> & CaseIterable>(
        _ type: Code.Type, _ words: (Code) -> Words, _ synonyms: [String: [String]] = [:]
    ) -> ImportFieldKind {
        .choice(
            Code.allCases.map { ImportChoice($0.rawValue, words($0), synonyms: synonyms[$0.rawValue] ?? []) })
    }

    /// What is none of the topics stands in the subject, or in the comment of an answer.
    static let topic = topics(otherwise: "subject")

    static func topics(otherwise: String) -> ImportField {
        ImportField(
            "topic", Words(en: "Topic", zh: "主题"),
            choices(
                DeskTopic.self, \.words,
                [
                    "bill": ["billing", "invoice", "计费", "话费", "账单问题"], "price": ["tariff", "价格"],
                    "plan": ["package", "offer", "套餐变更"], "payment": ["payments", "pay", "充值", "缴费问题"],
                    "coverage": ["signal", "no signal", "network", "信号", "网络", "网络信号"],
                    "dropped_calls": ["call drop", "drops", "通话掉线"], "slow_data": ["slow internet", "speed", "上网慢", "速度慢"],
                    "device": ["handset", "phone", "手机", "设备"], "sim": ["sim swap", "esim", "换卡", "补卡"],
                    "port_out": ["port out", "porting", "mnp", "转网", "携转"], "contract_end": ["contract", "合约"],
                    "service": ["attitude", "staff", "服务态度", "服务质量"], "other": ["general", "misc", "其它"],
                ]), otherwise: otherwise, synonyms: ["subject code", "category", "reason", "topic code", "问题类型", "类别", "分类", "业务类别"])
    }

    /// A contact cannot be without it; an answer to a survey can.
    static let channelOfContact = ImportField(
        channel.key, channel.words, channel.kind, required: true, synonyms: channel.synonyms)
    static let channel = ImportField(
        "channel", Words(en: "Channel", zh: "渠道"),
        choices(
            DeskChannel.self, \.words,
            [
                "hotline": ["phone", "call", "voice", "call centre", "call center", "电话", "10086", "客服热线"],
                "shop": ["store", "branch", "counter", "门店", "厅店"], "app": ["mobile app", "in app", "APP", "掌厅"],
                "web_chat": ["chat", "webchat", "live chat", "online", "在线客服", "网上营业厅"], "wechat": ["weixin", "公众号"],
                "sms": ["text", "message"], "mail": ["email", "e-mail", "letter", "电子邮件", "信函"],
            ]), synonyms: ["medium", "contact channel", "source channel", "接触渠道", "受理渠道"])

    static func time(_ key: String, _ words: Words, required: Bool = false, _ synonyms: [String]) -> ImportField {
        ImportField(key, words, .time, required: required, synonyms: synonyms)
    }

    /// Who was asked or who spoke, and when.
    static func refuseFuture(_ key: String, _ draft: RecordDraft) throws(RecordRefusal) -> Int64 {
        guard let at = draft.int(key) else {
            throw RecordRefusal(key, "required", en: "The time is missing.", zh: "缺少时间。")
        }
        guard at <= draft.now.adding(days: 1).milliseconds else {
            throw RecordRefusal(key, "future", en: "The time lies in the future.", zh: "时间在未来。")
        }
        return at
    }
}
