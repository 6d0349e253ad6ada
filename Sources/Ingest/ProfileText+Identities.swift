import Kernel
import Tabular

extension ProfileText {
    /// Whose identity numbers a column holds, and which of them are wrong.
    func words(_ identities: FileProfile.Identities) -> [String] {
        var found: [String] = []
        if !identities.kinds.isEmpty {
            let list = identities.kinds.map { one in
                say("\(Self.kind(one.value).en) \(Numbers.grouped(one.count))", "\(Self.kind(one.value).zh) \(Numbers.grouped(one.count))")
            }.joined(separator: say(", ", "，"))
            found.append(say("identity numbers: \(list)", "身份证号码：\(list)"))
        }
        if identities.wrong > 0 {
            let shown = identities.wrongLines.map { "\($0)" }, isMore = identities.wrong > shown.count
            let count = Numbers.grouped(identities.wrong)
            found.append(
                say(
                    "\(count) identity \(identities.wrong == 1 ? "number has" : "numbers have") a wrong check digit or date "
                        + "(\(place) \(shown.joined(separator: ", "))\(isMore ? ", …" : ""))",
                    "\(count) 个身份证号码校验位或日期有误（第 \(shown.joined(separator: "、"))\(isMore ? "…" : "") \(place)）"))
        }
        return found
    }

    private static func kind(_ code: String) -> Words {
        switch IdentityNumber.Kind(rawValue: code) {
        case .mainland: Words(en: "mainland China", zh: "大陆")
        case .taiwan: Words(en: "Taiwan", zh: "台湾")
        case .taiwanResident: Words(en: "Taiwan, resident certificate", zh: "台湾居留证")
        case .taiwanResidentBefore2021: Words(en: "Taiwan, resident certificate of before 2021", zh: "台湾居留证（2021 年前）")
        case .hongKong: Words(en: "Hong Kong", zh: "香港")
        case .macau: Words(en: "Macau (shape only)", zh: "澳门（仅校验格式）")
        case nil: Words(en: code, zh: code)
        }
    }
}
