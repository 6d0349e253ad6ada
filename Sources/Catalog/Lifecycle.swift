import TMF

/// The life of what is in the catalogue (TMF620): made by those who plan it, tried, sold, and taken back.
enum Lifecycle {
    static let attribute = "lifecycleStatus"

    /// A catalogue that comes from elsewhere begins where it stands there.
    static let states = TMFStates(
        attribute, first: "In study", initial: ["In design", "In test", "Active", "Launched"],
        next: [
            "In study": ["In design", "Rejected"],
            "In design": ["In study", "In test", "Rejected"],
            "In test": ["In design", "Active", "Rejected"],
            "Active": ["Launched", "Retired"],
            "Launched": ["Retired"],
            "Retired": ["Launched", "Obsolete"],
        ])

    /// In which offerings are sold. Many catalogues know no `Launched`.
    static let sold: Set<String> = ["Active", "Launched"]
}
