/// What a file turned out to be; with the columns and a `Checkpoint` all that resuming needs.
package struct TabularFormat: Sendable, Codable, Equatable {
    package enum Kind: String, Sendable, Codable {
        case delimited
        case jsonLines = "json_lines"
    }

    package let kind: Kind
    package let encoding: TextEncoding
    package let hasByteOrderMark: Bool
    /// Meaningless for JSON Lines.
    package let delimiter: UInt8
    package let skipsFirstLine: Bool
    /// Out of a container: the first field of each record is its place in the original file (see `Placed`).
    private let placed: Bool?
    package var isPlaced: Bool { placed ?? false }

    init(
        kind: Kind, encoding: TextEncoding, hasByteOrderMark: Bool, delimiter: UInt8, skipsFirstLine: Bool,
        isPlaced: Bool = false
    ) {
        self.kind = kind
        self.encoding = encoding
        self.hasByteOrderMark = hasByteOrderMark
        self.delimiter = delimiter
        self.skipsFirstLine = skipsFirstLine
        placed = isPlaced ? true : nil
    }
}

package struct TabularOptions: Sendable, Codable, Equatable {
    package enum OnUndecodable: String, Sendable, Codable {
        /// End the reading with `TabularError.undecodable`, after the records before that place.
        case fail
        /// Reject each record that holds such bytes.
        case reject
        /// Read them as U+FFFD.
        case replace
    }

    /// The file's name; `.csv .tsv .txt .jsonl .ndjson` decide over what the contents look like.
    package var name: String?
    /// Set by a person who knows better than the guess.
    package var encoding: TextEncoding?
    package var delimiter: UInt8?
    package var kind: TabularFormat.Kind?
    package var hasHeader: Bool
    /// The text was made by `Unpacker` with the place of each record.
    package var isPlaced = false
    package var ragged: DelimitedOptions.Ragged
    package var onUndecodable: OnUndecodable
    package var arrays: JSONArrays
    package var jsonHeaderRecords: Int
    package var limits: TabularLimits

    package init(
        name: String? = nil, encoding: TextEncoding? = nil, delimiter: UInt8? = nil, kind: TabularFormat.Kind? = nil,
        hasHeader: Bool = true, ragged: DelimitedOptions.Ragged = .reject, onUndecodable: OnUndecodable = .fail,
        arrays: JSONArrays = .joined, jsonHeaderRecords: Int = 100, limits: TabularLimits = TabularLimits()
    ) {
        self.name = name
        self.encoding = encoding
        self.delimiter = delimiter
        self.kind = kind
        self.hasHeader = hasHeader
        self.ragged = ragged
        self.onUndecodable = onUndecodable
        self.arrays = arrays
        self.jsonHeaderRecords = jsonHeaderRecords
        self.limits = limits
    }
}

/// Bytes of a file in, header, records and rejects out. Feed chunks of any size (64 kB...1 MB is good), pull `next`
/// until nil after each; `finish` at the end. The first 256 kB are held back to guess encoding, kind and delimiter.
package struct TabularStream: Sendable {
    private static let headBytes = 64 << 10

    package let options: TabularOptions
    /// Known once enough has been fed (at the latest after `finish`).
    package private(set) var format: TabularFormat?
    package private(set) var encodingGuess: EncodingGuess?
    package private(set) var delimiterGuess: DelimiterGuess?
    /// Column names so far; JSON Lines may add some.
    package private(set) var columns: [String] = []
    /// Sequences read as U+FFFD so far, and the line of the first (`onUndecodable` other than `fail`).
    package var replacements: (count: Int, firstLine: Int?) {
        (transcoder?.replacementCount ?? 0, transcoder?.firstReplacementLine)
    }

    // One of the two, in place: moving a parser for each record would cost more than parsing it.
    private var delimited: DelimitedParser?
    private var jsonLines: JSONLinesParser?
    private var transcoder: Transcoder?
    private var sample: [UInt8] = []
    private var isFinished = false, hasHeader = false
    private var failure: TabularError?
    private var decoded: [UInt8] = []
    private var place = StreamPlace(offset: 0, line: 1, record: 0)

    package init(options: TabularOptions = TabularOptions()) {
        self.options = options
    }

    /// Goes on behind `checkpoint`: feed the source's bytes from `checkpoint.sourceOffset` on. No header comes again.
    package init(
        options: TabularOptions, resuming format: TabularFormat, columns: [String], at checkpoint: Checkpoint
    ) throws(TabularError) {
        guard !columns.isEmpty, checkpoint.sourceOffset >= 0, checkpoint.utf8Offset >= 0, checkpoint.line >= 1 else {
            throw .badCheckpoint
        }
        self.options = options
        self.format = format
        self.columns = columns
        place = StreamPlace(offset: checkpoint.utf8Offset, line: checkpoint.line, record: checkpoint.record)
        transcoder = Transcoder(
            encoding: format.encoding, onUndecodable: options.onUndecodable == .fail ? .fail : .replace,
            sourceOffset: checkpoint.sourceOffset, utf8Offset: checkpoint.utf8Offset, line: checkpoint.line)
        hasHeader = true
        let parsed = (format.isPlaced ? [Placed.column] : []) + columns
        switch format.kind {
        case .delimited:
            delimited = DelimitedParser(
                options: delimitedOptions(format), resumingAt: checkpoint, columns: parsed.count)
        case .jsonLines:
            jsonLines = JSONLinesParser(options: jsonOptions, resumingAt: checkpoint, columns: parsed)
        }
    }

    package mutating func feed(_ chunk: [UInt8]) {
        guard format == nil else { return decode(chunk) }
        sample.append(contentsOf: chunk)
    }

    /// No more bytes come.
    package mutating func finish() {
        guard !isFinished else { return }
        isFinished = true
        if format != nil { decodeEnd() }
    }

    /// Behind the event handed out last: store it, and a later process can go on from there.
    package var checkpoint: Checkpoint {
        Checkpoint(
            sourceOffset: transcoder?.sourceOffset(at: place.offset) ?? 0, utf8Offset: place.offset, line: place.line,
            record: place.record)
    }

    /// The next event, or nil when more bytes are needed (after `finish`: at the end).
    package mutating func next() throws(TabularError) -> TabularEvent? {
        if format == nil {
            guard isFinished || sample.count >= EncodingGuess.sampleBytesMax else { return nil }
            try start()
        }
        guard let event = try pull() else {
            if let failure {
                throw failure
            }
            if isFinished, !hasHeader { throw .emptyFile }
            return nil
        }
        switch event {
        case .header(let header):
            columns = isPlaced ? header.placed.names : header.names
            hasHeader = true
            return .header(isPlaced ? header.placed : header)
        case .lateColumns(let names):
            let names = isPlaced ? names.filter { $0 != Placed.column } : names
            columns += names
            return .lateColumns(names)
        case .record(let record): return isPlaced ? .record(record.placed()) : checked(record)
        case .reject(let reject):
            return isPlaced ? .reject(reject.placed(isJSON: format?.kind == .jsonLines)) : event
        }
    }

    private var isPlaced: Bool { format?.isPlaced ?? false }

    private mutating func pull() throws(TabularError) -> TabularEvent? {
        if let event = try delimited?.next() ?? jsonLines?.next() {
            if let behind = delimited?.place ?? jsonLines?.place { place = behind }
            return event
        }
        return nil
    }

    /// A record with undecodable bytes is a reject when that was asked for.
    private func checked(_ record: Record) -> TabularEvent {
        guard options.onUndecodable == .reject, let replacements = transcoder?.replacements, !replacements.isEmpty,
            let bad = replacements.first(where: {
                $0.utf8Offset >= record.position.offset && $0.utf8Offset < record.position.endOffset
            })
        else { return .record(record) }
        let before = record.rawBytes.prefix(bad.utf8Offset - record.position.offset)
        let lines = before.count { $0 == Ascii.lf }
        let inLine = before.lastIndex(of: Ascii.lf).map { before[($0 + 1)...] } ?? before
        let raw = Array(record.rawBytes.prefix(options.limits.rawBytesMax))
        return .reject(
            Reject(
                reason: .undecodableBytes, line: record.position.line + lines,
                column: inLine.reduce(1) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }, field: nil, position: record.position,
                rawBytes: raw, isRawCut: raw.count < record.rawBytes.count))
    }

    private mutating func decode(_ chunk: [UInt8]) {
        guard failure == nil else { return }
        transcoder?.forget(before: place.offset)
        decoded.removeAll(keepingCapacity: true)
        do throws(UndecodableText) {
            try transcoder?.decode(chunk, into: &decoded)
        } catch {
            failure = .undecodable(error)
        }
        push()
    }

    private mutating func decodeEnd() {
        decoded.removeAll(keepingCapacity: true)
        do throws(UndecodableText) {
            if failure == nil { try transcoder?.finish(into: &decoded) }
        } catch {
            failure = .undecodable(error)
        }
        push()
        // After an undecodable sequence the record it stands in is not whole, so it must not be handed out.
        guard failure == nil else { return }
        delimited?.finish()
        jsonLines?.finish()
    }

    private mutating func push() {
        delimited?.push(decoded)
        jsonLines?.push(decoded)
    }

    /// Looks at the sample and begins.
    private mutating func start() throws(TabularError) {
        guard !sample.isEmpty else { throw .emptyFile }
        let guess = EncodingGuess(sample: sample, isWhole: isFinished)
        encodingGuess = guess
        // Naming an encoding makes no text of it, but what a mark of UTF-32 is may be text in UTF-16.
        let isOurs = options.isPlaced || (options.encoding != nil && guess.binaryKind == .utf32)
        if !isOurs, let kind = guess.binaryKind { throw .notText(kind) }
        let encoding = options.encoding ?? guess.encoding
        let head = try TabularStream.head(sample, encoding)
        let kind = try kind(head)
        let delimiterGuess = DelimiterGuess(
            sample: head, isWhole: isFinished && sample.count <= TabularStream.headBytes)
        if kind == .delimited { self.delimiterGuess = delimiterGuess }
        let format = TabularFormat(
            kind: kind, encoding: encoding, hasByteOrderMark: guess.hasByteOrderMark && encoding == guess.encoding,
            delimiter: options.delimiter ?? delimiterGuess.delimiter, skipsFirstLine: delimiterGuess.isDirective,
            isPlaced: options.isPlaced)
        self.format = format
        transcoder = Transcoder(encoding: encoding, onUndecodable: options.onUndecodable == .fail ? .fail : .replace)
        switch kind {
        case .delimited: delimited = DelimitedParser(options: delimitedOptions(format))
        case .jsonLines: jsonLines = JSONLinesParser(options: jsonOptions)
        }
        let bytes = sample
        sample = []
        decode(bytes)
        if isFinished { decodeEnd() }
    }

    /// The beginning of the text, whatever is wrong with it further on.
    private static func head(_ sample: [UInt8], _ encoding: TextEncoding) throws(TabularError) -> [UInt8] {
        var text: [UInt8] = []
        var transcoder = Transcoder(encoding: encoding, onUndecodable: .replace)
        do throws(UndecodableText) {
            try transcoder.decode(Array(sample.prefix(headBytes)), into: &text)
        } catch {
            throw .undecodable(error)
        }
        return text
    }

    private func kind(_ head: [UInt8]) throws(TabularError) -> TabularFormat.Kind {
        if let kind = options.kind { return kind }
        let text = head.drop { $0 <= Ascii.space }
        let suffix = options.name?.lowercased().split(separator: ".").last.map(String.init)
        switch suffix {
        case "csv", "tsv", "tab", "txt": return .delimited
        case "jsonl", "ndjson": return .jsonLines
        default: break
        }
        if text.first == UInt8(ascii: "{") {
            let next = text.dropFirst().first { $0 > Ascii.space }
            if next == Ascii.quote || next == UInt8(ascii: "}") { return .jsonLines }
        }
        if text.first == UInt8(ascii: "[") {
            let next = text.dropFirst().first { $0 > Ascii.space }
            if suffix == "json" || next == UInt8(ascii: "{") { throw .notJSONLines }
        }
        return .delimited
    }

    private func delimitedOptions(_ format: TabularFormat) -> DelimitedOptions {
        DelimitedOptions(
            delimiter: format.delimiter, hasHeader: options.hasHeader, skipsFirstLine: format.skipsFirstLine,
            ragged: options.ragged, limits: options.limits)
    }

    private var jsonOptions: JSONLinesOptions {
        JSONLinesOptions(headerRecords: options.jsonHeaderRecords, arrays: options.arrays, limits: options.limits)
    }
}
