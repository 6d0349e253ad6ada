import Testing

@testable import Kernel

@Suite("names of regions")
struct RegionNameTests {
    @Test("spellings of one region have one key, and regions that differ by their ending have two")
    func keys() {
        let same = [
            ["北京", "北京市", "Beijing", "BEIJING", "Ｂｅｉｊｉｎｇ", "Beijing Shi", " 北京 "], ["臺北市", "台北", "Taipei City"],
            ["广西", "廣西壯族自治區", "广西自治区", "Guangxi"], ["内蒙古自治区", "Inner Mongolia", "內蒙古"], ["华北", "華北"],
            ["East Bay", "east  bay", "EAST-BAY"], ["香港", "Hong Kong", "香港特別行政區"],
        ]
        for spellings in same { #expect(Set(spellings.map(RegionName.key)).count == 1, "\(spellings)") }
        let other = ["吉林", "吉林市", "新竹市", "新竹縣", "山西", "陕西", "华北", "华南", "East", "West", "海南", "海州"]
        #expect(Set(other.map(RegionName.key)).count == other.count)
    }

    @Test("a city lies in its region, in characters and letters; of two of one name and of others nothing is said")
    func cities() {
        for (city, region) in [
            ("杭州", "浙江"), ("杭州市", "浙江"), ("Hangzhou", "浙江"), ("深圳市", "广东"), ("廣州", "广东"), ("吉林市", "吉林"), ("北京市", "北京"),
            ("Shanghai", "上海"), ("呼和浩特", "内蒙古"), ("臺北市", "台北"), ("苏州", "江苏"), ("宿州", "安徽"), ("Chengdu", "四川"),
            ("Xi'an", "陕西"), ("Hohhot", "内蒙古"), ("长沙市", "湖南"), ("Changsha", "湖南"),
        ] { #expect(RegionName.region(ofCity: city) == region, "\(city)") }
        // Two are written Suzhou, two Taizhou.
        for city in ["Suzhou", "Taizhou", "Ali", "Los Angeles", "", "杭", "某某市"] {
            #expect(RegionName.region(ofCity: city) == nil, "\(city)")
        }
    }

    @Test("a scope keeps each of many regions where a list is cut")
    func many() {
        let names = ["北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "浙江", "East"]
        let spelled = RecordScope(regions: names).spelled
        #expect(Array((spelled.regions ?? []).prefix(names.count)) == names)
        #expect(Set(spelled.spelled.regions ?? []) == Set(spelled.regions ?? []), "spelled twice it is the same")
        #expect(RecordScope.all.spelled == .all && RecordScope(regions: []).spelled.regions == [])
    }
}
