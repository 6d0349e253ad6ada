import Kernel
import Platform
import Storage
import Web

extension PageHead {
    /// Of several records that are one customer: what the rules say, and the sums of what they pay and are worth.
    fileprivate mutating func take(_ golden: GoldenRecord, _ values: [CustomerID: Int64]) {
        if let name = golden.choice("full_name")?.value { displayName = name }
        if let since = golden.choice("start_date")?.value { self.since = LocalDate(since) }
        if let place = golden.choice("region").flatMap({ choice in golden.records.first { $0.id == choice.from } }) {
            (region, city) = (place.customer.region, place.customer.city)
        }
        monthlyCharge = golden.monthlyCharge
        if !values.isEmpty { value = values.values.reduce(Int64(0)) { $0.plus($1) } }
    }
}

/// The head of the customer page: what an agent needs in the first five seconds.
struct PageHeadView: Sendable {
    /// The name as the caller may see it.
    let title: String
    let view: View
    let unmasked: [String]
    /// `["name"]` when the name is shown whole.
    let nameUnmasked: [String]
    /// Of several records that are one.
    let golden: GoldenRecord?

    /// Days before the end of a term from which on it is an alert.
    static let termAlertDays = 60

    /// `nil` when there is no such customer.
    static func load(_ request: PanelRequest, today: LocalDate, _ session: any SQLSession) throws -> PageHeadView? {
        try asking(request, today: today, session).value()
    }

    /// The same, asked for.
    static func asking(_ request: PanelRequest, today: LocalDate, _ session: any SQLSession) throws
        -> Asked<PageHeadView?>
    {
        guard let id = request.customers.first else { return Asked { nil } }
        let head = try PageStore.head(id, session)
        let line = try PageStore.mainLine(request.customers, session)
        let overdue = try PageStore.overdue(request.customers, today: today, session)
        let golden = request.customers.count > 1 ? try GoldenRecord.load(request.customers, session) : nil
        let values = golden == nil ? [:] : try PageStore.values(request.customers, session)
        return Asked {
            guard var head = try head.value() else { return nil }
            if let golden { head.take(golden, values) }
            return PageHeadView(
                head, line: try line.value(), overdue: try overdue.value(), today: today, golden, request)
        }
    }

    private init(
        _ head: PageHead, line: PageStore.Line?, overdue: Overdue, today: LocalDate, _ golden: GoldenRecord?,
        _ request: PanelRequest
    ) {
        self.golden = golden
        let language = request.language
        let masking = request.masking
        let isPerson = head.kind == .individual
        let name = isPerson ? masking.apply(.name, head.displayName) : head.displayName
        title = name.isEmpty ? head.reference ?? "#\(head.id)" : name
        nameUnmasked = isPerson && masking.shows(.name) && !head.displayName.isEmpty ? ["name"] : []
        let sawNumber = line?.msisdn != nil && masking.shows(.phone)
        unmasked = nameUnmasked + (sawNumber ? ["msisdn"] : [])
        let months = head.since.flatMap { PanelParts.months(from: $0, to: head.leftOn ?? today) }
        let place = [head.region, head.city].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
        let tenure = months.map { months in
            Words(en: "with us \(PanelParts.tenure(months, .en))", zh: "在网 \(PanelParts.tenure(months, .zh))")[language]
        }
        let about: [String?] = [PageWords.of(head.kind)[language], place, tenure]
        let alerts = Self.alerts(head, line, overdue, today, language)
        view = [
            "heading": .text(title), "initial": .text(String(title.prefix(1))), "isPerson": .bool(isPerson),
            "reference": .text(head.reference),
            "about": .text(about.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " · ")),
            "status": .text(PageWords.of(head.status)[language]), "statusBadge": .text(PanelParts.badge(head.status)),
            "band": .text(head.band?.rawValue), "bandWords": .text(head.band.map { PageWords.of($0)[language] }),
            "probability": .text(head.risk.map(PanelParts.probability)),
            "tier": .text(head.tier == .vip || head.tier == .high ? PageWords.of(head.tier)[language] : nil),
            "editPath": .text("/customers/\(head.id)/edit"),
            "newLinePath": .text(head.status == .churned ? nil : "/customers/\(head.id)/lines/new"),
            "departurePath": .text("/customers/\(head.id)/departure"), "hasLeft": .bool(head.status == .churned),
            "facts": .list(Self.facts(head, line, months, today, request)),
            "alerts": .list(alerts), "hasAlerts": .bool(!alerts.isEmpty),
        ]
    }

    private static func facts(
        _ head: PageHead, _ line: PageStore.Line?, _ months: Int?, _ today: LocalDate, _ request: PanelRequest
    ) -> [View] {
        let language = request.language
        var facts: [View] = []
        func add(_ label: Words, _ value: String?, mono: Bool = false) {
            guard let value, !value.isEmpty else { return }
            facts.append(["label": .text(label[language]), "value": .text(value), "mono": .bool(mono)])
        }
        add(Words(en: "Number", zh: "号码"), line?.msisdn.map { PanelParts.phone($0, request.masking) }, mono: true)
        add(Words(en: "Plan", zh: "套餐"), line?.plan)
        add(Words(en: "Monthly charge", zh: "月费"), PanelParts.money(head.monthlyCharge, head.currency))
        add(
            Words(en: "Contract", zh: "合约"),
            SubscriptionsPanel.contract(term: line?.term, end: line?.end, today: today, language))
        add(Words(en: "Tenure", zh: "在网时长"), months.map { PanelParts.tenure($0, language) })
        add(
            Words(en: "Value (5 years)", zh: "五年价值"),
            head.leftOn == nil ? head.value.map { PanelParts.rounded($0, head.currency) } : nil)
        if let leftOn = head.leftOn { add(Words(en: "Left on", zh: "离网日期"), leftOn.description) }
        return facts
    }

    private static func alerts(
        _ head: PageHead, _ line: PageStore.Line?, _ overdue: Overdue, _ today: LocalDate, _ language: Language
    ) -> [View] {
        var alerts: [View] = []
        func add(_ tone: String, _ words: Words) {
            alerts.append(["tone": .text(tone), "text": .text(words[language])])
        }
        if head.status == .churned {
            let reason = head.leaveReason.map { PageWords.reason($0, language) } ?? ""
            add(
                "info",
                Words(
                    en: "This customer has left\(reason.isEmpty ? "" : ": \(reason)").",
                    zh: "该客户已离网\(reason.isEmpty ? "" : "：\(reason)")。"))
        }
        if head.status == .suspended { add("warn", Words(en: "Service is suspended.", zh: "业务已停机。")) }
        if overdue.count > 0 {
            let amount = PanelParts.money(overdue.amount, head.currency)
            add(
                head.status == .churned ? "info" : "warn",
                Words(
                    en: overdue.count == 1
                        ? "1 bill is overdue: \(amount)." : "\(overdue.count) bills are overdue: \(amount).",
                    zh: "\(overdue.count) 张账单逾期，共 \(amount)。"))
        }
        if head.status != .churned, let end = line?.end, end >= today,
            end.daysSinceEpoch - today.daysSinceEpoch <= termAlertDays
        {
            let days = end.daysSinceEpoch - today.daysSinceEpoch
            add("warn", Words(en: "The contract ends in \(days) days, on \(end).", zh: "合约将于 \(days) 天后（\(end)）到期。"))
        }
        return alerts
    }
}
