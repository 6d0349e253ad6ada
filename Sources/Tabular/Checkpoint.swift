/// A place between two records from which a file can be read on.
///
/// Design: `sourceOffset` counts bytes of the SOURCE file (after any encoding), so the caller seeks there and feeds
/// what follows; the other numbers keep positions in later messages right. See `Transcoder` on why this is exact.
package struct Checkpoint: Sendable, Codable, Equatable {
    package let sourceOffset: Int
    package let utf8Offset: Int
    /// Physical line of the next record.
    package let line: Int
    /// Records (accepted and rejected) before this place.
    package let record: Int

    package init(sourceOffset: Int, utf8Offset: Int, line: Int, record: Int) {
        self.sourceOffset = sourceOffset
        self.utf8Offset = utf8Offset
        self.line = line
        self.record = record
    }
}
