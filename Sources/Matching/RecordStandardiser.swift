/// Brings single records into the form a model compares: what a database does with a new record.
package struct RecordStandardiser: Sendable {
    private let standardisers: [Standardiser]

    /// - Parameters:
    ///   - fields: the model's fields.
    ///   - isDayFirst: how `3/2/1980` is read.
    package init(fields: [MatchField], isDayFirst: Bool = true, countryCode: String = "86") {
        standardisers = fields.map { Standardiser(kind: $0.kind, isDayFirst: isDayFirst, countryCode: countryCode) }
    }

    /// - Parameter values: parallel to the model's fields; nil where missing.
    package func record(_ values: [String?]) -> MatchRecord {
        precondition(values.count == standardisers.count, "one value a field")
        return MatchRecord(
            values: zip(standardisers, values).map { standardiser, value in value.flatMap(standardiser.value) })
    }
}
