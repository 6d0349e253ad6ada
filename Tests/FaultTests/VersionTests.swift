import Foundation
import Kernel
import Storage
import TestSupport
import Testing

/// Two versions of the product over one database (ADR 0018): the newer one has more migrations.
@Suite("old and new version side by side", .serialized)
struct VersionTests {
    /// The share folder of a version that has these migrations besides.
    private func newer(_ migrations: [(path: String, text: String)], beside folder: String) throws -> String {
        let share = folder + "/share-\(migrations.count)"
        try FileManager.default.copyItem(atPath: Checkout.share.root, toPath: share)
        for (path, text) in migrations { try Data(text.utf8).write(to: URL(fileURLWithPath: share + "/" + path)) }
        return share
    }

    private static let expand = (
        "Customers/Migrations/0990_expand.sql",
        """
        ALTER TABLE customers_customer ADD COLUMN loyalty TEXT;
        ALTER TABLE customers_listing ADD COLUMN loyalty TEXT NOT NULL DEFAULT '';
        CREATE TABLE customers_loyalty (
          customer_id BIGINT NOT NULL,
          id BIGINT NOT NULL,
          PRIMARY KEY (customer_id, id)
        );
        CREATE INDEX customers_customer_loyalty ON customers_customer (loyalty);
        """
    )
    private static let break1 = (
        "Storage/Migrations/0990_level.sql",
        """
        INSERT INTO storage_mark (name, value, marked_at) VALUES ('schema.level', '2', 0);
        """
    )

    @Test("the newer version migrates while the older one writes; both go on, and the older one starts again")
    func sideBySide() async throws {
        let place = try Installation()
        try place.user("kim")
        let (old, oldPort) = try place.serve()
        let person = Person(port: oldPort)
        try person.logIn("kim")
        let ledger = Ledger()
        let over = Flag()
        let writers = (1...2).map { writer in
            let own = Person(port: oldPort, like: person)
            return Background { ledger.write(own, writer: writer, seed: Drill.first) { over.isSet } }
        }
        _ = await eventually(seconds: 20) { ledger.told.acknowledged > 10 }
        let share = try newer([Self.expand], beside: place.folder)
        let (new, newPort) = try place.serve(environment: ["SWITCHBOARD_SHARE": share])
        let beside = Person(port: newPort, like: person)
        let third = Background { ledger.write(beside, writer: 3, seed: Drill.first) { over.isSet } }
        let before = ledger.told.acknowledged
        _ = await eventually(seconds: 20) { ledger.told.acknowledged > before + 30 }
        over.set()
        for thread in writers + [third] { await thread.wait() }
        #expect(ledger.told.acknowledged > before + 10 && old.isRunning && new.isRunning)
        #expect(ledger.told.refused.isEmpty, "somebody was refused while it was migrated: \(ledger.told)")
        #expect(person.get("/customers").status == 200 && beside.get("/customers").status == 200)
        let columns = try await TestSchema(place.database()).columnNames(of: "customers_customer")
        #expect(columns.contains("loyalty"))
        // The older one can be started again beside the newer one, and does not take its ready state from it.
        old.stop()
        let (again, port) = try place.serve()
        person.move(to: port)
        let ready = person.get("/readyz")
        #expect(ready.status == 200 && ready.text.contains("ready"), "\(ready)")
        var rng = SeededGenerator(seed: Drill.first)
        ledger.makeFile("V1", rows: 200, &rng)
        ledger.upload("V1", by: person)
        let problems = try await KillTests.Round(seed: 0, place: place, ledger: ledger).settledAndVerified(whole: true)
        #expect(problems.isEmpty, "\(problems.joined(separator: "; "))")
        Drill.report(
            "old and new version side by side", rounds: 1,
            "migrated under load; " + ledger.summary)
        again.stop()
        new.stop()
        await place.remove()
    }

    @Test("an older version does not start over a schema it cannot bear, and says why; one that runs goes on")
    func incompatible() async throws {
        let place = try Installation()
        try place.user("kim")
        let (old, port) = try place.serve()
        let person = Person(port: port)
        try person.logIn("kim")
        // The product that brings such a migration has the level in its code, too: here the file alone says it.
        let share = try newer([Self.expand, Self.break1], beside: place.folder)
        let migrated = try place.command(["migrate"], environment: ["SWITCHBOARD_SHARE": share])
        #expect(migrated.code == 0 && migrated.out.contains("2 migrations applied now"), "\(migrated)")
        _ = person.get("/customers/new")
        #expect(person.post("/customers", [("f_full_name", "V"), ("f_kind", "individual")]).status == 303)
        let refused = try place.start(["serve", "--port", "0"])
        #expect(refused.wait(seconds: 60) == 1)
        #expect(refused.text.contains("A newer version has changed the database") && refused.text.contains("level 2"))
        let command = try place.command(["doctor"])
        #expect(command.code != 0 && (command.out + command.error).contains("newer version"), "\(command)")
        #expect(person.get("/healthz").status == 200 && old.isRunning)
        old.stop()
        await place.remove()
    }
}
