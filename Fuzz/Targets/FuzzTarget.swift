import Foundation
import Kernel
import Platform
import Storage
import TMF
import Tabular
import Web

/// A reader of what strangers send, tried with any bytes: it may refuse them, and what it takes has to hold what it promises. `bin/fuzz`
/// looks for bytes that break one; `Tests/Corpus` keeps those that did, and the ordinary tests try them all.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case json, query, hub, patch, table, xml

    /// - Returns: which promise was broken; `nil` = none.
    package func broken(by bytes: [UInt8]) -> String? {
        switch self {
        case .json: JSONFuzz.broken(bytes)
        case .query: QueryFuzz.broken(bytes)
        case .hub: HubFuzz.broken(bytes)
        case .patch: PatchFuzz.broken(bytes)
        case .table: TableFuzz.broken(bytes)
        case .xml: XMLFuzz.broken(bytes)
        }
    }

    /// The checkout, for the schemas and the corpus.
    package static let root: String = {
        var url = URL(fileURLWithPath: #filePath)
        for _ in 0..<3 { url.deleteLastPathComponent() }
        return url.path
    }()

    /// The corpus of this target: files by name.
    package var corpus: [(name: String, bytes: [UInt8])] {
        let folder = Self.root + "/Tests/Corpus/" + rawValue
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { name in
            FileManager.default.contents(atPath: folder + "/" + name).map { (name, [UInt8]($0)) }
        }
    }
}

/// What is read is written so that it is read again as the same, byte for byte, and fits into what readers take.
enum JSONFuzz {
    static func broken(_ bytes: [UInt8]) -> String? {
        guard let value = try? JSONValue.parse(bytes) else { return nil }
        let text = value.encoded()
        guard let again = try? JSONValue.parse([UInt8](text.utf8)) else { return "what was written is not read: \(text)" }
        if again != value { return "another value: \(text)" }
        if Array(again.encoded().utf8) != Array(text.utf8) { return "another text: \(again.encoded()) for \(text)" }
        if text.utf8.contains(where: { $0 < 32 || $0 == 0x7f || $0 == 60 || $0 == 62 }) { return "unsafe in a page: \(text)" }
        let data = Data(text.utf8)
        if (try? JSONSerialization.jsonObject(with: data, options: [.fragmentsAllowed])) == nil { return "Foundation refuses \(text)" }
        return nil
    }
}

/// A query that is taken and written down in another way is the same query; an order is one.
enum QueryFuzz {
    static let schema = { (try? TMFSchemas(share: ShareFolder(root: FuzzTarget.root + "/Sources")).schema(621)) ?? TMFSchema([]) }()
    static let type = "TroubleTicket"

    static let documents: [JSONObject] = [
        #"{"id":"1","name":"a","status":"acknowledged","creationDate":"2026-01-02T03:04:05Z","relatedParty":[{"id":"5","role":"x"},{"id":"6"}]}"#,
        #"{"id":"2","name":"","priority":"1","creationDate":"2026-01-02","note":[{"text":"é\"\n"}],"attachment":[{"size":{"amount":1.5}}]}"#,
        #"{"id":"3","x":null,"status":"held","lastUpdate":"no time","relatedParty":[],"channel":{"id":"7"}}"#, "{}",
    ].compactMap { try? JSONValue.parse([UInt8]($0.utf8)).object }

    static func broken(_ bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self), let form = try? Form.parse(text),
            let query = try? TMFQuery(form, schema: schema, type: type)
        else { return nil }
        let written = printed(query)
        guard let again = try? TMFQuery(Form.parse(written.encoded), schema: schema, type: type) else { return "is not read again: \(written.encoded)" }
        if !same(again, query) { return "another query: \(written.encoded)" }
        guard let patterns = try? TMFPatterns(query.conditions), let others = try? TMFPatterns(again.conditions) else { return nil }
        for document in documents {
            let met = TMFMatch.meets(document, query.conditions, pattern: patterns.find)
            if met != TMFMatch.meets(document, again.conditions, pattern: others.find) { return "another answer: \(written.encoded)" }
            for condition in query.conditions where condition.comparison == .ne {
                let equal = TMFCondition(condition.target, .eq, condition.values)
                func meets(_ one: TMFCondition) -> Bool { TMFMatch.meets(document, [one], pattern: patterns.find) }
                if meets(condition) == meets(equal) { return "both equal and not: \(condition)" }
            }
            for other in documents {
                func precedes(_ one: JSONObject, _ two: JSONObject) -> Bool {
                    TMFMatch.precedes(one, two, query.sort) { $0["id"]?.string ?? "" }
                }
                if precedes(document, other), precedes(other, document) { return "each before the other: \(written.encoded)" }
            }
        }
        return nil
    }

    /// Swift compares texts by what they look like; these are compared by their bytes.
    private static func same(_ one: TMFQuery, _ other: TMFQuery) -> Bool {
        one == other && zip(one.conditions, other.conditions).allSatisfy { zip($0.values, $1.values).allSatisfy { Array($0.utf8) == Array($1.utf8) } }
    }

    static func printed(_ query: TMFQuery) -> Form {
        var fields: [(name: String, value: String)] = []
        for condition in query.conditions {
            let path = condition.target.path.description
            if condition.comparison == .regex {
                for value in condition.values { fields.append((path + "*=" + value, "")) }
                continue
            }
            let signs: [TMFCondition.Operator: String] = [.eq: "==", .ne: "!=", .gt: ">", .gte: ">=", .lt: "<", .lte: "<="]
            // By scalars: a quote with an accent behind it is one character, and not a quote.
            let values = condition.values.map { value in
                var quoted = String.UnicodeScalarView()
                for scalar in value.unicodeScalars {
                    if scalar == "\"" { quoted.append("\"") }
                    quoted.append(scalar)
                }
                return "\"" + String(quoted) + "\""
            }
            fields.append((path + (signs[condition.comparison] ?? "") + values.joined(separator: ","), ""))
        }
        if !query.sort.isEmpty {
            fields.append(("sort", query.sort.map { ($0.isDescending ? "-" : "+") + $0.target.path.description }.joined(separator: ",")))
        }
        if case .only(let paths) = query.fields {
            fields.append(("fields", paths.isEmpty ? "none" : paths.map(\.description).joined(separator: ",")))
        }
        fields.append(("limit", String(query.limit)))
        switch query.place {
        case .offset(let number): if number > 0 { fields.append(("offset", String(number))) }
        case .after(let cursor): fields.append(("after", cursor))
        case .before(let cursor): fields.append(("before", cursor))
        }
        return Form(fields)
    }
}

/// Queries of subscriptions are read, or refused with 400, and asked about documents and events.
enum HubFuzz {
    private struct Nowhere: TMFStore {
        let table = TMFTable(from: "nowhere", id: "id", columns: [])
        func documents(_ ids: [Int64], _ principal: Principal, _ session: any SQLSession) throws -> [(id: Int64, JSONObject)] { [] }
    }

    static let resources: [TMFResource] = {
        let api = TMFAPI(646, "appointment")
        guard let schema = try? TMFSchemas(share: ShareFolder(root: FuzzTarget.root + "/Sources")).schema(646) else { return [] }
        return [("appointment", "Appointment"), ("searchTimeSlot", "SearchTimeSlot")].map { name, type in
            TMFResource(
                api, name, type: type, schema: schema, view: Permission("x"), edit: Permission("x"), subjects: { _, _ in [] },
                store: { _ in Nowhere() })
        }
    }()

    static func broken(_ bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        do {
            let read = try HubQuery.read(text, resources)
            if read.isEmpty { return "taken, and of no resource" }
            for query in read.values {
                for document in QueryFuzz.documents { _ = query.meets(document: document) }
                _ = query.meets(envelope: ["eventId": .string("1"), "eventType": .string("AppointmentCreateEvent"), "eventTime": .string("2026-01-01T00:00:00Z")])
            }
            return nil
        } catch let error as CRMError {
            return error.status == 400 ? nil : "refused with \(error.status)"
        } catch { return "\(error)" }
    }
}

/// A patch changes what it says and nothing else, the same each time, into what can be stored and read again.
enum PatchFuzz {
    static let kinds = ["application/merge-patch+json", "application/json-patch+json", "application/json-patch-query+json"]
    static let most = 8 << 20

    /// The first byte is the kind, the rest the body.
    static func broken(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first, let body = try? JSONValue.parse(Array(bytes.dropFirst())) else { return nil }
        let kind = kinds[Int(first) % kinds.count]
        for document in QueryFuzz.documents {
            do {
                let patch = try TMFPatch(kind, body)
                let changed = try patch.applied(to: document)
                if JSONValue.object(changed).weight(upTo: most) > most { return "\(kind) makes something endless of it" }
                if try patch.applied(to: document) != changed { return "\(kind) has another result the second time" }
                if case .merge(let fields) = patch {
                    if try patch.applied(to: changed) != changed { return "a merge patch that is merged again changes more" }
                    for (name, value) in document where fields[name] == nil {
                        if changed[name] != value { return "“\(name)” was not named and changed" }
                    }
                    for (name, value) in fields where value == .null {
                        if changed[name] != nil { return "“\(name)” was taken out and is there" }
                    }
                } else if body.array?.allSatisfy({ $0["op"]?.string == "test" }) == true, changed != document {
                    return "a test changed something"
                }
                // What the desk takes can be stored and read.
                let schema = TMFSchema([TMFSchema.ObjectType("Any", [])])
                guard (try? TMFCheck(schema).changed(changed, of: "Any")) != nil else { continue }
                let kept = TMFKept(sent: changed, own: [:])
                let text = kept.json.encoded()
                guard let read = try? JSONValue.parse([UInt8](text.utf8)) else { return "cannot be read again: \(text.prefix(400))" }
                if TMFKept(json: read).document(over: [:]) != changed { return "comes back as another: \(text.prefix(400))" }
            } catch let error as CRMError {
                if ![400, 409, 415].contains(error.status) { return "refused with \(error.status)" }
            } catch { return "\(error)" }
        }
        return nil
    }
}

/// Files that come in pieces say what they say in one.
enum TableFuzz {
    static func broken(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        // The readers get UTF-8: whatever a file is, the transcoder has made that of it.
        let text = [UInt8](String(decoding: bytes.dropFirst(), as: UTF8.self).utf8)
        let size = Int(first >> 2) + 1
        if first & 1 == 0 {
            let options = DelimitedOptions()
            let (whole, pieces) = (delimited(text, text.count, options), delimited(text, size, options))
            return whole == pieces ? nil : "in pieces of \(size): \(pieces) for \(whole)"
        }
        let (whole, pieces) = (lines(text, text.count), lines(text, size))
        return whole == pieces ? nil : "in pieces of \(size): \(pieces) for \(whole)"
    }

    private static func delimited(_ text: [UInt8], _ size: Int, _ options: DelimitedOptions) -> String {
        var parser = DelimitedParser(options: options)
        var events = ""
        func pull() -> Bool {
            do {
                while let event = try parser.next() { events += "\(event)\n" }
                return true
            } catch {
                events += "\(error)"
                return false
            }
        }
        var at = 0
        while at < text.count {
            let end = min(at + max(1, size), text.count)
            parser.push(Array(text[at..<end]))
            guard pull() else { return events }
            at = end
        }
        parser.finish()
        _ = pull()
        return events
    }

    private static func lines(_ text: [UInt8], _ size: Int) -> String {
        var parser = JSONLinesParser()
        var events = ""
        var at = 0
        while at < text.count {
            let end = min(at + max(1, size), text.count)
            parser.push(Array(text[at..<end]))
            while let event = parser.next() { events += "\(event)\n" }
            at = end
        }
        parser.finish()
        while let event = parser.next() { events += "\(event)\n" }
        return events
    }
}

/// XML that comes in pieces says what it says in one; its records are JSON, each on a line; what is refused is refused with a reason.
enum XMLFuzz {
    static func broken(_ bytes: [UInt8]) -> String? {
        guard let first = bytes.first else { return nil }
        let text = [UInt8](String(decoding: bytes.dropFirst(), as: UTF8.self).utf8)
        let size = Int(first) + 1
        let (whole, pieces) = (read(text, text.count), read(text, size))
        if whole != pieces { return "in pieces of \(size): \(pieces) for \(whole)" }
        guard case .records(let records) = whole else {
            if case .broken(let why) = whole { return why }
            return nil
        }
        for line in records.split(separator: 10) {
            // The reader of lines gets it next: what it cannot read would be lost without a word.
            if (try? JSONSerialization.jsonObject(with: Data(line))) == nil { return "no JSON: \(String(decoding: line.prefix(400), as: UTF8.self))" }
        }
        return nil
    }

    private enum Outcome: Equatable {
        case records([UInt8]), refused(String), broken(String)
    }

    private static func read(_ text: [UInt8], _ size: Int) -> Outcome {
        do { return .records(try XMLReading.records(text, size: size)) } catch let error as ContainerError {
            return .refused(error.code + " " + error.words.en)
        } catch { return .broken("\(error)") }
    }
}
