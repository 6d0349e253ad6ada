import Crypto
import Foundation

/// Random texts from the system's generator.
package enum RandomText {
    /// `bytes` random bytes in hexadecimal.
    package static func hex(_ bytes: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        // Eight bytes of each number: each number is a call of the system.
        var number: UInt64 = 0
        for place in 0..<bytes {
            if place % 8 == 0 { number = generator.next() }
            text.append(digits[Int(number >> 4 & 15)])
            text.append(digits[Int(number & 15)])
            number >>= 8
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// 256 random bits in base64url, 43 characters.
    package static func token() -> String {
        let key = SymmetricKey(size: .bits256)
        return base64url(key.withUnsafeBytes { Array($0) })
    }

    /// RFC 4648, section 5, without padding.
    package static func base64url(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        var text: [UInt8] = []
        var (bits, held) = (0, 0)
        for byte in bytes {
            bits = bits << 8 | Int(byte)
            held += 8
            while held >= 6 {
                held -= 6
                text.append(alphabet[bits >> held & 63])
            }
            bits &= (1 << held) - 1
        }
        if held > 0 { text.append(alphabet[bits << (6 - held) & 63]) }
        return String(decoding: text, as: UTF8.self)
    }
}
