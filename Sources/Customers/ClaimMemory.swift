import Kernel

/// What earlier rows of the file made customers claim, and what they gave up. Hashes only: a file of ten million rows
/// fits.
struct ClaimMemory {
    /// With the line of the row.
    private var gained: [Int: Int32] = [:]
    private var lost: Set<Int> = []
    /// What went over from one known customer to another.
    private var moved: [Int: CustomerID] = [:]

    /// The line whose customer claims this; the same line again is a chunk that is run a second time.
    func line(of claim: Identifier) -> Int? { gained[claim.hashValue].map { Int($0) } }
    func holder(of claim: Identifier) -> CustomerID? { moved[claim.hashValue] }
    mutating func move(_ claim: Identifier, to id: CustomerID?) { moved[claim.hashValue] = id }
    func wasLost(_ claim: Identifier) -> Bool { lost.contains(claim.hashValue) }
    mutating func forgetLosses() {
        lost = []
        moved = [:]
    }

    mutating func note(before: CustomerRecord?, after: CustomerRecord, line: Int) {
        if let before, Identifier.areSame(before, after) { return }
        let (old, new) = (before.map(Identifier.claims) ?? [], Identifier.claims(after))
        for claim in new.subtracting(old) { gained[claim.hashValue] = Int32(clamping: line) }
        for claim in old.subtracting(new) {
            gained[claim.hashValue] = nil
            lost.insert(claim.hashValue)
        }
    }
}
