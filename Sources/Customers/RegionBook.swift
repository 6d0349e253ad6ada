import Kernel
import Storage

/// The spellings of regions that customers have: a new one takes the one that is there, so that lists and scopes have each once.
struct RegionBook {
    private var exact: Set<String>
    private var byKey: [String: String] = [:]
    /// Texts met, since a file names few regions many times.
    private var met: [String: String] = [:]
    private static let metMax = 2_000

    init(_ session: any SQLSession) throws {
        let known = try ListFacets.values(ListFacets.regions, session)
        exact = Set(known)
        for region in known where byKey[RegionName.key(region)] == nil { byKey[RegionName.key(region)] = region }
    }

    /// The spelling to be kept of what somebody writes.
    mutating func spelling(_ text: String) -> String {
        if exact.contains(text) { return text }
        if let known = met[text] { return known }
        let key = RegionName.key(text)
        let found = byKey[key] ?? text
        byKey[key] = found
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
}
