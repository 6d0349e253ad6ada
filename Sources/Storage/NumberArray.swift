extension SQLValue {
    /// Whole numbers as the text of a PostgreSQL array, `{1,-2,3}`, for statements that take a column of many rows at once.
    ///
    /// Written digit by digit: a text of its own for each number takes ten times as long (250 ns instead of 25).
    package static func numbers(_ values: [Int64]) -> SQLValue {
        .text(
            String(unsafeUninitializedCapacity: values.count * numberBytesMax + 2) { buffer in
                var at = 1
                buffer[0] = UInt8(ascii: "{")
                for value in values {
                    if at > 1 {
                        buffer[at] = UInt8(ascii: ",")
                        at += 1
                    }
                    at = put(value, at, buffer)
                }
                buffer[at] = UInt8(ascii: "}")
                return at + 1
            })
    }

    /// A sign, 19 digits and a comma.
    private static let numberBytesMax = 21

    /// - Returns: the place behind it.
    private static func put(_ value: Int64, _ start: Int, _ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        var at = start
        if value < 0 {
            buffer[at] = UInt8(ascii: "-")
            at += 1
        }
        var digits = 1
        var rest = value.magnitude
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = value.magnitude
        for place in stride(from: at + digits - 1, through: at, by: -1) {
            buffer[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return at + digits
    }
}
