import Kernel
import Storage

/// How much of what was decided about customers goes with them when their import is taken back.
package struct ImportTies: Sendable, Codable, Equatable {
    /// Links to other customers.
    package var links = 0
    /// Decisions of people: that two are one, or that they are two.
    package var decisions = 0
    /// Pairs that wait for a person.
    package var waiting = 0
    package init() {}

    init(_ ties: Set<ImportTie>) {
        links = ties.count(where: \.isLinked)
        decisions = ties.count(where: \.isByPerson)
        waiting = ties.count(where: \.isOpen)
    }

    var isEmpty: Bool { self == ImportTies() }

    /// `3 links to other customers, 1 decision of a person, 2 pairs that waited for a person`; empty when there is nothing.
    var words: Words {
        func count(_ number: Int, _ one: String, _ many: String) -> String? {
            number == 0 ? nil : "\(Numbers.grouped(number)) \(number == 1 ? one : many)"
        }
        let en = [
            count(links, "link to another customer", "links to other customers"),
            count(decisions, "decision of a person about a pair", "decisions of people about pairs"),
            count(waiting, "pair that waited for a person", "pairs that waited for a person"),
        ]
        let zh = [
            links == 0 ? nil : "\(Numbers.grouped(links)) 个与其他客户的关联",
            decisions == 0 ? nil : "\(Numbers.grouped(decisions)) 个人工判定",
            waiting == 0 ? nil : "\(Numbers.grouped(waiting)) 对待人工确认的记录",
        ]
        return Words(
            en: en.compactMap { $0 }.joined(separator: ", "), zh: zh.compactMap { $0 }.joined(separator: "、"))
    }
}

/// What taking an import back would do.
package struct RevertPreview: Sendable, Codable {
    /// Decimal id of the run.
    package let run: String
    package let created: Int
    package let updated: Int
    package let ties: ImportTies
    /// Only the first customers were looked at: there are at least so many ties.
    package let isPartial: Bool
}

extension ImportService {
    /// So many chunks of 500 are looked at before a page is shown.
    static let previewChunks: Int64 = 40

    /// What taking a run back would do; nothing is changed.
    package func previewRevert(_ id: ImportRunID, _ principal: Principal) async throws -> RevertPreview {
        try principal.require(Self.permission)
        return try await tenant.database.read { [self] session in
            let run: ImportRun
            do { run = try reach(id, principal, session) } catch let error as CRMError
                where error.code == CRMError.notFound.code
            {
                throw CRMError(
                    "no_run", status: 404, Words(en: "There is no run \(id).", zh: "没有编号为 \(id) 的导入。"))
            }
            guard run.mayRevert else { throw Self.refused(.revert, run) }
            return try on(run.entity).previewRevert(run, chunksMax: .max, session)
        }
    }

    func previewRevert(_ run: ImportRun, chunksMax: Int64, _ session: any SQLSession) throws -> RevertPreview {
        var ties: Set<ImportTie> = []
        let chunks = run.revertChunk ?? run.chunk
        if run.counts.created > 0, chunks > 0, target.takesAttributes {
            for chunk in stride(from: 1, through: min(chunks, chunksMax), by: 1) {
                guard let entries = try JournalStore.entries(run.id, chunk: chunk, session) else { continue }
                ties.formUnion(try target.ties(of: entries.created.map(\.id), session))
            }
        }
        return RevertPreview(
            run: "\(run.id)", created: run.counts.created, updated: run.counts.updated, ties: ImportTies(ties),
            isPartial: chunks > chunksMax)
    }
}
