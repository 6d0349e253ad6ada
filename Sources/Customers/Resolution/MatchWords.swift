import Kernel
import Matching

/// What matching says, in the words people read.
enum MatchWords {
    static let machine = Words(en: "the import", zh: "导入程序")

    static func of(_ rule: MatchVerdict.Rule) -> Words {
        switch rule {
        case .weights: Words(en: "Much agrees", zh: "多项相符")
        case .verified: Words(en: "Two identity numbers that differ", zh: "两个有效证件号码不同")
        case .household: Words(en: "Members of one household", zh: "同一家庭的不同成员")
        case .kinds: Words(en: "A person and an organisation", zh: "一个是个人，一个是企业")
        case .sameDocument: Words(en: "Same identity number and name", zh: "证件号码与姓名一致")
        case .sameContact: Words(en: "Same number or e-mail address, same name", zh: "电话或邮箱一致，姓名一致")
        case .nearContact: Words(en: "Same name, a number or e-mail address that is one character off", zh: "姓名一致，电话或邮箱相差一个字符")
        case .otherBirth: Words(en: "Much agrees, but the birth dates are those of two people", zh: "多项相符，但出生日期属于两个人")
        case .otherName: Words(en: "The name is another, much else agrees", zh: "姓名不同，其他多项相符")
        case .several: Words(en: "Several things agree that do not depend on each other", zh: "多项互不相关的信息一致")
        case .home:
            Words(en: "Same number and address, but nothing tells which member of the household it is", zh: "电话与地址一致，但无法判断是家庭中的哪一位")
        case .unnamed:
            Words(
                en: "Very likely, but too little agrees that tells one person from another: a person decides",
                zh: "很可能是同一客户，但能区分个人的信息相符太少，须由人工判断")
        case .company: Words(en: "Same company name but for its legal form or place", zh: "企业名称主体一致")
        case .proposed: Words(en: "Put forward by a person", zh: "人工提出")
        case .setConflict: Words(en: "Would join two people with different identity numbers or birth dates", zh: "将合并两个证件号码或出生日期不同的人")
        case .nameAndBirth: Words(en: "Same name and birth date, nothing else to compare", zh: "姓名与出生日期一致，没有其他可比对的信息")
        case .namesake:
            Words(
                en: "Same name and birth date, but many share the name or the rest differs: may be a namesake",
                zh: "姓名与出生日期一致，但同名客户较多或其他信息不同，可能是同名的另一人")
        case .bridge: Words(en: "Would join two customers that are separate so far", zh: "将连接两个目前分开的客户")
        }
    }

    /// Why a pair stands where it does. What would have been linked and waits all the same was entered or changed by a person, or changed
    /// by an import: of these the machine joins none.
    static func reason(_ pair: MatchPair) -> Words {
        var why = of(pair.evidence.rule)
        let isSaid = pair.evidence.fields.contains {
            ["full_name", "birth_date"].contains($0.name) && ["same", "same_sound", "one_slip"].contains($0.level)
        }
        if pair.state == .open, pair.evidence.rule == .weights, pair.bits >= surelyBits, !isSaid { why = of(.unnamed) }
        let rule = pair.evidence.rule
        let isSure = pair.bits >= surelyBits && ([.several, .nameAndBirth].contains(rule) || rule == .weights && isSaid)
        guard pair.state == .open, isSure || [.sameDocument, .sameContact].contains(rule) else { return why }
        return Words(
            en: why.en + " - entered or changed, and the machine links only new records of imports",
            zh: why.zh + "——由人工录入或被修改，系统只自动合并导入的新记录")
    }

    private static let surelyBits = 6.7

    /// A field that was compared. Of telephone numbers those of contacts and of lines are compared with each other.
    static func field(_ name: String) -> Words {
        name == "phone" ? Words(en: "Telephone, contact or line", zh: "电话（联系电话或服务号码）") : PageWords.field(name)
    }

    /// Before the level of agreement, where a contact's number was compared with a line's.
    static let mixedNumbers = Words(en: "contact phone against the number of a line: ", zh: "联系电话与服务号码相比：")

    /// A level of agreement of a field. Each level has a name of its own: `/matching` lists those of a field below each other.
    static func level(_ level: String) -> Words {
        switch level {
        case "same": Words(en: "the same", zh: "完全一致")
        case "same_sound": Words(en: "sounds the same, written otherwise", zh: "读音一致，写法或顺序不同")
        case "very_close": Words(en: "nearly the same", zh: "几乎一致")
        case "close": Words(en: "much alike", zh: "高度相似")
        case "swapped": Words(en: "first and last name changed places", zh: "姓与名互换")
        case "similar": Words(en: "alike in part, or only an initial", zh: "部分相似或仅首字母相同")
        case "some": Words(en: "some words in common", zh: "有部分词语相同")
        case "one_edit": Words(en: "one character differs", zh: "一个字符不同")
        case "two_edits": Words(en: "two characters differ", zh: "两个字符不同")
        case "one_slip": Words(en: "one digit differs, or day and month changed places", zh: "一位数字不同，或日月颠倒")
        case "partly": Words(en: "two of day, month and year agree", zh: "年、月、日中有两项一致")
        case "within_2_percent": Words(en: "at most 2 % apart", zh: "相差不超过 2%")
        case "within_10_percent": Words(en: "2 to 10 % apart", zh: "相差 2% 至 10%")
        case "different": Words(en: "different", zh: "不同")
        case "no_evidence":
            Words(en: "differ without saying anything: of two kinds, or numbers next to each other", zh: "不同但不作依据：类型不同或号码相邻")
        default: Words(en: "not known of both", zh: "信息缺失")
        }
    }

    /// What a weight of so many bits says.
    static func strength(_ bits: Double) -> Words {
        switch bits {
        case 12...: Words(en: "all but proves it", zh: "几乎可以确定")
        case 6..<12: Words(en: "speaks strongly for it", zh: "强烈支持")
        case 1.5..<6: Words(en: "speaks for it", zh: "支持")
        case -1.5..<1.5: Words(en: "says little", zh: "参考意义小")
        case -5 ..< -1.5: Words(en: "speaks against it", zh: "不支持")
        default: Words(en: "speaks strongly against it", zh: "强烈反对")
        }
    }

    static func decided(_ rule: String) -> Words {
        switch rule {
        case "only": Words(en: "only one knows it", zh: "仅此一处")
        case "agree": Words(en: "all agree", zh: "各处一致")
        default: Survivorship.Rule(rawValue: rule).map(of) ?? Words(en: rule, zh: rule)
        }
    }

    static func of(_ rule: Survivorship.Rule) -> Words {
        switch rule {
        case .verified: Words(en: "verified person first", zh: "已核验身份优先")
        case .source: Words(en: "order of sources", zh: "按来源优先级")
        case .newest: Words(en: "changed last", zh: "最近更新")
        case .complete: Words(en: "most complete", zh: "最完整")
        case .earliest: Words(en: "earliest", zh: "最早")
        }
    }

    /// Why a pair is what it is, in one line: the rule and what spoke most for it.
    static func why(_ pair: MatchPair, _ language: Language) -> String { why(pair.evidence, language) }

    static func why(_ verdict: MatchVerdict) -> Words {
        let evidence = PairEvidence(verdict)
        return Words(en: why(evidence, .en), zh: why(evidence, .zh))
    }

    /// Of a pair that a person had linked before its import was taken back.
    static let decidedBefore = Words(en: "A person had linked them before", zh: "此前由人工合并")

    private static func why(_ evidence: PairEvidence, _ language: Language) -> String {
        let best = evidence.fields.filter { $0.bits >= 1.5 }.sorted { $0.bits > $1.bits }.prefix(3)
        let fields = best.map { "\(field($0.name)[language]): \(level($0.level)[language])" }
        return ([of(evidence.rule)[language]] + fields).joined(separator: " · ")
    }

    /// A stored value as people read it.
    static func value(_ field: String, _ value: String, _ language: Language) -> String {
        switch field {
        case "kind", "gender", "language", "size_tier": PageWords.choice(field, value)[language]
        case "industry", "segment", "payment_method": PageWords.of(code: value, language)
        default: value
        }
    }
}
