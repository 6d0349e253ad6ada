import Contracts
import Kernel
import Platform
import Storage
import TMF
import Web

/// What could be offered to a customer (TMF680): asked of the model, with its own numbers.
enum Recommendations {
    static let api = TMFAPI(680, "recommendationManagement")
    static let type = "QueryProductRecommendation"
    static let name = "queryProductRecommendation"

    /// Why there is nothing to recommend.
    enum Nothing: String, Sendable {
        /// The request names nobody who is a customer of ours.
        case noCustomer = "no_customer"
        /// The customer does not want to be profiled.
        case noConsent = "no_consent"
        /// Nothing has been learned yet.
        case noModel = "no_model"
        case notScored = "not_scored"
        /// No offer is known that the model expects to help.
        case nothingHelps = "nothing_helps"
    }

    /// Every request is answered at once.
    static let states = TMFStates("state", first: "done", next: [:])

    static func resource(_ schema: TMFSchema, _ store: @escaping @Sendable (Tenant) -> RecommendationStore) -> TMFResource {
        TMFResource(
            api, name, type: type,
            schema: schema.adding([.init("stateReason", .text, isServers: true)], to: type).adding(
                [
                    .init("reason", .any, isArray: true), .init("probabilityNow", .number), .init("probabilityThen", .number),
                ], to: "RecommendationItem"),
            verbs: [.list, .read, .create], view: InsightsPermissions.recommend, edit: InsightsPermissions.recommend, states: states,
            subjects: { id, document in
                let party = document["relatedParty"]
                let customer = party?["@referredType"]?.string == "Customer" ? party?["id"]?.string.flatMap { CustomerID($0[...]) } : nil
                return [AuditSubject(kind: "recommendation", id: id)] + (customer.map { [.customer($0)] } ?? [])
            }, store: { store($0) })
    }
}

/// Asks the score that stands, and keeps what was answered.
struct RecommendationStore: TMFWritingStore {
    static let forgetItems: SQL = "DELETE FROM insights_recommendation_item WHERE customer_id = $1"
    static let selectAnswers: SQL = "SELECT id, model_id, probability, currency FROM insights_recommendation WHERE TRUE"
    static let selectItems: SQL = "SELECT owner_id, place, column_name, value, probability FROM insights_recommendation_item WHERE TRUE"
    static let setAnswer: SQL = """
        UPDATE insights_recommendation SET state_reason = $3, model_id = $4, probability = $5, currency = $6
        WHERE customer_id = $1 AND id = $2
        """
    /// Scores are made anew each day.
    static let validDays: Int64 = 1

    let rows: TMFRows
    private let tenant: String
    private let consents: any ConsentReading
    private let masks: ColumnMasks
    private let titles: TitleCache

    init(
        _ tenant: String, _ customers: any CustomerReading, _ consents: any ConsentReading, _ masks: ColumnMasks, _ titles: TitleCache
    ) {
        self.tenant = tenant
        self.consents = consents
        self.masks = masks
        self.titles = titles
        func null(_ column: SQL) -> TMFRows.Hidden { .init(column) { _, _, _ in .null } }
        rows = TMFRows(
            "insights_recommendation",
            [
                TMFField("name", "name", isIndexed: true), TMFField("description", "description"),
                TMFField("recommendationType", "recommendation_type"), TMFField("instantSyncRecommendation", "instant", .boolean),
                TMFField("state", "state", isIndexed: true), TMFField("stateReason", "state_reason"),
                TMFField("validFor.startDateTime", "valid_from", .time, stamp: .created, sorts: true),
                TMFField("validFor.endDateTime", "valid_until", .time), TMFField("relatedParty.id", "party_id", isIndexed: true),
                TMFField("relatedParty.role", "party_role"), TMFField("relatedParty.name", "party_name", mask: .name),
                TMFField("relatedParty.@referredType", "party_type"),
            ],
            owner: .init(customers, shown: nil), hidden: [null("model_id"), null("probability"), null("currency")])
    }

    var table: TMFTable { rows.table }

    // MARK: Asking

    private struct Answer {
        var nothing: Recommendations.Nothing?
        var score: ChurnScore?
        var changes: [StoredReasons.Change] = []
    }

    func create(_ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws -> Int64 {
        if document["recommendationItem"] != nil {
            let words = Words(en: "“recommendationItem” is the answer and cannot be sent.", zh: "“recommendationItem”为返回结果，不能由客户端提供。")
            throw CRMError(
                "fixed", status: 400, words, fields: [.init(field: "recommendationItem", code: "fixed", message: words)])
        }
        let customer = try rows.customer(of: document, context, session)
        let answer = try answer(customer, context, session)
        var stored = document
        stored["validFor"] = .object([
            "startDateTime": .string(context.now.iso8601),
            "endDateTime": .string(context.now.adding(days: Self.validDays).iso8601),
        ])
        let id = try rows.create(stored, context, session)
        let owner = customer ?? CustomerID(0)
        try session.execute(
            Self.setAnswer,
            [
                .id(owner), .int(id), .text(answer.nothing?.rawValue), .id(answer.score?.model), .double(answer.score?.probability),
                .text(answer.score?.currency),
            ])
        try session.bulkInsert(
            into: "insights_recommendation_item", "customer_id, owner_id, place, column_name, value, probability",
            answer.changes.enumerated().map { place, change in
                [.id(owner), .int(id), .int(place), .text(change.column), .text(change.value), .double(change.probability)]
            })
        return id
    }

    private func answer(_ customer: CustomerID?, _ context: TMFContext, _ session: any SQLSession) throws -> Answer {
        guard let customer else { return Answer(nothing: .noCustomer) }
        let consent = try consents.consent(of: customer, to: .profiling, on: .any, at: context.now, session)
        // Who has said no is not profiled; silence does not forbid what is offered in the customer's own interest (ADR 0059).
        guard consent.isAllowed || consent.reason == .neverGiven else { return Answer(nothing: .noConsent) }
        guard let score = try ScoreStore.scores([customer], session).first else {
            return Answer(nothing: try ModelStore.active(session) == nil ? .noModel : .notScored)
        }
        // The lowest probability first; of two alike the one whose column comes first, so that the answer is the same each time.
        let changes = (score.reasons.changes ?? []).filter { $0.probability < score.probability }
            .sorted { ($0.probability, $0.column, $0.value) < ($1.probability, $1.column, $1.value) }
        return Answer(nothing: changes.isEmpty ? .nothingHelps : nil, score: score, changes: changes)
    }

    func change(
        _ id: Int64, from old: JSONObject, to new: JSONObject, _ context: TMFContext, _ session: any SQLSession
    ) throws { throw CRMError.notFound }

    func remove(_ id: Int64, _ document: JSONObject, _ context: TMFContext, _ session: any SQLSession) throws {
        throw CRMError.notFound
    }

    func forget(_ customers: [CustomerID], _ session: any SQLSession) throws {
        try session.executeMany(Self.forgetItems, customers.map { [.id($0)] })
        try rows.forget(customers, resource: Recommendations.name, session)
    }

    // MARK: Showing

    func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] {
        let found = try rows.documents(ids, principal, session)
        var items: [Int64: [StoredReasons.Change]] = [:]
        var answers: [Int64: (model: ModelID, probability: Double, currency: String)] = [:]
        for chunk in found.map(\.id).chunked(Limits.sqlListChunk) {
            var answered = SQLBuilder(Self.selectAnswers)
            answered.appendIn("AND id", chunk.map { .int($0) })
            for (id, model, probability, currency) in try session.query(answered, { row in
                (row.int(0), row.optionalID(1, ModelKind.self), row.optionalDouble(2), row.optionalText(3))
            }) {
                if let model, let probability { answers[id] = (model, probability, currency ?? "") }
            }
            var builder = SQLBuilder(Self.selectItems)
            builder.appendIn("AND owner_id", chunk.map { .int($0) })
            builder.append("ORDER BY owner_id, place")
            for (id, change) in try session.query(builder, { row in
                (row.int(0), StoredReasons.Change(column: row.text(2), value: row.text(3), probability: row.double(4)))
            }) { items[id, default: []].append(change) }
        }
        return try found.map { id, document in
            var document = document
            var shown: [JSONValue] = []
            if let answer = answers[id], let changes = items[id] {
                shown = try Self.items(
                    changes, answer.probability, answer.currency, try wordings(changes, answer.model, principal, session))
            }
            document["recommendationItem"] = .array(shown)
            return (id, document)
        }
    }

    private func wordings(
        _ changes: [StoredReasons.Change], _ model: ModelID, _ principal: Principal, _ session: any SQLSession
    ) throws -> [ReasonWording] {
        let columns = Set(changes.map(\.column))
        let trained = try titles.titles(model, tenant: tenant, session)
        let (masks, titles) = (try masks.masks(columns, session), try masks.titles(columns, over: trained, session))
        return [Language.en, .zh].map {
            ReasonWording(language: $0, masking: Masking(principal), masks: masks, titles: titles)
        }
    }

    /// What a reader may not see the values of is left out.
    private static func items(
        _ changes: [StoredReasons.Change], _ now: Double, _ currency: String, _ wordings: [ReasonWording]
    ) throws -> [JSONValue] {
        changes.enumerated().compactMap { place, change in
            let reasons = wordings.compactMap { wording in
                wording.line(change, now: now, currency: currency).map { (wording.language, $0) }
            }
            guard let first = reasons.first else { return nil }
            let title = wordings.first?.titles[change.column]?.en ?? change.column
            return .object([
                "id": .string(String(place + 1)), "priority": .int(Int64(place + 1)),
                "product": .object([
                    "name": .string("\(title): \(change.value)"), "description": .string(first.1),
                    "productCharacteristic": .array([
                        .object(["name": .string(change.column), "value": .string(change.value)])
                    ]),
                ]),
                "reason": .array(
                    reasons.map { .object(["language": .string($0.0.rawValue), "text": .string($0.1)]) }),
                "probabilityNow": .double(now), "probabilityThen": .double(change.probability),
            ])
        }
    }
}
