import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

/// A folder for data and files of one test.
struct CommandBench {
    let folder = NSTemporaryDirectory() + "switchboard-cli-" + UUID().uuidString

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func file(_ name: String, _ content: String) throws -> String {
        try file(name, Array(content.utf8))
    }

    func file(_ name: String, _ content: [UInt8]) throws -> String {
        let path = folder + "/" + name
        try Data(content).write(to: URL(fileURLWithPath: path))
        return path
    }

    typealias Result = (code: Int32, out: String, error: String)

    func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws -> Result {
        try ServerProcess.run(
            arguments, input: input,
            environment: ["SWITCHBOARD_DATA": folder + "/data"].merging(environment) { $1 })
    }

    /// Runs it, and expects the code; of 1 also a word of ours on standard error and nothing but it.
    @discardableResult
    func expect(
        _ code: Int32, _ arguments: [String], input: String = "", environment: [String: String] = [:]
    ) throws -> Result {
        let result = try run(arguments, input: input, environment: environment)
        let said = "\(arguments): \(result)"
        #expect(result.code == code, "\(said)")
        if code == 1, !arguments.contains("--json") {
            let explains = ["failed", "rejected    2"].contains { result.out.contains($0) }
            #expect(result.error.contains("switchboard: ") || explains, "\(said)")
        }
        #expect(!result.error.contains("Fatal error"), "\(said)")
        return result
    }

    static let good = "source_id,name,city\n1,甲乙,杭州\n2,丙丁,宁波\n"
    static let partly = "source_id,name,phone\n1,甲乙,13800000001\n2,丙丁,no number\n"
    static let hopeless = "source_id,name,phone\n,甲乙,13800000001\n,丙丁,13800000002\n"

    static func object(_ text: String) throws -> [String: JSONValue] {
        try #require(try JSONValue.parse(Array(text.trimmed.utf8)).object, "\(text)")
    }
}
