import Kernel

/// Addresses in both scripts: what is written long or short becomes the same.
enum StandardAddress {
    private static let short: [String: String] = [
        "street": "st", "str": "st", "road": "rd", "avenue": "ave", "av": "ave", "boulevard": "blvd", "drive": "dr",
        "drv": "dr", "lane": "ln", "court": "ct", "crt": "ct", "place": "pl", "plc": "pl", "crescent": "cres",
        "cr": "cres", "crs": "cres", "circuit": "cct", "close": "cl", "square": "sq", "terrace": "tce", "ter": "tce",
        "parade": "pde", "highway": "hwy", "parkway": "pkwy", "circle": "cir", "grove": "gr", "place.": "pl",
        "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw",
        "southeast": "se", "southwest": "sw", "apartment": "u", "apt": "u", "unit": "u", "flat": "u", "suite": "u",
        "ste": "u", "room": "u", "rm": "u", "saint": "st", "mount": "mt", "floor": "fl", "building": "bldg",
        "blg": "bldg", "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6",
        "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10", "number": "", "no": "", "the": "",
    ]

    private static let numerals: [Unicode.Scalar: Unicode.Scalar] = [
        "一": "1", "二": "2", "三": "3", "四": "4", "五": "5", "六": "6", "七": "7", "八": "8", "九": "9", "〇": "0",
    ]
    /// Behind these, a numeral counts; `三里屯` stays a name.
    private static let counted: Set<Unicode.Scalar> = ["号", "楼", "栋", "幢", "座", "单", "室", "层", "弄", "巷", "组", "段", "环"]
    /// Words for the parts of a building, all read as a gap.
    private static let gaps: Set<Unicode.Scalar> = ["号", "楼", "栋", "幢", "座", "室", "单", "元", "层", "弄"]
    /// Left out, the first first: `中国` may be what is left around another.
    private static let regions = ["中华人民共和国", "中国", "特别行政区", "自治区", "自治州", "街道", "省", "市"].map {
        Array($0.unicodeScalars)
    }

    static func forms(_ text: String) -> StandardText.Forms {
        let hasHan = text.unicodeScalars.contains { Han.contains($0) }
        let forms = StandardText.forms(hasHan ? chinese(text) : text)
        guard !hasHan else { return forms }
        let words = forms.latin.split(separator: 32).compactMap { word -> [UInt8]? in
            let key = String(decoding: word, as: UTF8.self)
            if let other = short[key] { return other.isEmpty ? nil : Array(other.utf8) }
            // `5th` is `5`.
            if word.count > 2, let first = word.first, (48...57).contains(first),
                ["st", "nd", "rd", "th"].contains(key.suffix(2))
            {
                return Array(word.dropLast(2))
            }
            return Array(word)
        }
        let latin = Array(words.joined(separator: [32]))
        return latin.isEmpty ? forms : StandardText.Forms(native: latin, latin: latin)
    }

    private static func chinese(_ text: String) -> String {
        var scalars = Array(text.unicodeScalars)
        for region in regions { remove(region, from: &scalars) }
        scalars = scalars.map(Han.simplified)
        var out = String.UnicodeScalarView()
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : " "
            if let digit = numerals[scalar], counted.contains(next) || numerals[next] != nil {
                out.append(digit)
            } else if gaps.contains(scalar), index > 0, isNumber(out.last) || out.last == " " {
                out.append(" ")
            } else {
                out.append(scalar)
            }
        }
        return String(out)
    }

    /// A character at a time: searching with Foundation was a sixth of what an import with matching costs.
    static func remove(_ word: [Unicode.Scalar], from scalars: inout [Unicode.Scalar]) {
        guard let first = word.first, var place = scalars.firstIndex(of: first) else { return }
        var kept = place
        while place < scalars.count {
            if scalars[place] == first, scalars[place...].starts(with: word) {
                place += word.count
            } else {
                scalars[kept] = scalars[place]
                kept += 1
                place += 1
            }
        }
        scalars.removeLast(scalars.count - kept)
    }

    private static func isNumber(_ scalar: Unicode.Scalar?) -> Bool {
        guard let value = scalar?.value else { return false }
        return (48...57).contains(value) || (0xFF10...0xFF19).contains(value)
    }
}
