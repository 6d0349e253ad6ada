import Kernel
import Storage
import TestSupport
import Testing

@testable import Customers

/// What tests of the search index have in common.
enum SearchBench {
    /// A base that is older than the index, with the rows of before and with nothing filled yet.
    static func older() async throws -> ImportBench {
        let bench = try await ImportBench()
        try await bench.test.tenant.database.write { session in
            try session.execute("INSERT INTO customers_search_state (id, step, seen_to, since) VALUES (1, 0, 0, 0)")
        }
        return bench
    }

    /// As a process of before leaves customers: it knows nothing of texts.
    static func forget(_ ids: [CustomerID], _ session: any SQLSession) throws { try SearchIndex.remove(ids, session) }

    /// Every customer has the text that belongs to them, nobody else has one, and the index holds what the texts say.
    static func requireSound(_ database: any Database, _ name: String = "") async throws {
        let wrong = try await database.write { session in
            let ids: [CustomerID] = try session.query("SELECT id FROM customers_customer ORDER BY id") { $0.id(0) }
            let expected = try CustomerLoader.records(ids, session).map {
                "\($0.id) \(words(SearchText.of($0)))"
            }
            let stored = try session.query("SELECT customer_id, tokens FROM customers_search_text") {
                "\($0.int(0)) \(words($0.text(1)))"
            }
            if session.dialect == .sqlite {
                // FTS5 compares what it holds with the texts, word for word.
                try session.execute(
                    SQL(trusted: "INSERT INTO customers_search_index(customers_search_index) VALUES ('integrity-check')"))
            }
            if session.dialect == .sqlite {
                try session.execute(
                    SQL(
                        trusted: """
                            INSERT INTO customers_search_number_index(customers_search_number_index) VALUES ('integrity-check')
                            """))
            }
            return Set(expected).symmetricDifference(Set(stored)).sorted()
        }
        #expect(wrong.isEmpty, "\(name)")
    }

    private static func words(_ text: String) -> String { text.split(separator: " ").sorted().joined(separator: " ") }

    static func find(
        _ query: String, _ bench: ImportBench, _ principal: Principal = SearchTests.everybody, limit: Int = 2_000
    ) async throws -> [CustomerID] {
        try await bench.test.tenant.database.read { try CustomerSearch.find(query, limit: limit, principal, $0) }
    }
}
