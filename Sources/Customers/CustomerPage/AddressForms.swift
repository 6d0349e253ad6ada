import Kernel
import Matching

/// Addresses that joined records write in their own ways: in either script, with the city or without, long or short. Each
/// place is shown once, and how else it is written beside it.
struct AddressForms {
    struct Written: Sendable, Equatable {
        let region: String?
        let city: String?
        let lines: String?
        let postcode: String?

        /// As it is shown.
        var text: String {
            let all: [String?] = [region, city, lines, postcode]
            return all.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ")
        }
    }

    struct Place: Sendable, Equatable {
        let shown: String
        /// The other ways, without those that differ in nothing but case, width or blanks.
        let others: [String]
    }

    /// Shorter texts say too little to be the end of another.
    private static let lettersMin = 8
    private static let standardiser = Standardiser(kind: .street)

    /// In the order given; of one place the longest form is shown.
    static func places(_ addresses: [Written]) -> [Place] {
        var groups: [(form: String, postcode: String?, all: [Written])] = []
        for address in addresses where !address.text.isEmpty {
            let form = form(address)
            let postcode = address.postcode.flatMap { $0.isEmpty ? nil : $0 }
            let place = groups.firstIndex { group in
                isSame(group.form, form) && (group.postcode == nil || postcode == nil || group.postcode == postcode)
            }
            guard let place else {
                groups.append((form, postcode, [address]))
                continue
            }
            groups[place].all.append(address)
            groups[place].postcode = groups[place].postcode ?? postcode
            if form.utf8.count > groups[place].form.utf8.count { groups[place].form = form }
        }
        return groups.map { group in
            let texts = group.all.map(\.text)
            // Of equally long ones the first.
            let shown = texts.reduce(texts[0]) { $1.unicodeScalars.count > $0.unicodeScalars.count ? $1 : $0 }
            var seen: Set<String> = [Folding.fold(shown)]
            return Place(shown: shown, others: texts.filter { seen.insert(Folding.fold($0)).inserted })
        }
    }

    /// What the address comes to for comparing: one script, no blanks, region and city once.
    private static func form(_ address: Written) -> String {
        func compact(_ text: String?) -> String {
            text.flatMap { standardiser.value($0)?.text.filter { $0 != " " } } ?? ""
        }
        let (region, city) = (compact(address.region), compact(address.city))
        var lines = compact(address.lines)
        for name in [region, city, region] where !name.isEmpty && lines.hasPrefix(name) && lines != name {
            lines.removeFirst(name.count)
        }
        return lines.isEmpty ? region + city : lines
    }

    private static func isSame(_ a: String, _ b: String) -> Bool {
        if a == b { return true }
        let (short, long) = a.utf8.count < b.utf8.count ? (a, b) : (b, a)
        // A house is told by its number: a street alone is not the end of anything.
        return short.utf8.count >= lettersMin && short.utf8.contains { (48...57).contains($0) } && long.hasSuffix(short)
            && !(short.utf8.first.map { (48...57).contains($0) } ?? false)
    }
}
