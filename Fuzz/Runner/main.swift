import Foundation
import FuzzTargets

// `switchboard-fuzz TARGET [options of libFuzzer] [corpus folders]`, built by `bin/fuzz` only.

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

nonisolated(unsafe) var chosen = FuzzTarget.json

guard CommandLine.arguments.count > 1, let target = FuzzTarget(rawValue: CommandLine.arguments[1]) else {
    print("switchboard-fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) [options of libFuzzer] [folders]")
    exit(64)
}
chosen = target
var count = CInt(CommandLine.arguments.count - 1)
// libFuzzer keeps these as long as the process lives.
var pointers = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) } + [nil]
exit(
    pointers.withUnsafeMutableBufferPointer { buffer in
        var arguments = buffer.baseAddress!
        return runDriver(&count, &arguments) { data, size in
            let bytes = Array(UnsafeBufferPointer(start: data, count: size))
            if let problem = chosen.broken(by: bytes) { fatalError("\(chosen.rawValue): \(problem)") }
            return 0
        }
    })
