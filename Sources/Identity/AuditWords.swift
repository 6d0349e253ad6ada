import Kernel
import Platform
import Web

/// Words for what the log holds as codes (`Texts/audit.tsv`). A code without words is shown as it is; tests go over all
/// codes that are written.
struct AuditWords: Sendable {
    private let texts: Texts
    private let language: Language

    init(_ texts: Texts, _ language: Language) {
        self.texts = texts
        self.language = language
    }

    private func known(_ key: String) -> String? { texts.words[key]?[language] }

    /// - Parameter refused: it did not come to that: `Log-in refused`, not `Logged in`.
    func action(_ code: String, refused: Bool) -> String {
        let words = known("audit.action." + code) ?? code
        guard refused else { return words }
        return known("audit.refusal." + code) ?? (language == .zh ? "\(words)（被拒绝）" : "\(words) (refused)")
    }

    func kind(_ code: String) -> String { known("audit.kind." + code) ?? code }

    /// A field, panel or column. Custom fields have the name they were given as their key.
    func name(_ code: String) -> String {
        if let words = known("audit.name." + code) { return words }
        // A field of a line is called as that of the customer it stands for.
        for prefix in ["line.", "addon_", "attr.", "attr_"] where code.hasPrefix(prefix) {
            let rest = String(code.dropFirst(prefix.count))
            return known("audit.name." + rest) ?? rest.replacing("_", with: " ")
        }
        return code
    }

    func names(_ codes: [String]) -> String {
        // Two codes may mean one thing to a person: `name` and `full_name`.
        var told: Set<String> = []
        return codes.map(name).filter { told.insert($0).inserted }.joined(separator: language == .zh ? "、" : ", ")
    }

    /// `Customers: 50; Fields: Name, Plan`.
    func facts(_ facts: [String: JSONValue]) -> String {
        facts.keys.sorted().map { key in
            let label = known("audit.fact." + key) ?? key
            return label + (language == .zh ? "：" : ": ") + value(facts[key] ?? .null)
        }.joined(separator: language == .zh ? "；" : "; ")
    }

    private func value(_ value: JSONValue) -> String {
        if value == .null { return "–" }
        if let bool = value.bool { return known(bool ? "audit.yes" : "audit.no") ?? "–" }
        if let items = value.array, items.allSatisfy({ $0.string != nil }) {
            return items.isEmpty ? "–" : names(items.compactMap(\.string))
        }
        guard let text = value.string else { return value.encoded() }
        // Role lists: `agent,supervisor`.
        let parts = text.split(separator: ",").map(String.init)
        let roles = parts.compactMap { known("role." + $0) }
        if !roles.isEmpty, roles.count == parts.count { return roles.joined(separator: language == .zh ? "、" : ", ") }
        return known("audit.value." + text) ?? text
    }

    /// As it was written, for those who look for codes: `after=agent,supervisor, before=agent`.
    static func codes(_ facts: [String: JSONValue]) -> String? {
        facts.keys.sorted().map { key in
            let value = facts[key] ?? .null
            return key + "=" + (value.string ?? (value == .null ? "–" : value.encoded()))
        }.joined(separator: ", ").nilIfEmpty
    }
}
