import Kernel
import Platform

/// What a token needs for an interface.
package enum TMFAccess {
    /// `tmf621:read` and `tmf621:write`. Programs are given whole values: a system that gets masks writes them into its own records.
    /// People's own tokens have of these rights only those that the people have.
    package static func scopes(_ api: TMFAPI, _ what: Words, view: Permission, edit: Permission?) -> [APIScope] {
        let whole = [Masking.seeNames, Masking.seeContacts, Masking.seeIdentity, Masking.seeUnlabelled]
        let read = APIScope(
            api.readScope, Words(en: "Read \(what.en) (TMF\(api.number))", zh: "读取\(what.zh)（TMF\(api.number)）"),
            permissions: [view] + whole)
        guard let edit else { return [read] }
        return [
            read,
            APIScope(
                api.writeScope, Words(en: "Write \(what.en) (TMF\(api.number))", zh: "写入\(what.zh)（TMF\(api.number)）"),
                permissions: [edit, view] + whole),
        ]
    }
}
