import CArgon2
import Crypto
import Foundation
import Kernel
import Synchronization

/// Argon2id over an HMAC of the password (G4). One for the process.
///
/// The HMAC-SHA256 key ("pepper") lives outside the database, so that a stolen database alone allows no guessing; it
/// also makes the input of Argon2 32 bytes whatever the length of the password, so nothing is ever cut off (G5).
package final class PasswordHasher: Sendable {
    /// Cost of one hash; the default is the OWASP floor for Argon2id (Password Storage Cheat Sheet, 2024).
    package struct Cost: Sendable, Hashable {
        package let memoryKiB: UInt32
        package let passes: UInt32
        package let lanes: UInt32
        package init(memoryKiB: UInt32, passes: UInt32, lanes: UInt32) {
            self.memoryKiB = memoryKiB
            self.passes = passes
            self.lanes = lanes
        }
        package static let standard = Cost(memoryKiB: 19_456, passes: 2, lanes: 1)
        /// How an encoded hash of this cost begins.
        package var prefix: String { "$argon2id$v=19$m=\(memoryKiB),t=\(passes),p=\(lanes)$" }
    }

    package let cost: Cost
    private let pool: ThreadPool
    private let computed = Mutex(0)
    private let dummies = Mutex(0)
    /// What an unknown account's password is checked against: a hash of this cost that no password has.
    private let dummy: String

    private static let saltBytes = 16
    private static let hashBytes = 32

    /// - Parameter queueMax: log-ins that may wait; one takes about 20 ms, so 64 wait under a second on two threads.
    package init(cost: Cost = .standard, threads: Int = 2, queueMax: Int = 64) {
        self.cost = cost
        pool = ThreadPool(threads: threads, queueMax: queueMax)
        let salt = Data(repeating: 0x5a, count: Self.saltBytes).base64EncodedString().prefix { $0 != "=" }
        let hash = Data(repeating: 0xa5, count: Self.hashBytes).base64EncodedString().prefix { $0 != "=" }
        dummy = cost.prefix + salt + "$" + hash
    }

    /// Argon2 computations so far, of any purpose.
    package var hashCount: Int { computed.withLock { $0 } }
    /// Computations made only so that an unknown account takes as long as a known one (G7).
    package var dummyCount: Int { dummies.withLock { $0 } }

    /// The encoded hash of a password under a salt of its own.
    /// - Throws: 503 when too many wait.
    package func hash(_ password: String, pepper: SymmetricKey) async throws -> String {
        let input = Self.peppered(password, pepper)
        let cost = self.cost
        note()
        return try await pool.run { try Self.encode(input, cost) }
    }

    /// Whether `encoded` is a hash of `password`. Compared in constant time by the library.
    package func verify(_ password: String, _ encoded: String, pepper: SymmetricKey) async throws -> Bool {
        let input = Self.peppered(password, pepper)
        note()
        return try await pool.run {
            let code = argon2id_verify(encoded, input, input.count)
            guard code == ARGON2_OK.rawValue || code == ARGON2_VERIFY_MISMATCH.rawValue else {
                throw Self.failure(code)
            }
            return code == ARGON2_OK.rawValue
        }
    }

    /// Takes as long as `verify` and is never true.
    package func verifyNobody(_ password: String, pepper: SymmetricKey) async throws {
        dummies.withLock { $0 += 1 }
        _ = try await verify(password, dummy, pepper: pepper)
    }

    /// Whether a stored hash was made at another cost and is to be made anew at the next log-in.
    package func isOutdated(_ encoded: String) -> Bool { !encoded.hasPrefix(cost.prefix) }

    private func note() { computed.withLock { $0 += 1 } }

    /// Canonically equal spellings (é as one or two code points) come from different keyboards and are one password;
    /// everything else counts: case, spaces at the ends, every character.
    private static func peppered(_ password: String, _ pepper: SymmetricKey) -> [UInt8] {
        let normal = password.precomposedStringWithCanonicalMapping
        return Array(HMAC<SHA256>.authenticationCode(for: Data(normal.utf8), using: pepper))
    }

    private static func encode(_ input: [UInt8], _ cost: Cost) throws -> String {
        let salt = SymmetricKey(size: .init(bitCount: saltBytes * 8)).withUnsafeBytes { Array($0) }
        let length = argon2_encodedlen(
            cost.passes, cost.memoryKiB, cost.lanes, UInt32(saltBytes), UInt32(hashBytes), Argon2_id)
        var encoded = [CChar](repeating: 0, count: length)
        let code = argon2id_hash_encoded(
            cost.passes, cost.memoryKiB, cost.lanes, input, input.count, salt, salt.count, hashBytes, &encoded, length)
        guard code == ARGON2_OK.rawValue else { throw failure(code) }
        return String(decoding: encoded.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func failure(_ code: Int32) -> CRMError {
        let reason = argon2_error_message(code).map { String(cString: $0) } ?? "\(code)"
        return CRMError.unavailable(
            "hashing", Words(en: "The password could not be checked (\(reason)).", zh: "密码无法处理（\(reason)）。"))
    }
}
