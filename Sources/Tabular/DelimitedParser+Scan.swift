/// The state machine. Each function answers the index of the record's content end when a record is complete (`at` then
/// stands behind its line end), or nil; `Step` says how to go on.
extension DelimitedParser {
    enum Step {
        case goOn
        case needsMore
        case complete(contentEnd: Int)
    }

    mutating func scan(_ bytes: Bytes) -> Int? {
        while true {
            let step: Step
            switch mode {
            case .fieldStart: step = startField(bytes)
            case .plain: step = scanPlain(bytes)
            case .quoted: step = scanQuoted(bytes)
            case .afterQuote: step = scanAfterQuote(bytes)
            }
            switch step {
            case .goOn: continue
            case .needsMore: return nil
            case .complete(let contentEnd): return contentEnd
            }
        }
    }

    @inline(__always) private mutating func startField(_ bytes: Bytes) -> Step {
        if at == recordStart {
            guard at < bytes.count else { return .needsMore }
            if isLineEnd(bytes[at]) {
                guard isLineEndWhole(bytes) else { return .needsMore }
                passLineEnd(bytes)
                beginRecordHere()
                return .goOn
            }
        }
        guard at < bytes.count || isFinished else { return .needsMore }
        fieldStart = at
        fieldLine = line
        isEscaped = false
        if at < bytes.count, bytes[at] == Ascii.quote, !endsAtNextLine {
            at += 1
            mode = .quoted
        } else {
            mode = .plain
        }
        return .goOn
    }

    @inline(__always) private mutating func scanPlain(_ bytes: Bytes) -> Step {
        let bound = isDiscarding ? Int.max : sizeBound
        while true {
            at = Scan.stop(bytes, at, min(bytes.count, bound), options.delimiter)
            if at >= bound { return overLimit(bytes) }
            if at == bytes.count {
                guard isFinished else { return .needsMore }
                endField(kind: FieldKind.plain.rawValue)
                return finishRecord(bytes, contentEnd: at)
            }
            let byte = bytes[at]
            if byte == options.delimiter {
                endField(kind: FieldKind.plain.rawValue)
                at += 1
                mode = .fieldStart
                return .goOn
            }
            if isLineEnd(byte) { return endLine(bytes, kind: FieldKind.plain.rawValue) }
            setFault(.nulByte, at: at, bytes)
            at += 1
        }
    }

    private mutating func scanQuoted(_ bytes: Bytes) -> Step {
        let bound = isDiscarding ? discardBound : sizeBound
        while true {
            at = Scan.stop(bytes, at, min(bytes.count, bound), Ascii.quote)
            if at >= bound { return overLimit(bytes) }
            if at == bytes.count { return isFinished ? unclosedAtEnd(bytes) : .needsMore }
            let byte = bytes[at]
            if byte == Ascii.quote {
                at += 1
                mode = .afterQuote
                return .goOn
            }
            if isLineEnd(byte) {
                guard isLineEndWhole(bytes) else { return .needsMore }
                noteCrossing(bytes)
                passLineEnd(bytes)
            } else {
                setFault(.nulByte, at: at, bytes)
                at += 1
            }
        }
    }

    @inline(__always) private mutating func scanAfterQuote(_ bytes: Bytes) -> Step {
        let kind = isEscaped ? FieldSpan.escapedKind : FieldKind.quoted.rawValue
        if at == bytes.count {
            guard isFinished else { return .needsMore }
            endField(kind: kind)
            return finishRecord(bytes, contentEnd: at)
        }
        let byte = bytes[at]
        if byte == options.delimiter {
            endField(kind: kind)
            at += 1
            mode = .fieldStart
            return .goOn
        }
        if byte == Ascii.quote {
            isEscaped = true
            at += 1
            mode = .quoted
            return .goOn
        }
        if isLineEnd(byte) { return endLine(bytes, kind: kind) }
        return textAfterQuote(bytes)
    }

    private mutating func endLine(_ bytes: Bytes, kind: UInt8) -> Step {
        guard isLineEndWhole(bytes) else { return .needsMore }
        endField(kind: kind)
        let contentEnd = at
        passLineEnd(bytes)
        return finishRecord(bytes, contentEnd: contentEnd)
    }

    @inline(__always) private mutating func endField(kind: UInt8) {
        if openCrossing != nil { closeCrossing() }
        isInFaultyField = false
        guard !isDiscarding, fault == nil else { return }
        guard spans.count < options.limits.columnsMax else {
            fault = Fault(
                reason: .tooManyColumns(limit: options.limits.columnsMax), line: fieldLine, column: nil,
                field: spans.count + 1)
            return
        }
        // A quoted field ends one byte before `at` and begins one behind the opening quote.
        let trim = kind == FieldKind.plain.rawValue ? 0 : 1
        spans.append(
            FieldSpan(start: fieldStart - recordStart + trim, length: at - fieldStart - 2 * trim, kind: kind))
    }

    /// The first index at which the field or the record is longer than allowed, whatever the bytes.
    private var sizeBound: Int {
        let quote = mode == .quoted ? 1 : 0
        return min(fieldStart + quote + options.limits.fieldBytesMax, recordStart + options.limits.recordBytesMax) + 1
    }

    @inline(__always) private func isLineEnd(_ byte: UInt8) -> Bool { byte == Ascii.lf || byte == Ascii.cr }

    /// False while a CR is the last byte we have: an LF may follow.
    @inline(__always) private func isLineEndWhole(_ bytes: Bytes) -> Bool {
        isFinished || bytes[at] == Ascii.lf || at + 1 < bytes.count
    }

    @inline(__always) private mutating func passLineEnd(_ bytes: Bytes) {
        at = Scan.afterLineEnd(bytes, at, bytes.count)
        line += 1
        lineStart = at
    }
}
