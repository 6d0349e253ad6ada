import Foundation
import Kernel
import Matching
import Platform
import Storage

/// Learns the weights from the operator's own customers, without anybody labelling pairs.
enum MatchLearning {
    static let jobKind = "customers.match.learn"
    /// Customers spread over the base, and those who share a key with them: in a plain sample hardly anybody is there
    /// twice.
    static let sampleMax = 30_000
    private static let partnersMax = 30_000

    static let ids: SQL =
        "SELECT customer_id FROM customers_match_record WHERE customer_id > $1 ORDER BY customer_id LIMIT $2"

    static func job(_ tenant: Tenant) -> JobHandler {
        JobHandler(kind: jobKind) { context in
            let by = JobSender(context.job.payload)
            let sample = try await sample(tenant) { done, total in
                try await context.progress(
                    done: done, total: total, Words(en: "reading customers", zh: "正在读取客户"))
            }
            guard sample.count > 1 else { return "{\"customers\":0}" }
            let cells = columns(sample.map(\.card))
            let country = tenant.countryCode
            let (inUse, customers, decisions) = try await tenant.database.read { session in
                let setting = try MatchStore.setting(session)
                return (
                    try MatchStore.model(setting, session), try session.count(MatchStore.customers),
                    try PairStore.decided(Set(sample.map(\.id)), session)
                )
            }
            let (model, pairs, trial) = try await OwnThread.run {
                let (model, pairs) = LinkageModel.learned(MatchCard.fields, cells, countryCode: country)
                let trial = MatchTrial.of(
                    model, beside: inUse, sample, among: customers, countryCode: country, decisions: decisions)
                return (model, pairs, trial)
            }
            try context.checkCancelled()
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys]
            let text = String(decoding: try encoder.encode(model), as: UTF8.self)
            let id: ID<AnyKind> = tenant.ids.next()
            try await tenant.database.write { session in
                try session.execute(
                    MatchStore.insertModel,
                    [
                        .id(id), .time(tenant.clock.now()), .text(by.name), .int(sample.count), .int(pairs),
                        .text(text), .text(try trial.encoded()),
                    ])
                try tenant.audit.record(
                    AuditEntry(
                        "customers.matching.learn", [AuditSubject(kind: "model", id: id.rawValue)],
                        facts: ["customers": .int(Int64(sample.count)), "pairs": .int(Int64(pairs))]),
                    by: .system(tenant: tenant.name, "matching"), session)
            }
            return "{\"customers\":\(sample.count),\"pairs\":\(pairs)}"
        }
    }

    /// Customers at even distances, and the partners of each.
    static func sample(
        _ tenant: Tenant, progress: (Int64, Int64) async throws -> Void = { _, _ in }
    ) async throws -> [MatchTrial.Subject] {
        let total = try await tenant.database.read { try $0.count(MatchStore.customers) }
        let stride = max(1, total / sampleMax)
        let keys = MatchKeys(countryCode: tenant.countryCode)
        var chosen: [CustomerID: MatchCard] = [:]
        var place = CustomerID(0), seen = 0, partners = 0
        while true {
            let (after, offset, wantsPartners) = (place, seen, partners < partnersMax)
            let (last, count, found) = try await tenant.database.read {
                session -> (CustomerID?, Int, [CustomerID: MatchCard]) in
                let ids = try session.query(Self.ids, [.id(after), .int(Limits.sqlListChunk)]) {
                    $0.id(0, PartyKind.self)
                }
                let picked = ids.indices.filter { (offset + $0) % stride == 0 }.map { ids[$0] }
                var cards = try MatchStore.cards(picked, session)
                if wantsPartners, !cards.isEmpty {
                    let all = Array(Set(cards.values.flatMap { keys.keys($0) }))
                    let met = try MatchResolver.holders(of: all, session).values.filter {
                        $0.count > 1 && $0.count <= MatchResolver.holdersMax
                    }
                    let more = Set(met.flatMap(\.self)).subtracting(cards.keys)
                    cards.merge(try MatchStore.cards(Array(more), session)) { old, _ in old }
                }
                return (ids.last, ids.count, cards)
            }
            partners += max(0, found.count - count / stride)
            chosen.merge(found) { old, _ in old }
            guard let last else { break }
            place = last
            seen += count
            try await progress(Int64(seen), Int64(max(total, seen)))
        }
        return chosen.sorted { $0.key < $1.key }.map { MatchTrial.Subject(id: $0.key, card: $0.value) }
    }

    static func columns(_ sample: [MatchCard]) -> [[String?]] {
        var columns = MatchCard.fields.map { _ in [String?]() }
        for card in sample {
            let values = card.values(
                document: card.documents.first, phone: card.phones.first, email: card.emails.first)
            for (field, value) in values.enumerated() { columns[field].append(value) }
        }
        return columns
    }
}

/// Who asked for a job.
private struct JobSender {
    let name: String

    init(_ payload: String) {
        let object = (try? JSONSerialization.jsonObject(with: Data(payload.utf8))) as? [String: Any]
        name = object?["by"] as? String ?? ""
    }
}
