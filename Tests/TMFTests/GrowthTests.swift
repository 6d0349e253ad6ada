import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import TMF

/// What a small request may not make of a document.
@Suite("Patches and documents that grow")
struct GrowthTests {
    private func patch(_ kind: String, _ operations: [String]) throws -> TMFPatch {
        try TMFPatch("application/\(kind)+json", try JSONValue.parse([UInt8]("[\(operations.joined(separator: ","))]".utf8)))
    }

    @Test("copies of the whole into itself are refused long before they are endless; a patch of ordinary size is not")
    func copies() throws {
        let document = try JSONValue.parse([UInt8](#"{"id":"1","name":"a","note":[{"text":"x"},{"text":"y"}]}"#.utf8)).object ?? [:]
        for (kind, path) in [("json-patch", "/note/-"), ("json-patch-query", "$.note[*].text")] {
            let doubling = #"{"op":"copy","from":"","path":"\#(path)"}"#
            let start = ContinuousClock.now
            let error = #expect(throws: CRMError.self) { try patch(kind, Array(repeating: doubling, count: 60)).applied(to: document) }
            #expect(error?.status == 400 && error?.message.en.contains("too large") == true, "\(kind)")
            #expect(ContinuousClock.now - start < .seconds(20), "\(kind)")
            #expect(try patch(kind, [doubling, doubling]).applied(to: document) != document)
        }
        let big = String(repeating: "x", count: 100_000)
        let every = (0..<60).map { #"{"op":"add","path":"$.note[*].b\#($0)","value":"\#(big)"}"# }
        #expect(throws: CRMError.self) { try patch("json-patch-query", every).applied(to: document) }
        #expect(throws: Never.self) { try patch("json-patch-query", Array(every.prefix(5))).applied(to: document) }
    }

    @Test("a document that could not be read again is not taken: 400 that names the attribute, by POST and however a patch deepens it")
    func depth() throws {
        let check = TMFCheck(TMFSchema([TMFSchema.ObjectType("Any", [])]))
        func nested(_ levels: Int) throws -> JSONObject {
            ["x": try JSONValue.parse([UInt8]((String(repeating: "[", count: levels) + String(repeating: "]", count: levels)).utf8))]
        }
        let most = try nested(TMFCheck.depthMax)
        try check.create(most, of: "Any")
        // What is stored of it is read by the same strict reader.
        let stored = TMFKept(sent: most, own: [:]).json.encoded()
        #expect(TMFKept(json: try JSONValue.parse([UInt8](stored.utf8))).document(over: [:]) == most)
        for check in [check.create, check.changed] {
            let error = #expect(throws: CRMError.self) { try check(try nested(TMFCheck.depthMax + 1), "Any", nil) }
            #expect(error?.status == 400 && error?.fields.first?.field == "x" && error?.code == "too_deep")
        }
        let steps = (0..<60).map { #"{"op":"add","path":"/x\#(String(repeating: "/a", count: $0))","value":{}}"# }
        let deep = try patch("json-patch", steps).applied(to: [:])
        #expect(throws: CRMError.self) { try check.changed(deep, of: "Any") }
    }
}
