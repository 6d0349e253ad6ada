/// How a JSON Lines file is read.
package struct JSONLinesOptions: Sendable, Codable, Equatable {
    /// The header is the union of the keys of this many first records.
    package var headerRecords: Int
    package var arrays: JSONArrays
    package var limits: TabularLimits

    package init(headerRecords: Int = 100, arrays: JSONArrays = .joined, limits: TabularLimits = TabularLimits()) {
        self.headerRecords = max(1, headerRecords)
        self.arrays = arrays
        self.limits = limits
    }
}

/// Incremental parser of JSON Lines: one object a line, flattened to fields by dotted path (`address.city`).
///
/// Push UTF-8 chunks, pull events until nil. The header comes first: events are held back until the first
/// `headerRecords` records (or 8 MB of them) are known. Keys met later are announced by `lateColumns`. Blank lines are
/// skipped. A line at fault is a reject; it adds no columns.
package struct JSONLinesParser: Sendable {
    private static let heldBytesMax = 8 << 20

    package let options: JSONLinesOptions
    /// Columns known so far.
    package var columns: [String] { flattener.columns }
    private(set) var place: StreamPlace

    private var flattener: JSONFlattener
    private var buffer: [UInt8] = []
    private var base: Int
    private var lineStart = 0, scanned = 0
    private var line: Int, records: Int
    private var isDiscarding = false, discarded = 0, head: [UInt8] = []
    private var isFinished = false
    private var held: [(event: TabularEvent, place: StreamPlace)] = []
    private var heldNext = 0, heldBytes = 0, heldRecords = 0
    private var announced: Int?

    package init(options: JSONLinesOptions = JSONLinesOptions()) {
        self.init(options, StreamPlace(offset: 0, line: 1, record: 0), columns: nil)
    }

    /// Goes on in the middle of a file whose columns so far are known.
    package init(options: JSONLinesOptions, resumingAt checkpoint: Checkpoint, columns: [String]) {
        let place = StreamPlace(offset: checkpoint.utf8Offset, line: checkpoint.line, record: checkpoint.record)
        self.init(options, place, columns: columns)
    }

    private init(_ options: JSONLinesOptions, _ place: StreamPlace, columns: [String]?) {
        self.options = options
        self.place = place
        base = place.offset
        line = place.line
        records = place.record
        announced = columns?.count
        flattener = JSONFlattener(
            arrays: options.arrays, columnsMax: options.limits.columnsMax, columns: columns ?? [])
    }

    /// Appends a chunk of UTF-8. Pull events until nil before pushing the next one.
    package mutating func push(_ chunk: [UInt8]) {
        if lineStart > 0 {
            buffer.removeFirst(lineStart)
            base += lineStart
            scanned -= lineStart
            lineStart = 0
        }
        buffer.append(contentsOf: chunk)
    }

    /// No more bytes come; the remaining events can be pulled.
    package mutating func finish() { isFinished = true }

    /// The next event, or nil when more bytes are needed (after `finish`: when there is none).
    package mutating func next() -> TabularEvent? {
        while true {
            if let announced {
                if heldNext < held.count {
                    place = held[heldNext].place
                    heldNext += 1
                    return held[heldNext - 1].event
                }
                (held, heldNext) = ([], 0)
                guard let event = nextLine() else { return nil }
                let behind = StreamPlace(offset: base + lineStart, line: line, record: records)
                if columns.count > announced {
                    self.announced = columns.count
                    held = [(event, behind)]
                    return .lateColumns(Array(columns[announced...]))
                }
                place = behind
                return event
            }
            if heldRecords < options.headerRecords, heldBytes < JSONLinesParser.heldBytesMax, let event = nextLine() {
                hold(event)
            } else if heldRecords >= options.headerRecords || heldBytes >= JSONLinesParser.heldBytesMax || isFinished {
                if columns.isEmpty, isFinished, held.isEmpty { return nil }
                announced = columns.count
                return .header(Header(names: columns))
            } else {
                return nil
            }
        }
    }

    private mutating func hold(_ event: TabularEvent) {
        held.append((event, StreamPlace(offset: base + lineStart, line: line, record: records)))
        switch event {
        case .record(let record):
            heldRecords += 1
            heldBytes += record.rawBytes.count
        case .reject(let reject): heldBytes += reject.rawBytes.count + 1_024
        case .header, .lateColumns: break
        }
    }

    /// The next line that is not blank, as a record or a reject.
    private mutating func nextLine() -> TabularEvent? {
        while true {
            let bound = isDiscarding ? Int.max : lineStart + options.limits.recordBytesMax + 1
            let end = buffer.withUnsafeBufferPointer { Scan.lineFeed($0, scanned, min($0.count, bound)) }
            guard let contentEnd = end ?? (isFinished && buffer.count < bound ? buffer.count : nil) else {
                scanned = min(buffer.count, bound)
                guard isDiscarding || buffer.count >= bound else { return nil }
                discard()
                if scanned < buffer.count || isFinished { continue }
                return nil
            }
            let isOver = contentEnd == buffer.count && end == nil
            if isOver, lineStart == buffer.count, !isDiscarding { return nil }
            let next = isOver ? contentEnd : contentEnd + 1
            let event = isDiscarding ? tooLong(contentEnd, next) : parse(contentEnd, next)
            if !isOver { line += 1 }
            (lineStart, scanned) = (next, next)
            if let event { return event }
            if isOver { return nil }
        }
    }

    private mutating func parse(_ contentEnd: Int, _ next: Int) -> TabularEvent? {
        var end = contentEnd
        if end > lineStart, buffer[end - 1] == Ascii.cr { end -= 1 }
        let range = lineStart..<end
        if buffer[range].allSatisfy({ $0 == Ascii.space || $0 == Ascii.tab || $0 == Ascii.cr }) { return nil }
        records += 1
        let position = position(next: next, endsLine: next > contentEnd)
        var fault: JSONFault?
        buffer.withUnsafeBufferPointer { bytes in
            do throws(JSONFault) {
                try flattener.parse(Bytes(rebasing: bytes[range]))
            } catch {
                fault = error
            }
        }
        let long = flattener.spans.firstIndex { $0.length > options.limits.fieldBytesMax }
        if fault == nil, long == nil {
            return .record(
                Record(position: position, text: flattener.text, spans: flattener.spans, source: Array(buffer[range])))
        }
        let reason = fault?.reason ?? .fieldTooLong(limit: options.limits.fieldBytesMax)
        let column = fault.map { fault in
            buffer.withUnsafeBufferPointer { Scan.scalarCount($0, lineStart..<min(lineStart + fault.at, end)) + 1 }
        }
        let raw = Array(buffer[range].prefix(options.limits.rawBytesMax))
        return .reject(
            Reject(
                reason: reason, line: line, column: column, field: fault == nil ? long.map { $0 + 1 } : nil,
                position: position, rawBytes: raw, isRawCut: raw.count < range.count))
    }

    private func position(next: Int, endsLine: Bool) -> RecordPosition {
        RecordPosition(
            record: records, line: line, offset: base + lineStart - discarded, endLine: endsLine ? line + 1 : line,
            endOffset: base + next)
    }

    /// Drops what a too long line holds so far, keeping its head.
    private mutating func discard() {
        isDiscarding = true
        if head.count < options.limits.rawBytesMax {
            head.append(contentsOf: buffer[lineStart..<scanned].prefix(options.limits.rawBytesMax - head.count))
        }
        discarded += scanned - lineStart
        lineStart = scanned
    }

    private mutating func tooLong(_ contentEnd: Int, _ next: Int) -> TabularEvent {
        records += 1
        let position = position(next: next, endsLine: next > contentEnd)
        let raw = head
        (isDiscarding, discarded, head) = (false, 0, [])
        return .reject(
            Reject(
                reason: .recordTooLong(limit: options.limits.recordBytesMax), line: line, column: nil, field: nil,
                position: position, rawBytes: raw, isRawCut: true))
    }
}
