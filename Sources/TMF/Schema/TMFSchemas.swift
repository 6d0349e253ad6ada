import Foundation
import Kernel

/// The schemas that lie under `share/TMF/Data`.
package struct TMFSchemas: Sendable {
    private let share: ShareFolder
    /// Where references of documents of these schemas lead.
    package let directory = TMFDirectory()

    package init(share: ShareFolder) { self.share = share }

    /// The schema of a specification by its number, `621`.
    /// - Throws: `CRMError` 500 when the file is missing or damaged; it is part of the product.
    package func schema(_ number: Int) throws -> TMFSchema {
        let file = "tmf\(number).tsv"
        let text = try share.text("TMF", "Data", file)
        var schema = try TMFSchema(tsv: text, file: file)
        schema.directory = directory
        return schema
    }
}

extension TMFSchema {
    /// The schema with attributes of our own: they can be asked for as those of the specification can.
    package func adding(_ attributes: [Attribute], to type: String) -> TMFSchema {
        var result = self
        for attribute in attributes { result.add(attribute, to: type) }
        return result
    }
}
