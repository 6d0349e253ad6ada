/// What happens when a record is wrong. The aim: the reject names the place a person has to mend, holds the raw text,
/// and the next good line is read as if nothing had happened.
///
/// A quote that is opened by mistake shows up late: as text behind a closing quote lines further down, as a wrong field
/// count, as a field that outgrows the limit, or at the end of the file. In each case the lines behind the one on which
/// the quote began are looked at: when they read as records of the expected width by themselves, the quote is the
/// fault, the record is cut at the end of its line and reading goes back there.
extension DelimitedParser {
    /// Lines looked at to tell a stray quote from a long text.
    private static let witnessLines = 16
    /// A field over the limit may go on for this many limits before its closing quote is no longer believed in.
    private static let discardFactor = 64
    private static let rewindAllowance = 64 << 20

    /// In a discarded record: where a quoted field is given up.
    var discardBound: Int {
        fieldStart + 1 + options.limits.fieldBytesMax * (isInFaultyField ? DelimitedParser.discardFactor : 1) + 1
    }

    mutating func setFault(_ reason: RejectReason, at index: Int, _ bytes: Bytes) {
        guard fault == nil else { return }
        fault = Fault(reason: reason, line: line, column: column(of: index, bytes), field: spans.count + 1)
    }

    mutating func noteCrossing(_ bytes: Bytes) {
        guard openCrossing == nil, !isDiscarding else { return }
        let next = Scan.afterLineEnd(bytes, at, bytes.count)
        openCrossing = Crossing(
            quoteLine: line, column: column(of: fieldStart, bytes), field: spans.count + 1, lineEndAt: at,
            nextLineAt: next)
        if firstCrossing == nil { firstCrossing = openCrossing }
    }

    mutating func closeCrossing() {
        if let openCrossing, firstCrossing?.field == openCrossing.field { firstCrossing?.closedAt = at }
        openCrossing = nil
    }

    /// `"abc"def`: a fault of this line, or the late sign of a quote that began lines above.
    mutating func textAfterQuote(_ bytes: Bytes) -> Step {
        if !isDiscarding, firstCrossing != nil {
            guard let end = endOfLine(bytes, from: at) else { return .needsMore }
            if let suspect = suspect(bytes, before: end) { return recover(bytes, suspect) }
        }
        setFault(.textAfterQuote, at: at, bytes)
        mode = .plain
        return .goOn
    }

    /// The record has ended: check its width.
    mutating func finishRecord(_ bytes: Bytes, contentEnd: Int) -> Step {
        if fault == nil, options.ragged == .reject, let expectedFields, spans.count != expectedFields {
            if let suspect = suspect(bytes, before: at) { return recover(bytes, suspect) }
            let found = spans.count
            fault = Fault(
                reason: found < expectedFields
                    ? .tooFewFields(expected: expectedFields, found: found)
                    : .tooManyFields(expected: expectedFields, found: found),
                line: recordStartLine, column: nil, field: min(found, expectedFields) + 1)
        }
        return .complete(contentEnd: contentEnd)
    }

    /// A field or record outgrew its limit.
    mutating func overLimit(_ bytes: Bytes) -> Step {
        if isDiscarding {
            endsAtNextLine = true
            mode = .plain
            return .goOn
        }
        if mode == .quoted, let suspect = suspect(bytes, before: at, endsWhole: false) {
            return recover(bytes, suspect)
        }
        let limits = options.limits
        if fault == nil, at - recordStart > limits.recordBytesMax {
            // Quotes that pair off wrongly could make one record of a whole file: cut it where it left its first line.
            if let firstCrossing { return recover(bytes, firstCrossing) }
            fault = Fault(
                reason: .recordTooLong(limit: limits.recordBytesMax), line: recordStartLine, column: nil, field: nil)
        } else if fault == nil {
            fault = Fault(
                reason: .fieldTooLong(limit: limits.fieldBytesMax), line: fieldLine,
                column: openCrossing?.column ?? column(of: fieldStart, bytes), field: spans.count + 1)
            isInFaultyField = true
        }
        isDiscarding = true
        return .goOn
    }

    /// The file ends inside quotes.
    mutating func unclosedAtEnd(_ bytes: Bytes) -> Step {
        if isDiscarding {
            if isInFaultyField, let found = fault {
                fault = Fault(reason: .unclosedQuote, line: found.line, column: found.column, field: found.field)
            }
            return .complete(contentEnd: at)
        }
        if let suspect = suspect(bytes, before: at) ?? openCrossing { return recover(bytes, suspect) }
        fault = Fault(
            reason: .unclosedQuote, line: fieldLine, column: column(of: fieldStart, bytes), field: spans.count + 1)
        return .complete(contentEnd: at)
    }

    /// The quote that began on an earlier line and, by the lines behind it, should not have.
    /// - Parameter endsWhole: the stretch before `end` ends with a whole line, maybe the file's unended last one.
    private func suspect(_ bytes: Bytes, before end: Int, endsWhole: Bool = true) -> Crossing? {
        for crossing in [firstCrossing, openCrossing] {
            guard let crossing else { continue }
            if looksLikeRecords(bytes, behind: crossing, to: end, endsWhole: endsWhole) { return crossing }
        }
        return nil
    }

    /// At least half of the whole lines behind the one on which the quote began, up to the one on which it closed, have
    /// the expected number of fields by themselves.
    private func looksLikeRecords(_ bytes: Bytes, behind crossing: Crossing, to end: Int, endsWhole: Bool) -> Bool {
        guard let expectedFields, expectedFields > 1 else { return true }
        let last = min(end, crossing.closedAt ?? end)
        var from = crossing.nextLineAt, lines = 0, fitting = 0
        while from < last, lines < DelimitedParser.witnessLines {
            guard let lineEnd = Scan.lineEnd(bytes, from, end) ?? (endsWhole ? end : nil)
            else { break }
            if lineEnd > from {
                lines += 1
                if fieldCount(bytes, from..<lineEnd) == expectedFields { fitting += 1 }
            }
            from = lineEnd < end ? Scan.afterLineEnd(bytes, lineEnd, end) : end
        }
        return fitting > 0 && fitting * 2 >= lines
    }

    /// Fields of one physical line read by itself; nil when its quotes do not close.
    private func fieldCount(_ bytes: Bytes, _ range: Range<Int>) -> Int? {
        var count = 1, index = range.lowerBound
        while index < range.upperBound {
            if bytes[index] == Ascii.quote {
                index += 1
                while true {
                    while index < range.upperBound, bytes[index] != Ascii.quote { index += 1 }
                    guard index < range.upperBound else { return nil }
                    index += 1
                    guard index < range.upperBound, bytes[index] == Ascii.quote else { break }
                    index += 1
                }
                guard index == range.upperBound || bytes[index] == options.delimiter else { return nil }
            }
            while index < range.upperBound, bytes[index] != options.delimiter { index += 1 }
            if index < range.upperBound {
                count += 1
                index += 1
            }
        }
        return count
    }

    /// Cuts the record at the end of the line on which the quote began and goes back behind it.
    private mutating func recover(_ bytes: Bytes, _ crossing: Crossing) -> Step {
        fault = Fault(
            reason: .unclosedQuote, line: crossing.quoteLine, column: crossing.column, field: crossing.field)
        rewound += at - crossing.nextLineAt
        guard rewound <= DelimitedParser.rewindAllowance + 4 * (base + at) else {
            endsAtNextLine = true
            mode = .plain
            return .goOn
        }
        at = crossing.nextLineAt
        line = crossing.quoteLine + 1
        lineStart = at
        return .complete(contentEnd: crossing.lineEndAt)
    }

    /// Index behind the line `from` stands in; nil when it is not in the buffer yet but may come.
    private func endOfLine(_ bytes: Bytes, from: Int) -> Int? {
        let bound = from + options.limits.fieldBytesMax
        if let end = Scan.lineEnd(bytes, from, min(bytes.count, bound)) {
            return bytes[end] == Ascii.cr && end + 1 == bytes.count && !isFinished
                ? nil : Scan.afterLineEnd(bytes, end, bytes.count)
        }
        if bytes.count >= bound { return from }
        return isFinished ? bytes.count : nil
    }

    private func column(of index: Int, _ bytes: Bytes) -> Int {
        guard lineStart >= 0, lineStart <= index, index <= bytes.count else { return 1 }
        return Scan.scalarCount(bytes, lineStart..<index) + 1
    }
}
