import Kernel
import Storage

extension CustomerReader {
    /// What custom attributes are called today, by the names their columns have or had in `table(after:limit:)`: the
    /// stable key, and the title itself, which is how older models knew them.
    package func attributeTitles(_ columns: Set<String>, _ session: any SQLSession) throws
        -> Asked<[String: Words]>
    {
        try AttributeStore.asking(session).map { attributes in
            var titles: [String: Words] = [:]
            for attribute in attributes {
                for name in [attribute.title.en, attribute.fieldKey] where columns.contains(name) {
                    titles[name] = attribute.title
                }
            }
            return titles
        }
    }
}
