/// How a delimited file is read.
package struct DelimitedOptions: Sendable, Codable, Equatable {
    package enum Ragged: String, Sendable, Codable {
        /// A record whose field count is not the header's becomes a `Reject`.
        case reject
        /// It is handed out as it is.
        case accept
    }

    /// An ASCII byte other than a quote or a line end.
    package var delimiter: UInt8
    package var hasHeader: Bool
    /// Drop the first line (Excel's `sep=;`).
    package var skipsFirstLine: Bool
    package var ragged: Ragged
    package var limits: TabularLimits

    package init(
        delimiter: UInt8 = UInt8(ascii: ","), hasHeader: Bool = true, skipsFirstLine: Bool = false,
        ragged: Ragged = .reject, limits: TabularLimits = TabularLimits()
    ) {
        self.delimiter = delimiter
        self.hasHeader = hasHeader
        self.skipsFirstLine = skipsFirstLine
        self.ragged = ragged
        self.limits = limits
    }
}

/// Where a stream stands between two events, in bytes of the UTF-8 stream.
struct StreamPlace: Sendable, Equatable {
    var offset: Int, line: Int, record: Int
}

/// Incremental parser of RFC 4180 text (and what spreadsheets make of it): push UTF-8 chunks, pull events until nil.
///
/// Events are the same however the stream is cut into chunks. Memory is bounded by the limits plus one chunk. One bad
/// record never swallows its neighbours: a quote that does not close is rejected up to the end of the physical line on
/// which it began, and reading goes on at the next line (`DelimitedParser+Recovery.swift`).
/// A quote inside an unquoted field is text. Blank lines are skipped. Lines end with LF, CR LF or CR.
package struct DelimitedParser: Sendable {
    enum Mode {
        case fieldStart, plain, quoted, afterQuote
    }

    struct Fault {
        let reason: RejectReason
        let line: Int
        let column: Int?
        let field: Int?
    }

    /// A quoted field that crossed a line end: the suspect when a record turns out to be wrong.
    struct Crossing {
        let quoteLine: Int, column: Int, field: Int
        /// Index of the line end of the physical line on which the quote began, and the index behind it.
        var lineEndAt: Int, nextLineAt: Int
        /// Index behind the closing quote; nil while the field is open.
        var closedAt: Int?

        mutating func move(by distance: Int) {
            lineEndAt += distance
            nextLineAt += distance
            closedAt = closedAt.map { $0 + distance }
        }
    }

    package let options: DelimitedOptions
    /// Field count every record must have: the header's, or without a header the first record's.
    package private(set) var expectedFields: Int?
    /// Behind the last event handed out.
    private(set) var place: StreamPlace

    var buffer: [UInt8] = []
    /// Stream offset of `buffer[0]`.
    var base: Int
    /// Next byte to look at and its physical line; indices may become negative once their bytes have been dropped.
    var at = 0, line: Int, lineStart = 0
    var mode = Mode.fieldStart
    var recordStart = 0, fieldStart = 0, fieldLine = 0, isEscaped = false
    var spans: [FieldSpan] = []
    var fault: Fault?
    /// The record's first quoted field that crossed a line, and the one that is open.
    var firstCrossing: Crossing?, openCrossing: Crossing?
    /// Set once a record at fault is too long to keep: what is consumed is dropped, `head` keeps its beginning.
    var isDiscarding = false, isInFaultyField = false
    /// Give up on quotes: the record ends at the next line end.
    var endsAtNextLine = false
    var head: [UInt8] = []
    var isFinished = false
    /// Bytes read twice because of recovery: bounded, or a hostile file would cost quadratic time.
    var rewound = 0
    private(set) var recordStartLine: Int
    private var records: Int
    private var awaitsHeader: Bool, skipsLine: Bool
    private var pending: TabularEvent?, pendingPlace: StreamPlace?

    package init(options: DelimitedOptions = DelimitedOptions()) {
        self.init(options: options, at: StreamPlace(offset: 0, line: 1, record: 0), expected: nil)
    }

    /// Goes on in the middle of a file: the next byte pushed is the first one behind `checkpoint`.
    package init(options: DelimitedOptions, resumingAt checkpoint: Checkpoint, columns: Int) {
        let place = StreamPlace(offset: checkpoint.utf8Offset, line: checkpoint.line, record: checkpoint.record)
        self.init(options: options, at: place, expected: columns)
    }

    private init(options: DelimitedOptions, at place: StreamPlace, expected: Int?) {
        self.options = options
        self.place = place
        expectedFields = expected
        awaitsHeader = expected == nil
        skipsLine = expected == nil && options.skipsFirstLine
        base = place.offset
        line = place.line
        recordStartLine = place.line
        records = place.record
    }

    /// Appends a chunk of UTF-8. Pull events until nil before pushing the next one, or the buffer grows.
    package mutating func push(_ chunk: [UInt8]) {
        dropConsumed()
        buffer.append(contentsOf: chunk)
    }

    /// No more bytes come; the remaining events can be pulled.
    package mutating func finish() { isFinished = true }

    /// The next event, or nil when more bytes are needed (after `finish`: when there is none).
    /// - Throws: `headerUnreadable`.
    package mutating func next() throws(TabularError) -> TabularEvent? {
        if let event = pending, let behind = pendingPlace {
            (pending, pendingPlace) = (nil, nil)
            place = behind
            return event
        }
        while let contentEnd = buffer.withUnsafeBufferPointer({ scan($0) }) {
            let event = completeRecord(contentEnd: contentEnd)
            if skipsLine {
                skipsLine = false
                records = 0
                continue
            }
            let behind = StreamPlace(offset: base + at, line: line, record: records)
            if awaitsHeader { return try header(from: event, behind: behind) }
            place = behind
            return event
        }
        return nil
    }

    private mutating func header(from event: TabularEvent, behind: StreamPlace) throws(TabularError) -> TabularEvent {
        guard case .record(let record) = event else {
            if case .reject(let reject) = event { throw .headerUnreadable(reject) }
            return event
        }
        awaitsHeader = false
        expectedFields = record.count
        if options.hasHeader {
            records = 0
            place = StreamPlace(offset: behind.offset, line: behind.line, record: 0)
            return .header(Header(raw: record.fields))
        }
        (pending, pendingPlace) = (event, behind)
        return .header(Header(raw: [String](repeating: "", count: record.count)))
    }

    /// Hands out what `scan` found and makes ready for the next record.
    private mutating func completeRecord(contentEnd: Int) -> TabularEvent {
        records += 1
        let position = RecordPosition(
            record: records, line: recordStartLine, offset: base + recordStart, endLine: line, endOffset: base + at)
        defer { reset() }
        guard let fault else {
            let text = Array(buffer[recordStart..<contentEnd])
            return .record(Record(position: position, text: text, spans: Array(spans)))
        }
        captureHead(upTo: contentEnd)
        return .reject(
            Reject(
                reason: fault.reason, line: fault.line, column: fault.column, field: fault.field, position: position,
                rawBytes: head, isRawCut: contentEnd - recordStart > head.count))
    }

    private mutating func reset() {
        recordStart = at
        recordStartLine = line
        mode = .fieldStart
        spans.removeAll(keepingCapacity: true)
        fault = nil
        (firstCrossing, openCrossing) = (nil, nil)
        (isDiscarding, isInFaultyField, endsAtNextLine) = (false, false, false)
        head = []
    }

    /// A blank line was skipped: the record has not begun yet.
    mutating func beginRecordHere() {
        recordStart = at
        recordStartLine = line
    }

    /// Copies the beginning of a record at fault, as far as it is still in the buffer and the limit allows.
    mutating func captureHead(upTo end: Int) {
        let from = recordStart + head.count
        let to = min(end, recordStart + options.limits.rawBytesMax)
        if from >= 0, from < to { head.append(contentsOf: buffer[from..<to]) }
    }

    private mutating func dropConsumed() {
        if isDiscarding { captureHead(upTo: at) }
        let consumed = isDiscarding ? at : recordStart
        guard consumed > 0 else { return }
        buffer.removeFirst(consumed)
        base += consumed
        at -= consumed
        lineStart -= consumed
        recordStart -= consumed
        fieldStart -= consumed
        firstCrossing?.move(by: -consumed)
        openCrossing?.move(by: -consumed)
    }
}
