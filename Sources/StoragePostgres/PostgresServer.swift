import Dispatch
import Kernel
import Storage
import Synchronization

/// What is done to a server rather than in a database: CREATE DATABASE and its like cannot run in a transaction.
package enum PostgresServer {
    /// Runs one statement outside of a transaction on a connection of its own.
    /// - Throws: `StorageError`.
    package static func run(_ statement: SQL, _ settings: PostgresSettings) async throws {
        try await onThread {
            let connection = try PostgresConnection(settings)
            try connection.simple(statement.text, until: .now() + .seconds(settings.answerSeconds))
        }
    }

    /// Makes the database of the address when the server has none of that name, and sees that text is kept as UTF-8 and
    /// compared byte by byte: prefix searches and pages by cursor are wrong under any other order.
    /// - Throws: `CRMError` that says what to do; `StorageError` when the server cannot be reached.
    package static func prepare(_ settings: PostgresSettings) async throws {
        try await onThread {
            let connection: PostgresConnection
            do { connection = try PostgresConnection(settings) } catch {
                guard try !exists(settings) else { throw error }
                try create(settings)
                connection = try PostgresConnection(settings)
            }
            let reader = PostgresColumnReader(try connection.run(order, [], until: deadline(settings)))
            let (encoding, order, provider) = (reader.text(0), reader.text(1), reader.text(2))
            let isByteOrder = ["C", "POSIX", "C.UTF-8", "C.utf8"].contains(order) && provider == "c"
            guard encoding == "UTF8", isByteOrder else {
                throw CRMError(
                    "database_order", status: 500,
                    Words(
                        en:
                            "The database \(settings.databaseName) has encoding \(encoding) and collation \(order). Make it with: CREATE DATABASE \"\(settings.databaseName)\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'.",
                        zh:
                            "数据库 \(settings.databaseName) 的编码为 \(encoding)、排序规则为 \(order)。请以 CREATE DATABASE \"\(settings.databaseName)\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' 创建。"
                    ))
            }
        }
    }

    /// Whether the server has the database of the address; `true` when nobody can tell.
    /// - Throws: `StorageError`.
    package static func has(_ settings: PostgresSettings) async throws -> Bool {
        let found = Mutex(true)
        try await onThread {
            let answer = try exists(settings)
            found.withLock { $0 = answer }
        }
        return found.withLock { $0 }
    }

    static let order: SQL = """
        SELECT pg_encoding_to_char(encoding), datcollate, CAST(datlocprovider AS TEXT) FROM pg_database
        WHERE datname = current_database()
        """
    static let named: SQL = "SELECT COUNT(*) FROM pg_database WHERE datname = $1"

    private static func deadline(_ settings: PostgresSettings) -> DispatchTime {
        .now() + .seconds(settings.answerSeconds)
    }

    /// Whether the server has the database; `true` when nobody can tell: the first error says more then.
    private static func exists(_ settings: PostgresSettings) throws -> Bool {
        let maintenance = settings.database(named: "postgres")
        guard let connection = try? PostgresConnection(maintenance) else { return true }
        let result = try connection.run(named, [.text(settings.databaseName)], until: deadline(settings))
        return PostgresColumnReader(result).int(0) > 0
    }

    private static func create(_ settings: PostgresSettings) throws {
        let name = settings.databaseName.split(separator: "\"", omittingEmptySubsequences: false).joined(
            separator: "\"\"")
        do {
            try PostgresConnection(settings.database(named: "postgres")).simple(
                "CREATE DATABASE \"\(name)\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'", until: deadline(settings))
        } catch let failure as PostgresFailure where failure.state == "42P04" || failure.state == "23505" {
            // Another process that starts with this one has made it.
        } catch let failure as PostgresFailure where failure.state == "42501" {
            throw CRMError(
                "database_missing", status: 500,
                Words(
                    en:
                        "There is no database \(settings.databaseName), and this user may not make one. Have the owner run: CREATE DATABASE \"\(name)\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'.",
                    zh:
                        "数据库 \(settings.databaseName) 不存在，当前用户无权创建。请由管理员执行：CREATE DATABASE \"\(name)\" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'。"
                ))
        }
    }

    /// Connecting blocks: it is done on a thread that may.
    private static func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
        let queue = DispatchQueue(label: "switchboard.postgres.server")
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { try body() }) }
        }
        do { try result.get() } catch let failure as PostgresFailure { throw failure.storageError }
    }
}
