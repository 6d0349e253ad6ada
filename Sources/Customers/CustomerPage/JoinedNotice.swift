import Kernel
import Matching
import Platform
import Storage
import Web

/// What the top of the page says of a customer that is several records: which they are, and which of two verified names is shown.
enum JoinedNotice {
    static let recordsShown = 8

    /// - Parameter zone: minutes east of UTC, for the days.
    static func view(_ golden: GoldenRecord?, _ request: PanelRequest, zone: Int) -> View {
        guard let golden, golden.records.count > 1 else { return ["isJoined": .bool(false), "nameNote": .absent] }
        let mayEdit = request.principal.may(CustomerPermissions.edit)
        let shown = golden.records.prefix(recordsShown)
        let records = shown.enumerated().map { place, record -> View in
            [
                "label": .text(label(record)), "path": .text(mayEdit ? "/customers/\(record.id)/edit" : "#panel-joined"),
                "isLast": .bool(place + 1 == shown.count),
            ]
        }
        return [
            "isJoined": .bool(true), "joinedCount": .text(String(golden.records.count)), "joinedRecords": .list(records),
            "joinedMore": .text(
                golden.records.count > shown.count ? String(golden.records.count - shown.count) : nil),
            "mayTakeApart": .bool(request.principal.may(CustomerPermissions.decidePairs)),
            "nameNote": .text(names(golden, request, zone)),
        ]
    }

    /// `billing 17`: what the sources of a record call it.
    static func label(_ record: CustomerRecord) -> String {
        let numbers = record.sourceIDs.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        guard numbers.isEmpty else { return numbers.joined(separator: " / ") }
        return [record.customer.source, record.customer.reference ?? ""].filter { !$0.isEmpty }.joined(separator: " ")
    }

    /// Verified records that have other names: which is shown, by which rule, and since when its record says so.
    /// - Returns: `nil` where no two verified names differ.
    private static func names(_ golden: GoldenRecord, _ request: PanelRequest, _ zone: Int) -> String? {
        let verified = golden.records.filter { record in
            !record.party.displayName.isEmpty
                && record.documents.contains { IdentityNumber($0.number)?.isChecked ?? false }
        }
        guard Set(verified.map(\.party.displayName)).count > 1, let choice = golden.choice("full_name"),
            let from = golden.records.first(where: { $0.id == choice.from })
        else { return nil }
        let language = request.language
        func said(_ record: CustomerRecord) -> String {
            let name = record.party.displayName
            let shown = record.party.kind == .individual ? request.masking.apply(.name, name) : name
            let day = record.customer.updatedAt.date(offsetMinutes: zone)
            return Words(
                en: "“\(shown)” (\(label(record)), changed on \(day))", zh: "“\(shown)”（\(label(record))，更新于 \(day)）")[language]
        }
        let others = verified.filter { $0.party.displayName != choice.value }.map(said)
        let rule = MatchWords.decided(choice.rule)[language]
        return Words(
            en: "Verified records have different names. Shown is \(said(from)), by the rule “\(rule)”. Not shown: \(others.joined(separator: ", ")).",
            zh: "已核验的记录姓名不一致。当前显示\(said(from))，依据规则“\(rule)”。未显示：\(others.joined(separator: "、"))。")[language]
    }
}
