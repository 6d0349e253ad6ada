import Kernel
import Storage

/// Customers by the names that events have for them.
package struct CustomerNameLookup: CustomerNames {
    package init() {}

    package func customers(
        _ names: [String], _ naming: CustomerNaming, _ session: any SQLSession
    ) throws -> [String: CustomerID] {
        let kind =
            switch naming {
            case .number: "msisdn"
            case .source(let name): "source:" + name
            }
        var result: [String: CustomerID] = [:]
        for piece in names.chunked(Limits.sqlListChunk) {
            var builder = SQLBuilder(CustomerUsage.owners, [.text(kind)])
            builder.appendIn("AND value", piece.map { .text($0) })
            for (name, owner) in try session.query(builder, { ($0.text(0), $0.id(1, PartyKind.self)) }) {
                result[name] = owner
            }
        }
        return result
    }
}
