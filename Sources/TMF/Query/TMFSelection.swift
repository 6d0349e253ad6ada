import Web

extension TMFFields {
    /// The document with what was asked for: always with `id` and `href`. A path into an array is taken of every element.
    package func of(_ document: JSONObject) -> JSONObject {
        guard case .only(let paths) = self else { return document }
        var tree = Tree()
        for path in paths { tree.add(path.names[...]) }
        var result = tree.of(document)
        for name in ["id", "href"] { if let value = document[name] { result[name] = value } }
        return result
    }

    private struct Tree {
        /// The whole of it.
        var isAll = false
        var parts: [String: Tree] = [:]

        mutating func add(_ names: ArraySlice<String>) {
            guard let name = names.first else { return isAll = true }
            parts[name, default: Tree()].add(names.dropFirst())
        }

        func of(_ fields: JSONObject) -> JSONObject {
            var result: JSONObject = [:]
            for (name, part) in parts {
                guard let value = fields[name] else { continue }
                result[name] = part.of(value)
            }
            return result
        }

        private func of(_ value: JSONValue) -> JSONValue {
            if isAll { return value }
            switch value {
            case .object(let fields): return .object(of(fields))
            case .array(let items): return .array(items.map { of($0) })
            default: return value
            }
        }
    }
}
