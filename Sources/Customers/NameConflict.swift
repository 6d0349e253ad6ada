import Kernel
import Matching
import Storage

/// Whether two names are clearly of two people. Of one name in two scripts, with a slip or a part missing, nothing says so.
struct NameConflict: Sendable {
    private static let fields = [MatchField(name: "full_name", kind: .fullName)]
    private let standardiser: RecordStandardiser
    private let scorer = Scorer(LinkageModel.shipped(Self.fields))

    init(countryCode: String) {
        standardiser = RecordStandardiser(fields: Self.fields, countryCode: countryCode)
    }

    func areTwo(_ a: String, _ b: String) -> Bool {
        guard a != b, !a.isEmpty, !b.isEmpty else { return false }
        return scorer.evidence(standardiser.record([a]), standardiser.record([b])).first?.level == "different"
    }

    /// What a row that found `found` by a number says of the name, when it is another person's.
    func speaks(_ row: ImportRow, against found: CustomerRecord) -> Bool {
        let party = found.party
        var brought = Party(kind: party.kind, displayName: "")
        // What the row does not say stays as it is known.
        brought.familyName = row.values["family_name"]?.asText ?? party.familyName
        brought.givenName = row.values["given_name"]?.asText ?? party.givenName
        let hasPart = row.values["family_name"]?.asText != nil || row.values["given_name"]?.asText != nil
        guard let name = row.values["full_name"]?.asText ?? (hasPart ? brought.composedName : nil) else { return false }
        // Companies change their names, and keep their numbers.
        let isOrganisation = row.values["kind"].map { $0.asText == CustomerKind.organisation.rawValue } ?? OrganisationName.isOne(name)
        if party.kind == .organisation, isOrganisation { return false }
        return areTwo(party.displayName, name)
    }
}
