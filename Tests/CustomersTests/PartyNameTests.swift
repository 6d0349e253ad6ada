import Testing

@testable import Customers

@Suite("The parts of a name follow the whole")
struct PartyNameTests {
    @Test(
        "what stands in the new name stays, the rest is the other part; otherwise it is taken apart as a name of which nothing is known",
        arguments: [
            ("Wang", "Fang", "Na Wang", "Wang", "Na"), ("Wang", "Fang", "Wang Na", "Wang", "Na"), ("Wang", "Fang", "WANG Na", "WANG", "Na"),
            ("Wang", "Fang", "Fang Li", "Li", "Fang"), ("Wang", "Fang", "Anna Maria Li", "Li", "Anna Maria"),
            ("van der Berg", "Jan", "Piet van der Berg", "van der Berg", "Piet"), ("van der Berg", "Jan", "Jan Smit", "Smit", "Jan"),
            ("Wang", "Fang", "Wang", "Wang", ""), ("Wang", "Fang", "Fang Wang", "Wang", "Fang"), ("Wang", nil, "Na Wang", "Wang", "Na"),
            (nil, "Fang", "Fang Li", "Li", "Fang"), ("王", "芳", "王丽", "王", "丽"), ("王", "芳", "李芳", "李", "芳"),
            ("欧阳", "娜", "欧阳丽娜", "欧阳", "丽娜"), ("王", "芳", "欧阳丽", "欧阳", "丽"), ("Wang", "Fang", "王芳", "王", "芳"),
            ("王", "芳", "Fang Wang", "Wang", "Fang"), ("王", "芳", "王", "王", ""),
        ] as [(String?, String?, String, String, String)])
    func parts(family: String?, given: String?, name: String, newFamily: String, newGiven: String) {
        var party = Party(kind: .individual, displayName: "x", familyName: family, givenName: given)
        party.call(name)
        #expect(party.displayName == name)
        let (shownFamily, shownGiven) = PartyDocument.names(party)
        #expect(shownFamily == newFamily && shownGiven == newGiven, "\(name): \(shownFamily) | \(shownGiven)")
    }

    @Test("of whom only the whole name is known, and organisations, have no parts afterwards either")
    func whole() {
        for kind in [CustomerKind.individual, .organisation] {
            var party = Party(kind: kind, displayName: "Fang Wang")
            party.call("Na Li")
            #expect(party.displayName == "Na Li" && party.familyName == nil && party.givenName == nil)
        }
    }
}
