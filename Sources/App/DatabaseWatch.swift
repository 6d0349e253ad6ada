import Kernel
import Logging
import Platform
import ServiceLifecycle
import Storage
import StoragePostgres
import Web

/// Asks the databases every few seconds whether they answer, and says so on `/metrics`: `switchboard_database_up`, and how
/// many standbys there are and answer. While one is away the figures that come from it are taken down.
struct DatabaseWatch: Service {
    let tenants: Tenants
    let metrics: Metrics
    /// Between two questions.
    var pause = Duration.seconds(5)

    static let question: SQL = "SELECT 1"
    /// Longer than that is no answer.
    private static let patience = Duration.seconds(3)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await look()
                try? await Task.sleep(for: pause)
            }
        }
    }

    func look() async {
        let open = await tenants.open
        var isUp = true
        for database in open where !(await Self.answers(database)) { isUp = false }
        metrics.set("switchboard_database_up", isUp ? 1 : 0)
        if !isUp { Workers.takeDown(metrics) }
        var (all, answering) = (0, 0)
        for database in open {
            guard let database = database as? PostgresDatabase else { continue }
            database.lookAtStandbys()
            let standbys = database.standbys
            (all, answering) = (all + standbys.all, answering + standbys.answering)
        }
        guard all > 0 else { return }
        metrics.set("switchboard_standbys", Double(all))
        metrics.set("switchboard_standbys_up", Double(answering))
    }

    /// Asked in a task of its own, whose end is waited for only so long.
    private static func answers(_ database: any Database) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do { return try await database.read { try $0.count(question) } == 1 } catch { return false }
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return false
            }
            let first = await group.next() ?? false
            group.cancelAll()
            return first
        }
    }
}
