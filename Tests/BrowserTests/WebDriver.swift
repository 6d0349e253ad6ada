import Foundation
import TestSupport
import Web

/// A real Chromium, driven through chromedriver (W3C WebDriver).
final class Browser: @unchecked Sendable {
    private let driver: Process
    private let http: RawHTTP
    private let session: String

    static var isInstalled: Bool {
        FileManager.default.isExecutableFile(atPath: "/usr/bin/chromedriver")
            && FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium")
    }

    struct Failure: Error, CustomStringConvertible { let description: String }

    init(width: Int = 1366, height: Int = 768, language: String = "en") throws {
        driver = Process()
        driver.executableURL = URL(fileURLWithPath: "/usr/bin/chromedriver")
        driver.arguments = ["--port=0"]
        let pipe = Pipe()
        driver.standardOutput = pipe
        driver.standardError = FileHandle.nullDevice
        try driver.run()
        var text = ""
        var port: Int?
        while port == nil {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { throw Failure(description: "chromedriver did not start: \(text)") }
            text += String(decoding: data, as: UTF8.self)
            port = text.firstMatch(of: /started successfully on port (\d+)/).flatMap { Int($0.1) }
        }
        http = RawHTTP(port: port ?? 0)
        let options: JSONValue = .object([
            "args": .array(
                [
                    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                    "--window-size=\(width),\(height)", "--lang=\(language)",
                    "--accept-lang=\(language)",
                ].map { .string($0) }),
            "binary": .string("/usr/bin/chromium"),
            "prefs": .object(["intl.accept_languages": .string(language)]),
        ])
        let body: JSONValue = .object([
            "capabilities": .object([
                "alwaysMatch": .object([
                    "browserName": .string("chrome"), "goog:chromeOptions": options,
                    "goog:loggingPrefs": .object(["browser": .string("ALL")]),
                ])
            ])
        ])
        let answer = try Self.call(http, "POST", "/session", body)
        guard let id = answer.object?["sessionId"]?.string else { throw Failure(description: "no session: \(answer)") }
        session = id
        try resize(width: width, height: height)
    }

    deinit {
        // A child of Foundation's `Process` inherits blocked signals, and chromedriver never sees a SIGTERM.
        _ = try? Self.call(http, "DELETE", "/session/\(session)", nil)
        kill(driver.processIdentifier, SIGKILL)
        driver.waitUntilExit()
    }

    private static func call(_ http: RawHTTP, _ method: String, _ path: String, _ body: JSONValue?) throws -> JSONValue
    {
        let answer = try http.send(
            method, path, headers: [("Content-Type", "application/json")],
            body: body.map { Array($0.encoded().utf8) } ?? [],
            host: "localhost")
        let value = try JSONValue.parse(answer.body).object?["value"] ?? .null
        if let error = value.object?["error"]?.string {
            throw Failure(description: "\(error): \(value.object?["message"]?.string?.prefix(400) ?? "")")
        }
        return value
    }

    @discardableResult
    private func command(_ method: String, _ path: String, _ body: JSONValue? = nil) throws -> JSONValue {
        try Self.call(http, method, "/session/\(session)\(path)", body)
    }

    /// The exact viewport, also below Chromium's smallest window.
    func resize(width: Int, height: Int) throws {
        try command(
            "POST", "/goog/cdp/execute",
            .object([
                "cmd": .string("Emulation.setDeviceMetricsOverride"),
                "params": .object([
                    "width": .int(Int64(width)), "height": .int(Int64(height)), "deviceScaleFactor": .int(1),
                    "mobile": .bool(width < 600),
                ]),
            ]))
    }

    func open(_ url: String) throws { try command("POST", "/url", .object(["url": .string(url)])) }
    func url() throws -> String { try command("GET", "/url").string ?? "" }
    func title() throws -> String { try command("GET", "/title").string ?? "" }
    func source() throws -> String { try command("GET", "/source").string ?? "" }

    @discardableResult
    func script(_ text: String) throws -> JSONValue {
        try command("POST", "/execute/sync", .object(["script": .string(text), "args": .array([])]))
    }

    /// The element's id; waits up to `seconds` for it.
    private func element(_ css: String, seconds: Double = 10) throws -> String {
        let end = Date().addingTimeInterval(seconds)
        while true {
            do {
                let value = try command(
                    "POST", "/element", .object(["using": .string("css selector"), "value": .string(css)]))
                if let id = value.object?.values.first?.string { return id }
            } catch let error as Failure where error.description.hasPrefix("no such element") && Date() < end {
                usleep(50_000)
                continue
            }
            throw Failure(description: "no element \(css)")
        }
    }

    func click(_ css: String) throws { try command("POST", "/element/\(element(css))/click", .object([:])) }
    func text(_ css: String) throws -> String { try command("GET", "/element/\(element(css))/text").string ?? "" }
    func type(_ css: String, _ text: String) throws {
        try command("POST", "/element/\(element(css))/value", .object(["text": .string(text)]))
    }
    func exists(_ css: String) throws -> Bool {
        try script("return document.querySelector(\(JSONValue.string(css).encoded())) !== null").bool ?? false
    }
    func count(_ css: String) throws -> Int {
        Int(try script("return document.querySelectorAll(\(JSONValue.string(css).encoded())).length").int ?? 0)
    }

    /// Sends keys to the page.
    func keys(_ text: String) throws {
        let actions: [JSONValue] = text.flatMap { key -> [JSONValue] in
            [
                .object(["type": .string("keyDown"), "value": .string(String(key))]),
                .object(["type": .string("keyUp"), "value": .string(String(key))]),
            ]
        }
        try command(
            "POST", "/actions",
            .object([
                "actions": .array([
                    .object(["type": .string("key"), "id": .string("keyboard"), "actions": .array(actions)])
                ])
            ]))
    }

    /// Waits until `condition` (a JavaScript expression) is true.
    func wait(_ condition: String, seconds: Double = 60) throws {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if (try? script("return Boolean(\(condition))").bool) == true { return }
            usleep(100_000)
        }
        throw Failure(
            description: "waited \(seconds) s for \(condition) at \(try url()): \(try text("body").prefix(600))")
    }

    /// Errors of the console since the last call: scripts that failed, refused by the policy, missing files.
    func consoleErrors() throws -> [String] {
        let log = try command("POST", "/se/log", .object(["type": .string("browser")]))
        return (log.array ?? []).compactMap { entry in
            guard entry.object?["level"]?.string == "SEVERE" else { return nil }
            return entry.object?["message"]?.string
        }
    }

    /// Saves a picture of the viewport; the folder is created. Pictures are for people to look at.
    func screenshot(_ path: String) throws {
        guard let text = try command("GET", "/screenshot").string, let data = Data(base64Encoded: text) else { return }
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: path).deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: path))
    }
}
