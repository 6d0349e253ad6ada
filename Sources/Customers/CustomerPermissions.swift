import Kernel
import Platform

/// The rights of this domain.
enum CustomerPermissions {
    static let view = Permission("customers.view")
    static let edit = Permission("customers.edit")
    static let export = Permission("customers.export")
    static let manageAttributes = Permission("customers.attributes.manage")
    /// Joining customers that are one person, and taking them apart again.
    static let decidePairs = Permission("customers.pairs.decide")
    static let manageMatching = Permission("customers.matching.manage")
    static let shareViews = Permission("customers.views.share")

    static let grants: [PermissionGrant] = [
        PermissionGrant(
            view, Words(en: "See customers (masked by role)", zh: "查看客户（按角色脱敏）"),
            roles: [.agent, .supervisor, .marketer, .analyst, .administrator]),
        PermissionGrant(edit, Words(en: "Create and change customers", zh: "新建和修改客户"), roles: [.agent, .supervisor]),
        PermissionGrant(export, Words(en: "Export lists of customers", zh: "导出客户清单"), roles: [.supervisor]),
        PermissionGrant(
            manageAttributes, Words(en: "Define and label custom attributes", zh: "定义和标注自定义属性"),
            roles: [.administrator]),
        PermissionGrant(
            decidePairs, Words(en: "Join duplicate customers and take them apart", zh: "合并与拆分重复客户"),
            roles: [.supervisor]),
        PermissionGrant(
            manageMatching, Words(en: "Set up how customers are matched", zh: "管理客户匹配规则"),
            roles: [.administrator]),
        PermissionGrant(
            shareViews, Words(en: "Share saved views with everybody", zh: "共享已保存的视图"),
            roles: [.supervisor, .administrator]),
    ]
}
