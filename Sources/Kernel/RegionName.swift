import Foundation
import Synchronization

/// What spellings of one region have in common: `北京`, `北京市`, `Beijing`, `臺北市` and `台北`. Sources write them as they like, and
/// whoever is kept to a region has to reach all of its customers and nobody else's.
package enum RegionName {
    /// The same for all spellings of a region. Of a name that is not known here: without regard to case, width, blanks and script,
    /// and without 省, 市, 自治区 or 特别行政区 behind it.
    package static func key(_ text: String) -> String {
        let plain = compact(text)
        if let known = known[plain] { return known }
        return bare(plain) ?? plain
    }

    /// Whether a key is that of a region in the table.
    package static func isKnown(_ key: String) -> Bool { places[key] != nil }

    /// The spellings under which customers of a region may stand: as it is written, and as others write it.
    package static func spellings(_ text: String) -> [String] {
        if let met = cache.withLock({ $0[text] }) { return met }
        let key = key(text)
        var found = [text]
        func add(_ spelling: String) { if !spelling.isEmpty, !found.contains(spelling) { found.append(spelling) } }
        for spelling in places[key] ?? others(text) { add(spelling) }
        let made = found
        cache.withLock { if $0.count < 2_000 { $0[text] = made } }
        return made
    }

    private static let cache = Mutex<[String: [String]]>([:])
    private static let endings = ["特别行政区", "自治区", "省", "市"]

    /// Without the ending. 吉林市 is no spelling of 吉林, which is a province: whoever is kept to the city must not reach it.
    private static func bare(_ plain: String) -> String? {
        for ending in endings where plain.hasSuffix(ending) && plain.count - ending.count >= 2 {
            let base = String(plain.dropLast(ending.count))
            return known[base] == nil ? base : nil
        }
        return nil
    }

    private static func simplified(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map(Han.simplified)))
    }

    private static func traditional(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 >= 0x80 }) else { return text }
        return text.applyingTransform(StringTransform("Hant-Hans"), reverse: true) ?? text
    }

    private static func compact(_ text: String) -> String {
        simplified(Folding.fold(text)).filter { $0.isLetter || $0.isNumber }
    }

    /// Of a region that is not in the table.
    private static func others(_ text: String) -> [String] {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        var found = [trimmed, trimmed.lowercased(), trimmed.uppercased(), trimmed.capitalized, simplified(trimmed), traditional(trimmed)]
        let plain = simplified(trimmed)
        guard plain.unicodeScalars.contains(where: { $0.value >= 0x4E00 }) else { return found }
        let base = bare(plain) ?? plain
        for form in [base] + endings.map({ base + $0 }) { found += [form, traditional(form)] }
        return found
    }

    // MARK: Provinces of China, counties of Taiwan

    private struct Place {
        let short: String
        let full: [String]
        let latin: [String]
    }

    /// Short name, what stands behind it, other spellings of the characters, names in Latin letters. Where two regions are told apart
    /// by the ending alone (新竹市, 新竹縣; 吉林省, 吉林市), the ending is part of the name.
    private static let table: [Place] = """
        北京 市 Beijing/Peking
        天津 市 Tianjin
        上海 市 Shanghai
        重庆 市 Chongqing
        河北 省 Hebei
        山西 省 Shanxi
        辽宁 省 Liaoning
        吉林 省 Jilin
        黑龙江 省 Heilongjiang
        江苏 省 Jiangsu
        浙江 省 Zhejiang
        安徽 省 Anhui
        福建 省 Fujian
        江西 省 Jiangxi
        山东 省 Shandong
        河南 省 Henan
        湖北 省 Hubei
        湖南 省 Hunan
        广东 省 Guangdong
        海南 省 Hainan
        四川 省 Sichuan
        贵州 省 Guizhou
        云南 省 Yunnan
        陕西 省 Shaanxi
        甘肃 省 Gansu
        青海 省 Qinghai
        台湾 省 Taiwan
        内蒙古 自治区 Inner Mongolia/Neimenggu/Nei Mongol
        广西 壮族自治区/自治区 Guangxi
        西藏 自治区 Tibet/Xizang
        宁夏 回族自治区/自治区 Ningxia
        新疆 维吾尔自治区/自治区 Xinjiang
        香港 特别行政区 Hong Kong/Hongkong
        澳门 特别行政区 Macau/Macao
        台北 市 Taipei/Taipei City
        新北 市 New Taipei/New Taipei City
        桃园 市 Taoyuan/Taoyuan City
        台中 市 Taichung/Taichung City
        台南 市 Tainan/Tainan City
        高雄 市 Kaohsiung/Kaohsiung City
        基隆 市 Keelung/Keelung City
        新竹市 - Hsinchu City
        新竹县 - Hsinchu County
        嘉义市 - Chiayi City
        嘉义县 - Chiayi County
        宜兰 县 Yilan/Yilan County
        苗栗 县 Miaoli/Miaoli County
        彰化 县 Changhua/Changhua County
        南投 县 Nantou/Nantou County
        云林 县 Yunlin/Yunlin County
        屏东 县 Pingtung/Pingtung County
        花莲 县 Hualien/Hualien County
        台东 县 Taitung/Taitung County
        澎湖 县 Penghu/Penghu County
        金门 县 Kinmen/Kinmen County
        连江 县 Lienchiang/Lienchiang County
        """.split(separator: "\n").map { line in
            let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
            let endings = parts[1] == "-" ? [] : parts[1].split(separator: "/").map(String.init)
            return Place(
                short: parts[0], full: endings.map { parts[0] + $0 }, latin: parts[2].split(separator: "/").map(String.init))
        }

    /// `Zhejiang Province`, `Beijing Shi`.
    private static func latinEndings(_ place: Place) -> [String] {
        if place.full.contains(where: { $0.hasSuffix("省") }) { return [" Province", " Sheng"] }
        return place.full.contains { $0.hasSuffix("市") } ? [" City", " Municipality", " Shi"] : []
    }

    /// Compact spelling -> short name.
    private static let known: [String: String] = {
        var found: [String: String] = [:]
        for place in table {
            let latin = place.latin.flatMap { name in [name] + latinEndings(place).map { name + $0 } }
            for name in [place.short] + place.full + latin where found[compact(name)] == nil { found[compact(name)] = place.short }
        }
        return found
    }()

    /// Short name -> spellings.
    private static let places: [String: [String]] = {
        var found: [String: [String]] = [:]
        for place in table {
            let han = [place.short] + place.full
            // ICU writes 臺 for 台; both are written in Taiwan.
            let other = han.map(traditional).flatMap { [$0, $0.replacing("臺", with: "台"), $0.replacing("台", with: "臺")] }
            let latin = place.latin + latinEndings(place).prefix(1).map { (place.latin.first ?? "") + $0 }
            found[place.short] = han + other + latin.flatMap { [$0, $0.lowercased(), $0.uppercased()] }
        }
        return found
    }()
}

extension RecordScope {
    /// The same regions, under every spelling.
    var spelled: RecordScope {
        guard let regions else { return self }
        let all = regions.map(RegionName.spellings)
        var met: Set<String> = []
        var spelled: [String] = []
        // The likeliest of each first: a list in a statement is cut where it becomes too long.
        for place in 0..<(all.map(\.count).max() ?? 0) {
            for spellings in all where place < spellings.count && met.insert(spellings[place]).inserted {
                spelled.append(spellings[place])
            }
        }
        return RecordScope(regions: spelled, teams: teams)
    }
}
