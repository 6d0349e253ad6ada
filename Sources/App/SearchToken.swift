import Crypto
import Foundation
import Kernel
import Platform

/// What was typed into the search box, sealed so that it may stand in an address: results are a page of their own that
/// can be gone back to, and no name or number is in a URL in clear (ARCHITECTURE, invariant 2). It opens for the person
/// who typed it, in the same tenant, and for nobody else.
enum SearchToken {
    /// Four bytes a scalar, nonce and tag, a third more in base64: longer ones are not ours.
    static let lengthMax = (Limits.searchTextMax * 4 + 28) * 4 / 3 + 4

    static func seal(_ text: String, _ principal: Principal, _ keys: TenantKeys) throws -> String {
        let box = try AES.GCM.seal(
            Data(text.utf8), using: key(keys), authenticating: owner(principal))
        guard let sealed = box.combined else { throw CRMError.notFound }
        return sealed.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// `nil` for a text that is damaged, made up or somebody else's.
    static func open(_ token: String, _ principal: Principal, _ keys: TenantKeys) -> String? {
        guard token.utf8.count <= lengthMax else { return nil }
        let plain = token.replacing("-", with: "+").replacing("_", with: "/")
        let padded = plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        guard let data = Data(base64Encoded: padded), let box = try? AES.GCM.SealedBox(combined: data),
            let text = try? AES.GCM.open(box, using: key(keys), authenticating: owner(principal))
        else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    /// A key of its own, made from the pepper (G63).
    private static func key(_ keys: TenantKeys) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: keys.pepper, info: Data("switchboard.console.search".utf8), outputByteCount: 32)
    }

    private static func owner(_ principal: Principal) -> Data {
        Data("\(principal.userID?.description ?? "")|\(principal.tenant)".utf8)
    }
}
