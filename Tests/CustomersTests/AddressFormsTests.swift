import Testing

@testable import Customers

@Suite("one place, written in several ways")
struct AddressFormsTests {
    private func written(_ lines: String, city: String? = nil, region: String? = nil, postcode: String? = nil) -> AddressForms.Written {
        .init(region: region, city: city, lines: lines, postcode: postcode)
    }

    @Test("both scripts, a city before it or not, and a postcode that one knows, are one place")
    func same() {
        let places = AddressForms.places([
            written("西湖区文三路294号"), written("杭州市西湖区文三路294號", city: "杭州", region: "浙江"),
            written("西湖區文三路294号", postcode: "310012"), written("杭州市西湖区文三路２９４号"),
        ])
        #expect(places.count == 1, "\(places)")
        #expect(places.first?.shown == "浙江 杭州 杭州市西湖区文三路294號")
        #expect(places.first?.others == ["西湖区文三路294号", "西湖區文三路294号 310012", "杭州市西湖区文三路２９４号"])
        let english = AddressForms.places([written("12 High Street"), written("12 HIGH STREET"), written("12 high st.")])
        #expect(english == [.init(shown: "12 High Street", others: ["12 high st."])])
    }

    @Test("another house, another street, another postcode, and a number that another ends with, are other places")
    func others() {
        for (a, b) in [
            (written("文三路294号"), written("文三路29号")), (written("High Street 12"), written("Low Street 12")),
            (written("12 High Street", postcode: "1000"), written("12 High Street", postcode: "2000")),
            (written("12 Station Road"), written("112 Station Road")), (written("Main Street"), written("12 Old Main Street")),
        ] {
            #expect(AddressForms.places([a, b]).count == 2, "\(a.text), \(b.text)")
        }
        #expect(AddressForms.places([]).isEmpty && AddressForms.places([written("")]).isEmpty)
    }
}
