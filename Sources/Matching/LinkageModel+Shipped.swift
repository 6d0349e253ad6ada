import Foundation

/// A model before anything was learned, and learning for fields that are known beforehand: what a database that keeps
/// its
/// records standardised needs. Its keys are stored, so they must not change with what is learned.
extension LinkageModel {
    /// The records that the believed chances are of: the customers of an operator.
    private static let believedRecords = 1_000_000

    /// What is believed of a base of people. The chance that two others agree is that of one operator's customers:
    /// one of
    /// some thousands has the same name, one of some ten thousands the same birth date.
    package static func shipped(_ fields: [MatchField]) -> LinkageModel {
        let weights = fields.map { field -> Weights in
            let u = believedU(field.kind)
            var weights = Weights(
                field: field, m: Learning.priorM(field.kind), u: u, bits: [], frequent: [:], rareShare: u[0])
            Learning.setBits(&weights)
            return weights
        }
        let kinds = fields.map(\.kind)
        return LinkageModel(
            version: currentVersion, weights: weights, priorBits: log2(0.2 / Double(believedRecords)),
            records: believedRecords,
            blocking: Blocking(passes: strongPasses(kinds), kinds: kinds, commonWords: kinds.map { _ in [] }))
    }

    private static func believedU(_ kind: ColumnKind) -> [Double] {
        let known: [Double] =
            switch kind {
            case .givenName, .surname, .fullName: [0.0003, 0.0002, 0.001, 0.0002, 0.01]
            case .street: [0.0001, 0.0002, 0.002, 0.02]
            case .suburb, .text: [0.05, 0.005, 0.005, 0.02]
            case .phone, .email, .identityNumber: [0.000_001, 0.000_01, 0.000_1]
            case .birthDate, .date: [0.000_05, 0.002, 0.03]
            case .number: [0.01, 0.02, 0.1]
            case .houseNumber, .postcode, .code: [0.002, 0.01]
            case .category: [0.5]
            case .nothing: []
            }
        return known + [1 - known.reduce(0, +)]
    }

    /// Few ways to meet, each of them rare: what an index can hold for ten million records. Each strong identifier by
    /// itself; the name with the birth date, the postcode, the numbers of the street and either half of the telephone
    /// number; the birth date with the place and the numbers of the street; what stands before the @ of an
    /// address of e-mail. Only ever one more at the end: a key says which of the ways it is of (`MatchStore.form`).
    static func strongPasses(_ kinds: [ColumnKind]) -> [BlockingPass] {
        func atom(_ kind: ColumnKind, _ form: BlockingAtom.Form = .whole) -> BlockingAtom? {
            kinds.firstIndex(of: kind).map { BlockingAtom(field: $0, form: form) }
        }
        let name = atom(.fullName, .turned)
        let wanted: [[BlockingAtom?]] = [
            [atom(.identityNumber)], [atom(.phone)], [atom(.email)], [name, atom(.birthDate)],
            [name, atom(.phone, .firstHalf)], [name, atom(.phone, .secondHalf)],
            [atom(.birthDate), atom(.suburb)], [name, atom(.postcode)],
            [name, atom(.street, .numbers)],
            [atom(.birthDate), atom(.street, .numbers)], [atom(.email, .local)],
        ]
        return wanted.compactMap { atoms in
            let found = atoms.compactMap(\.self)
            return found.count == atoms.count ? BlockingPass(atoms: found) : nil
        }
    }

    /// Learns from a sample whose columns are known. Of a column that is nearly empty the believed weights stay.
    /// - Parameter cells: a column for each field, each with a value a record.
    /// - Returns: the model with the keys of `shipped`; how many pairs it was learned from.
    package static func learned(
        _ fields: [MatchField], _ cells: [[String?]], countryCode: String = "86"
    ) -> (model: LinkageModel, pairs: Int) {
        precondition(fields.count == cells.count, "one column a field")
        let believed = shipped(fields)
        let rows = cells.first?.count ?? 0
        guard rows > 1 else { return (believed, 0) }
        let columns = zip(fields, cells).map { field, values in
            var column = PreparedColumn(kind: field.kind)
            column.append(values, Standardiser(kind: field.kind, countryCode: countryCode))
            return column
        }
        let table = PreparedTable(fields: fields, columns: columns, rows: rows, split: nil)
        let blocking = BlockingPlan(table: table).blocking()
        let pairs = CandidatePairs(table, blocking).pairs
        var model = Learning(table, ComparedPairs(table, pairs), blocking).model()
        for field in columns.indices where columns[field].present < leastValues {
            model.weights[field] = believed.weights[field]
        }
        model.blocking = believed.blocking
        return (model, pairs.count)
    }

    private static let leastValues = 50
}

extension Blocking {
    /// The keys of a record as numbers; some may be there twice.
    package func hashes(_ record: MatchRecord) -> [UInt64] {
        var keys: [UInt64] = []
        addKeys(record.values, &keys)
        return keys
    }
}
