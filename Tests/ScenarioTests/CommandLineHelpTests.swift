import Foundation
import Kernel
import TestSupport
import Testing
import Web

/// `--help` of every command, to who reads English and to who reads Chinese.
@Suite("Command line: help in both languages")
struct CommandLineHelpTests {
    private struct Tool: Decodable { let command: Info }
    private struct Info: Decodable {
        struct Argument: Decodable {
            struct Name: Decodable { let name: String }
            let preferredName: Name?, valueName: String?, abstract: String?
            let shouldDisplay: Bool, kind: String
            var key: String { preferredName.map { "--" + $0.name } ?? valueName ?? "" }
        }
        let commandName: String, abstract: String?, discussion: String?
        let subcommands: [Info]?, arguments: [Argument]?
    }

    private static func commands(_ bench: CommandBench) throws -> [(path: [String], info: Info)] {
        let dump = try bench.expect(0, ["--experimental-dump-help"])
        var all: [(path: [String], info: Info)] = []
        func add(_ info: Info, _ path: [String]) {
            all.append((path, info))
            for other in info.subcommands ?? [] { add(other, path + [other.commandName]) }
        }
        add(try JSONDecoder().decode(Tool.self, from: Data(dump.out.utf8)).command, [])
        return all
    }

    private static let texts = try? Texts(share: ShareFolder.locate(nil))

    /// The keys a command's page is made of, each with what the command says itself.
    private static func keys(_ path: [String], _ info: Info, _ known: [String: Words]) -> [(key: String, said: String)] {
        let own = (["help"] + path).joined(separator: ".")
        var keys: [(String, String)] = [(own, info.abstract ?? "")]
        if let more = info.discussion, !more.isEmpty { keys.append((own + ".more", more)) }
        guard info.commandName != "help" else { return keys }
        for argument in info.arguments ?? [] {
            let key = own + "." + argument.key
            keys.append((known[key] == nil ? "help.any." + argument.key : key, argument.abstract ?? ""))
        }
        return keys
    }

    @Test("every command and option has its text in both languages, in English the one that the command shows, and no text is left over")
    func complete() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let known = try #require(Self.texts).words
        let commands = try Self.commands(bench)
        #expect(commands.count > 25)
        var used: Set<String> = []
        for (path, info) in commands {
            for (key, said) in Self.keys(path, info, known) {
                used.insert(key)
                let words = known[key]
                #expect(words?.en.replacing(#"\n"#, with: "\n") == said, "\(key) in help.tsv, and what \(path) says")
                let hasWords = said.contains { $0.isLetter }
                let isChinese = words?.zh.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) } ?? false
                #expect(isChinese || !hasWords, "\(key) is Chinese")
            }
        }
        let over = known.keys.filter { $0.hasPrefix("help.") && !$0.hasPrefix("help.word.") && !used.contains($0) }
        #expect(over.isEmpty, "\(over)")
    }

    @Test("who reads Chinese gets every page in Chinese, with every option in it, and nobody else does")
    func pages() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let known = try #require(Self.texts).words
        // Wrapped lines are read as one.
        func joined(_ text: String) -> String { text.filter { !$0.isWhitespace } }
        for (path, info) in try Self.commands(bench) where info.commandName != "help" {
            let page = try bench.expect(0, path + ["--help"], environment: ["SWITCHBOARD_LANG": "zh"])
            #expect(page.error.isEmpty && page.out.contains("用法：switchboard"), "\(path): \(page)")
            for heading in ["OVERVIEW", "USAGE", "OPTIONS", "SUBCOMMANDS", "ARGUMENTS"] {
                #expect(!page.out.contains(heading + ":"), "\(path)")
            }
            let hidden = Set((info.arguments ?? []).filter { !$0.shouldDisplay }.map(\.key))
            for (key, _) in Self.keys(path, info, known) where !hidden.contains(key.split(separator: ".").last.map(String.init) ?? "") {
                let text = (known[key]?.zh ?? key).replacing(#"\n"#, with: "")
                #expect(joined(page.out).contains(joined(text)), "\(path): \(key)")
            }
            for other in info.subcommands ?? [] { #expect(page.out.contains("  \(other.commandName) "), "\(path)") }
        }
    }

    @Test("help is asked for in every way there is, in the language that is asked for")
    func ways() throws {
        let bench = try CommandBench()
        defer { bench.remove() }
        let zh = ["SWITCHBOARD_LANG": "zh"], en = ["SWITCHBOARD_LANG": "en", "LANG": "zh_CN.UTF-8"]
        let match = try bench.expect(0, ["match", "--help"], environment: zh).out
        #expect(match.contains("--column <NAME=KIND>") && match.contains("（默认：86）"), "\(match)")
        for arguments in [["help", "match"], ["match", "-h"], ["match", "--id", "x", "--help", "--lang", "zh"]] {
            #expect(try bench.expect(0, arguments, environment: zh).out == match, "\(arguments)")
        }
        for arguments in [["match", "--help", "--lang", "zh"], ["match", "--lang=zh", "--help"]] {
            #expect(try bench.expect(0, arguments, environment: en).out == match, "\(arguments)")
        }
        for arguments in [["match", "--help", "--lang", "en"], ["match", "--lang=en", "-h"]] {
            let page = try bench.expect(0, arguments, environment: zh).out
            #expect(page.contains("OVERVIEW: Link the records") && page.contains("OPTIONS:"), "\(arguments)")
        }
        #expect(try bench.expect(0, ["match", "--help"], environment: en).out.contains("OVERVIEW:"))
        // A group and the whole by themselves.
        #expect(try bench.expect(0, ["source"], environment: zh).out.contains("子命令："))
        let root = try bench.expect(0, [], environment: ["LANG": "zh_TW.UTF-8", "LC_ALL": "", "SWITCHBOARD_LANG": ""]).out
        #expect(root.contains("概述：") && root.contains("详细说明见“switchboard help <子命令>”"), "\(root)")
        #expect(try bench.expect(0, ["serve", "--help"], environment: zh).out.contains("--workers/--no-workers"))
        // What is no question for help stays what it is.
        #expect(try bench.expect(0, ["--version"], environment: zh).out.first?.isNumber == true)
        #expect(try bench.expect(64, ["match"], environment: zh).error.contains("--id"))
        #expect(try bench.expect(64, ["nothing"], environment: zh).out.isEmpty)
    }
}
