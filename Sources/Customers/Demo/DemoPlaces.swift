import Compute

/// Real Chinese cities with a few of their districts; coordinates are of the district's middle, in degrees (WGS 84).
enum DemoPlaces {
    struct District: Sendable {
        let zh: String
        let latitude: Double
        let longitude: Double
    }

    struct City: Sendable {
        /// Province or municipality: the region by which record scopes are cut.
        let region: String
        let zh: String
        let en: String
        /// Share of the base, relative.
        let weight: Int
        /// How bad the radio network is here, 0 (good) ... 1 (bad): raises dropped calls.
        let trouble: Double
        /// How hard competitors push here, 0 ... 1.
        let rivalry: Double
        let districts: [District]
    }

    static let cities: [City] = [
        city(
            "浙江", "杭州市", "Hangzhou", 16, 0.10, 0.55,
            "上城区 30.24 120.18 西湖区 30.26 120.13 滨江区 30.21 120.21 余杭区 30.42 119.98"),
        city("浙江", "宁波市", "Ningbo", 7, 0.20, 0.35, "海曙区 29.86 121.55 鄞州区 29.82 121.55 江北区 29.89 121.56"),
        city("浙江", "温州市", "Wenzhou", 5, 0.45, 0.30, "鹿城区 28.02 120.65 瓯海区 27.97 120.61"),
        city("江苏", "南京市", "Nanjing", 10, 0.15, 0.40, "玄武区 32.05 118.80 鼓楼区 32.07 118.77 江宁区 31.95 118.84"),
        city("江苏", "苏州市", "Suzhou", 9, 0.12, 0.50, "姑苏区 31.31 120.62 吴中区 31.26 120.63 昆山市 31.39 120.98"),
        city("江苏", "徐州市", "Xuzhou", 4, 0.55, 0.20, "云龙区 34.25 117.23 铜山区 34.18 117.17"),
        city(
            "上海", "上海市", "Shanghai", 18, 0.08, 0.75,
            "黄浦区 31.23 121.48 浦东新区 31.22 121.54 徐汇区 31.19 121.44 闵行区 31.11 121.38"),
        city(
            "北京", "北京市", "Beijing", 14, 0.12, 0.70,
            "朝阳区 39.92 116.44 海淀区 39.96 116.30 丰台区 39.86 116.29 通州区 39.91 116.66"),
        city("广东", "广州市", "Guangzhou", 13, 0.14, 0.60, "天河区 23.12 113.36 越秀区 23.13 113.27 番禺区 22.94 113.38"),
        city("广东", "深圳市", "Shenzhen", 13, 0.10, 0.72, "南山区 22.53 113.93 福田区 22.52 114.05 龙岗区 22.72 114.25"),
        city("广东", "佛山市", "Foshan", 5, 0.30, 0.40, "禅城区 23.01 113.12 顺德区 22.81 113.29"),
        city("四川", "成都市", "Chengdu", 11, 0.22, 0.45, "武侯区 30.64 104.04 锦江区 30.66 104.08 双流区 30.57 103.92"),
        city("四川", "绵阳市", "Mianyang", 3, 0.70, 0.20, "涪城区 31.46 104.76 游仙区 31.47 104.77"),
        city("湖北", "武汉市", "Wuhan", 9, 0.25, 0.45, "武昌区 30.55 114.32 江汉区 30.60 114.27 洪山区 30.50 114.34"),
        city("湖北", "宜昌市", "Yichang", 3, 0.65, 0.20, "西陵区 30.71 111.29 夷陵区 30.77 111.33"),
        city("陕西", "西安市", "Xi’an", 7, 0.30, 0.35, "雁塔区 34.22 108.95 碑林区 34.26 108.93 未央区 34.29 108.95"),
        city("重庆", "重庆市", "Chongqing", 8, 0.50, 0.35, "渝中区 29.55 106.57 江北区 29.61 106.57 南岸区 29.52 106.56"),
        city("山东", "青岛市", "Qingdao", 6, 0.18, 0.30, "市南区 36.08 120.41 黄岛区 35.96 120.05 崂山区 36.11 120.47"),
        city("山东", "济南市", "Jinan", 5, 0.25, 0.30, "历下区 36.67 117.08 市中区 36.65 116.99"),
        city("辽宁", "沈阳市", "Shenyang", 5, 0.45, 0.25, "和平区 41.79 123.42 浑南区 41.71 123.45"),
        city("福建", "厦门市", "Xiamen", 4, 0.20, 0.45, "思明区 24.45 118.08 湖里区 24.51 118.15"),
        city("云南", "昆明市", "Kunming", 4, 0.60, 0.25, "五华区 25.04 102.71 官渡区 25.02 102.74"),
    ]

    private static let total = cities.reduce(0) { $0 + $1.weight }

    static func city(_ random: inout SeededRandom) -> City {
        var at = random.below(total)
        for city in cities {
            at -= city.weight
            if at < 0 { return city }
        }
        return cities[0]
    }

    private static func city(
        _ region: String, _ zh: String, _ en: String, _ weight: Int, _ trouble: Double, _ rivalry: Double,
        _ districts: String
    ) -> City {
        let parts = districts.split(separator: " ").map(String.init)
        return City(
            region: region, zh: zh, en: en, weight: weight, trouble: trouble, rivalry: rivalry,
            districts: stride(from: 0, to: parts.count - 2, by: 3).map {
                District(zh: parts[$0], latitude: Double(parts[$0 + 1]) ?? 0, longitude: Double(parts[$0 + 2]) ?? 0)
            })
    }
}
