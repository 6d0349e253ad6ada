import Kernel
import Platform
import Storage
import Web

/// The queue of pairs that may be one customer: side by side, one decision after another, by keyboard; and joining or
/// taking apart from the customer's own page.
struct PairPages: Sendable {
    /// What other domains have of customers.
    let counts: [CustomerCount]

    static let queueShown = 25

    func endpoints() -> [Endpoint] {
        let decide = Route.Access.permission(CustomerPermissions.decidePairs)
        func act(
            _ pattern: String, _ fields: [String] = [], _ effect: Route.Effect = .acts,
            _ handler: @escaping @Sendable (Call) async throws -> WebResponse
        ) -> Endpoint {
            Endpoint(.post, pattern, decide, body: .form(fields), trace: .change, effect: effect, handler: handler)
        }
        return [
            Endpoint(.get, "/duplicates", decide, trace: .view, handler: page),
            act("/duplicates/{left}/{right}/joining") { try await settle($0, .linked) },
            act("/duplicates/{left}/{right}/separation") { try await settle($0, .apart) },
            act("/duplicates/{left}/{right}/reopening") { try await settle($0, .open) },
            act("/customers/{id}/duplicates", ["other"], .adds, propose),
            act("/customers/{id}/separation", ["left", "right", "reason"], .acts, separate),
        ]
    }

    // MARK: Decisions

    private func settle(_ call: Call, _ state: MatchPair.State) async throws -> WebResponse {
        let left: CustomerID = try call.request.id("left")
        let right: CustomerID = try call.request.id("right")
        let principal = try call.principal()
        let joining = Joining(tenant: call.tenant)
        return try await call.change { session in
            guard let pair = try PairStore.pair(left, right, session) else { throw CRMError.notFound }
            let next = try reachable(PairStore.open(after: pair, limit: 5, session), principal, session).first
            let subjects: [AuditSubject] = [.customer(left), .customer(right)]
            let facts: [String: JSONValue] = [
                "before": .string(pair.state.rawValue), "rule": .string(pair.evidence.rule.rawValue),
            ]
            switch state {
            case .linked:
                guard pair.state == .open else { throw Joining.changed }
                try joining.join(left, right, by: principal, session)
                try call.record(AuditEntry("customers.pair.join", subjects, facts: facts), session)
            case .apart:
                try joining.keepApart(left, right, by: principal, session)
                try call.record(AuditEntry("customers.pair.separate", subjects, facts: facts), session)
            case .open:
                try joining.reopen(left, right, by: principal, session)
                try call.record(AuditEntry("customers.pair.reopen", subjects, facts: facts), session)
            }
            let flash = "customers.pairs.\(state.rawValue)"
            if state == .open { return .redirect("/duplicates?pair=\(left)-\(right)").flash(flash) }
            let place = next.map { "pair=\($0.left)-\($0.right)&" } ?? ""
            return .redirect("/duplicates?\(place)done=\(left)-\(right)").flash(flash)
        }
    }

    /// Another record of the same person is named by a number that finds it; what was typed is in no address.
    private func propose(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let text = try call.form.text("other", max: 100)
        let joining = Joining(tenant: call.tenant)
        return try await call.change { session in
            try CustomerScope.require(id, principal, session)
            guard let other = try find(text, call.tenant, session),
                try CustomerScope.reachable([other], principal, session).contains(other)
            else {
                throw CRMError.invalid(
                    "other", "unknown",
                    Words(
                        en: "No customer has this number. Give a customer number, mobile number or document number.",
                        zh: "没有客户使用该号码。请输入客户编号、手机号码或证件号码。"))
            }
            if try joining.propose(id, other, by: principal, session) {
                try call.record(AuditEntry("customers.pair.propose", [.customer(id), .customer(other)]), session)
            }
            return .redirect("/duplicates?pair=\(min(id, other))-\(max(id, other))")
        }
    }

    private func find(_ text: String, _ tenant: Tenant, _ session: any SQLSession) throws -> CustomerID? {
        var wanted: [Identifier] = [.document(text), .iccid(text)]
        if let phone = PhoneNumber(text, defaultCountryCode: tenant.countryCode) { wanted.append(.msisdn(phone.e164)) }
        if let found = try IdentifierStore.owners(wanted, session).values.min() { return found }
        let numbered = try CustomerReader().customers(numbered: text, session)
        if numbered.count == 1 { return numbered.first }
        guard let id = CustomerID(text), try session.exists(CustomerStore.revisionOf, [.id(id)]) else { return nil }
        return id
    }

    private func separate(_ call: Call) async throws -> WebResponse {
        let id: CustomerID = try call.request.id("id")
        let principal = try call.principal()
        let reason = try call.form.text("reason", max: Joining.reasonMax)
        guard let left = call.form["left"].flatMap({ CustomerID($0) }),
            let right = call.form["right"].flatMap({ CustomerID($0) })
        else { throw CRMError.notFound }
        let joining = Joining(tenant: call.tenant)
        return try await call.change { session in
            try CustomerScope.require(id, principal, session)
            try joining.separate(left, right, reason: reason, by: principal, session)
            try call.record(
                AuditEntry(
                    "customers.pair.undo", [.customer(left), .customer(right)], facts: ["reason": .string("given")]),
                session)
            return .redirect("/customers/\(id)").flash("customers.pairs.apart")
        }
    }

    // MARK: The page

    private struct Loaded: Sendable {
        /// Members of the two sets are two verified people.
        var joinsTwoPeople = false
        var queue: [MatchPair] = []
        var open = 0
        var pair: MatchPair?
        var sides: [CustomerRecord] = []
        var names: [CustomerID: CardStore.Name] = [:]
        var previous: MatchPair?
        var next: MatchPair?
        var effects: [(Words, Int, Int)] = []
        var done: MatchPair?
    }

    private func page(_ call: Call) async throws -> WebResponse {
        let principal = try call.principal()
        let asked = Self.pair(call.request.query["pair"])
        let done = Self.pair(call.request.query["done"])
        let loaded = try await call.read { try load(asked, done, principal, $0) }
        let masking = try call.masking()
        let fields = loaded.sides.count == 2 ? PairView.rows(loaded.sides, loaded.pair, masking, call.language) : []
        var subjects = loaded.sides.map(\.id)
        for pair in loaded.queue {
            for id in [pair.left, pair.right] where !subjects.contains(id) { subjects.append(id) }
        }
        let hasNames = !subjects.isEmpty && masking.names
        try await call.recordView(
            AuditEntry(
                "customers.pair.view", subjects.map { .customer($0) },
                unmasked: fields.filter(\.isUnmasked).map(\.key) + (hasNames && fields.isEmpty ? ["full_name"] : [])))
        return call.page(
            "customers/duplicates", title: call.text("customers.pairs.title"), active: "/duplicates",
            view(loaded, fields, call, masking))
    }

    private func load(
        _ asked: (CustomerID, CustomerID)?, _ done: (CustomerID, CustomerID)?, _ principal: Principal,
        _ session: any SQLSession
    ) throws -> Loaded {
        var loaded = Loaded()
        loaded.queue = try reachable(
            PairStore.open(after: nil, limit: Self.queueShown, session), principal, session)
        // Whoever is kept to some regions is not told how many there are in others.
        loaded.open = principal.scope.regions == nil ? try session.count(PairStore.counting) : loaded.queue.count
        if let asked { loaded.pair = try PairStore.pair(asked.0, asked.1, session) }
        if let pair = loaded.pair, try reachable([pair], principal, session).isEmpty { throw CRMError.notFound }
        if asked != nil, loaded.pair == nil { throw CRMError.notFound }
        if asked == nil { loaded.pair = loaded.queue.first }
        if let done, let pair = try PairStore.pair(done.0, done.1, session), pair.state != .open,
            try !reachable([pair], principal, session).isEmpty
        {
            loaded.done = pair
        }
        loaded.names = try CardStore.names(loaded.queue.flatMap { [$0.left, $0.right] }, session)
        guard let pair = loaded.pair else { return loaded }
        loaded.next = try reachable(PairStore.open(after: pair, limit: 5, session), principal, session).first
        loaded.previous = try reachable(PairStore.before(pair, limit: 5, session), principal, session).first
        loaded.sides = try CustomerLoader.records([pair.left, pair.right], session)
        loaded.effects = try effects(pair, principal, session)
        loaded.joinsTwoPeople = try Self.joinsTwoPeople(pair, session)
        return loaded
    }

    /// Whether anybody who hangs on one side and anybody on the other are two verified people, though the two themselves may
    /// not be: the one without a number is what they would be joined by.
    static func joinsTwoPeople(_ pair: MatchPair, _ session: any SQLSession) throws -> Bool {
        let left = try CustomerLinks.set(of: pair.left, session)
        guard !left.contains(pair.right) else { return false }
        func verified(_ ids: [CustomerID]) throws -> [Set<IdentityNumber>] {
            try CustomerLoader.records(ids, session).map { record in
                Set(record.documents.compactMap { IdentityNumber($0.number) }.filter(\.isChecked))
            }
        }
        let others = try verified(try CustomerLinks.set(of: pair.right, session))
        return try verified(left).contains { one in others.contains { MatchJudge.areTwoPeople(one, $0) } }
    }

    /// What joining brings together: of each side with everybody it is joined with already.
    private func effects(_ pair: MatchPair, _ principal: Principal, _ session: any SQLSession) throws -> [(
        Words, Int, Int
    )] {
        let left = try CustomerLinks.set(of: pair.left, session)
        let right = left.contains(pair.right) ? [pair.right] : try CustomerLinks.set(of: pair.right, session)
        let one = left.contains(pair.right) ? [pair.left] : left
        func both(_ words: Words, _ count: ([CustomerID]) throws -> Int) rethrows -> (Words, Int, Int) {
            (words, try count(one), try count(right))
        }
        var result = [
            both(Words(en: "Records", zh: "记录"), \.count),
            try both(Words(en: "Lines", zh: "业务")) { try PairView.count(PairView.lines, $0, session) },
            try both(Words(en: "Bills and payments", zh: "账单与缴费")) {
                try PairView.count(PairView.charges, $0, session)
            },
            try both(Words(en: "Bills that are not paid", zh: "未缴账单")) {
                try PairView.count(PairView.unpaid, $0, session)
            },
        ]
        for source in counts where principal.may(source.permission) {
            result.append(try both(source.words) { try source.count($0, session) })
        }
        return result
    }

    private func reachable(_ pairs: [MatchPair], _ principal: Principal, _ session: any SQLSession) throws
        -> [MatchPair]
    {
        guard !pairs.isEmpty else { return [] }
        let ids = Array(Set(pairs.flatMap { [$0.left, $0.right] }))
        let allowed = try CustomerScope.reachable(ids, principal, session)
        return pairs.filter { allowed.contains($0.left) && allowed.contains($0.right) }
    }

    /// `LEFT-RIGHT`.
    private static func pair(_ text: String?) -> (CustomerID, CustomerID)? {
        let parts = (text ?? "").split(separator: "-")
        guard parts.count == 2, let left = CustomerID(parts[0]), let right = CustomerID(parts[1]) else { return nil }
        return (left, right)
    }

    private func view(_ loaded: Loaded, _ fields: [PairView.Row], _ call: Call, _ masking: Masking) -> View {
        let language = call.language
        func path(_ pair: MatchPair?) -> ViewValue { .text(pair.map { "/duplicates?pair=\($0.left)-\($0.right)" }) }
        func name(_ id: CustomerID) -> String { loaded.names[id]?.displayed(masking) ?? "#\(id)" }
        var view: View = [
            "open": .text(loaded.open >= 1_000 ? "1,000+" : String(loaded.open)), "any": .bool(loaded.pair != nil),
            "queue": .list(
                loaded.queue.map { pair in
                    [
                        "path": path(pair), "names": .text("\(name(pair.left)) · \(name(pair.right))"),
                        "why": .text(MatchWords.reason(pair)[language]),
                        "chance": .text(MatchPair.chance(bits: pair.bits)),
                        "current": .bool(pair.left == loaded.pair?.left && pair.right == loaded.pair?.right),
                    ]
                }),
            "previous": path(loaded.previous), "next": path(loaded.next),
            "undo": .text(loaded.done.map { "/duplicates/\($0.left)/\($0.right)/reopening" }),
        ]
        guard let pair = loaded.pair, loaded.sides.count == 2 else { return view }
        let action = "/duplicates/\(pair.left)/\(pair.right)"
        view["isOpen"] = .bool(pair.state == .open)
        view["isLinked"] = .bool(pair.state == .linked)
        view["isApart"] = .bool(pair.state == .apart)
        view["decidedBy"] = .text(pair.decidedBy == Joining.machine ? MatchWords.machine[language] : pair.decidedBy)
        view["reason"] = .text(pair.state == .apart && !pair.reason.isEmpty ? pair.reason : nil)
        view["join"] = .text(action + "/joining")
        view["separate"] = .text(action + "/separation")
        view["reopen"] = .text(action + "/reopening")
        view["why"] = .text(MatchWords.reason(pair)[language])
        view["chance"] = .text(MatchPair.chance(bits: pair.bits))
        let areTwo = [.verified, .setConflict].contains(pair.evidence.rule)
        view["warning"] = .bool(areTwo)
        view["setWarning"] = .bool(loaded.joinsTwoPeople && !areTwo)
        view["leftName"] = .text(loaded.sides[0].name(masking))
        view["rightName"] = .text(loaded.sides[1].name(masking))
        view["leftPath"] = .text("/customers/\(pair.left)")
        view["rightPath"] = .text("/customers/\(pair.right)")
        view["leftSource"] = .text(loaded.sides[0].customer.source)
        view["rightSource"] = .text(loaded.sides[1].customer.source)
        view["fields"] = .list(fields.map(\.view))
        view["effects"] = .list(
            loaded.effects.map { words, left, right in
                [
                    "label": .text(words[language]), "left": .text(PanelParts.count(left)),
                    "right": .text(PanelParts.count(right)), "sum": .text(PanelParts.count(left + right)),
                ]
            })
        return view
    }
}

/// Two records side by side.
enum PairView {
    static let lines: SQL = "SELECT COUNT(*) FROM customers_subscription WHERE TRUE"
    static let charges: SQL = "SELECT COUNT(*) FROM customers_charge WHERE TRUE"
    static let unpaid: SQL = """
        SELECT COUNT(*) FROM customers_charge WHERE kind = 'bill' AND COALESCE(paid_on, settled_on) IS NULL
        """

    static func count(_ start: SQL, _ ids: [CustomerID], _ session: any SQLSession) throws -> Int {
        var builder = SQLBuilder(start)
        builder.appendIn("AND customer_id", ids.map { .id($0) })
        return try session.count(builder.sql, builder.arguments)
    }

    struct Row {
        let key: String
        let isUnmasked: Bool
        let view: View
    }

    private static let shown: [(key: String, get: @Sendable (CustomerRecord) -> [String])] = [
        ("full_name", { [$0.party.displayName] }), ("kind", { [$0.party.kind.rawValue] }),
        ("gender", { [$0.party.gender ?? ""] }), ("birth_date", { [$0.party.birthDate?.description ?? ""] }),
        ("document_number", { $0.documents.map(\.number) }),
        ("phone", { $0.contacts.filter { $0.kind == .phone }.map(\.value) }),
        ("msisdn", { $0.subscriptions.filter { $0.status != .terminated }.prefix(4).compactMap(\.msisdn) }),
        ("email", { $0.contacts.filter { $0.kind == .email }.map(\.value) }),
        ("address", { [$0.addresses.first?.lines ?? ""] }),
        ("city", { [$0.addresses.first?.city ?? $0.customer.city ?? ""] }),
        ("postcode", { [$0.addresses.first?.postcode ?? ""] }), ("region", { [$0.customer.region ?? ""] }),
        ("status", { [$0.customer.status.rawValue] }), ("start_date", { [$0.customer.since?.description ?? ""] }),
        ("source_id", { [$0.customer.reference ?? ""] }),
    ]

    /// What either has; where they differ it is marked, whether the values themselves may be seen or not.
    static func rows(_ sides: [CustomerRecord], _ pair: MatchPair?, _ masking: Masking, _ language: Language) -> [Row] {
        let evidence = pair?.evidence.fields ?? []
        let numbers = comparedNumbers(sides)
        return shown.compactMap { key, get in
            let values = sides.map { get($0).filter { !$0.isEmpty } }
            guard values.contains(where: { !$0.isEmpty }) else { return nil }
            let mask = CustomerFields.byKey[key]?.mask ?? .none
            func text(_ list: [String]) -> String {
                list.map { value in
                    let words =
                        key == "status"
                        ? PageWords.choice(key, value)[language] : MatchWords.value(key, value, language)
                    return mask == .phone ? PanelParts.phone(words, masking) : masking.apply(mask, words)
                }.joined(separator: ", ")
            }
            let isBoth = !values[0].isEmpty && !values[1].isEmpty
            let name = key == numbers.row ? "phone" : key == "phone" ? "" : key
            let found = evidence.first { $0.name == name && $0.level != "missing" }
            // 趙 is 赵, and the case of a letter is no difference.
            let isShared =
                !Set(values[0].map(Folding.fold)).isDisjoint(with: values[1].map(Folding.fold))
                || isBoth && found?.level == "same"
            let mixed = key == numbers.row && numbers.areMixed ? MatchWords.mixedNumbers[language] : ""
            let level = found.map { mixed + MatchWords.level($0.level)[language] } ?? ""
            let view: View = [
                "label": .text(PageWords.field(key)[language]), "left": .text(text(values[0])),
                "right": .text(text(values[1])),
                "differs": .bool(isBoth && !isShared && key != "source_id"), "same": .bool(isShared),
                "level": .text(level.isEmpty ? nil : level),
                "strength": .text(found.map { MatchWords.strength($0.bits)[language] }),
            ]
            return Row(key: key, isUnmasked: mask != .none && masking.shows(mask), view: view)
        }
    }

    /// Where the evidence about telephone numbers belongs: numbers of contacts are compared with those of lines too.
    static func comparedNumbers(_ sides: [CustomerRecord]) -> (row: String, areMixed: Bool) {
        let phones = sides.map { MatchCard($0).phones }
        guard phones.count == 2, !phones[0].isEmpty, !phones[1].isEmpty else { return ("phone", false) }
        let shared = phones[0].first { phones[1].contains($0) }
        let isContact = zip(sides, phones).map { side, own in
            side.contacts.contains { $0.kind == .phone && $0.value == shared ?? own[0] }
        }
        return isContact[0] == isContact[1] ? (isContact[0] ? "phone" : "msisdn", false) : ("phone", true)
    }
}
