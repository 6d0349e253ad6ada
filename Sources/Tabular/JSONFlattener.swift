/// How arrays of scalars become a field. Arrays holding objects, arrays or null are always kept as JSON text.
package enum JSONArrays: String, Sendable, Codable {
    /// `["a","b"]` becomes `a;b`, unless an element holds `;` or a line end: then JSON text.
    case joined
    case json
}

struct JSONFault: Error {
    let reason: RejectReason
    /// Byte in the line.
    let at: Int
}

/// Parses one JSON object strictly (RFC 8259, no duplicate keys, no lone surrogates, no U+0000) and lays its scalars
/// out by dotted path. Numbers keep their text, so nothing is lost to binary fractions.
struct JSONFlattener: Sendable {
    static let depthMax = 32

    /// A path ever met: a leaf has a column, an object on the way has none. Both are noted, to find duplicate keys.
    private struct Path: Sendable {
        let bytes: [UInt8]
        var column: Int?
        /// The line that used it last.
        var stamp: Int
    }

    let arrays: JSONArrays
    let columnsMax: Int
    private(set) var columns: [String] = []
    /// Text of the fields of the line parsed last, and by column their places in it.
    private(set) var text: [UInt8] = []
    private(set) var spans: [FieldSpan] = []

    private var paths: [Path] = []
    private var pathIndex: [[UInt8]: Int] = [:]
    /// Lines mostly repeat the order of their keys: the path after the last one is tried first.
    private var expected = 0
    private var path: [UInt8] = []
    private var stamp = 0

    init(arrays: JSONArrays, columnsMax: Int, columns: [String] = []) {
        self.arrays = arrays
        self.columnsMax = columnsMax
        self.columns = columns
        for (index, name) in columns.enumerated() {
            pathIndex[Array(name.utf8)] = index
            paths.append(Path(bytes: Array(name.utf8), column: index, stamp: 0))
        }
    }

    /// Parses one line into `text` and `spans`. A line at fault leaves the columns as they were.
    mutating func parse(_ bytes: Bytes) throws(JSONFault) {
        let knownColumns = columns.count, knownPaths = paths.count
        stamp += 1
        expected = 0
        text.removeAll(keepingCapacity: true)
        path.removeAll(keepingCapacity: true)
        spans.removeAll(keepingCapacity: true)
        do throws(JSONFault) {
            var cursor = JSONCursor(bytes)
            cursor.skipSpace()
            guard cursor.peek == UInt8(ascii: "{") else { throw cursor.fault(cursor.isAtEnd ? nil : .notAnObject) }
            try object(&cursor, depth: 1)
            cursor.skipSpace()
            guard cursor.isAtEnd else { throw cursor.fault(.jsonSyntax(.trailingText)) }
        } catch {
            forget(columns: knownColumns, paths: knownPaths)
            throw error
        }
    }

    private mutating func forget(columns knownColumns: Int, paths knownPaths: Int) {
        for path in paths[knownPaths...] { pathIndex[path.bytes] = nil }
        paths.removeLast(paths.count - knownPaths)
        for index in paths.indices where (paths[index].column ?? 0) >= knownColumns { paths[index].column = nil }
        columns.removeLast(columns.count - knownColumns)
    }

    private mutating func object(_ cursor: inout JSONCursor, depth: Int) throws(JSONFault) {
        guard depth <= JSONFlattener.depthMax else { throw cursor.fault(.tooDeep(limit: JSONFlattener.depthMax)) }
        cursor.at += 1
        let prefix = path.count
        cursor.skipSpace()
        if cursor.take(UInt8(ascii: "}")) { return }
        while true {
            cursor.skipSpace()
            guard cursor.peek == Ascii.quote else {
                throw cursor.fault(cursor.isAtEnd ? nil : .jsonSyntax(.expectedKey))
            }
            let keyAt = cursor.at
            if prefix > 0 { path.append(Ascii.dot) }
            try cursor.string(into: &path)
            let index = try intern(keyAt)
            cursor.skipSpace()
            guard cursor.take(Ascii.colon) else {
                throw cursor.fault(cursor.isAtEnd ? nil : .jsonSyntax(.expectedColon))
            }
            cursor.skipSpace()
            try value(&cursor, path: index, keyAt: keyAt, depth: depth)
            path.removeLast(path.count - prefix)
            cursor.skipSpace()
            if cursor.take(Ascii.comma) { continue }
            if cursor.take(UInt8(ascii: "}")) { return }
            throw cursor.fault(cursor.isAtEnd ? nil : .jsonSyntax(.expectedCommaOrEnd))
        }
    }

    private mutating func value(
        _ cursor: inout JSONCursor, path index: Int, keyAt: Int, depth: Int
    ) throws(JSONFault) {
        let start = text.count
        let kind: FieldKind
        switch cursor.peek {
        case UInt8(ascii: "{"):
            let before = expected
            try object(&cursor, depth: depth + 1)
            // Every key moves `expected`: unmoved means an empty object, which is a leaf.
            guard expected == before else { return }
            text.append(contentsOf: "{}".utf8)
            kind = .object
        case UInt8(ascii: "["):
            try array(&cursor, depth: depth + 1)
            kind = .array
        default:
            kind = try cursor.scalar(into: &text)
        }
        guard let column = paths[index].column ?? addColumn(index) else {
            throw JSONFault(reason: .tooManyColumns(limit: columnsMax), at: keyAt)
        }
        while spans.count <= column { spans.append(.absent) }
        spans[column] = FieldSpan(start: start, length: text.count - start, kind: kind.rawValue)
    }

    private mutating func array(_ cursor: inout JSONCursor, depth: Int) throws(JSONFault) {
        let from = cursor.at, start = text.count
        var isJoined = arrays == .joined
        guard depth <= JSONFlattener.depthMax else { throw cursor.fault(.tooDeep(limit: JSONFlattener.depthMax)) }
        cursor.at += 1
        cursor.skipSpace()
        var isFirst = true
        if !cursor.take(UInt8(ascii: "]")) {
            while true {
                cursor.skipSpace()
                if !isFirst { text.append(UInt8(ascii: ";")) }
                isFirst = false
                let elementStart = text.count
                if cursor.peek == UInt8(ascii: "{") || cursor.peek == UInt8(ascii: "[") {
                    try cursor.validate(depth: depth + 1)
                    isJoined = false
                } else if try cursor.scalar(into: &text) == .null {
                    isJoined = false
                }
                if isJoined,
                    text[elementStart...].contains(where: { $0 == Ascii.semicolon || $0 == Ascii.lf || $0 == Ascii.cr })
                {
                    isJoined = false
                }
                cursor.skipSpace()
                if cursor.take(Ascii.comma) { continue }
                if cursor.take(UInt8(ascii: "]")) { break }
                throw cursor.fault(cursor.isAtEnd ? nil : .jsonSyntax(.expectedCommaOrEnd))
            }
        }
        if !isJoined {
            text.removeLast(text.count - start)
            text.append(contentsOf: cursor.slice(from: from))
        }
    }

    /// The number of the path in `path`; it must not have been met in this line.
    private mutating func intern(_ keyAt: Int) throws(JSONFault) -> Int {
        let index: Int
        if expected < paths.count, paths[expected].bytes == path {
            index = expected
        } else if let known = pathIndex[path] {
            index = known
        } else {
            guard paths.count < 2 * columnsMax else {
                throw JSONFault(reason: .tooManyColumns(limit: columnsMax), at: keyAt)
            }
            index = paths.count
            paths.append(Path(bytes: path, column: nil, stamp: 0))
            pathIndex[path] = index
        }
        guard paths[index].stamp != stamp else {
            throw JSONFault(reason: .duplicateKey(String(decoding: path, as: UTF8.self)), at: keyAt)
        }
        paths[index].stamp = stamp
        expected = index + 1
        return index
    }

    private mutating func addColumn(_ index: Int) -> Int? {
        guard columns.count < columnsMax else { return nil }
        paths[index].column = columns.count
        columns.append(String(decoding: paths[index].bytes, as: UTF8.self))
        return columns.count - 1
    }
}
