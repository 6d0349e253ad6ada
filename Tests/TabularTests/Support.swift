import Foundation
import Testing

@testable import Tabular

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, the same on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A seed of today unless TABULAR_SEED names one; printed, so that a failure can be repeated.
func seeded(_ name: String) -> SeededGenerator {
    let stated = ProcessInfo.processInfo.environment["TABULAR_SEED"].flatMap { UInt64($0) }
    let seed = stated ?? UInt64.random(in: 1...999_999_999)
    print("seed of \(name): TABULAR_SEED=\(seed)")
    return SeededGenerator(seed: seed)
}

extension String.Encoding {
    static let gb18030 = String.Encoding(rawValue: 0x8000_0632)
    static let big5 = String.Encoding(rawValue: 0x8000_0A03)
}

func bytes(_ text: String, _ encoding: String.Encoding = .utf8) throws -> [UInt8] {
    [UInt8](try #require(text.data(using: encoding), "the platform cannot encode this text"))
}

func utf16(_ text: String, bigEndian: Bool, mark: Bool = true) -> [UInt8] {
    let units: [UInt16] = (mark ? [0xFEFF] : []) + Array(text.utf16)
    return units.flatMap { (unit: UInt16) -> [UInt8] in
        let pair = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
        return bigEndian ? pair : pair.reversed()
    }
}

/// Hands out `bytes` in pieces of the given sizes (repeated), then nil.
func source(_ bytes: [UInt8], pieces: [Int] = [1 << 16]) -> TabularReader.Source {
    var at = 0, turn = 0
    return {
        guard at < bytes.count else { return nil }
        let end = min(bytes.count, at + max(1, pieces[turn % pieces.count]))
        turn += 1
        defer { at = end }
        return Array(bytes[at..<end])
    }
}

/// Everything a reading gave, in a form two readings can be compared by.
struct Reading: Equatable {
    var header: [String] = []
    var rows: [[String]] = []
    var rowLines: [Int] = []
    var rejects: [Reject] = []
    var late: [String] = []
    var order = ""

    mutating func add(_ event: TabularEvent) {
        switch event {
        case .header(let found):
            header = found.names
            order += "h"
        case .record(let record):
            rows.append(record.fields)
            rowLines.append(record.position.line)
            order += "r"
        case .reject(let reject):
            rejects.append(reject)
            order += "x"
        case .lateColumns(let names):
            late += names
            order += "l"
        }
    }

    var rejectCodes: [String] { rejects.map(\.reason.code) }
}

func read(_ bytes: [UInt8], options: TabularOptions = TabularOptions(name: "a.csv"), pieces: [Int] = [1 << 16]) throws
    -> Reading
{
    var reader = TabularReader(options: options, source: source(bytes, pieces: pieces))
    var reading = Reading()
    while let event = try reader.next() { reading.add(event) }
    return reading
}

func read(_ text: String, options: TabularOptions = TabularOptions(name: "a.csv")) throws -> Reading {
    try read(Array(text.utf8), options: options)
}

/// The parser alone, fed in pieces.
func parse(_ text: String, _ options: DelimitedOptions = DelimitedOptions(), pieces: [Int] = [1 << 16]) throws
    -> Reading
{
    var parser = DelimitedParser(options: options)
    var reading = Reading()
    let next = source(Array(text.utf8), pieces: pieces)
    while let chunk = try next() {
        parser.push(chunk)
        while let event = try parser.next() { reading.add(event) }
    }
    parser.finish()
    while let event = try parser.next() { reading.add(event) }
    return reading
}

/// A file of /work/shared/data, or nil (printed) where it is not.
func sharedData(_ path: String) -> [UInt8]? {
    let url = URL(fileURLWithPath: "/work/shared/data/" + path)
    guard let data = try? Data(contentsOf: url) else {
        print("skipped: \(url.path) is absent")
        return nil
    }
    return [UInt8](data)
}
