import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Web

/// Who reads Chinese gets the help of a command in Chinese. The library that reads the arguments has its headings in English
/// alone, so the page is written here, out of the library's own list of commands (`_dumpHelp`) and the texts of `help.tsv`
/// (ADR 0052). Who reads English gets the library's page.
extension Switchboard {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if HelpQuestion.language(arguments) == .zh, let path = HelpQuestion.path(arguments),
            let page = try? HelpPage(path, Say(language: .zh))
        {
            Terminal.out(page.text)
            return
        }
        await main(nil)
    }
}

extension Say {
    fileprivate init(language: Language) throws {
        let configuration = try Configuration.load(file: nil, environment: ProcessInfo.processInfo.environment)
        try self.init(ShareFolder.locate(configuration.share), language: language)
    }
}

/// Whether the arguments ask for help, of which command, and in which language.
enum HelpQuestion {
    /// `--lang` is read here as well: a command that is asked for help does not get as far as its options.
    static func language(_ arguments: [String]) -> Language {
        for (place, argument) in arguments.enumerated() {
            if argument == "--" { break }
            let value =
                argument == "--lang"
                ? arguments.dropFirst(place + 1).first
                : argument.hasPrefix("--lang=") ? String(argument.dropFirst("--lang=".count)) : nil
            if let language = value.flatMap(Language.init(rawValue:)) { return language }
        }
        return Terminal.language
    }

    /// - Returns: the names of the command whose help is asked for; `nil` when none is.
    static func path(_ arguments: [String]) -> [String]? {
        guard var found = try? Switchboard.parseAsRoot(arguments) else { return nil }
        // What is to be done waits for no list of commands.
        if found is any AsyncParsableCommand, type(of: found).configuration.subcommands.isEmpty { return nil }
        if let own = commands.first(where: { $0.type == type(of: found) }) {
            // A group by itself tells its commands.
            return own.type.configuration.subcommands.isEmpty ? nil : own.path
        }
        // The library makes a command of its own out of the question. What that would say tells whom it is about.
        do { try found.run() } catch {
            let said = Switchboard.fullMessage(for: error)
            return commands.first { command in
                [false, true].contains { Switchboard.helpMessage(for: command.type, includeHidden: $0) == said }
            }?.path
        }
        return nil
    }

    typealias Command = (path: [String], type: any ParsableCommand.Type)

    static var commands: [Command] {
        var all: [Command] = []
        func add(_ type: any ParsableCommand.Type, _ path: [String], _ info: CommandInfo) {
            all.append((path, type))
            // In the same order; the library's own `help` comes last.
            for (own, other) in zip(type.configuration.subcommands, info.subcommands ?? []) {
                add(own, path + [other.commandName], other)
            }
        }
        if let root = CommandInfo.root { add(Switchboard.self, [], root) }
        return all
    }
}

/// A command as `--experimental-dump-help` tells of it, so far as it is shown.
struct CommandInfo: Decodable {
    struct Argument: Decodable {
        struct Name: Decodable {
            let kind: String, name: String
            var text: String { kind == "long" ? "--\(name)" : "-\(name)" }
        }
        let kind: String
        let names: [Name]?
        let preferredName: Name?
        let valueName: String?
        let defaultValue: String?
        let shouldDisplay: Bool

        /// What its text is called by.
        var key: String { preferredName.map { "--" + $0.name } ?? valueName ?? "" }
        var opposite: String { "--no-" + key.dropFirst(2) }
        /// `-h, --help`, `--lang <lang>`, `<file>`.
        var synopsis: String {
            let value = "<\(valueName ?? "")>"
            guard let names, !names.isEmpty else { return value }
            let list = names.sorted { $0.text.utf8.count < $1.text.utf8.count }.map(\.text).joined(separator: ", ")
            return kind == "option" ? "\(list) \(value)" : list
        }
    }
    private struct Tool: Decodable { let command: CommandInfo }

    let commandName: String
    let subcommands: [CommandInfo]?
    let arguments: [Argument]?

    static var root: CommandInfo? {
        try? JSONDecoder().decode(Tool.self, from: Data(Switchboard._dumpHelp().utf8)).command
    }
}

/// The help of one command.
struct HelpPage {
    private static let columns = 80, margin = 26
    private let say: Say
    private let path: [String]
    private let type: any ParsableCommand.Type
    private let info: CommandInfo

    /// - Throws: `Complaint` for a path that is no command's.
    init(_ path: [String], _ say: Say) throws {
        guard let command = HelpQuestion.commands.first(where: { $0.path == path }), var info = CommandInfo.root else {
            throw Complaint("no command \(path)")
        }
        for name in path {
            guard let next = info.subcommands?.first(where: { $0.commandName == name }) else {
                throw Complaint("no command \(path)")
            }
            info = next
        }
        (self.say, self.path, type, self.info) = (say, path, command.type, info)
    }

    var text: String {
        let key = Self.key(path)
        var parts = [word("overview") + known(key)]
        if say.texts.words[key + ".more"] != nil {
            let lines = known(key + ".more").replacing(#"\n"#, with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
            parts.append(lines.map { Self.wrapped(String($0), first: 0, rest: 0) }.joined(separator: "\n"))
        }
        let usage = Switchboard.usageString(for: type).replacing("<options>", with: word("anyOptions"))
            .replacing("<subcommand>", with: word("anySubcommand"))
        parts.append(word("usage") + usage)
        let shown = (info.arguments ?? []).filter(\.shouldDisplay)
        let positional = shown.filter { $0.kind == "positional" }, named = shown.filter { $0.kind != "positional" }
        if !positional.isEmpty { parts.append(section("arguments", positional.map { row($0.synopsis, $0) })) }
        if !named.isEmpty { parts.append(section("options", rows(named))) }
        let others = (info.subcommands ?? []).map { Self.row($0.commandName, known(Self.key(path + [$0.commandName]))) }
        if !others.isEmpty {
            parts.append(section("subcommands", others))
            let command = (["switchboard", "help"] + path).joined(separator: " ")
            parts.append("  " + say("help.word.see", ["command": command]))
        }
        return parts.joined(separator: "\n\n")
    }

    private static func key(_ path: [String]) -> String { path.isEmpty ? "help" : "help.\(path.joined(separator: "."))" }
    private func word(_ key: String) -> String { say("help.word.\(key)") }
    private func known(_ key: String) -> String { say.texts.text(key, say.language) }

    private func section(_ heading: String, _ rows: [String]) -> String {
        ([word(heading)] + rows).joined(separator: "\n")
    }

    /// A flag and its opposite stand together.
    private func rows(_ named: [CommandInfo.Argument]) -> [String] {
        named.compactMap { argument in
            if named.contains(where: { $0.opposite == argument.key }) { return nil }
            let opposite = named.first { $0.key == argument.opposite }
            return row(argument.synopsis + (opposite.map { "/" + $0.synopsis } ?? ""), argument)
        }
    }

    private func row(_ label: String, _ argument: CommandInfo.Argument) -> String {
        let own = Self.key(path + [argument.key])
        var text = known(say.texts.words[own] == nil ? Self.key(["any", argument.key]) : own)
        if let value = argument.defaultValue { text += say("help.word.default", ["value": value]) }
        return Self.row(label, text)
    }

    private static func row(_ label: String, _ text: String) -> String {
        let label = "  " + label, used = TerminalText.width(label)
        let isShort = used < margin - 1
        let start = label + (isShort ? "" : "\n") + String(repeating: " ", count: isShort ? margin - used : margin)
        return start + wrapped(text, first: margin, rest: margin)
    }

    /// - Parameter first: the column at which the text begins; `rest` that of its further lines.
    static func wrapped(_ text: String, first: Int, rest: Int) -> String {
        var result = "", column = first
        for piece in pieces(text) {
            let width = TerminalText.width(piece)
            if column + width > columns, column > rest {
                if result.last == " " { result.removeLast() }
                result += "\n" + String(repeating: " ", count: rest)
                column = rest
                if piece == " " { continue }
            }
            result += piece
            column += width
        }
        return result
    }

    /// What is not parted: a word in letters, a Chinese character with the signs that may not begin a line.
    private static func pieces(_ text: String) -> [String] {
        var pieces: [String] = [], wasWide = true
        for character in text {
            let isWide = TerminalText.width(String(character)) > 1
            let joins = "，。；：、）”…".contains(character) || (!isWide && !wasWide && character != " " && pieces.last != " ")
            if joins, !pieces.isEmpty {
                pieces[pieces.count - 1].append(character)
            } else {
                pieces.append(String(character))
            }
            wasWide = isWide || "，。；：、）”…".contains(character)
        }
        return pieces
    }
}
