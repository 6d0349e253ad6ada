import App
import ArgumentParser
import Foundation
import Kernel
import Platform
import Web

/// `switchboard`: one binary, one subcommand a file.
@main
struct Switchboard: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "switchboard",
        abstract: "Customer relationship management for telecom operators.",
        discussion: """
            Exit codes: 0 done, 1 failed, 2 done but some rows or items were refused, 64 wrong usage.
            Settings come from --config FILE.json, then the environment (HOST, PORT, SWITCHBOARD_DATA, ...), then flags.
            """,
        version: Version.text,
        subcommands: [
            Serve.self, Worker.self, Migrate.self, Import.self, Seed.self, Train.self, Evaluate.self, Doctor.self,
            User.self, Routes.self, Copy.self, MakeBackup.self, Restore.self, ShowVersion.self,
        ])
}

/// Flags every command has.
struct CommonOptions: ParsableArguments {
    @Option(name: .long, help: "JSON file with settings.") var config: String?
    @Option(name: .long, help: "Folder of databases, files and keys (default: data, or SWITCHBOARD_DATA).")
    var data: String?
    @Option(
        name: .long,
        help: "Tenant (default: default). `serve` and `worker` take several; without it they do the work of all.")
    var tenant: [String] = []

    func validate() throws {
        for name in tenant where !Tenants.isName(name) {
            throw ValidationError("“\(name)” is not a tenant name: lower-case letters, digits and dashes are.")
        }
    }

    /// The settings, with these flags over file and environment.
    func configuration(_ change: (inout Configuration) -> Void = { _ in }) throws -> Configuration {
        var configuration = try Configuration.load(file: config, environment: ProcessInfo.processInfo.environment)
        if let data { configuration.data = data }
        change(&configuration)
        return configuration
    }

    /// A runtime for a command: logs only warnings, so that results stay readable.
    func runtime() throws -> Runtime {
        try Runtime(
            try configuration {
                if ProcessInfo.processInfo.environment["SWITCHBOARD_LOG"] == nil { $0.logLevel = "warning" }
            })
    }

    /// Opens the tenant, runs `body`, closes the databases.
    func withTenant<T>(_ body: (Runtime, Tenant) async throws -> T) async throws -> T {
        guard tenant.count <= 1 else { throw Complaint("give one --tenant") }
        let runtime = try runtime()
        do {
            let result = try await body(runtime, try await runtime.tenants.tenant(tenant.first ?? "default"))
            await runtime.tenants.close()
            return result
        } catch {
            await runtime.tenants.close()
            throw error
        }
    }
}

/// An error as a person at a terminal reads it.
struct Complaint: Error, CustomStringConvertible {
    let description: String
    init(_ text: String) { description = text }
}

/// Writes results and runs bodies with readable failures.
enum Terminal {
    static func out(_ text: String) { FileHandle.standardOutput.write(Data((escaped(text) + "\n").utf8)) }
    static func note(_ text: String) { FileHandle.standardError.write(Data((escaped(text) + "\n").utf8)) }

    /// A text of a file on one line and without control characters: a column's name must not steer the terminal, nor look
    /// like a line of ours.
    static func plain(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { scalars.append(steers(scalar) ? "\u{FFFD}" : scalar) }
        return String(scalars)
    }

    /// Whatever is written, nothing but the ends of our own lines steers the terminal. As JSON writes them, so that JSON
    /// stays what it is.
    static func escaped(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0 != "\n" && steers($0) }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            guard scalar != "\n", steers(scalar) else {
                result.unicodeScalars.append(scalar)
                continue
            }
            for unit in UTF16.encode(scalar) ?? .init() {
                let hex = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return result
    }

    private static func steers(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: false
        }
    }

    /// Ends a process that was to stop and did not.
    @Sendable static func leave() { exit(1) }

    /// Runs a command's body; what it throws becomes one line on standard error and exit code 1. An `ExitCode` passes.
    static func run(_ body: () async throws -> Void) async throws {
        do { try await body() } catch let code as ExitCode { throw code } catch let error as CRMError {
            note("switchboard: \(plain(error.message.en))\n             \(plain(error.message.zh))")
            for field in error.fields { note("  \(plain(field.field)): \(plain(field.message.en))") }
            throw ExitCode(1)
        } catch let error as any CRMErrorConvertible {
            note("switchboard: \(plain(error.crmError.message.en)) (\(plain("\(error)")))")
            throw ExitCode(1)
        } catch {
            note("switchboard: \(plain("\(error)"))")
            throw ExitCode(1)
        }
    }
}

/// A progress bar on a terminal, a line now and then elsewhere. Draws on standard error.
final class ProgressBar: @unchecked Sendable {
    private let lock = NSLock()
    private let started = Date()
    private var last = Date.distantPast
    private var shown = false
    private let isTerminal = isatty(STDERR_FILENO) == 1

    func show(_ done: Int, _ total: Int, _ what: String) {
        lock.lock()
        defer { lock.unlock() }
        let now = Date()
        let finished = total > 0 && done >= total
        guard finished || now.timeIntervalSince(last) > (isTerminal ? 0.1 : 5) else { return }
        last = now
        let seconds = max(now.timeIntervalSince(started), 0.001)
        let rate = Int(Double(done) / seconds)
        var line = Terminal.plain(what)
        if total > 0 {
            let share = min(1, Double(done) / Double(total))
            let filled = Int(share * 30)
            line += " [" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "] "
            line += "\(Int(share * 100)) %  \(done)/\(total)  \(rate)/s"
        } else {
            line += " \(done)  \(rate)/s"
        }
        FileHandle.standardError.write(Data((isTerminal ? "\r\u{1B}[K" + line : line + "\n").utf8))
        shown = true
    }

    func end() {
        lock.lock()
        defer { lock.unlock() }
        if shown, isTerminal { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}
