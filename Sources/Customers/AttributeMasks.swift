import Kernel
import Platform
import Storage

extension CustomerReader {
    /// The masks of labelled custom attributes among the columns of `table(after:limit:)`; what is missing in the answer
    /// is not labelled, and hidden.
    package func attributeMasks(_ columns: Set<String>, _ session: any SQLSession) throws
        -> Asked<[String: MaskKind]>
    {
        try AttributeStore.asking(session).map { attributes in
            var masks: [String: MaskKind] = [:]
            for attribute in attributes where attribute.labelled {
                if columns.contains(attribute.fieldKey) { masks[attribute.fieldKey] = attribute.mask }
            }
            return masks
        }
    }
}
