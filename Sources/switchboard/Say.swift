import App
import ArgumentParser
import Foundation
import Ingest
import Kernel
import Synchronization
import Web

/// In which language a command tells what it did.
struct LanguageOption: ParsableArguments {
    @Option(name: .long, help: "Language of what is printed: en or zh (default: SWITCHBOARD_LANG, else LANG).")
    var lang: String?

    func validate() throws {
        guard let lang else { return }
        guard let language = Language(rawValue: lang) else { throw ValidationError("--lang is en or zh, not “\(lang)”") }
        Terminal.choose(language)
    }
}

extension Terminal {
    private static let chosen = Mutex<Language?>(nil)
    static func choose(_ language: Language) { chosen.withLock { $0 = language } }

    /// The language of whoever reads it: as asked, as set for the product, as set for the machine.
    static var language: Language { chosen.withLock { $0 } ?? language(ProcessInfo.processInfo.environment) }

    static func language(_ environment: [String: String]) -> Language {
        locale(environment).hasPrefix("zh") ? .zh : .en
    }

    /// For commands whose few words are their own.
    static func pick(_ en: String, _ zh: String) -> String { Words(en: en, zh: zh)[language] }

    /// Whether anything says which language is read; a machine without a locale (`C`) does not.
    static var isLanguageKnown: Bool {
        if chosen.withLock({ $0 }) != nil { return true }
        let locale = locale(ProcessInfo.processInfo.environment)
        return locale.hasPrefix("zh") || locale.hasPrefix("en")
    }

    private static func locale(_ environment: [String: String]) -> String {
        let names = ["SWITCHBOARD_LANG", "LC_ALL", "LC_MESSAGES", "LANG"]
        return (names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "").lowercased()
    }
}

/// The texts of the command line, in the language of whoever reads it.
struct Say {
    let texts: Texts
    let language: Language

    init(_ share: ShareFolder, language: Language = Terminal.language) throws {
        texts = try Texts(share: share)
        self.language = language
    }

    /// For a command that opens no installation.
    init() throws {
        let configuration = try Configuration.load(file: nil, environment: ProcessInfo.processInfo.environment)
        try self.init(ShareFolder.locate(configuration.share))
    }

    func callAsFunction(_ key: String, _ values: [String: String] = [:]) -> String {
        var text = texts.text(key, language)
        for (name, value) in values { text = text.replacing("{{\(name)}}", with: value) }
        return text
    }

    func pick(_ words: Words) -> String { words[language] }
    func pick(_ en: String, _ zh: String) -> String { language == .zh ? zh : en }

    /// `  created     12`: the label in a column of its own, whatever script it is in.
    func row(_ key: String, _ value: String) -> String {
        let label = texts.text(key, language)
        return "  " + label + String(repeating: " ", count: max(1, 12 - TerminalText.width(label))) + value
    }

    /// A state of a run: scripts read the English one.
    func state(_ code: String) -> String { language == .zh ? texts.text("ingest.state.\(code)", .zh) : code }
}
