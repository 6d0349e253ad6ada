import Foundation
import TestSupport
import Testing

/// A served base with a supervisor who has logged in.
struct BrowserDesk {
    let server: ServerProcess
    let base: String
    let browser: Browser

    /// - Parameter path: the page that was asked for before the log-in, and is shown after it.
    init(_ name: String, customers: Int, at path: String) throws {
        let folder = NSTemporaryDirectory() + "switchboard-\(name)-" + UUID().uuidString
        let made = try ServerProcess.run(["seed", "--customers", String(customers), "--data", folder])
        #expect(made.code == 0, "\(made.error)")
        let user = try ServerProcess.run(
            ["user", "create", "lin", "--role", "supervisor", "--password-stdin", "--data", folder],
            input: StoryTests.password + "\n")
        #expect(user.code == 0, "\(user.error)")
        server = try ServerProcess(data: folder)
        base = "http://127.0.0.1:\(server.port)"
        browser = try Browser()
        try browser.open(base + path)
        try browser.wait("document.querySelector('#login')")
        try browser.type("input[name=name]", "lin")
        try browser.type("input[name=password]", StoryTests.password)
        try browser.click("#login")
        try browser.wait("location.pathname === '\(path)'")
    }
}
