import Kernel
import Storage

/// The spellings of regions that customers have: a new one takes the one that is there, so that lists and scopes have each once.
struct RegionBook {
    private var exact: Set<String>
    private var byKey: [String: String] = [:]
    /// Texts met, since a file names few regions and cities many times.
    private var met: [String: String] = [:]
    private var regionOfCity: [String: String?] = [:]
    /// Whether regions are provinces, as far as there are any.
    private var areProvinces: Bool
    private static let metMax = 2_000

    init(_ session: any SQLSession) throws {
        let known = try ListFacets.values(ListFacets.regions, session)
        exact = Set(known)
        for region in known {
            let key = RegionName.key(region)
            if byKey[key] == nil { byKey[key] = region }
        }
        areProvinces = byKey.isEmpty || byKey.keys.contains(where: RegionName.isKnown)
    }

    /// The spelling to be kept of what somebody writes.
    mutating func spelling(_ text: String) -> String {
        if exact.contains(text) { return text }
        if let known = met[text] { return known }
        let key = RegionName.key(text)
        let found = byKey[key] ?? text
        let isFirst = byKey.isEmpty
        byKey[key] = found
        areProvinces = RegionName.isKnown(key) || (areProvinces && !isFirst)
        if met.count < Self.metMax { met[text] = found }
        return found
    }

    mutating func spelled(_ row: ImportRow) -> ImportRow {
        guard let text = row.values["region"]?.asText else { return row }
        let spelling = spelling(text)
        guard spelling != text else { return row }
        var values = row.values
        values["region"] = .text(spelling)
        return ImportRow(line: row.line, values: values)
    }

    /// Where a file names cities only, the region of a customer who has none is that of the city: who is kept to it reaches them. Not
    /// where regions are something else than provinces (East, West). Whoever moves from a city of their region to another moves with it.
    mutating func placed(_ row: ImportRow, _ known: Customer?) -> ImportRow {
        guard row.values["region"] == nil, let city = row.values["city"]?.asText, areProvinces else { return row }
        if let old = known?.region {
            guard let before = known?.city, before != city, let follows = region(of: before), spelling(follows) == old else { return row }
        }
        guard let region = region(of: city) else { return row }
        var values = row.values
        values["region"] = .text(spelling(region))
        return ImportRow(line: row.line, values: values)
    }

    private mutating func region(of city: String) -> String? {
        if let known = regionOfCity[city] { return known }
        let region = RegionName.region(ofCity: city)
        if regionOfCity.count < Self.metMax { regionOfCity[city] = region }
        return region
    }
}
