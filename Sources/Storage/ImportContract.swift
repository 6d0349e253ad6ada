import Kernel

/// What a field of an import target may hold. Values arrive at the target already parsed to this.
package enum ImportFieldKind: Sendable, Hashable {
    /// At most this many characters.
    case text(Int)
    /// `.int`
    case integer
    /// `.double`
    case decimal
    /// Minor units of the tenant's currency, `.int`; the source writes a decimal number.
    case money
    /// `.bool`
    case boolean
    /// `.text` `YYYY-MM-DD`
    case date
    /// A point in time: `.int` epoch milliseconds; a date alone is its beginning in the tenant's zone.
    case time
    /// `.text` E.164
    case phone
    case email
    /// One of these codes; the source may write the code or its words in either language.
    case choice([ImportChoice])
}

package struct ImportChoice: Sendable, Hashable {
    package let code: String
    package let words: Words
    /// Other spellings, compared folded.
    package let synonyms: [String]
    package init(_ code: String, _ words: Words, synonyms: [String] = []) {
        self.code = code
        self.words = words
        self.synonyms = synonyms
    }
}

/// A field that an import may fill.
package struct ImportField: Sendable, Hashable {
    /// `family_name`, `msisdn`, `monthly_charge`; custom attributes are `attr.<key>`.
    package let key: String
    package let words: Words
    package let kind: ImportFieldKind
    /// A record cannot be created without it (unless another required group member is there; the target decides).
    package let required: Bool
    /// Whether it can find an existing record: a source identifier, a number, a document number.
    package let canMatch: Bool
    /// Header names that mean this field, compared folded and without punctuation.
    package let synonyms: [String]
    /// How its values are hidden from those who may not see them: the name of a `MaskKind`; `nil` = by its key and kind.
    package let mask: String?
    /// Of a choice: the text field that takes what is none of the choices, so that no row is lost for a free text.
    package let otherwise: String?
    package init(
        _ key: String, _ words: Words, _ kind: ImportFieldKind, required: Bool = false, canMatch: Bool = false,
        mask: String? = nil, otherwise: String? = nil, synonyms: [String] = []
    ) {
        self.otherwise = otherwise
        self.mask = mask
        self.key = key
        self.words = words
        self.kind = kind
        self.required = required
        self.canMatch = canMatch
        self.synonyms = synonyms
    }
}

/// One parsed row: only the fields that had a value.
package struct ImportRow: Sendable {
    /// Physical line of the source, from 1.
    package let line: Int
    package let values: [String: SQLValue]
    package init(line: Int, values: [String: SQLValue]) {
        self.line = line
        self.values = values
    }
}

/// A value that a row claims for its record.
package struct ImportClaim: Sendable, Hashable {
    /// Of the match key; `nil` where the row has none.
    package let key: String?
    package let value: String
    package init(key: String?, value: String) {
        self.key = key
        self.value = value
    }
}

/// A field before and after; both as the target would store them.
package struct ImportChange: Sendable, Hashable {
    package let field: String
    package let before: SQLValue
    package let after: SQLValue
    package init(field: String, before: SQLValue, after: SQLValue) {
        self.field = field
        self.before = before
        self.after = after
    }
}

/// What became (or would become) of a row.
package enum ImportOutcome: Sendable {
    /// `revision` is the record's revision after the import; revert deletes the record only while it still stands. `undo`
    /// is what the import did beside the record; empty when it was only planned.
    case created(CustomerID, revision: Int64, undo: [ImportChange] = [])
    /// The fields that changed, as people know them; `undo` is everything that changed, in keys of the target's own, and
    /// goes into the journal. Empty when it was only planned.
    case updated(CustomerID, [ImportChange], undo: [ImportChange] = [])
    case unchanged(CustomerID)
    case rejected(field: String, code: String, Words)
}

/// What could not be undone, and why.
package struct RevertIssue: Sendable {
    package let customer: CustomerID
    package let field: String
    package let reason: Words
    package init(customer: CustomerID, field: String, reason: Words) {
        self.customer = customer
        self.field = field
        self.reason = reason
    }

    package static let customerGone = Words(en: "The customer is not there any more.", zh: "该客户已不存在。")
    package static let recordGone = Words(en: "The record is not there any more.", zh: "该记录已不存在。")

    /// Nothing is kept: what is to be taken back was removed before.
    package var isGone: Bool { reason == Self.customerGone || reason == Self.recordGone }
}

/// What records would be by then, where a step before would have changed them: a forecast goes through an import from its
/// end, as a revert does, and nothing is written on the way.
package struct RevertMemory {
    package var records: [AnyHashable: Any] = [:]
    package init() {}
}

/// What taking records of an import back would do.
package struct RevertForecast: Sendable {
    /// Created records that would go.
    package var removed = 0
    /// Updated records that would get back what they were, or a part of it.
    package var restored = 0
    /// What would stay as it is, as the revert will list it.
    package var issues: [RevertIssue] = []
    package init() {}
}

/// How a run treats its rows.
package struct ImportOptions: Sendable {
    /// The field whose value finds an existing record; `nil` = every row is new.
    package let matchKey: String?
    package let createsNew: Bool
    package let updatesExisting: Bool
    /// Name of the source, kept with identifiers (`billing`, `ibm`).
    package let source: String
    /// New records are compared with known ones, and linked when they are the same person.
    package let matches: Bool
    package init(
        matchKey: String?, createsNew: Bool = true, updatesExisting: Bool = true, source: String, matches: Bool = false
    ) {
        self.matches = matches
        self.matchKey = matchKey
        self.createsNew = createsNew
        self.updatesExisting = updatesExisting
        self.source = source
    }
}

/// What became of new records that were compared with known ones.
package struct ImportMatches: Sendable, Equatable {
    /// New records that were linked with a known one.
    package var linked = 0
    /// New records that may be a known one: a person has to say.
    package var review = 0
    /// Planned only: new records that are like nobody known.
    package var apart = 0
    /// Planned only: more new records than could be kept in mind, so that later ones were not compared with all of them.
    package var isPartial = false
    /// Planned only: rows change known records, and new ones are compared with what those are by then: the numbers are about right.
    package var isAbout = false
    /// Planned only: the first pairs that would be linked, and the first that would wait, `ImportPair.samplesMax` of each.
    package var pairs: [ImportPair] = []
    package init() {}
}

/// Of a dry run that matches: a row's record, and whom it would be linked with, or be put before a person with.
package struct ImportPair: Sendable, Equatable {
    package static let samplesMax = 20
    /// The side that is compared: a record that is there, or that of an earlier row of the file.
    package enum Other: Sendable, Equatable {
        case known(CustomerID)
        case row(line: Int, name: String)
    }
    package let line: Int
    /// What the row's record would be called; empty = it has no name.
    package let name: String
    package let other: Other
    package let isLinked: Bool
    package let why: Words
    package init(line: Int, name: String, other: Other, isLinked: Bool, why: Words) {
        self.line = line
        self.name = name
        self.other = other
        self.isLinked = isLinked
        self.why = why
    }
}

/// How a record is named where another is compared with it.
package struct ImportTitle: Sendable, Equatable {
    /// As the principal may see it.
    package let name: String
    /// What sources call it, `billing 17`.
    package let references: [String]
    package init(name: String, references: [String]) {
        self.name = name
        self.references = references
    }
}

/// Two records that were compared, and what was decided about them; it goes when one of them goes.
package struct ImportTie: Hashable, Sendable {
    /// The smaller id.
    package let left: CustomerID
    package let right: CustomerID
    /// They count as one.
    package let isLinked: Bool
    /// Nobody has decided yet.
    package let isOpen: Bool
    /// A person decided, and not the machine.
    package let isByPerson: Bool
    package init(left: CustomerID, right: CustomerID, isLinked: Bool, isOpen: Bool, isByPerson: Bool) {
        self.left = left
        self.right = right
        self.isLinked = isLinked
        self.isOpen = isOpen
        self.isByPerson = isByPerson
    }
}

/// Hears of what is prepared before the first row; throws to stop.
package typealias PrepareProgress = @Sendable (_ done: Int64, _ total: Int64, Words) async throws -> Void

/// A domain whose records can be imported. Ingest drives it; App injects it.
package protocol ImportTarget: Sendable {
    /// What its records are called where one is chosen, `customer`, `bills`: kept with runs and mappings, never changed.
    var entity: String { get }
    /// The same in words, `Customers`.
    var title: Words { get }
    /// Whether a column that nobody mapped may become a custom attribute; else it is left out.
    var takesAttributes: Bool { get }
    /// Whether rows always find their records by the match key: no row is new because nobody chose a key.
    var needsMatchKey: Bool { get }
    /// Whether a file that is imported a second time without a match key makes all its records a second time.
    var doublesWithoutKey: Bool { get }
    /// Why imports cannot be taken back; `nil` = they can.
    var revertRefusal: Words? { get }
    /// Built-in fields, in the order people expect them.
    var fields: [ImportField] { get }
    /// Custom attributes defined so far, as fields `attr.<key>`.
    func attributeFields(_ session: any SQLSession) throws -> [ImportField]
    /// Defines a typed custom attribute for a column nobody mapped (masked until it is labelled) and returns its field;
    /// returns the existing one when there is one of that title.
    /// - Parameter title: the column's header.
    func defineAttribute(title: String, kind: ImportFieldKind, _ session: any SQLSession) throws -> ImportField
    /// Takes away those of these attributes that hold no value of anybody.
    /// - Parameter keys: field keys `attr.<key>`; what is gone already is passed over.
    /// - Returns: the words of those that were removed.
    func removeUnusedAttributes(_ keys: [String], principal: Principal, _ session: any SQLSession) throws -> [Words]
    /// Whether there is any record to find.
    func holdsRecords(_ session: any SQLSession) throws -> Bool
    /// Which of these values records of this domain are known by.
    /// - Parameters:
    ///   - field: a field that can match: `source_id`, `msisdn`, ...
    ///   - source: the source whose identifiers are meant.
    /// - Returns: `nil` = the target does not know this field.
    func known(_ values: [String], by field: String, source: String, _ session: any SQLSession) throws -> Set<String>?
    /// Whether values of rows are those of another record than the one that each row is about.
    /// - Parameters:
    ///   - claims: the value, and that of the match key by which the row finds its record.
    ///   - field: a field that can match.
    ///   - matchKey: the field that finds records; `nil` = every row is new.
    /// - Returns: parallel to `claims`; `nil` = the target does not know this field, or cannot tell whom rows are about.
    func areTaken(
        _ claims: [ImportClaim], by field: String, matchKey: String?, source: String, _ session: any SQLSession
    ) throws -> [Bool]?
    /// Does what has to be done once before rows of a run with these options are applied; may take long.
    func prepare(_ options: ImportOptions, progress: @escaping PrepareProgress) async throws
    /// A worker for one run (or one dry run); it remembers what it has seen, so that collisions inside the file are found.
    func importer(_ options: ImportOptions, principal: Principal) -> any Importer
    /// How these are called, of those that the principal may reach.
    func titles(
        of ids: [CustomerID], for principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerID: ImportTitle]
    /// What ties these records to others, and would go with them.
    func ties(of ids: [CustomerID], _ session: any SQLSession) throws -> Set<ImportTie>
    /// What `revertCreated` and `revertUpdated` would do with these records, by the same judgement; nothing is changed.
    /// - Parameter memory: of the same forecast's steps before.
    /// - Returns: `nil` = the target cannot tell before it does it.
    func forecastRevert(
        created: [(CustomerID, revision: Int64, undo: [ImportChange])], updated: [(CustomerID, undo: [ImportChange])],
        _ memory: inout RevertMemory, _ session: any SQLSession
    ) throws -> RevertForecast?
    /// Undoes creates, the last first: a record is removed only while its revision is the given one.
    /// - Throws: `CRMError` when a record lies out of the principal's reach: nothing is undone then.
    func revertCreated(
        _ records: [(CustomerID, revision: Int64, undo: [ImportChange])], principal: Principal,
        _ session: any SQLSession
    ) throws -> [RevertIssue]
    /// Undoes updates, the last first: what an import changed gets its `before` back while it still holds `after`.
    /// - Parameter records: in the order in which they were changed.
    /// - Throws: `CRMError` when a record lies out of the principal's reach: nothing is undone then.
    func revertUpdated(
        _ records: [(CustomerID, undo: [ImportChange])], principal: Principal, _ session: any SQLSession
    ) throws -> [RevertIssue]
}

/// Plans or applies rows in chunks, each row as if those before it were done, wherever the chunks end. Used by one task at
/// a time; it is never given two rows of one match key unless the first was rejected.
package protocol Importer: AnyObject {
    /// Told once, before the first rows.
    /// - Parameters:
    ///   - rows: of the file, at least about; the same whenever the run is gone on with.
    ///   - created: records that the run made before.
    func expect(rows: Int, created: Int)
    /// What `apply` would do; writes nothing. Ids of `.created` are placeholders.
    func plan(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome]
    /// Does it, in the caller's transaction, with one outbox event a chunk. Outcomes are parallel to `rows`; a rejected
    /// row leaves nothing behind.
    func apply(_ rows: [ImportRow], _ session: any SQLSession) throws -> [ImportOutcome]
    /// Planned only: what would be matched, since this was last asked.
    func takeMatches() -> ImportMatches
    /// How many values of the rows planned or applied since this was last asked were left as somebody had corrected them.
    func takeCorrected() -> Int
    /// Before the first `apply` of a transaction: what was applied in one that did not come to its end is forgotten.
    func begin()
    /// Ends the transaction's part: writes what `apply` put off until all rows of the transaction are there.
    /// - Returns: what is still to be done about the rows applied since `begin`; `nil` = nothing.
    func finish(_ session: any SQLSession) throws -> (any ImportSequel)?
    /// The same of rows that were applied before, by whoever did not come to it.
    /// - Parameters:
    ///   - created: those that still exist are looked at.
    ///   - updated: likewise.
    func sequel(
        created: [CustomerID], updated: [CustomerID], _ session: any SQLSession
    ) throws -> (any ImportSequel)?
}

/// What is still to be done about rows that were applied and committed: comparing new records with known ones. It is done
/// beside the writing of the next rows, in two steps.
package protocol ImportSequel: Sendable {
    /// Finds out what there is to write; writes nothing. On a snapshot that has the rows, on any thread.
    func look(_ session: any SQLSession) throws -> any ImportFinding
}

/// What a look found.
package protocol ImportFinding: Sendable {
    /// Writes it, in the caller's transaction, as far as it is still true. Sequels are settled in the order in which they
    /// were taken; called again when the transaction is run again.
    func settle(_ session: any SQLSession) throws -> ImportMatches
}

extension Importer {
    package func expect(rows: Int, created: Int) {}
}

extension ImportTarget {
    package var title: Words { Words(en: "Customers", zh: "客户") }
    package var takesAttributes: Bool { true }
    package var needsMatchKey: Bool { false }
    package var doublesWithoutKey: Bool { takesAttributes }
    package var revertRefusal: Words? { nil }
    package func ties(of ids: [CustomerID], _ session: any SQLSession) throws -> Set<ImportTie> { [] }
    package func titles(
        of ids: [CustomerID], for principal: Principal, _ session: any SQLSession
    ) throws -> [CustomerID: ImportTitle] { [:] }
    package func prepare(_ options: ImportOptions, progress: @escaping PrepareProgress) async throws {}
    package func forecastRevert(
        created: [(CustomerID, revision: Int64, undo: [ImportChange])], updated: [(CustomerID, undo: [ImportChange])],
        _ memory: inout RevertMemory, _ session: any SQLSession
    ) throws -> RevertForecast? { nil }
    package func known(
        _ values: [String], by field: String, source: String, _ session: any SQLSession
    ) throws -> Set<String>? { nil }
    package func areTaken(
        _ claims: [ImportClaim], by field: String, matchKey: String?, source: String, _ session: any SQLSession
    ) throws -> [Bool]? { nil }
}

extension Importer {
    package func takeMatches() -> ImportMatches { ImportMatches() }
    package func takeCorrected() -> Int { 0 }
    package func begin() {}
    package func finish(_ session: any SQLSession) throws -> (any ImportSequel)? { nil }
    package func sequel(
        created: [CustomerID], updated: [CustomerID], _ session: any SQLSession
    ) throws -> (any ImportSequel)? { nil }
}
