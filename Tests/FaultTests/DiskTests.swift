import Foundation
import Kernel
import Storage
import TestSupport
import Testing

/// A file system of a few megabytes, which a drill can fill.
final class SmallDisk: @unchecked Sendable {
    let folder: String
    static let mayMount = getuid() == 0 && (try? probe()) == true

    private static func probe() throws -> Bool {
        let disk = try SmallDisk(megabytes: 1)
        return disk.free > 0
    }

    init(megabytes: Int) throws {
        folder = NSTemporaryDirectory() + "switchboard-disk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let mounted = try shell(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m,mode=0755", "tmpfs", folder])
        guard mounted.code == 0 else { throw StorageError(.io, mounted.text) }
    }

    deinit {
        _ = try? shell(["umount", "-l", folder])
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Bytes.
    var free: Int64 {
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: folder)
        return (attributes?[.systemFreeSize] as? NSNumber)?.int64Value ?? 0
    }

    /// Leaves no room but `bytes`.
    func fill(leaving bytes: Int64 = 0) throws {
        try shell([
            "sh", "-c", "head -c \(max(0, free - bytes)) /dev/zero >> '\(folder)/ballast'; true",
        ])
    }

    func makeRoom() { try? FileManager.default.removeItem(atPath: folder + "/ballast") }
}

/// The disk is full, or says that it could not write.
@Suite("disk full and failing", .serialized)
struct DiskTests {
    @Test(
        "a full disk: writes are answered 503 with words and nothing is half done; what needs no write works; it recovers",
        .enabled(if: SmallDisk.mayMount, "a tmpfs can be mounted by root only"))
    func full() async throws {
        let disk = try SmallDisk(megabytes: TestDatabases.dialect == .sqlite ? 24 : 90)
        let cluster: PrivatePostgres?
        let place: Installation
        if TestDatabases.dialect == .postgres {
            try #require(PrivatePostgres.isInstalled)
            // The log lies elsewhere: where it is full, PostgreSQL stops altogether (see the drill of outages).
            let log = NSTemporaryDirectory() + "switchboard-wal-" + UUID().uuidString
            let server = try PrivatePostgres(folder: disk.folder + "/postgres", writeAheadLog: log)
            (cluster, place) = (server, try Installation(url: server.settings("drill").url))
        } else {
            (cluster, place) = (nil, try Installation(folder: disk.folder + "/data"))
        }
        try place.user("kim")
        let (server, port) = try place.serve()
        let person = Person(port: port)
        try person.logIn("kim")
        let ledger = Ledger()
        var rng = SeededGenerator(seed: Drill.first)
        let rounds = Drill.isLong ? 4 : 2
        for round in 0..<rounds {
            await work(ledger, person, port, seed: UInt64(round)) { ledger.told.acknowledged >= 20 * (round + 1) }
            let refusedBefore = ledger.told.refused[503] ?? 0
            // A few pages are left, so that it fails somewhere in the middle. PostgreSQL's tables have room of their own.
            let isSQLite = TestDatabases.dialect == .sqlite
            try disk.fill(leaving: Int64(rng.number(0...(isSQLite ? 200 : 40))) * 1_024)
            await work(ledger, person, port, seed: UInt64(round) + 100) {
                (ledger.told.refused[503] ?? 0) > refusedBefore + (isSQLite ? 5 : 0)
            }
            try disk.fill()
            #expect(person.get("/healthz").status == 200 && person.get("/customers/new").status == 200)
            // Pages that show personal data cannot be recorded, so they are not shown (G56).
            let shown = person.get("/customers")
            #expect([200, 503].contains(shown.status))
            if shown.status == 503 { #expect(!shown.text.contains("W1 ") && shown.text.count > 20) }
            ledger.makeFile("D\(round)", rows: 400, &rng)
            let upload = person.upload("/imports", source: "crm", file: ("D\(round).csv", ledger.content("D\(round)")))
            #expect([303, 503, 507].contains(upload.status), "\(upload.status): \(upload.text.prefix(300))")
            disk.makeRoom()
            let goesOn = await eventually {
                person.post("/customers/new").status != 0 && person.get("/customers").status == 200
            }
            #expect(goesOn)
            let problems = try await KillTests.Round(seed: 0, place: place, ledger: ledger).settledAndVerified(
                whole: true)
            #expect(problems.isEmpty, "\(problems.joined(separator: "; "))")
            #expect(server.isRunning, "\(server.text.suffix(500))")
        }
        let told = ledger.told
        #expect(told.refused[503] ?? 0 > 0, "the disk was never full")
        server.stop()
        Drill.report(
            "disk full", rounds: rounds,
            ledger.summary)
        await place.close()
        withExtendedLifetime(cluster) {}
    }

    /// One writer until `isEnough`.
    private func work(_ ledger: Ledger, _ person: Person, _ port: Int, seed: UInt64, isEnough: () -> Bool) async {
        let over = Flag()
        let own = Person(port: port, like: person)
        let writer = Background { ledger.write(own, writer: 1, seed: seed) { over.isSet } }
        _ = await eventually(seconds: 30) { isEnough() }
        over.set()
        await writer.wait()
    }

    private static let preload = ["/usr/lib/fiu/fiu_run_preload.so", "/usr/lib/fiu/fiu_posix_preload.so"]
    static let hasFiu = preload.allSatisfy { FileManager.default.fileExists(atPath: $0) }

    @Test(
        "fsync that fails (EIO, libfiu): writes are answered 503 with words, and what was acknowledged survives kill -9",
        .enabled(if: TestDatabases.dialect == .sqlite && hasFiu, "SQLite, with libfiu (Debian: fiu-utils)"))
    func failing() async throws {
        let place = try Installation(environment: ["SWITCHBOARD_DURABILITY": "full"])
        try place.user("kim")
        let pipe = place.folder + "/fiu"
        let (first, port) = try place.serve(environment: [
            "LD_PRELOAD": Self.preload.joined(separator: " "), "FIU_CTRL_FIFO": pipe,
        ])
        let person = Person(port: port)
        try person.logIn("kim")
        let ledger = Ledger()
        await work(ledger, person, port, seed: 1) { ledger.told.acknowledged >= 20 }
        func control(_ command: String) throws {
            let done = try shell(["fiu-ctrl", "-f", pipe, "-c", command, "\(first.processID)"])
            try #require(done.code == 0, "\(done.text)")
        }
        // Each second sync fails, then every one.
        for (round, probability) in ["0.5", "1"].enumerated() {
            let before = ledger.told.refused[503] ?? 0
            try control("enable_random name=posix/io/sync/*,probability=\(probability),failinfo=5")
            await work(ledger, person, port, seed: UInt64(10 + round)) { ledger.told.refused[503] ?? 0 > before + 10 }
            try control("disable name=posix/io/sync/*")
            #expect(ledger.told.refused[503] ?? 0 > before + 5, "no sync failed: \(ledger.told)")
        }
        let before = ledger.told.acknowledged
        await work(ledger, person, port, seed: 20) { ledger.told.acknowledged > before + 10 }
        #expect(ledger.told.acknowledged > before + 5, "it does not recover")
        first.kill()
        await place.close()
        let (second, again) = try place.serve()
        person.move(to: again)
        let problems = try await KillTests.Round(seed: 0, place: place, ledger: ledger).settledAndVerified(whole: true)
        #expect(problems.isEmpty, "\(problems.joined(separator: "; "))")
        second.stop()
        Drill.report(
            "fsync EIO (libfiu)", rounds: 2,
            "kill -9 at the end; " + ledger.summary)
        await place.remove()
    }
}
