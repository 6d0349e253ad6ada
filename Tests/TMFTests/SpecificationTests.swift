import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import TMF

/// The schemas of the product are those of the specifications, made from them by this test.
@Suite("Schemas and specifications")
struct SpecificationTests {
    static let folder = "/work/shared/tmf"
    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.contains("-v4.") }.sorted()

    @Test(
        "each schema says what its specification says; SWITCHBOARD_RECORD=1 writes it anew",
        .enabled(if: !files.isEmpty, "../shared/tmf is not on this machine"), arguments: files)
    func same(file: String) throws {
        let number = file.prefix(6).dropFirst(3)
        let text = try Specification(Self.folder + "/" + file).schema(source: file)
        let path = Checkout.share.path("TMF", "Data", "tmf\(number).tsv")
        if ProcessInfo.processInfo.environment["SWITCHBOARD_RECORD"] == "1" {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOfFile: path, encoding: .utf8) == text)
        _ = try TMFSchema(tsv: text, file: path)
    }

    @Test("every schema that is shipped can be read, and what a customer is, is known")
    func shipped() throws {
        let folder = Checkout.share.path("TMF", "Data")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".tsv") }.sorted()
        #expect(files.count >= 20)
        for file in files {
            let schema = try TMFSchema(tsv: try String(contentsOfFile: folder + "/" + file, encoding: .utf8), file: file)
            #expect(!schema.types.isEmpty, "\(file)")
        }
        let customer = try TMFSchema(tsv: try String(contentsOfFile: folder + "/tmf629.tsv", encoding: .utf8), file: "tmf629")
        let name = try #require(customer.types["Customer"]?["name"])
        #expect(name.isMandatory && name.kind == .text)
        #expect(customer.types["Customer"]?["id"]?.isServers == true)
        #expect(try customer.target(AttributePath("relatedParty.id"), of: "Customer", parameter: "x").kind == .text)
        #expect(try customer.target(AttributePath("validFor.endDateTime"), of: "Customer", parameter: "x").kind == .dateTime)
        let ticket = try TMFSchema(tsv: try String(contentsOfFile: folder + "/tmf621.tsv", encoding: .utf8), file: "tmf621")
        #expect(ticket.types["TroubleTicket"]?["creationDate"]?.isServers == false)
        #expect(ticket.types["TroubleTicket"]?["creationDate"]?.isFixed == true)
    }
}

/// A Swagger 2.0 file as TM Forum writes them.
struct Specification {
    let definitions: [String: JSONValue]
    /// What the paths return: the resources.
    let roots: [String]

    init(_ path: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let whole = try #require(Self.value(try JSONSerialization.jsonObject(with: data)).object)
        definitions = try #require(whole["definitions"]?.object)
        let known = Set(definitions.keys)
        var roots = known.filter { known.contains($0 + "_Create") }
        for path in whole["paths"]?.object?.values.map({ $0 }) ?? [] {
            let answer = path["get"]?["responses"]?["200"]?["schema"]
            let reference = answer?["$ref"]?.string ?? answer?["items"]?["$ref"]?.string
            if let name = reference?.split(separator: "/").last { roots.insert(String(name)) }
        }
        roots.formIntersection(known)
        self.roots = roots.subtracting(["Error", "EventSubscription"]).sorted()
    }

    /// The strict reader refuses duplicate keys, which some of the files have.
    private static func value(_ any: Any) -> JSONValue {
        switch any {
        case let fields as [String: Any]: .object(fields.mapValues { value($0) })
        case let items as [Any]: .array(items.map { value($0) })
        case let text as String: .string(text)
        case let number as NSNumber: .double(number.doubleValue)
        default: .null
        }
    }

    func schema(source: String) throws -> String {
        var lines = ["# Made from \(source) (Apache-2.0, Copyright TM Forum) by SpecificationTests. Do not edit."]
        var open = roots
        var done: Set<String> = []
        while !open.isEmpty {
            let name = open.removeFirst()
            guard done.insert(name).inserted else { continue }
            let create = definitions[name + "_Create"]?["properties"]?.object
            let update = definitions[name + "_Update"]?["properties"]?.object
            let required = Set((definitions[name + "_Create"] ?? definitions[name])?["required"]?.array?.compactMap(\.string) ?? [])
            for (attribute, property) in (definitions[name]?["properties"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
                let (word, type) = kind(property)
                if let type { open.append(type) }
                var flags = ""
                if required.contains(attribute), create == nil || create?[attribute] != nil { flags += "m" }
                if let create, create[attribute] == nil { flags += "s" }
                if let create, let update, create[attribute] != nil, update[attribute] == nil { flags += "f" }
                lines.append([name, attribute, word, flags].joined(separator: "\t"))
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The word of a property's kind, and the type it names.
    private func kind(_ property: JSONValue) -> (String, String?) {
        if property["type"]?.string == "array" {
            let (word, type) = kind(property["items"] ?? .null)
            return (word + "[]", type)
        }
        if let reference = property["$ref"]?.string?.split(separator: "/").last.map(String.init) {
            guard let definition = definitions[reference] else { return ("any", nil) }
            if definition["properties"]?.object?.isEmpty == false { return (reference, reference) }
            return kind(definition)
        }
        if let words = property["enum"]?.array?.compactMap(\.string?.trimmed), !words.isEmpty { return ("code:" + words.joined(separator: "|"), nil) }
        switch (property["type"]?.string, property["format"]?.string) {
        case ("string", "date-time"): return ("dateTime", nil)
        case ("string", "date"): return ("date", nil)
        case ("string", _): return ("text", nil)
        case ("number", _): return ("number", nil)
        case ("integer", _): return ("integer", nil)
        case ("boolean", _): return ("boolean", nil)
        default: return ("any", nil)
        }
    }
}

/// Names of events against the specifications.
@Suite("Events and specifications")
struct EventNameTests {
    @Test(
        "an event is called what its specification calls it, and holds the resource under the name it has there",
        .enabled(if: !SpecificationTests.files.isEmpty, "../shared/tmf is not on this machine"), arguments: SpecificationTests.files)
    func names(file: String) throws {
        let specification = try Specification(SpecificationTests.folder + "/" + file)
        let definitions = specification.definitions
        var checked = 0
        for type in specification.roots {
            for (kind, endings) in [
                (TMFChanged.Kind.created, ["CreateEvent"]), (.changed, ["AttributeValueChangeEvent"]),
                (.stateChanged, ["StateChangeEvent", "StatusChangeEvent"]), (.removed, ["DeleteEvent"]),
            ] {
                guard let theirs = endings.map({ type + $0 }).first(where: { definitions[$0] != nil }) else { continue }
                #expect(HubNames.name(type, kind) == theirs)
                let payload = definitions[theirs]?["properties"]?["event"]?["$ref"]?.string?.split(separator: "/").last.map(String.init)
                // TMF666 defines what its events hold and does not say that they hold it.
                let names = definitions[payload ?? theirs + "Payload"]?["properties"]?.object?.keys.sorted()
                #expect(names == [type.prefix(1).lowercased() + type.dropFirst()], "\(theirs): \(names ?? [])")
                for name in ["eventId", "eventTime", "eventType", "correlationId", "domain", "title", "timeOcurred"] {
                    #expect(definitions[theirs]?["properties"]?[name] != nil, "\(theirs) has no \(name)")
                }
                checked += 1
            }
        }
        // These two have a hub and name no events.
        #expect(checked > 0 || ["TMF678", "TMF681", "TMF654"].contains(String(file.prefix(6))), "\(file)")
    }
}
