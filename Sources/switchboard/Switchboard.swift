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
            Serve.self, Worker.self, Migrate.self, Import.self, Profile.self, Seed.self, Train.self, Evaluate.self,
            Match.self, UsageCommand.self, SourceCommand.self, Doctor.self,
            Health.self, User.self, Client.self, Routes.self, Copy.self, MakeBackup.self, Restore.self, ShowVersion.self,
        ])
}

/// Flags every command has.
struct CommonOptions: ParsableArguments {
    @OptionGroup var reader: LanguageOption
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
    /// - Parameter usesData: whether the data folder has to be one.
    func configuration(
        usesData: Bool = true, _ change: (inout Configuration) -> Void = { _ in }
    ) throws -> Configuration {
        var configuration = try Configuration.load(file: config, environment: ProcessInfo.processInfo.environment)
        if let data { configuration.data = data }
        change(&configuration)
        if usesData { try FileTrouble.checkFolder(configuration.data) }
        return configuration
    }

    /// A runtime for a command: logs only warnings, so that results stay readable.
    /// - Parameter loads: whether the command fills a database.
    func runtime(loads: Bool = false) throws -> Runtime {
        try Runtime(
            try configuration {
                $0.loads = loads
                if ProcessInfo.processInfo.environment["SWITCHBOARD_LOG"] == nil { $0.logLevel = "warning" }
            })
    }

    /// Opens the tenant, runs `body`, closes the databases.
    /// - Parameter creates: whether an installation (or a tenant) that is not there yet is made. Only what begins one
    ///   does: a mistyped folder must not become a second, empty installation.
    /// - Parameter loads: whether the body fills the database.
    /// - Throws: `CRMError` "no_installation" when there is none and `creates` is false.
    func withTenant<T>(
        creates: Bool = false, loads: Bool = false, _ body: (Runtime, Tenant) async throws -> T
    ) async throws -> T {
        let name = creates ? try only() : try installed()
        let runtime = try runtime(loads: loads)
        do {
            let result = try await body(runtime, try await runtime.tenants.tenant(name))
            await runtime.tenants.close()
            return result
        } catch {
            await runtime.tenants.close()
            throw error
        }
    }
}

extension CommonOptions {
    private func only() throws -> String {
        guard tenant.count <= 1 else { throw Complaint(Words(en: "give one --tenant", zh: "只能给出一个 --tenant")) }
        return tenant.first ?? "default"
    }

    /// The tenant that is meant, which is there.
    /// - Throws: `CRMError` "no_installation", "no_tenant".
    func installed() throws -> String {
        let name = try only()
        try requireInstallation(name)
        return name
    }

    private func requireInstallation(_ name: String) throws {
        let configuration = try configuration()
        guard !Tenants.exists(name, configuration) else { return }
        let folder = URL(fileURLWithPath: configuration.data).path
        guard name == "default" else {
            throw CRMError(
                "no_tenant", status: 404,
                Words(
                    en: "There is no tenant \(name) in \(folder) (set --tenant, --data or SWITCHBOARD_DATA).",
                    zh: "\(folder) 中没有租户 \(name)（请设置 --tenant、--data 或 SWITCHBOARD_DATA）。"))
        }
        throw CRMError(
            "no_installation", status: 404,
            Words(
                en: "There is no installation in \(folder) (set --data or SWITCHBOARD_DATA).",
                zh: "\(folder) 中没有安装数据（请设置 --data 或 SWITCHBOARD_DATA）。"))
    }
}

/// A flag or value that no run of the command could do anything with: exit code 64, as for an unknown flag.
struct WrongUsage: Error, CustomStringConvertible {
    let words: Words
    var description: String { words.en }
    init(_ text: String) { words = Words(en: text, zh: text) }
    init(_ words: Words) { self.words = words }
}

/// An error as a person at a terminal reads it.
struct Complaint: Error, CustomStringConvertible {
    let words: Words
    var description: String { words.en }
    init(_ text: String) { words = Words(en: text, zh: text) }
    init(_ words: Words) { self.words = words }
}

/// Writes results and runs bodies with readable failures.
enum Terminal {
    /// What cannot be written (a full disk, a closed pipe) ends the command with 74, `EX_IOERR`: nobody has its result.
    static func out(_ text: String) {
        do { try FileHandle.standardOutput.write(contentsOf: Data((escaped(text) + "\n").utf8)) } catch {
            note("Standard output cannot be written. 无法写入标准输出。")
            exit(74)
        }
    }
    /// Bytes of a file that goes to standard output.
    static func raw(_ bytes: [UInt8]) {
        do { try FileHandle.standardOutput.write(contentsOf: Data(bytes)) } catch {
            note("Standard output cannot be written. 无法写入标准输出。")
            exit(74)
        }
    }

    static func note(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data((escaped(text) + "\n").utf8))
    }

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

    /// Runs a command's body; what it throws becomes one line on standard error and exit code 1 (64 for `WrongUsage`). An
    /// `ExitCode` passes.
    /// - Parameter json: the failure is also told on standard output, as `{"error": {"code", "message", "message_zh"}}`: a
    ///   program that reads it gets an object whatever happens.
    static func run(json: Bool = false, _ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let code as ExitCode {
            throw code
        } catch {
            let error = FileTrouble.crmError(error) ?? error
            if json { out(failure(error).encoded()) }
            try tell(error)
        }
    }

    private static func failure(_ error: any Error) -> JSONValue {
        if let error = error as? DatabaseUnreachable {
            return .object([
                "error": .object([
                    "code": .string(error.crmError.code), "message": .string(error.words.en),
                    "message_zh": .string(error.words.zh),
                ])
            ])
        }
        let known = (error as? CRMError) ?? (error as? any CRMErrorConvertible)?.crmError
        let usage = (error as? WrongUsage)?.words ?? (error as? Complaint)?.words
        let code = known?.code ?? (error is WrongUsage ? "usage" : "failed")
        return .object([
            "error": .object([
                "code": .string(code), "message": .string(known?.message.en ?? "\(error)"),
                "message_zh": .string(known?.message.zh ?? usage?.zh ?? "\(error)"),
            ])
        ])
    }

    /// Once, in the language that is asked for or the machine is set to; in both where nothing says which.
    static func complain(_ words: Words) {
        let first = "switchboard: \(plain(words[language]))"
        let isSure = isLanguageKnown || words.en == words.zh
        note(isSure ? first : first + "\n             \(plain(words.zh))")
    }

    private static func tell(_ error: any Error) throws -> Never {
        do { throw error } catch let error as CRMError {
            complain(error.message)
            // What the message says already is not said again field by field.
            for field in error.fields where !error.message.en.contains(field.message.en) {
                note("  \(plain(field.field)): \(plain(field.message[language]))")
            }
            throw ExitCode(1)
        } catch let error as DatabaseUnreachable {
            complain(error.words)
            throw ExitCode(1)
        } catch let error as any CRMErrorConvertible {
            note("switchboard: \(plain(error.crmError.message[language])) (\(plain("\(error)")))")
            throw ExitCode(1)
        } catch let error as WrongUsage {
            note("switchboard: \(plain(error.words[language]))")
            throw ExitCode.validationFailure
        } catch let error as Complaint {
            note("switchboard: \(plain(error.words[language]))")
            throw ExitCode(1)
        } catch {
            note("switchboard: \(plain("\(error)"))")
            throw ExitCode(1)
        }
    }
}
