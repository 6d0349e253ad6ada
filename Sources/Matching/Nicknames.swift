/// English given names and what people are called instead: `bob` and `rob` stand for Robert. A table of our own of the
/// well-known ones; a nickname may stand for several names (`pat`), and two names of one nickname stay two.
///
/// What a word stands for is found when a value is brought into standard form, once, so that comparing is comparing numbers.
enum Nicknames {
    /// A word of a value and a name it stands for, by its line in the table.
    struct Formal: Equatable, Sendable {
        let word: UInt8
        let name: UInt16
    }

    /// The names that the words of a Latin text stand for; a word with two neighbouring letters exchanged (`dcik`) counts
    /// as the word. Empty for most texts.
    static func formals(_ latin: [UInt8]) -> [Formal] {
        var found: [Formal] = []
        for (index, word) in latin.split(separator: 32).enumerated().prefix(wordsMax) where word.count >= 2 {
            for name in names(Array(word)) { found.append(Formal(word: UInt8(index), name: name)) }
        }
        return found
    }

    /// Whether a text in lower case is one given name or nickname of the table.
    static func isKnown(_ text: String) -> Bool { byWord[StableHash.of(text.utf8)] != nil }

    private static let wordsMax = 6
    private static let lettersMax = 12

    private static func names(_ word: [UInt8]) -> [UInt16] {
        guard word.count <= lettersMax else { return [] }
        if let known = byWord[StableHash.of(word)] { return known }
        guard word.count >= 3 else { return [] }
        var other = word
        for index in 1..<other.count where other[index] != other[index - 1] {
            other.swapAt(index - 1, index)
            if let known = byWord[StableHash.of(other)] { return known }
            other.swapAt(index - 1, index)
        }
        return []
    }

    private static let byWord: [UInt64: [UInt16]] = {
        var result: [UInt64: [UInt16]] = [:]
        for (line, text) in table.split(separator: "\n").enumerated() {
            for word in text.split(whereSeparator: { $0 == "\t" || $0 == " " }) {
                result[StableHash.of(Array(word.utf8)), default: []].append(UInt16(line))
            }
        }
        return result
    }()

    /// A name, a tab, its nicknames. A line whose first word is a nickname elsewhere is a name of its own too.
    private static let table = """
        abigail\tabby abbie gail
        abraham\tabe
        albert\tal bert
        alexander\talex sandy xander alec
        alexandra\talex sandra sandy lexi
        alfred\talf alfie fred
        amanda\tmandy
        andrew\tandy drew
        angela\tangie
        anthony\ttony
        antonio\ttony
        arthur\tart artie
        augustus\tgus
        barbara\tbarb barbie babs bobbie
        benjamin\tben benny benji
        bernard\tbernie
        bradley\tbrad
        calvin\tcal
        cameron\tcam
        carolyn\tcarol carrie
        caroline\tcarol carrie
        catherine\tcathy cath kate katie cat
        kathleen\tkathy kate katie kath
        katherine\tkathy kate katie kathryn kath kat kit
        charles\tcharlie chuck chas
        charlotte\tcharlie lottie
        christina\tchris chrissy tina christie
        christine\tchris chrissy tina christie
        christopher\tchris topher kit
        clifford\tcliff
        cynthia\tcindy
        daniel\tdan danny
        danielle\tdani
        david\tdave davey
        deborah\tdeb debbie debra
        dennis\tdenny
        dolores\tlola
        donald\tdon donnie donny
        dorothy\tdot dottie dolly
        douglas\tdoug
        edward\ted eddie ned teddy
        edwin\ted eddie
        edmund\ted eddie ned
        eleanor\tellie nell nora
        elizabeth\tliz lizzie beth betty betsy eliza liza libby lisa bess
        emily\tem emmy
        eugene\tgene
        evelyn\tevie
        ezekiel\tzeke
        florence\tflo florrie
        frances\tfran frannie fanny
        francis\tfrank frankie
        franklin\tfrank frankie
        frederick\tfred freddie freddy rick
        gabriel\tgabe
        gabrielle\tgabby
        gary\tgaz
        geoffrey\tgeoff jeff
        gerald\tgerry jerry
        gregory\tgreg
        gwendolyn\tgwen wendy
        harold\thal harry
        harriet\thattie
        helen\tnell nellie
        henry\thank harry hal
        herbert\therb bert
        isabella\tbella izzy isabel
        jacob\tjake
        jacqueline\tjackie
        james\tjim jimmy jamie jem
        janet\tjan
        jeffrey\tjeff
        jennifer\tjen jenny jenn
        jeremy\tjerry
        jerome\tjerry
        jessica\tjess jessie
        joan\tjoanie
        joanna\tjo
        joanne\tjo
        john\tjack johnny jon
        jonathan\tjon johnny jonny
        joseph\tjoe joey jos
        josephine\tjo josie
        joshua\tjosh
        judith\tjudy judi
        julia\tjulie
        kenneth\tken kenny
        kimberly\tkim
        laura\tlaurie
        lawrence\tlarry laurie
        leonard\tlen lenny leo
        lillian\tlilly lil
        louis\tlou louie
        louise\tlou
        lucille\tlucy
        madeline\tmaddie
        margaret\tmaggie meg peggy peg marge margie greta daisy rita
        maria\tmia
        marjorie\tmarge margie
        martha\tmarty
        martin\tmarty
        mary\tmolly polly mamie
        matthew\tmatt matty
        maximilian\tmax
        maxwell\tmax
        megan\tmeg
        melissa\tmel missy lissa
        melanie\tmel
        michael\tmike mick mickey mikey
        michelle\tshelly
        nancy\tnan
        natalie\tnat
        nathan\tnate nat
        nathaniel\tnate nat
        nicholas\tnick nicky
        nicole\tnicky nikki
        oliver\tollie
        olivia\tliv
        pamela\tpam
        patricia\tpat patty trish patsy tricia
        patrick\tpat paddy
        peter\tpete
        philip\tphil phillip
        priscilla\tcilla
        rachel\trach
        randall\trandy
        randolph\trandy
        raymond\tray
        rebecca\tbecky becca
        reginald\treg reggie
        richard\tdick rick ricky rich richie
        robert\tbob bobby rob robbie bert
        roberta\tbobbie
        roderick\trod
        rodney\trod
        roger\trodge
        ronald\tron ronnie ronny
        rosemary\trose rosie
        russell\truss
        samantha\tsam sammy
        samuel\tsam sammy
        sandra\tsandy
        sarah\tsally sadie
        sebastian\tseb
        sharon\tshari
        solomon\tsol
        sophia\tsophie
        stanley\tstan
        stephanie\tsteph
        stephen\tsteve stevie steven
        stuart\tstu
        susan\tsue susie suzy suzie
        suzanne\tsue susie suzy
        teresa\tterry tess tessa
        terence\tterry
        theresa\tterry tess tessa
        theodore\tted teddy theo
        thomas\ttom tommy
        timothy\ttim timmy
        valerie\tval
        victor\tvic
        victoria\tvicky vicki tori
        vincent\tvince vinny
        virginia\tginny ginger
        walter\twalt wally
        wilfred\twilf fred
        william\tbill billy will willie willy liam
        winifred\twinnie freda
        zachary\tzach zack
        """
}

extension MatchValue {
    /// Whether both are called by forms of one name. Most values have none, and then nothing is looked at.
    @inline(__always) func isCalled(_ other: MatchValue) -> Bool {
        if formals.isEmpty || other.formals.isEmpty { return false }
        return formals.contains { own in other.formals.contains { $0.name == own.name } }
    }

    /// The same of two of their words.
    func isCalled(_ word: Int, _ other: MatchValue, _ otherWord: Int) -> Bool {
        formals.contains { own in
            Int(own.word) == word && other.formals.contains { Int($0.word) == otherWord && $0.name == own.name }
        }
    }
}
