import Foundation
import Kernel
import Logging
import Web

/// Structured logging: one JSON object a line on standard error. Control characters (C0 and C1), line
/// separators and marks of direction are escaped, so no value can forge a line or hide a part of one (G60); values are
/// ids, names of routes and states, never personal data (G59).
package struct LogLines: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let clock: any WallClock
    private let write: @Sendable (Data) -> Void

    /// - Parameter write: where a whole line goes, its line end included. A line that a full disk does not take is lost;
    ///   the process goes on (`FileHandle.write` would end it).
    package init(
        label: String, level: Logger.Level, clock: any WallClock = SystemClock(),
        write: @escaping @Sendable (Data) -> Void = {
            try? FileHandle.standardError.write(contentsOf: $0)
        }
    ) {
        self.label = label
        logLevel = level
        self.clock = clock
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields: [String: JSONValue] = [
            "time": .string(clock.now().iso8601), "level": .string(event.level.rawValue), "logger": .string(label),
            "event": .string(event.message.description),
        ]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { _, new in new }) {
            fields[key] = .string(value.description)
        }
        write(Data((JSONValue.object(fields).encoded() + "\n").utf8))
    }
}
