import Foundation
import TestSupport
import Testing

/// The drop folder of a real server that is killed again and again.
@Suite("Incoming files and kill -9", .serialized)
struct IntakeKillTests {
    @Test("files dropped while the server is killed again and again are each imported once, none is lost")
    func killed() async throws {
        let data = NSTemporaryDirectory() + "switchboard-intake-" + UUID().uuidString
        let name = "inbox-admin"
        let made = try ServerProcess.run(
            ["user", "create", name, "--role", "administrator", "--data", data, "--password-stdin"],
            input: Scenario.password + "\n")
        #expect(made.code == 0, "\(made)")
        let taught = data + "-first.csv"
        try Self.csv(file: 0, rows: 1).write(toFile: taught, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: taught) }
        #expect(try ServerProcess.run(["import", taught, "--source", "crm", "--data", data]).code == 0)
        let inbox = data + "/inbox/default/crm"
        let (files, rows) = (6, 400)
        let seed = UInt64.random(in: 0...UInt64.max)
        print("incoming files under kill -9: seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var rounds = 0
        // A server takes its folder along when it goes.
        var servers: [ServerProcess] = []
        defer { servers.first?.remove() }
        while rounds < 12 {
            rounds += 1
            let server = try ServerProcess(data: data)
            servers.append(server)
            let visitor = Visitor(http: server.http)
            try visitor.get("/login")
            _ = try visitor.post("/login", [("name", name), ("password", Scenario.password)])
            try visitor.get("/me")
            if rounds == 1 {
                let answer = try visitor.post(
                    "/imports/intake",
                    [("source", "crm"), ("entity", "customer"), ("settle", "60"), ("every", "60"), ("enabled", "1")])
                #expect(answer.status == 303, "\(answer.text.prefix(300))")
                try FileManager.default.createDirectory(atPath: inbox, withIntermediateDirectories: true)
                for file in 1...files {
                    let path = inbox + "/f\(file).csv"
                    try Self.csv(file: file, rows: rows).write(toFile: path, atomically: true, encoding: .utf8)
                    try Data().write(to: URL(fileURLWithPath: path + ".done"))
                }
            }
            _ = try visitor.post("/imports/intake/crm/look")
            if rounds > 6 {
                let done = try await waited(30) {
                    _ = try visitor.post("/imports/intake/crm/look")
                    return try FileManager.default.contentsOfDirectory(atPath: inbox + "/done").count == files
                }
                if done {
                    server.stop()
                    break
                }
            } else {
                usleep(UInt32.random(in: 20_000...900_000, using: &generator))
            }
            server.kill()
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: inbox + "/done")
        let rest = try FileManager.default.contentsOfDirectory(atPath: inbox + "/taken")
        #expect(names.count == files && rest.isEmpty, "done \(names), taken \(rest), after \(rounds) rounds, seed \(seed)")
        let server = try ServerProcess(data: data)
        servers.append(server)
        let count = try created(server, name)
        #expect(count == files * rows + 1, "\(count) customers")
    }

    private func created(_ server: ServerProcess, _ name: String) throws -> Int {
        let visitor = Visitor(http: server.http)
        try visitor.get("/login")
        _ = try visitor.post("/login", [("name", name), ("password", Scenario.password)])
        let text = try visitor.get("/imports").text
        server.kill()
        let created = text.matches(of: /data-label="Created">([0-9,]+)</).compactMap { Int($0.1.replacing(",", with: "")) }
        let other = text.matches(of: /data-label="新建">([0-9,]+)</).compactMap { Int($0.1.replacing(",", with: "")) }
        return (created + other).reduce(0, +)
    }

    private func waited(_ seconds: Double, _ isTrue: () throws -> Bool) async throws -> Bool {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if try isTrue() { return true }
            try await Task.sleep(for: .milliseconds(200))
        }
        return false
    }

    private static func csv(file: Int, rows: Int) -> String {
        var text = "source_id,full_name,city\n"
        for row in 0..<rows { text += "F\(file)-\(row),客户\(file)号\(row),杭州\n" }
        return text
    }
}
