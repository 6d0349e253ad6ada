import Foundation
import Kernel
import Web

/// Numbers as pages show them.
enum Figures {
    /// `7,043`
    static func count(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var grouped = ""
        for (offset, character) in digits.enumerated() {
            if offset > 0, (digits.count - offset) % 3 == 0 { grouped.append(",") }
            grouped.append(character)
        }
        return (number < 0 ? "−" : "") + grouped
    }

    /// `0.853`
    static func decimal(_ number: Double, _ digits: Int) -> String {
        // `String(format:)` goes through Foundation's texts; a page has two dozen of these.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
            let length = withVaList([Int32(digits), number]) {
                vsnprintf(buffer.baseAddress, buffer.count, "%.*f", $0)
            }
            let shown = min(max(0, Int(length)), buffer.count - 1)
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<shown], as: UTF8.self)
        }
    }

    /// `26.5%`
    static func percent(_ share: Double, _ digits: Int = 1) -> String { decimal(share * 100, digits) + "%" }

    /// `+0.38`, `−0.21`
    static func signed(_ number: Double, _ digits: Int = 2) -> String {
        (number < 0 ? "−" : "+") + decimal(abs(number), digits)
    }

    /// Whole units, for columns of amounts: `¥1,235`.
    static func money(_ minor: Int64, _ currency: String) -> String {
        Money(minor: minor, currency: currency).displayed
    }

    /// A length within 0...100 for an SVG bar.
    static func width(_ share: Double) -> String { decimal(min(max(share, 0), 1) * 100, 1) }
}
