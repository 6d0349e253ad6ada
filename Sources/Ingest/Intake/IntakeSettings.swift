import Foundation
import Kernel

/// What the installation says about files that come by themselves.
package struct IntakeSettings: Sendable {
    /// Folder of all drop folders: `<inbox>/<tenant>/<source>`; `nil` = there are none.
    package let inbox: String?
    /// Hosts that may be asked although their addresses are private, and in plain HTTP when they are this machine. All others
    /// are asked in HTTPS at public addresses only.
    package let hosts: Set<String>

    package init(inbox: String?, hosts: Set<String> = []) {
        self.inbox = inbox
        self.hosts = hosts
    }

    package static let none = IntakeSettings(inbox: nil)

    /// Keys of sources are names of folders: letters, digits, `_` and `-`, at most 40, no dot and no slash.
    package static func isKey(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
                    || byte == UInt8(ascii: "-")
            } && text.utf8.first != UInt8(ascii: "-")
    }

    func folder(_ tenant: String, _ source: String) throws -> String {
        guard let inbox, Self.isKey(source) else { throw Self.noInbox }
        return "\(inbox)/\(tenant)/\(source)"
    }

    static let noInbox = CRMError.conflict(
        "no_inbox",
        Words(
            en: "No folder for incoming files is set: whoever runs the installation sets “inbox” (SWITCHBOARD_INBOX).",
            zh: "尚未设置文件收取目录：请由安装维护人员设置 “inbox”（SWITCHBOARD_INBOX）。"))
}
