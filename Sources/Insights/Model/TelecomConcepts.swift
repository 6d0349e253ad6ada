/// What operators' columns are called, and how to speak of them to a person.
enum TelecomConcepts {
    /// By folded name (lower case, letters and digits only).
    static let byName: [String: Concept] = {
        var table: [String: Concept] = [:]
        for (names, concept) in groups {
            for name in names { table[name] = concept }
        }
        return table
    }()

    private static let groups = relationship + charges + services + usage + trouble + person + places

    private static let relationship: [([String], Concept)] = [
        (
            [
                "tenure", "tenuremonths", "tenureinmonths", "monthsonbook", "accountlength", "subscriptionlength",
                "monthsinservice", "customertenure", "accountage", "在网时长", "网龄", "入网时长", "在网月数", "入网月数",
            ],
            .measure("在网时长", "time as a customer", .length, .months)
        ),
        (["contract", "contracttype", "合约", "合约类型", "合同", "合同类型", "签约类型"], .choice("合同", "contract")),
        (
            ["contractremaining", "monthstocontractend", "remainingcontractmonths", "合约剩余月数", "合同剩余月数"],
            .measure("合同剩余时间", "remaining contract time", .length, .months)
        ),
        (
            ["tariffplan", "plan", "plantype", "planname", "rateplan", "套餐", "套餐类型", "套餐名称", "资费"],
            .choice("套餐", "plan")
        ),
        (["status", "customerstatus", "客户状态", "状态"], .choice("账户状态", "account status")),
        (["offer", "promotion", "优惠", "优惠活动"], .choice("优惠", "offer")),
        (["numberofreferrals", "referrals", "推荐人数"], .measure("推荐新客户数", "number of referrals", .amount)),
        (
            ["paymentmethod", "paymenttype", "payment", "支付方式", "付款方式", "缴费方式"],
            .choice("付款方式", "payment method")
        ),
        (
            ["paperlessbilling", "ebilling", "电子账单"],
            .fact(
                "电子账单", "paperless billing", yes: ("使用电子账单", "Uses paperless billing"),
                no: ("使用纸质账单", "Gets paper bills"))
        ),
    ]

    private static let charges: [([String], Concept)] = [
        (
            [
                "monthlycharges", "monthlycharge", "monthlyfee", "monthlyrental", "monthlybill",
                "月租", "月费", "月租费", "月账单", "每月费用",
            ],
            .measure("月费", "monthly charge")
        ),
        (
            ["arpu", "monthlyrevenue", "avgmonthlyspend", "月均消费", "月消费", "户均收入"],
            .measure("月均消费", "average monthly spend")
        ),
        (
            ["totalcharges", "totalcharge", "totalspend", "累计消费", "总费用", "累计费用"],
            .measure("累计消费", "total spend to date")
        ),
        (["totalrevenue", "累计收入"], .measure("累计收入", "total revenue")),
        (["chargeamount"], .measure("资费等级", "charge level")),
        (["customervalue", "客户价值"], .measure("客户价值", "customer value")),
        (["totalrefunds", "refunds", "退款"], .measure("退款金额", "refunds")),
        (["balance", "accountbalance", "余额", "账户余额"], .measure("账户余额", "account balance")),
        (["topups", "recharges", "充值次数"], .measure("充值次数", "number of top-ups", .amount, .times)),
    ]

    private static let services: [([String], Concept)] = [
        (["internetservice", "internettype", "上网业务", "宽带类型"], .choice("上网业务", "internet service")),
        (["phoneservice", "电话业务", "语音业务"], .service("电话业务", "phone service")),
        (["multiplelines", "多线", "多号码"], .service("多线服务", "multiple lines")),
        (["onlinesecurity", "网络安全", "在线安全"], .service("网络安全服务", "online security")),
        (["onlinebackup", "云备份", "在线备份"], .service("在线备份", "online backup")),
        (["deviceprotection", "deviceprotectionplan", "设备保障"], .service("设备保障", "device protection")),
        (["techsupport", "premiumtechsupport", "技术支持"], .service("技术支持", "tech support")),
        (["streamingtv", "电视业务", "iptv"], .service("电视业务", "streaming TV")),
        (["streamingmovies", "电影点播"], .service("电影点播", "streaming movies")),
        (["streamingmusic", "音乐业务"], .service("音乐业务", "streaming music")),
        (["unlimiteddata", "不限流量"], .service("不限量流量", "unlimited data")),
        (["internationalplan", "intlplan", "国际套餐"], .service("国际套餐", "international plan")),
        (["voicemailplan", "vmailplan", "语音信箱"], .service("语音信箱", "voice mail")),
        (["roaming", "roamingservice", "漫游"], .service("漫游业务", "roaming")),
    ]

    private static let usage: [([String], Concept)] = [
        (["secondsofuse", "通话秒数"], .measure("通话时长", "call time", .length, .seconds)),
        (["frequencyofuse", "callcount", "通话次数"], .measure("通话次数", "number of calls", .amount, .times)),
        (["frequencyofsms", "smscount", "短信次数", "短信条数"], .measure("短信条数", "number of text messages", .amount)),
        (
            ["distinctcallednumbers", "主叫号码数"],
            .measure("联系过的号码数", "number of different numbers called", .amount)
        ),
        (
            ["callminutes", "totaldayminutes", "voiceminutes", "minutesused", "通话时长", "通话分钟数"],
            .measure("通话时长", "call time", .length, .minutes)
        ),
        (
            ["datausage", "datausagegb", "avgmonthlygbdownload", "monthlygb", "流量", "月流量", "使用流量"],
            .measure("流量用量", "data usage")
        ),
        (["datausagechange", "usagechange", "datachange", "流量变化", "用量变化"], .measure("流量变化", "change in data usage")),
        (["deviceage", "handsetage", "终端使用时长"], .measure("终端使用时长", "age of the device", .length)),
    ]

    private static let trouble: [([String], Concept)] = [
        (
            ["complains", "complaints", "complaint", "complaintcount", "numcomplaints", "投诉", "投诉次数", "是否投诉"],
            .fact(
                "投诉次数", "number of complaints", yes: ("曾经投诉", "Has complained"),
                no: ("没有投诉", "Has not complained"), .amount, .times)
        ),
        (
            ["callfailure", "callfailures", "droppedcalls", "dropcalls", "dropcallcount", "掉话", "掉话次数", "通话失败次数"],
            .measure("掉话或接续失败", "number of dropped or failed calls", .amount, .times)
        ),
        (
            ["numtechtickets", "techtickets", "报障次数", "故障次数"],
            .measure("报障次数", "number of technical tickets", .amount, .times)
        ),
        (
            ["numadmintickets", "admintickets", "业务工单数"],
            .measure("业务工单数", "number of administrative tickets", .amount)
        ),
        (
            ["customerservicecalls", "custservcalls", "servicecalls", "客服来电次数", "客服呼叫次数"],
            .measure("致电客服次数", "number of calls to customer service", .amount, .times)
        ),
        (
            ["overduebills", "overdue", "latepayments", "latebills", "overduecount", "欠费次数", "逾期次数", "逾期账单数"],
            .fact(
                "逾期账单", "number of overdue bills", yes: ("有逾期账单", "Has overdue bills"),
                no: ("没有逾期账单", "Has no overdue bills"), .amount)
        ),
        (
            ["overduedays", "daysoverdue", "dayspastdue", "欠费天数", "逾期天数"],
            .measure("逾期天数", "days overdue", .amount, .days)
        ),
        (["arrears", "amountoverdue", "overdueamount", "欠费", "欠费金额"], .measure("欠费金额", "amount overdue")),
        (["satisfactionscore", "satisfaction", "nps", "满意度", "满意度评分"], .measure("满意度", "satisfaction")),
    ]

    private static let person: [([String], Concept)] = [
        (["age", "年龄"], .measure("年龄", "age", .age)),
        (["agegroup", "年龄段"], .measure("年龄段", "age group")),
        (["gender", "sex", "性别"], .choice("性别", "gender")),
        (
            ["seniorcitizen", "senior", "老年客户"],
            .fact(
                "老年客户", "senior citizen", yes: ("是老年客户", "Is a senior citizen"),
                no: ("不是老年客户", "Is not a senior citizen"))
        ),
        (
            ["partner", "married", "配偶", "是否已婚"],
            .fact("伴侣", "partner", yes: ("有伴侣", "Has a partner"), no: ("没有伴侣", "Has no partner"))
        ),
        (
            ["dependents", "家属", "受抚养人"],
            .fact("家属", "dependants", yes: ("有家属", "Has dependants"), no: ("没有家属", "Has no dependants"))
        ),
        (["numberofdependents", "家属人数"], .measure("家属人数", "number of dependants", .amount)),
    ]

    private static let places: [([String], Concept)] = [
        (["city", "town", "城市", "市"], .place("城市", "town", rank: 0)),
        (["district", "county", "区县", "县", "区"], .place("区县", "district", rank: 1)),
        (["state", "province", "region", "area", "省份", "省", "地区", "区域"], .place("地区", "region", rank: 2)),
        (["zipcode", "zip", "postcode", "postalcode", "邮编", "邮政编码"], .place("邮编", "post code", rank: 3)),
        (["latlong", "latlng", "coordinates", "location", "坐标"], .place("坐标", "coordinates", rank: 4)),
        (["latitude", "lat", "纬度"], .place("纬度", "latitude", rank: 5)),
        (["longitude", "long", "lng", "lon", "经度"], .place("经度", "longitude", rank: 6)),
    ]

    /// By parts that must all occur in the folded name, the more specific first.
    static let byPart: [(parts: [String], concept: Concept)] = [
        (["掉话"], .measure("掉话次数", "number of dropped calls", .amount, .times)),
        (["投诉"], .measure("投诉次数", "number of complaints", .amount, .times)),
        (["流量", "变化"], .measure("流量变化", "change in data usage")),
        (["欠费", "天"], .measure("欠费天数", "days overdue", .amount, .days)),
        (["欠费"], .measure("欠费", "amount overdue")),
        (["网龄"], .measure("在网时长", "time as a customer", .length)),
        (["monthly", "charge"], .measure("月费", "monthly charge")),
        (["dropped", "call"], .measure("掉话次数", "number of dropped calls", .amount, .times)),
        (["data", "usage", "change"], .measure("流量变化", "change in data usage")),
        (["overdue", "day"], .measure("逾期天数", "days overdue", .amount, .days)),
        (["overdue", "bill"], .measure("逾期账单", "number of overdue bills", .amount)),
        (["complaint"], .measure("投诉次数", "number of complaints", .amount, .times)),
    ]

    /// Frequent values in both languages, by their lower-case text.
    static let values: [String: Bilingual] = {
        var table: [String: Bilingual] = [:]
        for (texts, zh, en) in spoken {
            for text in texts { table[text] = Bilingual(zh: zh, en: en) }
        }
        return table
    }()

    private static let spoken: [([String], String, String)] = [
        (["month-to-month", "month to month", "monthly", "按月", "按月签约"], "按月签约", "month-to-month"),
        (["one year", "1 year", "12 months", "一年", "一年合约"], "一年合约", "one year"),
        (["two year", "two years", "2 year", "24 months", "两年", "两年合约"], "两年合约", "two years"),
        (["fiber optic", "fibre optic", "fiber", "fibre", "光纤", "光纤宽带"], "光纤宽带", "fibre"),
        (["dsl"], "DSL宽带", "DSL"),
        (["cable"], "有线宽带", "cable"),
        (["electronic check"], "电子支票", "electronic check"),
        (["mailed check"], "邮寄支票", "mailed check"),
        (["bank transfer (automatic)", "bank withdrawal"], "银行自动转账", "automatic bank transfer"),
        (["credit card (automatic)", "credit card"], "信用卡自动扣款", "automatic credit card payment"),
        (["bank transfer"], "银行转账", "bank transfer"), (["direct debit"], "银行代扣", "direct debit"),
        (["wechat"], "微信支付", "WeChat Pay"), (["alipay"], "支付宝", "Alipay"), (["cash"], "现金", "cash"),
        (["male", "m", "男"], "男", "male"), (["female", "f", "女"], "女", "female"),
        (["yes", "是"], "是", "yes"), (["no", "否"], "否", "no"), (["none", "无"], "无", "none"),
        (["active", "在用", "活跃"], "活跃", "active"), (["inactive", "停用", "不活跃"], "不活跃", "inactive"),
        (["prepaid", "预付费"], "预付费", "prepaid"), (["postpaid", "后付费"], "后付费", "postpaid"),
    ]
}
