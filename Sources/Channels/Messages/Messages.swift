import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// Messages to customers (TMF681).
enum Messages {
    static let api = TMFAPI(681, "communicationManagement")
    static let type = "CommunicationMessage"

    /// What clients may do: give up what waits, and have sent again what failed. The rest happens by sending.
    static let states = TMFStates(
        "state", first: "initial",
        next: ["initial": ["cancelled"], "inProgress": ["cancelled"], "failed": ["initial"]])

    static func resource(
        _ schema: TMFSchema, _ customers: any CustomerReading, _ consents: any ConsentReading, _ numbers: NumberOwners
    ) -> TMFResource {
        let store = MessageStore(customers, consents, numbers)
        var resource = TMFResource(
            api, "communicationMessage", type: type,
            schema: schema.adding(
                [
                    .init("stateReason", .text, isServers: true), .init("delivery", .any, isArray: true, isServers: true),
                ], to: type),
            view: ChannelsPermissions.view, edit: ChannelsPermissions.edit, states: states,
            subjects: { id, document in
                let named = document["receiver"]?.array?.compactMap { receiver -> CustomerID? in
                    guard receiver["party"]?["@referredType"]?.string == "Customer" else { return nil }
                    return receiver["party"]?["id"]?.string.flatMap { CustomerID($0[...]) }
                }
                return [AuditSubject(kind: "message", id: id)] + (named ?? []).prefix(8).map { .customer($0) }
            }, store: { _ in store })
        resource.auditedRefusals = [noConsent]
        return resource
    }

    static let noConsent = "no_consent"

    /// Channels that messages can go by, with what their types may be called.
    private static let channels: [(code: String, words: [String])] = [
        ("sms", ["sms", "short message", "text message", "短信"]), ("email", ["mail", "邮件"]), ("push", ["push", "app", "推送"]),
        ("call", ["call", "voice", "phone", "电话"]), ("wechat", ["wechat", "weixin", "微信"]), ("post", ["post", "letter", "信函"]),
    ]

    /// The channel that a type of message goes by: `SMS`, `Email`, `Mobile app push notification`; `nil` = none that anybody serves. (An
    /// adapter makes a folder of any name: what went to one that nobody looks into would count as delivered.)
    static func channel(_ type: String) -> String? {
        let text = type.lowercased()
        return channels.first { $0.words.contains(where: text.contains) }?.code
    }

    static func unknownChannel(_ type: String) -> CRMError {
        let known = channels.map(\.code)
        let words = Words(
            en: "“messageType”: nothing is sent by “\(type.prefix(60))”. Messages go by \(known.joined(separator: ", ")).",
            zh: "“messageType”：没有名为“\(type.prefix(60))”的渠道。可用渠道：\(known.joined(separator: "、"))。")
        return CRMError(
            "unknown_channel", status: 400, words, fields: [.init(field: "messageType", code: "unknown_channel", message: words)])
    }

    /// What a message is for, as it says itself: `purpose` among its characteristics, or a type like `Marketing SMS`. One that says
    /// nothing serves the contract.
    static func purpose(_ message: JSONObject) -> ConsentPurpose {
        for element in message["characteristic"]?.array ?? [] {
            let name = ConsentPurpose(any: element["name"]?.string ?? "").code
            guard ["purpose", "usagepurpose", "privacyusagepurpose", "usage_purpose", "用途"].contains(name) else { continue }
            return ConsentPurpose(any: element["value"]?.string ?? element["value"]?["value"]?.string ?? "unclear")
        }
        let type = message["messageType"]?.string?.lowercased() ?? ""
        return ["marketing", "promotion", "advert", "营销", "广告"].contains(where: type.contains) ? .marketing : .service
    }

    /// How a receiver is reached on a channel.
    static func address(_ receiver: JSONValue, _ channel: String) -> String? {
        func text(_ name: String) -> String? { receiver[name]?.string.flatMap { $0.trimmed.isEmpty ? nil : $0 } }
        switch channel {
        case "sms", "call": return text("phoneNumber")
        case "email": return text("email")
        case "push": return text("appUserId")
        default: return text("phoneNumber") ?? text("email") ?? text("appUserId") ?? text("id") ?? receiver["party"]?["id"]?.string
        }
    }

    /// The attribute that has to be there for it.
    static func addressName(_ channel: String) -> String {
        switch channel {
        case "sms", "call": "phoneNumber"
        case "email": "email"
        case "push": "appUserId"
        default: "id"
        }
    }
}

/// The rows of messages as documents, and what a new or changed one means for sending.
struct MessageStore: TMFWritingStore {
    let rows: TMFRows
    private let customers: any CustomerReading
    private let consents: any ConsentReading
    private let numbers: NumberOwners

    init(_ customers: any CustomerReading, _ consents: any ConsentReading, _ numbers: NumberOwners) {
        self.numbers = numbers
        self.customers = customers
        self.consents = consents
        rows = TMFRows(
            "channels_message",
            [
                TMFField("messageType", "message_type", isIndexed: true), TMFField("subject", "subject", mask: .name),
                TMFField("content", "content", mask: .name), TMFField("description", "description", mask: .name),
                TMFField("priority", "priority"), TMFField("logFlag", "log_flag", .boolean),
                TMFField("tryTimes", "try_times", .integer),
                TMFField("scheduledSendTime", "scheduled_at", .time, isIndexed: true),
                TMFField("sendTime", "sent_at", .time, isIndexed: true), TMFField("sendTimeComplete", "completed_at", .time),
                TMFField("state", "state", isIndexed: true), TMFField("stateReason", "state_reason"),
                TMFField("sender.id", "sender_id"), TMFField("sender.name", "sender_name", mask: .name),
                TMFField("sender.email", "sender_email", mask: .email),
                TMFField("sender.phoneNumber", "sender_phone", mask: .phone),
                TMFField("sender.party.id", "sender_party"),
            ],
            items: [
                TMFItems(
                    "receiver", "channels_message_receiver",
                    [
                        TMFField("id", "receiver_id"), TMFField("name", "name", mask: .name),
                        TMFField("phoneNumber", "phone", mask: .phone, isIndexed: true),
                        TMFField("email", "email", mask: .email, isIndexed: true), TMFField("appUserId", "app_user", mask: .identity),
                        TMFField("ip", "ip", mask: .identity), TMFField("party.id", "party_id", isIndexed: true),
                        TMFField("party.role", "party_role"), TMFField("party.name", "party_name", mask: .name),
                        TMFField("party.@referredType", "party_type"),
                    ]),
                TMFItems(
                    "characteristic", "channels_message_characteristic",
                    [
                        TMFField("id", "characteristic_id"), TMFField("name", "name", isIndexed: true),
                        TMFField("valueType", "value_type"), TMFField("value", "value", .json),
                    ]),
                TMFItems(
                    "attachment", "channels_message_attachment",
                    [
                        TMFField("id", "attachment_id"), TMFField("name", "name", mask: .name),
                        TMFField("description", "description", mask: .name), TMFField("attachmentType", "attachment_type"),
                        TMFField("mimeType", "mime_type"), TMFField("url", "url", mask: .identity),
                        TMFField("content", "content", mask: .full),
                    ]),
            ],
            owner: .init(customers, paths: ["receiver.party.id"], shown: nil),
            hidden: [.init("created_at") { _, _, context in .time(context.now) }])
    }

    var table: TMFTable { rows.table }

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        let deliveries = try DeliveryStore.of(ids, session)
        return try rows.documents(ids, principal, session).map { id, document in
            var document = document
            document["delivery"] = deliveries[id].map { .array($0.map(\.json)) }
            return (id, document)
        }
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        let deliveries = try planned(document, context, session)
        let id: ID<MessageEntity> = context.tenant.ids.next()
        try rows.create(id.rawValue, document, context, session)
        try DeliveryStore.insert(deliveries.map { $0.of(id.rawValue) }, session)
        try ChannelJobs.enqueue(deliveries.first?.dueAt ?? context.now, context.tenant, session)
        return id.rawValue
    }

    /// The deliveries that a message comes to, one for each receiver.
    /// - Throws: 400 for a receiver who cannot be reached that way, 409 for one who may not be written to.
    private func planned(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> [Delivery] {
        let type = document["messageType"]?.string ?? ""
        guard let channel = Messages.channel(type) else { throw Messages.unknownChannel(type) }
        let purpose = Messages.purpose(document)
        let receivers = document["receiver"]?.array ?? []
        var problems: [CRMError.FieldError] = []
        let name = Messages.addressName(channel)
        for (place, receiver) in receivers.enumerated() where Messages.address(receiver, channel) == nil {
            problems.append(
                .init(
                    field: "receiver[\(place)].\(name)", code: "no_address",
                    message: Words(
                        en: "“receiver[\(place)].\(name)” is needed for \(channel)", zh: "通过 \(channel) 发送需要“receiver[\(place)].\(name)”")))
        }
        try Self.refuse(problems, "no_address", status: 400)
        guard receivers.count <= Delivery.receiversMax else {
            let words = Words(en: "A message has at most \(Delivery.receiversMax) receivers.", zh: "一条消息最多 \(Delivery.receiversMax) 个接收人。")
            throw CRMError("too_many_receivers", status: 400, words, fields: [.init(field: "receiver", code: "too_many", message: words)])
        }
        let named = receivers.map { receiver in receiver["party"]?["id"]?.string.flatMap { CustomerID($0[...]) } }
        let ours = try customers.reachable(Array(Set(named.compactMap { $0 })), for: context.principal, session)
        var owners = named.map { $0.flatMap { ours.contains($0) ? $0 : nil } ?? CustomerID(0) }
        // Whose line it is decides, not who was named beside it: else anybody's consent would do for anybody's number.
        let lines = receivers.map { receiver in
            channel == "email" ? nil : receiver["phoneNumber"]?.string.flatMap {
                PhoneNumber($0, defaultCountryCode: context.tenant.countryCode)?.e164
            }
        }
        let holders = try numbers.owners(Set(lines.compactMap { $0 }), session)
        let asked = try zip(owners, lines).enumerated().map { place, pair -> CustomerID in
            let (owner, line) = pair
            guard let holder = line.flatMap({ holders[$0] }), holder != owner else { return owner }
            if owner.rawValue == 0 { return holder }
            guard try customers.linked([owner], session)[owner]?.contains(holder) != true else { return owner }
            problems.append(
                .init(
                    field: "receiver[\(place)].phoneNumber", code: "other_number",
                    message: Words(
                        en: "receiver[\(place)].phoneNumber is the line of another customer than receiver[\(place)].party",
                        zh: "receiver[\(place)].phoneNumber 是其他客户的号码，与 receiver[\(place)].party 不符")))
            return owner
        }
        try Self.refuse(problems, "other_number", status: 409)
        let unnamed = try customers.reachable(Array(Set(asked).subtracting(owners)), for: context.principal, session)
        for (place, holder) in asked.enumerated() where unnamed.contains(holder) { owners[place] = holder }
        let answers = try consents.consents(
            of: Array(Set(asked)), to: purpose, on: ConsentTopic(any: channel), at: context.now, session)
        for (place, owner) in asked.enumerated() {
            // Of nobody we know nobody has ever said yes.
            let answer = answers[owner] ?? ConsentAnswer(purpose.needsConsent ? .neverGiven : .notNeeded)
            guard !answer.isAllowed else { continue }
            problems.append(
                .init(
                    field: "receiver[\(place)]", code: Messages.noConsent,
                    message: Words(
                        en: "receiver[\(place)] may not be written to for \(purpose.code) by \(channel): \(answer.words.en)",
                        zh: "receiver[\(place)] 不得以 \(channel) 接收 \(purpose.code) 类消息：\(answer.words.zh)")))
        }
        try Self.refuse(problems, Messages.noConsent, status: 409)
        let scheduled = document["scheduledSendTime"]?.string.flatMap { TMFTime($0) }.map { Instant(milliseconds: $0.milliseconds) }
        let summary = document["subject"]?.string ?? document["content"]?.string ?? ""
        let retries = document["tryTimes"]?.int.map { Int($0.clamped(to: 0...Int64(Delivery.triesMax - 1))) } ?? Delivery.retries
        return owners.enumerated().map { place, owner in
            Delivery(
                customer: owner, message: 0, place: place, channel: channel, purpose: purpose.code,
                summary: String(summary.prefix(200)), state: .queued,
                rank: document["priority"]?.string.flatMap { Int64($0) } ?? 100, dueAt: max(scheduled ?? context.now, context.now),
                tries: 0, triesMax: retries + 1, takenBy: nil, happenedAt: context.now, reason: nil)
        }
    }

    private static func refuse(_ problems: [CRMError.FieldError], _ code: String, status: Int) throws {
        guard !problems.isEmpty else { return }
        throw CRMError(
            code, status: status,
            Words(
                en: problems.prefix(8).map(\.message.en).joined(separator: "; ") + ".",
                zh: problems.prefix(8).map(\.message.zh).joined(separator: "；") + "。"), fields: Array(problems.prefix(8)))
    }

    /// What a message is. Once something was sent it stays.
    private static let sendable: Set<String> = [
        "messageType", "subject", "content", "sender", "receiver", "attachment", "characteristic", "priority", "scheduledSendTime",
        "sendTime", "sendTimeComplete", "tryTimes",
    ]

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws {
        var document = new
        document["delivery"] = nil
        let changed = Self.sendable.filter { old[$0] != new[$0] }
        let (was, now) = (old["state"]?.string, new["state"]?.string)
        if was != "initial", let name = changed.min() {
            let words = Words(
                en: "“\(name)” cannot be changed any more: the message is \(was ?? "sent"). Make another one.",
                zh: "“\(name)”不能再修改：消息状态为 \(was ?? "sent")，请新建一条。")
            throw CRMError("already_sent", status: 409, words, fields: [.init(field: name, code: "already_sent", message: words)])
        }
        if was != now, now == "cancelled" {
            document["stateReason"] = nil
            document["sendTimeComplete"] = .string(context.now.iso8601)
        }
        if was == "failed", now == "initial" {
            document["stateReason"] = nil
            document["sendTimeComplete"] = nil
        }
        try rows.change(id, from: old, to: document, context, session)
        if now == "cancelled" {
            if was != now { try DeliveryStore.cancel(id, context.now, session) }
        } else if was == "failed", now == "initial" {
            try again(id, new, context, session)
        } else if was == "initial", !changed.isEmpty {
            // Nothing has left yet: what was planned is planned anew.
            let deliveries = try planned(new, context, session)
            guard try DeliveryStore.removeQueued(id, session) == old["delivery"]?.array?.count else {
                // A try has taken one of them meanwhile.
                throw CRMError.conflict(
                    "already_sent", Words(en: "The message has just begun to be sent and cannot be changed any more.", zh: "消息刚刚开始发送，不能再修改。"))
            }
            try DeliveryStore.insert(deliveries.map { $0.of(id) }, session)
            try ChannelJobs.enqueue(deliveries.first?.dueAt ?? context.now, context.tenant, session)
        }
    }

    /// Those who did not get it get it now, when they still may.
    private func again(_ id: Int64, _ message: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        _ = try planned(message, context, session)
        try DeliveryStore.again(id, context.now, session)
        try ChannelJobs.enqueue(context.now, context.tenant, session)
    }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        if document["state"]?.string == "inProgress" {
            let words = Words(
                en: "The message is being sent; cancel it first (state “cancelled”).", zh: "消息正在发送，请先取消（state “cancelled”）。")
            throw CRMError("being_sent", status: 409, words, fields: [.init(field: "state", code: "being_sent", message: words)])
        }
        try DeliveryStore.remove(id, session)
        try rows.remove(id, document, context, session)
    }
}

enum MessageEntity {}

extension Comparable {
    func clamped(to range: ClosedRange<Self>) -> Self { min(max(self, range.lowerBound), range.upperBound) }
}
