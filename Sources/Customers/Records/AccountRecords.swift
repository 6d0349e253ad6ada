import Kernel
import Platform
import Storage

/// What an account is for (TMF666).
enum AccountKind: String, Sendable, CaseIterable {
    case household, billing, service
    /// Of a partner, for what both owe each other.
    case settlement
    /// Of no special kind.
    case party

    var words: Words {
        switch self {
        case .household: Words(en: "Household account", zh: "家庭账户")
        case .billing: Words(en: "Billing account", zh: "付费账户")
        case .service: Words(en: "Service account", zh: "业务账户")
        case .settlement: Words(en: "Settlement account", zh: "结算账户")
        case .party: Words(en: "Account", zh: "账户")
        }
    }
}

enum AccountStatus: String, Sendable, CaseIterable {
    case open, suspended, closed

    var words: Words {
        switch self {
        case .open: Words(en: "Open", zh: "正常")
        case .suspended: Words(en: "Suspended", zh: "暂停")
        case .closed: Words(en: "Closed", zh: "已销户")
        }
    }

    var badge: String {
        switch self {
        case .open: "ok"
        case .suspended: "warn"
        case .closed: ""
        }
    }
}

/// What a party is to an account; its holder is the customer it lies with.
enum AccountRole: String, Sendable, CaseIterable {
    case payer, user, admin, guardian

    var words: Words {
        switch self {
        case .payer: Words(en: "Payer", zh: "付费人")
        case .user: Words(en: "User", zh: "使用人")
        case .admin: Words(en: "Administrator", zh: "管理员")
        case .guardian: Words(en: "Guardian", zh: "监护人")
        }
    }
}

/// Accounts and who has to do with them, as sources bring them.
enum AccountRecords {
    static let selectAccounts: SQL = """
        SELECT customer_id, id, number, kind, name, status, parent_number, bill_day, payment_method, opened_on, closed_on,
          source, edition
        FROM customers_account WHERE TRUE
        """
    static let updateAccount: SQL = """
        UPDATE customers_account SET number = $3, kind = $4, name = $5, status = $6, parent_number = $7, bill_day = $8,
          payment_method = $9, opened_on = $10, closed_on = $11, source = $12, edition = $13
        WHERE customer_id = $1 AND id = $2
        """
    static let deleteAccount: SQL = "DELETE FROM customers_account WHERE customer_id = $1 AND id = $2"
    static let selectRoles: SQL = """
        SELECT customer_id, id, holder_id, account_id, role, valid_from, valid_to FROM customers_account_role WHERE TRUE
        """
    static let updateRole: SQL = """
        UPDATE customers_account_role SET holder_id = $3, account_id = $4, role = $5, valid_from = $6, valid_to = $7
        WHERE customer_id = $1 AND id = $2
        """
    static let deleteRole: SQL = "DELETE FROM customers_account_role WHERE customer_id = $1 AND id = $2"

    private static let number = ImportField(
        OwnerFields.account.key, OwnerFields.account.words, .text(60), required: true, canMatch: true,
        synonyms: OwnerFields.account.synonyms)

    static let accounts = RecordKind(
        entity: "accounts", title: Words(en: "Accounts", zh: "账户"),
        fields: [
            number, OwnerFields.reference, OwnerFields.source, OwnerFields.msisdn,
            ImportField(
                "account_kind", Words(en: "Kind of account", zh: "账户类型"),
                .choice(AccountKind.allCases.map { kind in ImportChoice(kind.rawValue, kind.words, synonyms: synonyms(kind)) }
                ), synonyms: ["account type", "type", "kind", "账户类别", "类型"]),
            ImportField(
                "name", Words(en: "Name of the account", zh: "账户名称"), .text(120), mask: "name",
                synonyms: ["account name", "账户名", "户名"]),
            ImportField(
                "status", Words(en: "Status", zh: "状态"),
                .choice(
                    AccountStatus.allCases.map { status in
                        ImportChoice(status.rawValue, status.words, synonyms: synonyms(status))
                    }), synonyms: ["account status", "账户状态"]),
            ImportField(
                "parent_number", Words(en: "Parent account", zh: "上级账户"), .text(60),
                synonyms: ["parent account number", "parent", "上级账户编号"]),
            ImportField(
                "bill_day", Words(en: "Bill day", zh: "账单日"), .integer, synonyms: ["bill cycle", "billing day", "出账日"]),
            ImportField(
                "payment_method", Words(en: "Payment method", zh: "缴费方式"), .text(60), synonyms: ["payment", "付款方式"]),
            ImportField(
                "opened_on", Words(en: "Opened on", zh: "开户日期"), .date,
                synonyms: ["open date", "opened", "start date", "开户时间"]),
            ImportField(
                "closed_on", Words(en: "Closed on", zh: "销户日期"), .date,
                synonyms: ["close date", "closed", "end date", "销户时间"]),
        ], keyField: number.key,
        columns: [
            "number", "kind", "name", "status", "parent_number", "bill_day", "payment_method", "opened_on", "closed_on",
            "source", "edition",
        ], classColumn: "kind",
        sql: RecordSQL(
            select: selectAccounts, table: "customers_account",
            list: """
                customer_id, id, number, kind, name, status, parent_number, bill_day, payment_method, opened_on, closed_on,
                source, edition
                """, update: updateAccount, delete: deleteAccount, keys: CustomerFinder.keys),
        audit: "customers.record.import", touched: CustomerRevision.move, changed: follow
    ) { draft throws(RecordRefusal) in
        let (opened, closed) = (draft.text("opened_on"), draft.text("closed_on"))
        if let opened, let closed, closed < opened {
            throw RecordRefusal(
                "closed_on", "before_start", en: "The account would be closed before it was opened.",
                zh: "销户日期早于开户日期。")
        }
        let number = draft.text(OwnerFields.account.key) ?? draft.text("number") ?? ""
        if let parent = draft.text("parent_number"), parent == number {
            throw RecordRefusal(
                "parent_number", "own_parent", en: "An account cannot stand below itself.", zh: "账户不能以自身为上级。")
        }
        var made = draft.columns(["name", "parent_number", "bill_day", "payment_method", "opened_on", "closed_on"])
        // The rule holds such rows; where somebody lets it only warn, the account is taken without.
        if let day = draft.int("bill_day"), !(1...31).contains(day) { made["bill_day"] = draft.before["bill_day"] }
        made["number"] = .text(number)
        made["kind"] = .text(draft.text("account_kind") ?? draft.text("kind") ?? AccountKind.billing.rawValue)
        let isOver = closed.map { $0 <= draft.today.description } ?? false
        let known = draft.values["status"] ?? (isOver ? .text(AccountStatus.closed.rawValue) : draft.before["status"])
        made["status"] = known ?? .text(AccountStatus.open.rawValue)
        made["source"] = .text(draft.source)
        // How often programs have changed it (TMF666): a revert sees that somebody did.
        made["edition"] = draft.before["edition"]
        return made
    }

    static let roles = RecordKind(
        entity: "account_roles", title: Words(en: "Payers and users of accounts", zh: "账户的付费人与使用人"),
        fields: [
            ImportField(
                OwnerFields.account.key, OwnerFields.account.words, .text(60), required: true,
                synonyms: OwnerFields.account.synonyms),
            OwnerFields.reference, OwnerFields.source, OwnerFields.msisdn,
            ImportField(
                "role", Words(en: "Role", zh: "角色"),
                .choice(AccountRole.allCases.map { ImportChoice($0.rawValue, $0.words, synonyms: synonyms($0)) }),
                required: true, synonyms: ["party role", "relation", "关系"]),
            ImportField(
                "valid_from", Words(en: "From", zh: "起始日期"), .date, synonyms: ["start date", "from", "生效日期", "开始日期", "起始日"]),
            ImportField("valid_to", Words(en: "Until", zh: "截止日期"), .date, synonyms: ["end date", "to", "失效日期", "结束日期", "终止日期"]),
        ], keyField: nil,
        key: { values in
            func text(_ key: String) -> String {
                if case .text(let text)? = values[key] { return text }
                return ""
            }
            let (account, role) = (text(OwnerFields.account.key), text("role"))
            let party = text("source_id").isEmpty ? text("msisdn") : text("customer_source") + ":" + text("source_id")
            // Somebody has to be named besides the account.
            guard !account.isEmpty, !role.isEmpty, party != ":" else { return nil }
            return [account, party, role].joined(separator: "\u{1F}")
        }, columns: ["holder_id", "account_id", "role", "valid_from", "valid_to"],
        sql: RecordSQL(
            select: selectRoles, table: "customers_account_role",
            list: "customer_id, id, holder_id, account_id, role, valid_from, valid_to", update: updateRole,
            delete: deleteRole, keys: CustomerFinder.keys),
        check: { rows, source, session in
            let numbers = rows.map { row -> String? in
                if case .text(let text)? = row.values[OwnerFields.account.key], !text.isEmpty { return text }
                return nil
            }
            let found = try CustomerFinder.accounts(numbers.compactMap { $0 }, source, session)
            return zip(rows, numbers).map { row, number in
                guard row.values["role"] != nil else { return .failure(noRole) }
                guard row.values["source_id"] != nil || row.values["msisdn"] != nil else { return .failure(noParty) }
                guard let number, let place = found[number] else { return .failure(unknownAccount(source)) }
                return .success(["holder_id": .id(place.customer), "account_id": .int(place.id)])
            }
        }, audit: "customers.record.import", touched: CustomerRevision.move
    ) { draft throws(RecordRefusal) in
        if let from = draft.text("valid_from"), let to = draft.text("valid_to"), to < from {
            throw RecordRefusal(
                "valid_to", "before_start", en: "The role would end before it begins.", zh: "角色的截止日期早于起始日期。")
        }
        return draft.columns(["holder_id", "account_id", "role", "valid_from", "valid_to"])
    }

    private static let noRole = RecordRefusal("role", "required", en: "The role is missing.", zh: "缺少角色。")
    private static let noParty = RecordRefusal(
        "source_id", "no_customer",
        en: "The row does not say who has the role: a customer number or a telephone number is needed.",
        zh: "该行未指明角色由谁担任：需要客户编号或手机号码。")

    private static func unknownAccount(_ source: String) -> RecordRefusal {
        RecordRefusal(
            OwnerFields.account.key, "unknown_account",
            en: "There is no account of this number at the source “\(source)”. Import its accounts first.",
            zh: "来源“\(source)”中没有该账户，请先导入账户。")
    }

    static let forgetParent: SQL = "DELETE FROM customers_account_relation WHERE owner_id = $1 AND LOWER(relation) = 'parent'"

    /// The account above is the one that was named last, by a source or by a program.
    @Sendable private static func follow(_ changes: [RecordChange], _ tenant: Tenant, _ session: any SQLSession) throws {
        try NumberIndex.follow(.accounts)(changes, tenant, session)
        let moved = changes.filter { $0.before != nil && $0.before?["parent_number"] != $0.after?["parent_number"] }
        try session.executeMany(forgetParent, moved.map { [.int($0.place.id)] })
    }

    private static func synonyms(_ kind: AccountKind) -> [String] {
        switch kind {
        case .household: ["family", "home", "家庭", "家庭户"]
        case .billing: ["bill", "payment", "计费账户", "付费", "账务"]
        case .service: ["product", "subscription", "业务", "服务账户"]
        case .settlement: ["partner", "clearing", "结算"]
        case .party: ["party account", "general", "账户"]
        }
    }

    private static func synonyms(_ status: AccountStatus) -> [String] {
        switch status {
        case .open: ["active", "normal", "A", "在用", "有效"]
        case .suspended: ["stopped", "barred", "S", "停机", "欠费停机"]
        case .closed: ["terminated", "inactive", "C", "销户", "注销"]
        }
    }

    private static func synonyms(_ role: AccountRole) -> [String] {
        switch role {
        case .payer: ["pays", "debtor", "付费", "代付", "缴费人", "付款人", "付费人"]
        case .user: ["uses", "subscriber", "使用者", "用户"]
        case .admin: ["administrator", "manager", "管理人"]
        case .guardian: ["parent", "监护"]
        }
    }
}
