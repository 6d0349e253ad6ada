import Foundation
import Kernel
import Logging
import Web

/// Structured logging: one JSON object a line on standard error. Control characters and line separators are escaped, so
/// no value can forge a line (G60); values are ids, names of routes and states, never personal data (G59).
package struct LogLines: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let clock: any WallClock

    package init(label: String, level: Logger.Level, clock: any WallClock = SystemClock()) {
        self.label = label
        logLevel = level
        self.clock = clock
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
        FileHandle.standardError.write(Data((JSONValue.object(fields).encoded() + "\n").utf8))
    }
}
