import Foundation
import Kernel
import Matching
import Storage

/// What learned weights would do beside those in use, on the customers they were learned from. Nobody has labelled pairs; but what
/// people decided is known, and so is who is who by two identity numbers with right check digits: such pairs are judged without them.
struct MatchTrial: Sendable, Equatable, Codable {
    struct Side: Sendable, Equatable, Codable {
        /// Pairs that it would link.
        var links = 0
        /// Of the pairs that are known to be one those it would link, and of those known to be two.
        var right = 0
        var wrong = 0
    }

    /// Pairs that share a key.
    var compared = 0
    /// Of them those of which it is known whether they are one.
    var known = 0
    var inUse = Side()
    var learned = Side()

    /// Weights are better when something known gets better and nothing known gets worse. That they link more says nothing: what they
    /// link may be wrong.
    var isBetter: Bool {
        learned.wrong <= inUse.wrong && learned.right >= inUse.right
            && (learned.right > inUse.right || learned.wrong < inUse.wrong)
    }

    /// Whether it can be said at all: of some pairs it is known whether they are one.
    var isTold: Bool { known > 0 }

    static let pairsMax = 300_000

    struct Subject: Sendable {
        let id: CustomerID
        let card: MatchCard
    }

    /// - Parameters:
    ///   - among: how many customers there are.
    ///   - decisions: pairs of which people have said that they are one, or two.
    static func of(
        _ learned: LinkageModel, beside inUse: LinkageModel, _ sample: [Subject], among: Int, countryCode: String,
        decisions: [PairStore.Key: Bool]
    ) -> MatchTrial {
        let keys = MatchKeys(countryCode: countryCode)
        let all = sample.mapBeside { one in (subject: MatchSubject(one.id, one.card, keys), keys: keys.keys(one.card)) }
        var holders: [Int64: [Int]] = [:]
        for (place, one) in all.enumerated() { for key in one.keys { holders[key, default: []].append(place) } }
        var pairs: Set<[Int]> = []
        gathering: for key in holders.keys.sorted() {
            guard let held = holders[key], held.count > 1, held.count <= MatchResolver.holdersMax else { continue }
            for (place, a) in held.enumerated() {
                for b in held[(place + 1)...] { pairs.insert([a, b]) }
            }
            if pairs.count >= pairsMax { break gathering }
        }
        let judges = [inUse, learned].map { MatchJudge($0, among: among, countryCode: countryCode) }
        let judged = pairs.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) }.mapBeside { pair -> (isOne: Bool?, links: [Bool]) in
            let (a, b) = (all[pair[0]].subject, all[pair[1]].subject)
            let told = decisions[PairStore.Key(a.id, b.id)], document = Self.documents(a, b)
            guard told == nil, document != nil else { return (told, judges.map { $0.judge(a, b).band == .link }) }
            let (x, y) = (Self.undocumented(a, keys), Self.undocumented(b, keys))
            return (document, judges.map { $0.judge(x, y).band == .link })
        }
        var trial = MatchTrial(compared: judged.count)
        for one in judged {
            if one.isOne != nil { trial.known += 1 }
            trial.inUse.add(one.links[0], one.isOne)
            trial.learned.add(one.links[1], one.isOne)
        }
        return trial
    }

    /// What two identity numbers with right check digits say; `nil` when not both have one.
    private static func documents(_ a: MatchSubject, _ b: MatchSubject) -> Bool? {
        let (x, y) = (a.verified, b.verified)
        if !x.isDisjoint(with: y) { return true }
        return MatchJudge.areTwoPeople(x, y) ? false : nil
    }

    private static func undocumented(_ subject: MatchSubject, _ keys: MatchKeys) -> MatchSubject {
        var card = subject.card
        card.documents = []
        return MatchSubject(subject.id, card, keys)
    }

    // MARK: Stored form and words

    init(compared: Int = 0) { self.compared = compared }

    init?(stored text: String) {
        guard !text.isEmpty, let known = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return nil }
        self = known
    }

    func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    var words: Words {
        let (links, before) = (learned.links, inUse.links)
        var en = "Would link \(links) \(links == 1 ? "pair" : "pairs") of its sample; those then in use \(before)."
        var zh = "在其样本中会自动合并 \(links) 对；当时启用的权重为 \(before) 对。"
        if known > 0 {
            en += " Of \(known) known \(known == 1 ? "pair" : "pairs") it links \(learned.right) rightly and \(learned.wrong) wrongly (before: \(inUse.right) and \(inUse.wrong))."
            zh += "已知结论的 \(known) 对中，正确合并 \(learned.right) 对、错误合并 \(learned.wrong) 对（原先为 \(inUse.right) 与 \(inUse.wrong)）。"
        }
        return Words(en: en, zh: zh)
    }
}

extension MatchTrial.Side {
    mutating func add(_ isLinked: Bool, _ isOne: Bool?) {
        guard isLinked else { return }
        links += 1
        if isOne == true { right += 1 } else if isOne == false { wrong += 1 }
    }
}
