import Foundation
import FuzzTargets

// `switchboard-fuzz TARGET [options of libFuzzer] [corpus folders]`, built by `bin/fuzz` only.

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

nonisolated(unsafe) var chosen = FuzzTarget.json

// libFuzzer calls itself for a merge, and knows nothing of our first argument.
let variable = "SWITCHBOARD_FUZZ_TARGET"
let named = CommandLine.arguments.dropFirst().first.flatMap(FuzzTarget.init(rawValue:))
guard let target = named ?? ProcessInfo.processInfo.environment[variable].flatMap(FuzzTarget.init(rawValue:)) else {
    print("switchboard-fuzz \(FuzzTarget.allCases.map(\.rawValue).joined(separator: "|")) [options of libFuzzer] [folders]")
    exit(64)
}
setenv(variable, target.rawValue, 1)
chosen = target
let rest = Array(CommandLine.arguments.dropFirst(named == nil ? 1 : 2))
var count = CInt(rest.count + 1)
// libFuzzer keeps these as long as the process lives.
var pointers = ([CommandLine.arguments[0]] + rest).map { strdup($0) } + [nil]
exit(
    pointers.withUnsafeMutableBufferPointer { buffer in
        var arguments = buffer.baseAddress!
        return runDriver(&count, &arguments) { data, size in
            let bytes = Array(UnsafeBufferPointer(start: data, count: size))
            if let problem = chosen.broken(by: bytes) { fatalError("\(chosen.rawValue): \(problem)") }
            return 0
        }
    })
