import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Usages that are kept one by one (TMF635). What counts of them goes through the fold of the pipeline into days and months; the row
/// remembers what it gave, so that a change moves the days by the difference and a removal takes it back (ADR 0062).
struct UsageRecordStore: TMFWritingStore {
    static let sameID: SQL = "SELECT id FROM usage_record WHERE external_id = $1 AND id <> $2 LIMIT 1"

    let rows: TMFRows
    private let base: any UsageBase
    private let finder: UsageLineFinder
    private let specifications = UsageSpecificationStore()

    init(_ base: any UsageBase, _ customers: any CustomerReading, _ products: ProductNumbers) {
        self.base = base
        finder = UsageLineFinder(base: base, customers: customers, products: products)
        rows = TMFRows(
            "usage_record",
            [
                TMFField("description", "description", mask: .name),
                TMFField("usageDate", "used_at", .time, isIndexed: true),
                TMFField("usageType", "usage_type"), TMFField("status", "status", isIndexed: true),
                TMFField("statusReason", "status_reason"),
                TMFField("usageSpecification.id", "specification_id", isIndexed: true),
                TMFField("usageSpecification.name", "specification_name"),
            ] + UsageBooking.fields,
            items: [
                .parties("usage_record_party", isIndexed: false),
                TMFItems(
                    "usageCharacteristic", "usage_record_characteristic",
                    [TMFField("name", "name"), TMFField("value", "value", .json), TMFField("valueType", "value_type")],
                    rest: "more"),
                TMFItems(
                    "ratedProductUsage", "usage_record_rating",
                    [
                        TMFField("ratingDate", "rated_at", .time), TMFField("offerTariffType", "tariff_type"),
                        TMFField("usageRatingTag", "tag"), TMFField("isBilled", "is_billed", .boolean),
                        TMFField(
                            "taxExcludedRatingAmount.value", "amount_minor",
                            .money(currency: AttributePath("taxExcludedRatingAmount.unit"))),
                        TMFField("taxExcludedRatingAmount.unit", "currency"),
                        TMFField("productRef.id", "product_id", isIndexed: true),
                    ], rest: "more"),
            ],
            // The owner of the line goes before who was named: days are theirs.
            owner: .init(
                customers, paths: ["\(UsageBooking.attribute).customer", "relatedParty.id"], shown: nil,
                firstDecides: true),
            more: [.parties("usage_record", "usage_record_party")])
    }

    var table: TMFTable { rows.table }
    var whole: Set<String> { rows.whole }

    // MARK: Reading

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(
        id: Int64, JSONObject
    )] {
        let masking = Masking(principal)
        return try rows.documents(ids, principal, session).map { id, document in
            var document = document
            let booking = UsageBooking(document)
            document["isCounted"] = .bool(booking.state == .counted)
            document[UsageBooking.attribute] = nil
            if let line = booking.line, document["relatedParty"] == nil {
                document["relatedParty"] = .array([TMFRows.Owner.party(line.customer)])
            }
            if !masking.shows(.phone), let items = document["usageCharacteristic"]?.array {
                document["usageCharacteristic"] = .array(items.map { Self.masked($0, masking) })
            }
            return (id, document)
        }
    }

    /// Amounts are nobody's number; whatever else a characteristic holds may be one.
    private static func masked(_ item: JSONValue, _ masking: Masking) -> JSONValue {
        guard var fields = item.object, let value = fields["value"], value.bool == nil else { return item }
        if UsageReading.harmless.contains(UsageReading.plain(fields["name"]?.string ?? "")) { return item }
        fields["value"] = .string(masking.apply(.phone, value.string ?? value.encoded()))
        return .object(fields)
    }

    private func row(_ id: Int64, _ context: TMFContext, _ session: any SQLSession) throws -> JSONObject {
        guard let row = try rows.documents([id], Masking.lifted(context.principal), session).first else {
            throw CRMError.notFound
        }
        return row.1
    }

    // MARK: Writing

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let made: UsageRecordID = context.tenant.ids.next()
        let stored = try booked(made.rawValue, document, old: nil, UsageBooking(), context, session)
        try rows.create(made.rawValue, stored, context, session)
        return made.rawValue
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let row = try row(id, context, session)
        var (old, new) = (old, new)
        if row["relatedParty"] == nil, new["relatedParty"] == old["relatedParty"],
            context.principal.scope.regions == nil
        {
            // Only the line says whose it is: another line may be another's.
            old["relatedParty"] = nil
            new["relatedParty"] = nil
        }
        try rows.change(
            id, from: row, to: try booked(id, new, old: old, UsageBooking(row), context, session), context, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        guard document["status"]?.string != "billed" else { throw Self.billed }
        var booking = UsageBooking(try row(id, context, session))
        try book(id, &booking, to: nil, context, session)
        try rows.remove(id, document, context, session)
    }

    /// Tries a usage that waits again, or gives it up: nobody has asked for it but the domain itself.
    /// - Parameter reason: `nil` = its line is known now; else why it is rejected.
    /// - Returns: names of the attributes that changed.
    func resume(
        _ id: Int64, reason: UsageManagement.Reason? = nil, _ context: TMFContext, _ session: any SQLSession
    ) throws -> Set<String> {
        let row = try row(id, context, session)
        var old = row
        old[UsageBooking.attribute] = nil
        var new = old
        if let reason {
            new["status"] = .string("rejected")
            new["statusReason"] = .string(reason.rawValue)
        }
        let stored = try booked(id, new, old: old, UsageBooking(row), context, session)
        try rows.change(id, from: row, to: stored, context, session)
        let now = UsageBooking(stored).state
        var changed = Set(["status", "statusReason"].filter { stored[$0] != old[$0] })
        if now != UsageBooking(row).state { changed.insert("isCounted") }
        return changed
    }

    static let billed = CRMError(
        "billed", status: 409,
        Words(
            en: "The usage is on a bill: what it says cannot be changed, and it cannot be removed.",
            zh: "该用量已出账，内容不能修改，也不能删除。"))

    // MARK: What it counts

    /// The document as the row is to hold it, after days and months were brought to it.
    private func booked(
        _ id: Int64, _ sent: JSONObject, old: JSONObject?, _ before: UsageBooking, _ context: TMFContext,
        _ session: any SQLSession
    ) throws -> JSONObject {
        var document = sent
        let frame = UsageReading.Frame(context)
        let earlier = old?["status"]?.string
        var status = sent["status"]?.string ?? UsageManagement.states.first
        let meaning = try specification(&document, context, session)
        var booking = before
        booking.externalID = try UsageReading.externalID(document)
        try checkExternalID(booking.externalID, id, context, session)
        guard status != "rejected" else {
            if earlier == "billed" { throw Self.billed }
            try book(id, &booking, to: nil, context, session)
            document["statusReason"] = sent["statusReason"] ?? old?["statusReason"]
            document[UsageBooking.attribute] = booking.json
            return document
        }
        let reading = try meaning.map { try UsageReading(document, $0, frame) }
        let name = try UsageReading.line(document, frame)
        var found: UsageLineFinder.Found
        if let line = before.line, before.state == .counted, let old, try UsageReading.line(old, frame) == name,
            old["relatedParty"] == document["relatedParty"]
        {
            // It was this line's use, whoever has the number by now.
            found = .line(line)
        } else {
            found = try finder.find(name, document, context.principal, session)
        }
        if let line = booking.line, case .line(let other) = found, earlier == "billed", line != other {
            throw Self.billed
        }
        let target = reading.map { Target($0, found) }
        if earlier == "billed", before.state == .counted, target != Target(before) { throw Self.billed }
        try book(id, &booking, to: target, context, session)
        status = try Self.status(asked: status, before: earlier, found, document, old)
        document["status"] = .string(status)
        document["statusReason"] = Self.reason(reading, found).map { .string($0.rawValue) }
        if reading == nil, case .line(let line) = found { booking.line = line }
        document[UsageBooking.attribute] = booking.json
        return document
    }

    private static func reason(_ reading: UsageReading?, _ found: UsageLineFinder.Found) -> UsageManagement.Reason? {
        guard reading != nil else { return .notCounted }
        switch found {
        case .line: return nil
        case .waits: return .unknownLine
        case .none: return .noLine
        }
    }

    /// Where it stands once its line was looked for: what is asked, unless that would not be so.
    private static func status(
        asked: String, before: String?, _ found: UsageLineFinder.Found, _ document: JSONObject, _ old: JSONObject?
    ) throws -> String {
        let ratings = document["ratedProductUsage"]?.array ?? []
        let isKnown = if case .line = found { true } else { false }
        switch asked {
        case "rated", "rerated", "billed":
            guard !ratings.isEmpty else {
                let words = Words(
                    en: "“ratedProductUsage” is mandatory for the status “\(asked)”.",
                    zh: "状态为“\(asked)”时须提供“ratedProductUsage”。")
                throw CRMError(
                    "missing", status: 400, words,
                    fields: [.init(field: "ratedProductUsage", code: "missing", message: words)])
            }
            let isNew =
                before == "rated" && asked == "rated" && old?["ratedProductUsage"] != document["ratedProductUsage"]
            return isNew ? "rerated" : asked
        case "guided" where !isKnown:
            // Asked for, and not so.
            if before == nil { return "received" }
            if before == "guided" { return "recycled" }
            throw CRMError(
                "unknown_line", status: 409,
                Words(
                    en:
                        "“status” cannot become “guided”: the line of this usage is not known. What may follow is: rejected.",
                    zh: "无法将“status”变为“guided”：该用量的号码未知，允许：rejected。"))
        default:
            guard isKnown else { return asked }
            return ratings.isEmpty ? "guided" : "rated"
        }
    }

    /// What is to be counted: where, when and how much.
    private struct Target: Equatable {
        let amount: UsageAmount?
        let day: Int32?
        let line: LineRef?
        let naming: String?
        let name: String?

        init(_ reading: UsageReading, _ found: UsageLineFinder.Found) {
            amount = reading.amount
            day = reading.day
            switch found {
            case .line(let found): (line, naming, name) = (found, nil, nil)
            case .waits(let waits, let told): (line, naming, name) = (nil, waits, told)
            case .none: (line, naming, name) = (nil, nil, nil)
            }
        }

        init(_ booking: UsageBooking) {
            amount = booking.amount
            day = booking.day
            line = booking.line
            naming = booking.naming
            name = booking.name
        }
    }

    /// Brings days and months, or what waits, to the target; `nil` = nothing of it counts.
    private func book(
        _ id: Int64, _ booking: inout UsageBooking, to target: Target?, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        let isBooked = target.map { $0.line != nil || $0.naming != nil } ?? false
        if isBooked, booking.state != .none, target == Target(booking) { return }
        let print = UInt64(bitPattern: id)
        let known = booking.entry(print)
        var fold = UsageFold(known: known.map { [print: $0] } ?? [:])
        var event = UsageEvent(
            fingerprint: print, version: booking.version + 1, line: target?.name ?? "", day: target?.day ?? 0,
            amount: target?.amount ?? UsageAmount(.sample))
        let external = booking.externalID
        booking.line = target?.line
        booking.day = target?.day
        booking.amount = target?.amount
        booking.naming = target?.naming
        booking.name = target?.name
        if isBooked {
            fold.add(event, line: target?.line)
            booking.state = target?.line == nil ? .waiting : .counted
        } else {
            guard booking.state != .none else { return }
            event.isCancelled = true
            fold.add(event, line: nil)
            booking.state = .none
        }
        booking.version = event.version
        booking.externalID = external
        let source = try UsageRecords.source(context.tenant, session)
        try UsageStore.hold(source, session)
        let naming = (target?.naming ?? "number", target?.name ?? "")
        try UsageService.settle(
            fold, sure: Set([target?.line].compactMap { $0 }), source, { _ in naming }, at: context.now, base, session)
        if !fold.days.isEmpty {
            try context.tenant.outbox.append(UsageTaken(source: source.rawValue, events: 1), session)
        }
    }

    // MARK: What it is

    /// What its specification, or else its type, means; `nil` = it is not counted. Names the specification where only the type was told.
    /// - Throws: 400 when neither says what it is.
    private func specification(
        _ document: inout JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws -> UsageSpecifications.Meaning? {
        let named = document["usageSpecification"]
        if let id = named?["id"]?.string {
            if let number = Int64(id), String(number) == id {
                if let known = UsageSpecifications.known.first(where: { $0.id == number }) { return known.meaning }
                if try !specifications.documents([number], context.principal, session).isEmpty { return nil }
            }
            return UsageSpecifications.known(named: id)?.meaning
        }
        guard let known = document["usageType"]?.string.flatMap(UsageSpecifications.known(named:)) else {
            let names = UsageSpecifications.known.map { "\($0.id) (\($0.name))" }.joined(separator: ", ")
            let words = Words(
                en:
                    "“usageSpecification” is missing, and “usageType” is none that is counted. The specifications are \(names), and those that were added.",
                zh: "缺少“usageSpecification”，且“usageType”不是可计量的类型。可用规格：\(names)，以及后续新增的规格。")
            throw CRMError(
                "missing", status: 400, words,
                fields: [.init(field: "usageSpecification", code: "missing", message: words)])
        }
        document["usageSpecification"] = .object(["id": .string(String(known.id)), "name": .string(known.name)])
        return known.meaning
    }

    /// Two usages of one external id are one: the second is refused. The source is held, so that none comes between.
    private func checkExternalID(_ external: String?, _ id: Int64, _ context: TMFContext, _ session: any SQLSession)
        throws
    {
        guard let external else { return }
        try UsageStore.hold(try UsageRecords.source(context.tenant, session), session)
        guard let other = try session.first(Self.sameID, [.text(external), .int(id)], { $0.int(0) }) else { return }
        let isSeen = try !rows.documents([other], context.principal, session).isEmpty
        let which = isSeen ? " (\(other))" : ""
        let words = Words(
            en: "There is a usage with this external id\(which); nothing was counted. Change that one instead.",
            zh: "已存在相同外部编号的用量\(which)，本次未计入。请修改原记录。")
        throw CRMError(
            "duplicate_usage", status: 409, words,
            fields: [.init(field: "usageCharacteristic", code: "duplicate_usage", message: words)])
    }
}

/// Whose line a usage was.
struct UsageLineFinder: Sendable {
    enum Found: Sendable, Equatable {
        case line(LineRef)
        /// Nobody known has it; it waits under this name.
        case waits(naming: String, name: String)
        /// Nothing says which.
        case none
    }

    let base: any UsageBase
    let customers: any CustomerReading
    let products: ProductNumbers

    /// - Throws: 403 for a caller with regions who names no customer of them; 409 for a line of somebody else than who is named.
    func find(
        _ name: UsageReading.Line, _ document: JSONObject, _ principal: Principal, _ session: any SQLSession
    ) throws -> Found {
        let named = try named(document, principal, session)
        let family = try family(named, principal, session)
        switch name {
        case .number(let number):
            return try told(number, .number, family, principal, session) ?? .waits(naming: "number", name: number)
        case .reference(let source, let text):
            return try told(text, .source(source), family, principal, session)
                ?? .waits(naming: "source:" + source, name: text)
        case .product(let text):
            return try product(text, family, session).map { .line($0) } ?? .none
        case .customer:
            guard let customer = named.first else { return .none }
            return UsageLine.only(try base.lines(of: [customer], session)[customer] ?? []).map { .line($0) } ?? .none
        }
    }

    /// With the records that stand for the same customers.
    private func family(_ named: [CustomerID], _ principal: Principal, _ session: any SQLSession) throws -> Set<
        CustomerID
    > {
        guard !named.isEmpty else { return [] }
        let all = Set(try customers.linked(named, session).values.joined()).union(named)
        return try customers.reachable(all.sorted(), for: principal, session)
    }

    private func told(
        _ name: String, _ naming: LineNaming, _ family: Set<CustomerID>, _ principal: Principal,
        _ session: any SQLSession
    ) throws -> Found? {
        let line = try base.lines([name], naming, session)[name]
        if let line, family.isEmpty || family.contains(line.customer) { return .line(line) }
        // Who sees some regions only is not told whether the number is somebody's elsewhere.
        guard line != nil || principal.scope.regions != nil else { return nil }
        let words = Words(
            en: "The line that “usageCharacteristic” tells is not one of the customer whom “relatedParty” names.",
            zh: "“usageCharacteristic”中的号码不属于“relatedParty”所指客户。")
        throw CRMError(
            UsageManagement.Reason.lineOfAnother.rawValue, status: 409, words,
            fields: [
                .init(field: "usageCharacteristic", code: UsageManagement.Reason.lineOfAnother.rawValue, message: words)
            ])
    }

    /// A line of those who are named, or whose product it is, by its own id or that of a product in the inventory.
    func product(_ text: String, _ family: Set<CustomerID>, _ session: any SQLSession) throws -> LineRef? {
        guard let id = Int64(text), String(id) == text else { return nil }
        let lines = try base.lines(of: family.sorted(), session).values.joined()
        if let line = lines.first(where: { $0.ref.subscription.rawValue == id }) { return line.ref }
        guard let product = try products.of(id, session), family.isEmpty || family.contains(product.customer) else {
            return nil
        }
        let own = try base.lines(of: [product.customer], session)[product.customer] ?? []
        return product.numbers.lazy.compactMap { number in own.first { $0.number == number } }.first?.ref
    }

    /// The customers of ours who are named as related parties, within the caller's reach.
    func named(_ document: JSONObject, _ principal: Principal, _ session: any SQLSession) throws -> [CustomerID] {
        let ids = AttributePath("relatedParty.id").values(in: document).compactMap { value in
            value.string.flatMap { CustomerID($0[...]) }
        }.filter { $0.rawValue > 0 }
        let reachable = try customers.reachable(Array(ids.prefix(Limits.sqlListChunk)), for: principal, session)
        let named = ids.filter(reachable.contains)
        guard named.isEmpty, principal.scope.regions != nil else { return named }
        let words = Words(
            en: "“relatedParty.id” must name a customer of your regions.", zh: "“relatedParty.id”必须是您负责区域内的客户。")
        throw CRMError(
            "out_of_reach", status: 403, words,
            fields: [.init(field: "relatedParty.id", code: "out_of_reach", message: words)])
    }
}
