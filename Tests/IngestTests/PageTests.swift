import Foundation
import Kernel
import Platform
import Storage
import TestSupport
import Testing
import Web

@testable import Ingest

@Suite("Texts and templates")
struct PageTests {
    @Test("every state, step, type, origin and notice has words in both languages")
    func words() throws {
        let texts = try Texts(share: Checkout.share)
        var keys = RunState.allCases.map { "ingest.state.\($0.rawValue)" }
        keys += ["upload", "mapping", "dry_run", "import"].map { "ingest.step.\($0)" }
        keys += ["integer", "decimal", "boolean", "date", "dateTime", "text", "empty"].map { "ingest.type.\($0)" }
        keys += ["remembered", "shipped", "suggested", "new", "ignored", "chosen"].map { "ingest.origin.\($0)" }
        keys += ["comma", "semicolon", "tab", "pipe"].map { "ingest.delimiter.\($0)" }
        keys += [
            "leading_zeros", "long_numbers", "scientific_damage", "formula_cells", "thousands_separators",
            "currency_signs", "percent_signs", "surrounding_spaces", "excel_serial_dates", "ambiguous_date_order", "ambiguous_calendar",
            "short_years_column", "short_years_file", "short_years_script",
            "mixed_date_orders", "swapped_dates", "impossible_dates", "midnight_only", "do_not_fit",
        ].map { "ingest.notice.\($0)" }
        for key in keys { #expect(texts.words[key] != nil, "\(key)") }
    }

    @Test("the labels name every column of every table, and only those")
    func labels() async throws {
        let bench = try await Bench()
        let labelled = Dictionary(uniqueKeysWithValues: IngestLabels.all.map { ($0.table, Set($0.columns.keys)) })
        let actual = try await TestSchema(bench.tenant.database).columnsByTable(prefix: "ingest_")
        #expect(actual == labelled)
    }

    @Test("a form changes the mapping it was made from, and keeps what it does not tell")
    func form() throws {
        let old = ImportMapping(
            source: "crm",
            columns: [
                .init(column: "a", target: .ignore), .init(column: "b", target: .attribute),
                .init(column: "c", target: .field("left"), values: ["x": "yes"]),
            ], matchKey: nil)
        let form = try Form.parse(
            "to.0=source_id&to.1=attribute%3Ainteger&order.1=dmy&excel.1=1&to.2=left&match_key=source_id&updates=1&source=bss"
        )
        let new = try ImportViews.mapping(from: form, old)
        #expect(new.columns.map(\.code) == ["source_id", "attribute", "left"])
        #expect(
            new.columns[1].kind == "integer" && new.columns[1].dateOrder == .dayMonthYear && new.columns[1].excelDates)
        #expect(new.columns[2].values == ["x": "yes"])
        #expect(new.matchKey == "source_id" && !new.createsNew && new.updatesExisting && new.source == "bss")
        #expect(throws: CRMError.self) { _ = try ImportViews.mapping(from: Form.parse("to.0=attribute%3Azebra"), old) }
    }

    @Test("personal fields are masked by what they are, unknown ones wholly")
    func masks() {
        let fields = FakeTarget(ids: IDGenerator(node: 1, clock: FrozenClock())).fields
        #expect(FieldMask.mask("phone", fields) == .phone)
        #expect(FieldMask.mask("email", fields) == .email)
        #expect(FieldMask.mask("name", fields) == .name)
        #expect(FieldMask.mask("birth_date", fields) == .date)
        #expect(FieldMask.mask("contract", fields) == .none)
        #expect(FieldMask.mask("attr.anything", fields) == .full)
        #expect(FieldMask.mask("gone", fields) == .full)
    }
}
