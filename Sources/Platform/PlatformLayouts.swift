import Storage

/// Where the platform's own tables lie on PostgreSQL.
package enum PlatformLayouts {
    /// The audit log is local: each view of a customer writes there, and on a distributed table that would be a commit in two
    /// phases; its two tables are joined by the event, which is no customer. Files are read whole by their name.
    package static let all: [TableLayout] =
        [
            TableLayout("platform_audit_event", .local, growth: audit(by: "id"), isAppendOnly: true),
            TableLayout("platform_audit_subject", .local, growth: audit(by: "event_id"), isAppendOnly: true),
        ] + TableLayout.all(["platform_blob", "platform_blob_part", "platform_request"], .local)

    /// Never dropped by the product: at hand for three years, then a person may export a month and take it out (G58).
    private static func audit(by column: String) -> Growth { Growth(by: .id(column), .exported(afterMonths: 36)) }
}
