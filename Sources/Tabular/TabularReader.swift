/// Pulls a whole file through a `TabularStream` from a source of chunks.
///
///     var reader = TabularReader(options: TabularOptions(name: "customers.csv")) {
///         try handle.read(upToCount: 1 << 18).map { [UInt8]($0) }
///     }
///     while let event = try reader.next() { ... }
package struct TabularReader {
    /// The next bytes of the file, in order; nil or an empty array at its end.
    package typealias Source = () throws -> [UInt8]?

    package private(set) var stream: TabularStream
    private let source: Source
    private var hasEnded = false

    /// Reads nothing yet; the first `next` does.
    package init(options: TabularOptions = TabularOptions(), source: @escaping Source) {
        stream = TabularStream(options: options)
        self.source = source
    }

    /// Goes on behind `checkpoint`; the source must begin at `checkpoint.sourceOffset`.
    package init(
        options: TabularOptions, resuming format: TabularFormat, columns: [String], at checkpoint: Checkpoint,
        source: @escaping Source
    ) throws(TabularError) {
        stream = try TabularStream(options: options, resuming: format, columns: columns, at: checkpoint)
        self.source = source
    }

    /// Bytes at hand.
    package init(options: TabularOptions = TabularOptions(), bytes: [UInt8]) {
        var rest: [UInt8]? = bytes
        self.init(options: options) {
            defer { rest = nil }
            return rest
        }
    }

    package var format: TabularFormat? { stream.format }
    package var encodingGuess: EncodingGuess? { stream.encodingGuess }
    package var columns: [String] { stream.columns }
    package var checkpoint: Checkpoint { stream.checkpoint }

    /// The next event; nil at the end of the file.
    /// - Throws: `TabularError`, or what the source throws.
    package mutating func next() throws -> TabularEvent? {
        while true {
            if let event = try stream.next() { return event }
            if hasEnded { return nil }
            if let chunk = try source(), !chunk.isEmpty {
                stream.feed(chunk)
            } else {
                hasEnded = true
                stream.finish()
            }
        }
    }

    /// Reads until the header is known and answers the column names.
    package mutating func header() throws -> Header? {
        guard case .header(let header)? = try next() else { return nil }
        return header
    }
}
