import App
import Foundation
import Ingest
import Kernel
import TestSupport
import Testing

/// What documents say of headings is what the product does.
@Suite("Headings")
struct HeadingTests {
    private static func table() throws -> [ImportHeadings] {
        let modules = try Modules(share: Checkout.share, clock: FrozenClock(), passwordProfile: "nist")
        return try modules.headings(Checkout.share, clock: FrozenClock())
    }

    @Test("docs/imports.md lists the headings the product understands; SWITCHBOARD_RECORD=1 writes them anew")
    func document() throws {
        let mark = "<!-- headings -->\n"
        let path = Checkout.root + "/docs/imports.md"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let parts = text.components(separatedBy: mark)
        try #require(parts.count == 2)
        let now = ImportHeadings.markdown(try Self.table())
        if ProcessInfo.processInfo.environment["SWITCHBOARD_RECORD"] == "1" {
            try (parts[0] + mark + "\n" + now).write(toFile: path, atomically: true, encoding: .utf8)
        }
        let written = try String(contentsOfFile: path, encoding: .utf8).components(separatedBy: mark)[1]
        let (old, new) = (Set(written.split(separator: "\n")), Set(now.split(separator: "\n")))
        #expect(written == "\n" + now, "new: \(new.subtracting(old)) gone: \(old.subtracting(new))")
    }

    @Test("the mapping file in docs/imports.md is one, and the one in the help of the command too")
    func mappingFile() throws {
        let text = try String(contentsOfFile: Checkout.root + "/docs/imports.md", encoding: .utf8)
        let json = try #require(text.components(separatedBy: "```json\n").dropFirst().first?.components(separatedBy: "```").first)
        let help = try String(contentsOfFile: Checkout.root + "/Sources/switchboard/Import.swift", encoding: .utf8)
        let inHelp = try #require(
            help.components(separatedBy: "A mapping file is JSON:\n").dropFirst().first?.components(separatedBy: "\n            \"to\"").first
        ).replacing(" (default: \"attribute\")", with: "")
        let fields = Set(try #require(try Self.table().first { $0.entity == "customer" }).fields.map(\.key))
        for text in [json, inHelp] {
            let mapping = try ImportMapping.parse(text, name: "docs")
            #expect(mapping.source == "billing" && mapping.matchKey == "source_id" && !mapping.keepsUnlisted && mapping.columns.count > 4)
            for case .field(let key) in mapping.columns.map(\.target) { #expect(fields.contains(key), "\(key)") }
        }
    }

    @Test("no heading of a kind of record means two of its fields, but where what the column holds decides")
    func unique() throws {
        var findings: [String] = []
        for kind in try Self.table() {
            var owners: [String: String] = [:]
            for field in kind.fields where field.kind != "choice" {
                // A column of the own name of a field is that field's, whatever others are called besides.
                for heading in field.headings.prefix(1) {
                    if let other = owners.updateValue(field.key, forKey: HeaderKey(heading).text) {
                        findings.append("\(kind.entity): \(heading) is \(other) and \(field.key)")
                    }
                }
            }
            #expect(kind.fields.contains { $0.findsRecords } || kind.entity == "account_roles", "\(kind.entity)")
        }
        #expect(findings.isEmpty, list(findings))
    }
}
