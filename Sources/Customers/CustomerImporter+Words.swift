import Contracts
import Kernel

/// Why rows are refused.
extension CustomerImporter {
    static func otherPerson(_ key: String) -> Words {
        let (field, name) = (CustomerFields.byKey[key]?.words, CustomerFields.byKey["full_name"]?.words)
        return Words(
            en: """
                “\(field?.en ?? key)” is that of a known customer, but “\(name?.en ?? "")” is another person's: nothing was changed. \
                With matching (--match, or “Find the same people among known customers”) the row becomes a record of its own.
                """,
            zh: "“\(field?.zh ?? key)”属于已有客户，但“\(name?.zh ?? "")”是另一个人的，因此未作更改。启用识别（--match，或“在已有客户中识别同一人”）后，该行会成为单独的记录。")
    }

    /// Only without matching: with it the same person is joined, and who is not keeps the number as a contact.
    static let belongs = Words(
        en: """
            This number belongs to another customer. With matching (--match, or “Find the same people among known customers” \
            in the wizard) the same person is joined, and another one keeps it as a contact number.
            """,
        zh: "该号码已属于其他客户。启用识别（--match，或向导中的“在已有客户中识别同一人”）后，同一人会合并，其他人将其保留为联系电话。")
}
