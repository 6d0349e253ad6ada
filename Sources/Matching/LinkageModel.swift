import Foundation

/// What was learned from one run: for each field and level the chance among matches (m) and among others (u), and
/// how often
/// values occur. Fellegi and Sunter, "A theory for record linkage" (1969). JSON of it is kept with the evidence of a
/// run.
package struct LinkageModel: Sendable, Codable {
    /// One field's weights.
    package struct Weights: Sendable, Codable {
        package let field: MatchField
        /// Chance of each level among pairs of one person, and among all other pairs.
        package internal(set) var m: [Double]
        package internal(set) var u: [Double]
        /// log2(m / u), never rising from a better to a worse level.
        package internal(set) var bits: [Double]
        /// Values seen so often that agreeing on them says less, by their stable hash, and their share of all.
        package internal(set) var frequent: [UInt64: Double]
        /// The share taken for all other values.
        package internal(set) var rareShare: Double
    }

    package enum Band: String, Sendable, Codable { case link, review, apart }

    /// Why a pair was kept apart whatever its fields say.
    package enum Bar: String, Sendable, Codable {
        /// Two different identity numbers whose check digits are right, or any two and birth dates a generation apart.
        case verified
        /// Same home, another given name and birth date.
        case household
    }

    /// Counts among pairs of one home, from which follows what to think of a pair that lacks what is personal.
    package struct Kinship: Sendable, Codable, Equatable {
        /// With the same given name, and with another.
        var sameName = 0.0, otherName = 0.0
        /// With another given name: birth date or identity number the same, and another.
        var sameBirth = 0.0, otherBirth = 0.0

        /// Upper limit of the log-odds when nothing personal is known of both.
        var unknownBits: Double { log2((sameName + 1.5) / (otherName + 0.5)) }
        /// Upper limit when the given names differ and birth dates are not known of both. Without evidence a household.
        var otherNameBits: Double { log2((sameBirth + 1) / (otherBirth + 2)) }
        /// The same when they were born on one day. Twins share everything but the given name, so a person has to look, unless a file
        /// has hardly any such pairs among very many: there somebody wrote another name.
        var twinBits: Double { (sameBirth + 0.5) / (sameName + 1) <= Self.slipsMax ? .infinity : -1 }
        private static let slipsMax = 0.0067
    }

    /// What one field says about a pair.
    package struct Evidence: Sendable, Codable, Equatable {
        package let field: String
        /// A name of `Comparison.names`, `missing`, or `no_evidence`: both are known, and that they differ says nothing.
        package let level: String
        package let bits: Double
    }

    package struct Score: Sendable {
        /// Log-odds to base 2 that both are one person.
        package let bits: Double
        package let band: Band
        package let bar: Bar?
        /// Two people whatever a third has in common with both: `verified`, or born a generation apart.
        package var areTwo = false
        package var probability: Double { 1 / (1 + exp2(-bits)) }
    }

    package static let currentVersion = 1
    package let version: Int
    package internal(set) var weights: [Weights]
    /// Log-odds of a match for a pair about which nothing is known.
    package internal(set) var priorBits: Double
    /// Records the model was learned from.
    package let records: Int
    package internal(set) var blocking: Blocking
    /// What the data says about people who live together.
    package internal(set) var kinship = Kinship()
    package var linkAt = 0.5
    package var reviewAt = 0.05

    package var fields: [MatchField] { weights.map(\.field) }

    /// Fields of a home go together: whoever shares a street shares a suburb and maybe a telephone. Together they
    /// say no
    /// more than this.
    static let sharedBitsMax = 13.0
    /// A person who moved changes all of them at once.
    static let sharedBitsMin = -7.0
    /// From here on two records are of one home.
    static let homeBits = 10.0
    static let bitsMax = 24.0
    static let bitsMin = -8.0
}

/// Compares records by a model. Holds what scoring needs in the order it is needed; made once, used from any thread.
package struct Scorer: Sendable {
    package let model: LinkageModel
    let roles: FieldRoles
    let bits: [[Double]]
    let isShared: [Bool]
    /// The fields can tell the members of a household apart.
    let hasPersonal: Bool
    /// A number or e-mail address can be known. Of name and place alone another birth date is a slip as often as a child of that name.
    let hasContacts: Bool
    /// Agreement on the value weighs by how rare it is.
    let usesFrequency: [Bool]
    /// What agreement on a frequent value, and on any other, says more or less than agreement as such.
    private let frequentBits: [[UInt64: Double]]
    private let rareBits: [Double]
    private let linkBits: Double, reviewBits: Double

    package init(_ model: LinkageModel) {
        self.model = model
        roles = FieldRoles(model.weights.map(\.field.kind))
        bits = model.weights.map(\.bits)
        isShared = model.weights.map(\.field.kind.isShared)
        hasPersonal = model.weights.contains { $0.field.kind.isPersonal }
        hasContacts = model.weights.contains { [.phone, .email].contains($0.field.kind) }
        usesFrequency = model.weights.map { Self.usesFrequency($0.field.kind) }
        frequentBits = model.weights.map { weights in
            weights.frequent.mapValues { Self.rarityBits(weights, share: $0, strong: weights.field.kind.isStrong) }
        }
        rareBits = model.weights.map { Self.rarityBits($0, share: $0.rareShare, strong: $0.field.kind.isStrong) }
        linkBits = log2(model.linkAt / (1 - model.linkAt))
        reviewBits = log2(model.reviewAt / (1 - model.reviewAt))
    }

    static func usesFrequency(_ kind: ColumnKind) -> Bool { kind != .nothing && kind != .number }

    /// Levels of all fields of a pair.
    private func fill(_ levels: UnsafeMutableBufferPointer<UInt8>, _ a: MatchRecord, _ b: MatchRecord) {
        guard let base = levels.baseAddress else { return }
        for field in 0..<roles.kinds.count {
            base[field] = Comparison.missing
            if let x = a.values[field], let y = b.values[field] {
                base[field] = Comparison.level(roles.kinds[field], x, y)
            }
        }
        roles.correct(base) { field, isRight in isRight ? b.values[field] : a.values[field] }
    }

    /// - Parameter among: how many records the pair was chosen from; by default as many as the model was learned from.
    package func score(_ a: MatchRecord, _ b: MatchRecord, among records: Int? = nil) -> LinkageModel.Score {
        let count = roles.kinds.count
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: max(1, count)) { levels in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: max(1, count)) { rarity in
                let own = UnsafeMutableBufferPointer(rebasing: levels[..<count])
                fill(own, a, b)
                for field in 0..<count { rarity[field] = own[field] == 0 ? rarityBits(field, a.values[field]) : 0 }
                // Of more records chance agrees more often; that twins are for a person to look at does not depend on it.
                let shift = records.map { $0 > 0 ? log2(Double($0) / Double(max(1, model.records))) : 0 } ?? 0
                var found = decide(
                    UnsafeBufferPointer(own), UnsafeBufferPointer(rebasing: rarity[..<count]), conflict: conflict(own, a, b),
                    shift: shift)
                found.bits -= shift
                var score = self.score(found.bits, found.bar)
                score.areTwo = found.areTwo
                return score
            }
        }
    }

    /// Whether two are two people whatever else agrees: by checked identity numbers; or born a generation apart, where another identity
    /// number, checked or not, settles it (one of the two may be a slip).
    private func conflict(_ levels: UnsafeMutableBufferPointer<UInt8>, _ a: MatchRecord, _ b: MatchRecord) -> Conflict {
        var isOther = false, births = Conflict.none
        for field in 0..<levels.count where levels[field] != 0 && levels[field] != Comparison.missing {
            guard let x = a.values[field], let y = b.values[field] else { continue }
            if roles.kinds[field] == .identityNumber {
                if x.isVerified(like: y) { return .verified }
                isOther = isOther || levels[field] > 1
            } else if roles.kinds[field] == .birthDate, levels[field] == 3 {
                births = max(births, Conflict(births: x, y))
            }
        }
        return births != .none && isOther ? .verified : births
    }

    /// Score and evidence of two records that hold their names.
    ///
    /// The weight of names of one sound is that of names in one script, of which few are of one sound and not the same. Of a name in
    /// characters and one in letters nothing more can agree: it says what the same name says, less what characters of one sound take away.
    package func judged(
        _ a: MatchRecord, _ b: MatchRecord, among records: Int
    ) -> (score: LinkageModel.Score, evidence: [LinkageModel.Evidence]) {
        let score = score(a, b, among: records)
        var evidence = evidence(a, b)
        guard let field = roles.kinds.firstIndex(of: .fullName), evidence[field].level == Comparison.names(of: .fullName)[1],
            let x = a.values[field], let y = b.values[field], x.isLatin != y.isLatin
        else { return (score, evidence) }
        let gain = max(0, bits[field][0] - Self.soundBits - evidence[field].bits)
        evidence[field] = .init(
            field: evidence[field].field, level: evidence[field].level, bits: evidence[field].bits + gain)
        return (score.bar == nil && !score.areTwo ? self.score(score.bits + gain, nil) : score, evidence)
    }

    /// Some three names are written with one sequence of syllables.
    private static let soundBits = 1.6

    /// What a sum of weights comes to.
    package func score(_ bits: Double, _ bar: LinkageModel.Bar?) -> LinkageModel.Score {
        let band: LinkageModel.Band = bits >= linkBits ? .link : bits >= reviewBits ? .review : .apart
        return LinkageModel.Score(bits: bits, band: band, bar: bar)
    }

    /// What each field says about a pair, for showing why.
    package func evidence(_ a: MatchRecord, _ b: MatchRecord) -> [LinkageModel.Evidence] {
        var levels = [UInt8](repeating: Comparison.missing, count: roles.kinds.count)
        levels.withUnsafeMutableBufferPointer { fill($0, a, b) }
        return levels.indices.map { field in
            let weights = model.weights[field], level = levels[field]
            guard level != Comparison.missing else {
                let isKnown = a.values[field] != nil && b.values[field] != nil
                return .init(field: weights.field.name, level: isKnown ? "no_evidence" : "missing", bits: 0)
            }
            let rarity = level == 0 ? rarityBits(field, a.values[field]) : 0
            return .init(
                field: weights.field.name, level: Comparison.names(of: weights.field.kind)[Int(level)],
                bits: weights.bits[Int(level)] + rarity)
        }
    }

    /// Whether two records that are left over may be joined: they are of one name, or where a name is missing they were born on one
    /// day, or agree in a text that few have (the contact of a company).
    func mayJoin(_ naming: FieldRoles.Naming, _ levels: ArraySlice<UInt8>) -> Bool {
        guard naming == .unknown else { return naming == .one }
        return roles.kinds.enumerated().contains { field, kind in
            let level = levels[levels.startIndex + field]
            return kind == .birthDate && level <= 1 || kind == .text && level == 0 && bits[field][0] >= Self.fewHaveBits
        }
    }

    private static let fewHaveBits = 4.0

    private func rarityBits(_ field: Int, _ value: MatchValue?) -> Double {
        guard usesFrequency[field], let value else { return 0 }
        return frequentBits[field][value.native] ?? rareBits[field]
    }

    /// How much more, or less, agreement on this very value says than agreement as such.
    static func rarityBits(_ weights: LinkageModel.Weights, share: Double, strong: Bool) -> Double {
        guard weights.bits[0] > 0 else { return 0 }
        let raw = log2(max(weights.u[0], 1e-9) / max(share, 1e-9))
        // Of a strong identifier a value that many share is a placeholder; a rare one is as it should be.
        return strong ? min(0, max(-16, raw)) : min(5, max(-7, raw))
    }

    /// What says that two are two people.
    enum Conflict: UInt8, Sendable, Comparable {
        /// `years`: born a generation apart on the same day of the year, which may be one who wrote another year.
        case none, years, generations, verified

        init(births a: MatchValue, _ b: MatchValue) {
            self = !Comparison.areGenerations(a, b) ? .none : Comparison.isSameDayOfYear(a, b) ? .years : .generations
        }

        static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    /// What a pair comes to.
    struct Decision {
        var bits: Double
        var bar: LinkageModel.Bar?
        var kin: Kin
        /// Of one home, by what homes share.
        var isHome: Bool
        /// Two people, so that no third joins them.
        var areTwo = false
    }

    /// How a pair stands as to what tells the members of a household apart.
    enum Kin {
        /// No name is known of both, and they were born on other days.
        case otherBirth
        /// Given names agree, or an identity number does.
        case same
        /// Given names differ; the birth date agrees, differs or is not known of both.
        case otherNameSameBirth, otherNameOtherBirth, otherName
        /// No given name on one side at least.
        case unknown, noName
    }

    /// The sum of the weights, and the rules that are stronger than sums.
    /// - Parameter shift: what is taken off the bits afterwards.
    @inline(__always)
    func decide(
        _ levels: UnsafeBufferPointer<UInt8>, _ rarity: UnsafeBufferPointer<Double>, conflict: Conflict, shift: Double = 0
    ) -> Decision {
        var sum = model.priorBits, gain = 0.0, loss = 0.0, household = 0.0
        for field in 0..<levels.count {
            let level = levels[field]
            guard level != Comparison.missing else { continue }
            let own = bits[field][Int(level)] + rarity[field]
            if isShared[field] {
                if own > 0 { gain += own } else { loss += own }
            } else {
                sum += own
                // A household shares its name, and may have one e-mail address for all.
                if own > 0, [.surname, .email].contains(roles.kinds[field]) { household += own }
            }
        }
        sum += min(gain, LinkageModel.sharedBitsMax) + max(loss, LinkageModel.sharedBitsMin)
        let isHome = gain + household + loss >= max(LinkageModel.homeBits, 1 - model.priorBits)
        let kin = kin(levels)
        if conflict == .verified {
            return Decision(bits: min(sum, -20), bar: .verified, kin: kin, isHome: isHome, areTwo: true)
        }
        var decision = Decision(bits: sum, bar: nil, kin: kin, isHome: isHome)
        switch kin {
        case .otherNameOtherBirth: (decision.bits, decision.bar) = (min(sum, -10), .household)
        case .otherName: decision.bits = min(sum, model.kinship.otherNameBits, model.kinship.twinBits + shift)
        case .otherBirth: decision.bits = min(sum, -1 + shift)
        case .otherNameSameBirth: decision.bits = min(sum, model.kinship.twinBits + shift)
        case .unknown: decision.bits = hasPersonal ? min(sum, model.kinship.unknownBits) : sum
        case .same, .noName: break
        }
        if conflict == .years, !hasSameIdentity(levels), speaksAgainst(levels) { decision.bits = min(decision.bits, -1 + shift) }
        // Parent and child may have one name, one home, one number and one e-mail address: all of that is a household's.
        if conflict == .generations, hasContacts, !hasSameIdentity(levels) {
            (decision.bits, decision.areTwo) = (min(decision.bits, -1 + shift), true)
        }
        // A place is a household's, whatever the file says of households: nothing that is somebody's own agrees.
        if hasPersonal, !hasOwn(levels) { decision.bits = min(decision.bits, -1 + shift) }
        return decision
    }

    /// Whether an identity number agrees that few have.
    @inline(__always)
    private func hasSameIdentity(_ levels: UnsafeBufferPointer<UInt8>) -> Bool {
        for field in 0..<levels.count where roles.kinds[field] == .identityNumber && levels[field] <= 1 {
            if bits[field][Int(levels[field])] >= Self.identityBits { return true }
        }
        return false
    }

    /// Whether another birth date says that two are two, and no number, where there are any, says that they are one. Where birth dates
    /// say nothing in a file they say nothing here.
    @inline(__always)
    private func speaksAgainst(_ levels: UnsafeBufferPointer<UInt8>) -> Bool {
        guard hasContacts else { return false }
        var isOtherBirth = false
        for field in 0..<levels.count {
            switch roles.kinds[field] {
            case .birthDate: isOtherBirth = isOtherBirth || levels[field] == 3 && bits[field][3] <= -1
            case .phone: if levels[field] <= 1 { return false }
            default: continue
            }
        }
        return isOtherBirth
    }

    /// Numbers given out in a row are near each other by nature: only what the data calls rare is somebody's own.
    private static let identityBits = 6.0

    /// Whether a name, birth date, number or e-mail address agrees, nearly at least.
    @inline(__always)
    private func hasOwn(_ levels: UnsafeBufferPointer<UInt8>) -> Bool {
        for field in 0..<levels.count where levels[field] != Comparison.missing {
            switch roles.kinds[field] {
            case .givenName, .surname, .fullName: if levels[field] < 5 { return true }
            case .birthDate, .identityNumber, .phone, .email: if levels[field] < 3 { return true }
            // What a company or its contact is called, where names are no names of people.
            case .text: if levels[field] < 2 { return true }
            default: continue
            }
        }
        return false
    }

    /// Two people of one home share surname, address and telephone: only what is personal can join two records.
    @inline(__always)
    private func kin(_ levels: UnsafeBufferPointer<UInt8>) -> Kin {
        var isOtherName = false, isSameName = false, isOtherBirth = false, isSameBirth = false
        var isSameIdentity = false, isSameEmail = false, isKnown = false, isAlike = false
        for field in 0..<levels.count where levels[field] != Comparison.missing {
            let level = levels[field]
            switch roles.kinds[field] {
            case .givenName, .fullName:
                if level == 5 { isOtherName = true } else if level == 4 { isAlike = true } else { isSameName = true }
            case .birthDate: if level == 3 { isOtherBirth = true } else if level <= 1 { isSameBirth = true }
            case .identityNumber: if level <= 1, bits[field][Int(level)] >= Self.identityBits { isSameIdentity = true }
            case .email:
                if level <= 1, bits[field][Int(level)] >= Self.identityBits { isSameEmail = true }
                continue
            default: continue
            }
            isKnown = true
        }
        if isSameIdentity { return .same }
        // A household may have one address for all: it says who somebody is where nothing says that he is another.
        if isSameEmail, !isOtherBirth, isSameName || isSameBirth { return .same }
        // `mary` and `mark` of one day are one who slipped; of two days they are two.
        if isAlike, !isOtherName, !isSameName { return isOtherBirth ? .otherName : .same }
        if isSameName && !isOtherName { return .same }
        guard isOtherName else { return isOtherBirth ? .otherBirth : isKnown ? .noName : .unknown }
        return isOtherBirth ? .otherNameOtherBirth : isSameBirth ? .otherNameSameBirth : .otherName
    }
}
