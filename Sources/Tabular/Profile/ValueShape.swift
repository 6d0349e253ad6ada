/// The shape of a value: `AA-999` for `KB-204`. Letters become A or a, digits 9, Chinese characters 中, other letters x;
/// more than eight of a kind are written once with a +.
enum ValueShape {
    static func shape(_ text: Bytes) -> String {
        var out: [UInt8] = [], at = 0, last: UInt8 = 0, run = 0
        let chinese = Array("中".utf8)
        while at < text.count, out.count < 60 {
            let byte = text[at]
            let kind: UInt8
            switch byte {
            case 0x30...0x39: kind = UInt8(ascii: "9")
            case 0x41...0x5A: kind = UInt8(ascii: "A")
            case 0x61...0x7A: kind = UInt8(ascii: "a")
            case 0xE4...0xE9: kind = 1
            case 0x80...: kind = UInt8(ascii: "x")
            default: kind = byte
            }
            at += byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            run = kind == last ? run + 1 : 1
            last = kind
            if run == 9, byte >= 0x80 || Ascii.isDigit(byte) || Ascii.isLetter(byte) { out.append(Ascii.plus) }
            if run >= 9 { continue }
            if kind == 1 { out += chinese } else { out.append(kind) }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
