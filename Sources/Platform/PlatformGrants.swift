import Kernel

/// Rights that belong to no domain, and who has them in a new installation.
package enum PlatformGrants {
    /// Reads the whole audit log.
    package static let readAudit = Permission("audit.read")
    /// Sees on a customer's page who viewed or changed that customer.
    package static let readCustomerAudit = Permission("audit.customer.view")

    package static let all = [
        PermissionGrant(
            Masking.seeNames, Words(en: "See customers' names", zh: "查看客户姓名"), roles: [.agent, .supervisor]),
        PermissionGrant(
            Masking.seeContacts,
            Words(en: "See whole phone numbers, mail and street addresses", zh: "查看完整号码、邮箱和地址"), roles: [.supervisor]),
        PermissionGrant(
            Masking.seeIdentity,
            Words(en: "See whole identity numbers and birth dates", zh: "查看完整证件号码和出生日期"), roles: [.supervisor]),
        PermissionGrant(
            Masking.seeUnlabelled,
            Words(en: "See imported columns that nobody has labelled", zh: "查看尚未分级的导入字段"), roles: [.supervisor]),
        PermissionGrant(readAudit, Words(en: "Read the audit log", zh: "查看审计日志"), roles: [.auditor]),
        PermissionGrant(
            readCustomerAudit,
            Words(en: "See who viewed or changed a customer", zh: "查看谁访问或修改过客户"), roles: [.supervisor]),
    ]
}
