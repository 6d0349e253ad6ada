/// Which region a city lies in, where a file names cities only.
extension RegionName {
    /// The short name of the province, municipality or county; `nil` when the city is not known here, or there are two of the name.
    package static func region(ofCity city: String) -> String? {
        let own = key(city)
        if isKnown(own) { return own }
        return cities[own]
    }

    private static let latinMin = 4

    /// Province, then its prefecture cities, prefectures and leagues without 市; behind a stroke how it is written in letters, where the
    /// characters are read otherwise as a rule (成都 would be Chengdou) or English has a name. 吉林市 lies in 吉林; of 海南 (island) and
    /// 海南 (prefecture) only the province is meant.
    private static let cities: [String: String] = {
        var found: [String: String] = [:]
        for line in cityTable.split(separator: "\n") {
            let parts = line.split(separator: " ").map(String.init)
            for city in parts.dropFirst() {
                var names = city.split(separator: "/").map(String.init)
                if names.count == 1 {
                    names.append(String(decoding: names[0].unicodeScalars.flatMap { Han.pinyin($0) }, as: UTF8.self))
                }
                // What is shorter is a word elsewhere too (Ali, Aba).
                for name in [key(names[0])] + names.dropFirst().filter({ $0.count >= latinMin }) {
                    found[name] = found[name].map { $0 == parts[0] ? $0 : "" } ?? parts[0]
                }
            }
        }
        return found.filter { !$0.value.isEmpty }
    }()

    private static let cityTable = """
        河北 石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水
        山西 太原 大同 阳泉 长治/changzhi 晋城 朔州 晋中 运城 忻州 临汾 吕梁/lvliang/luliang
        内蒙古 呼和浩特/huhehaote/hohhot 包头 乌海 赤峰 通辽 鄂尔多斯/eerduosi/ordos 呼伦贝尔 巴彦淖尔 乌兰察布 兴安盟 锡林郭勒盟 阿拉善盟
        辽宁 沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 朝阳 葫芦岛
        吉林 长春/changchun 吉林市 四平 辽源 通化 白山 松原 白城 延边
        黑龙江 哈尔滨/haerbin/harbin 齐齐哈尔/qiqihaer/qiqihar 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 大兴安岭
        江苏 南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁
        浙江 杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水
        安徽 合肥 芜湖 蚌埠/bengbu 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安/luan 亳州 池州 宣城
        福建 福州 厦门/xiamen/amoy 莆田 三明 泉州 漳州 南平 龙岩 宁德
        江西 南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶
        山东 济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽
        河南 郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 济源
        湖北 武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 恩施 仙桃 潜江 天门 神农架
        湖南 长沙/changsha 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 湘西
        广东 广州 韶关 深圳 珠海 汕头 佛山/foshan 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮
        广西 南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左
        海南 海口 三亚 三沙 儋州 琼海 文昌 万宁 东方
        四川 成都/chengdu 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳 阿坝 甘孜 凉山
        贵州 贵阳 六盘水 遵义 安顺 毕节 铜仁 黔西南 黔东南 黔南
        云南 昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 楚雄 红河 文山 西双版纳 大理 德宏 怒江 迪庆
        西藏 拉萨/lasa/lhasa 日喀则 昌都/changdu/qamdo 林芝 山南 那曲 阿里
        陕西 西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛
        甘肃 兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 临夏 甘南
        青海 西宁 海东 海北 黄南 果洛 玉树 海西
        宁夏 银川 石嘴山 吴忠 固原 中卫
        新疆 乌鲁木齐/wulumuqi/urumqi 克拉玛依 吐鲁番 哈密 昌吉 博尔塔拉 巴音郭楞 阿克苏 喀什/kashi/kashgar 和田 伊犁 塔城 阿勒泰/aletai/altay 石河子
        """
}
