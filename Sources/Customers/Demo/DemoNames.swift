import Compute

/// Names of invented people and companies. Frequencies of the Chinese surnames follow the usual order (王 李 张 刘 陈 ...),
/// roughly; no name belongs to a known person on purpose.
enum DemoNames {
    /// Surnames with weights, in per mille.
    static let surnames = weighted(
        """
        王 75 李 73 张 68 刘 54 陈 45 杨 31 黄 22 赵 20 吴 19 周 19 徐 17 孙 15 马 13 朱 12 胡 12 郭 11 何 11 林 11 罗 10
        高 10 郑 9 梁 9 谢 8 宋 8 唐 8 许 7 韩 7 邓 7 冯 7 曹 6 彭 6 曾 6 肖 6 田 6 董 6 潘 5 袁 5 蔡 5 蒋 5 余 5 于 5 杜 5
        叶 5 程 5 魏 5 苏 5 吕 4 丁 4 任 4 卢 4 姚 4 沈 4 钟 4 姜 4 崔 4 谭 4 陆 4 范 4 汪 4 廖 4 石 3 金 3 韦 3 贾 3 夏 3 付 3
        方 3 邹 3 熊 3 白 3 孟 3 秦 3 邱 3 侯 3 江 3 尹 3 薛 3 闫 3 段 3 雷 3 龙 3 黎 3 史 3 陶 2 贺 2 毛 2 郝 2 顾 2 龚 2 邵 2
        欧阳 2 上官 1 司马 1 诸葛 1
        """)
    static let maleFirst = Array("志建国文明永家俊宇浩子天海晓东立德振伟春光世学思")
    static let maleSecond = Array("强军平伟杰涛磊斌鹏飞宇轩豪峰超波辉勇刚华龙宁晨泽")
    static let femaleFirst = Array("秀玉晓雅丽美淑婷梦思欣佳春海红慧诗若雨书静文月素")
    static let femaleSecond = Array("英兰华梅芳娟敏静丽燕玲霞萍琳雪怡涵萱琪瑶颖洁宁云")
    static let single = Array("伟芳娜敏静磊军洋勇艳杰涛明超霞平刚鑫鹏宇浩宁悦彤琳博")

    static let english: (family: [String], male: [String], female: [String]) = (
        words(
            """
            Smith Johnson Williams Brown Jones Garcia Miller Davis Wilson Anderson Thomas Taylor Moore Jackson Martin
            Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Baker
            Adams Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans Edwards Collins Stewart
            Morris Murphy Cook Rogers
            """),
        words(
            """
            James Robert John Michael David William Richard Joseph Thomas Charles Daniel Matthew Anthony Mark
            Steven Paul Andrew Joshua Kevin Brian George Edward Ryan Jason Henry Oliver Samuel Peter Lucas Adam
            """),
        words(
            """
            Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Betty Margaret
            Sandra Ashley Emily Donna Michelle Laura Amanda Melissa Rebecca Sharon Anna Grace Emma Olivia Chloe Sophia
            """)
    )

    static let companyHeads = words("华信 远景 恒达 天成 鼎新 瑞丰 博远 宏图 联创 金桥 星河 东方 万象 卓越 安泰 同济 永兴 海纳 云帆 正阳 启明 汇通 中岳 嘉禾")
    /// Industry code and the words a company name ends with.
    static let industries: [(code: String, zh: String, tail: [String])] = [
        ("manufacturing", "制造", ["机械制造有限公司", "电子科技有限公司"]),
        ("retail", "零售", ["商贸有限公司", "超市连锁有限公司"]),
        ("logistics", "物流", ["物流有限公司", "供应链管理有限公司"]),
        ("software", "软件", ["软件有限公司", "信息技术有限公司"]),
        ("catering", "餐饮", ["餐饮管理有限公司"]),
        ("education", "教育", ["教育咨询有限公司"]),
        ("healthcare", "医疗", ["医疗器械有限公司"]),
        ("construction", "建筑", ["建筑工程有限公司", "装饰工程有限公司"]),
    ]
    static let englishCompanies = words(
        "Harbour Northgate Bluewater Redwood Summit Lakeside Pioneer Sterling Granite Beacon Meridian Falcon")
    static let englishTails = ["Trading Ltd", "Logistics Ltd", "Software Ltd", "Foods Ltd", "Engineering Ltd"]
    static let streets = words("人民路 中山路 解放路 建设路 和平街 文化路 新华街 长江路 黄河路 学院路 滨江大道 朝阳街 光明路 迎宾大道 科技路 花园路")

    /// `欧阳 晓梅` or `Emily Parker`, as family and given name.
    static func person(_ random: inout SeededRandom, english isEnglish: Bool, female: Bool) -> (
        family: String, given: String
    ) {
        if isEnglish {
            let given = female ? english.female : english.male
            return (pick(english.family, &random), pick(given, &random))
        }
        return (surname(&random), chineseGiven(&random, female: female))
    }

    static func surname(_ random: inout SeededRandom) -> String {
        var at = random.below(surnames.total)
        for (name, weight) in surnames.items {
            at -= weight
            if at < 0 { return name }
        }
        return "王"
    }

    static func chineseGiven(_ random: inout SeededRandom, female: Bool) -> String {
        if random.below(100) < 18 { return String(pick(single, &random)) }
        return female
            ? String([pick(femaleFirst, &random), pick(femaleSecond, &random)])
            : String([pick(maleFirst, &random), pick(maleSecond, &random)])
    }

    /// A company's name and the code of its industry.
    static func company(_ random: inout SeededRandom, english isEnglish: Bool, city: DemoPlaces.City) -> (
        name: String, industry: String
    ) {
        let industry = pick(industries, &random)
        if isEnglish {
            return ("\(pick(englishCompanies, &random)) \(pick(englishTails, &random))", industry.code)
        }
        let short = city.zh.hasSuffix("市") ? String(city.zh.dropLast()) : city.zh
        return (short + pick(companyHeads, &random) + pick(industry.tail, &random), industry.code)
    }

    static func pick<C: RandomAccessCollection>(_ items: C, _ random: inout SeededRandom) -> C.Element
    where C.Index == Int {
        items[items.startIndex + random.below(items.count)]
    }

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private static func weighted(_ text: String) -> (items: [(String, Int)], total: Int) {
        let parts = words(text)
        var items: [(String, Int)] = []
        for at in stride(from: 0, to: parts.count - 1, by: 2) { items.append((parts[at], Int(parts[at + 1]) ?? 1)) }
        return (items, items.reduce(0) { $0 + $1.1 })
    }
}
