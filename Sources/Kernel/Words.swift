/// The two languages of the product.
package enum Language: String, Sendable, Codable, CaseIterable {
    case en, zh

    /// The language a browser asks for (`Accept-Language`); Chinese when any form of it is named first.
    package init(acceptLanguage header: String?) {
        let first = header?.split(separator: ",").first?.lowercased() ?? ""
        self = first.hasPrefix("zh") ? .zh : .en
    }

    /// For the `lang` attribute.
    package var tag: String { self == .zh ? "zh-CN" : "en" }
}

/// One text in both languages.
package struct Words: Sendable, Hashable, Codable {
    package let en: String
    package let zh: String
    package init(en: String, zh: String) {
        self.en = en
        self.zh = zh
    }
    package subscript(language: Language) -> String { language == .zh ? zh : en }
}
