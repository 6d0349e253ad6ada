import Crypto
import Foundation
import Kernel
import Synchronization
import Testing

@testable import Identity

@Suite("Password hashes")
struct PasswordHasherTests {
    let pepper = SymmetricKey(data: [UInt8](repeating: 1, count: 32))

    @Test("a hash is Argon2id at 19 MiB, two passes, one lane, and differs each time (G4)")
    func format() async throws {
        let hasher = PasswordHasher()
        let first = try await hasher.hash(sentence, pepper: pepper)
        let second = try await hasher.hash(sentence, pepper: pepper)
        #expect(first.hasPrefix("$argon2id$v=19$m=19456,t=2,p=1$"))
        #expect(first != second)
        #expect(try await hasher.verify(sentence, first, pepper: pepper))
        #expect(try await hasher.verify(sentence, second, pepper: pepper))
    }

    @Test(
        "the whole secret counts: case, spaces at the ends, what stands behind character 72 (G5)",
        arguments: [
            (String(repeating: "x9 ", count: 26), String(repeating: "x9 ", count: 26).dropLast() + "!"),
            (sentence, sentence + " "), (sentence, " " + sentence), (sentence, "Seven grey herons at dawn"),
            ("一只灰鹭在黎明时飞过河面上的桥", "一只灰鹭在黎明时飞过河面上的橋"),
        ])
    func whole(_ pair: (String, String)) async throws {
        let hasher = PasswordHasher(cost: cheap)
        let stored = try await hasher.hash(pair.0, pepper: pepper)
        #expect(try await hasher.verify(pair.0, stored, pepper: pepper))
        #expect(try await !hasher.verify(pair.1, stored, pepper: pepper))
    }

    @Test("é typed as one or as two code points is one password")
    func canonical() async throws {
        let hasher = PasswordHasher(cost: cheap)
        let stored = try await hasher.hash("caf\u{e9} at the corner", pepper: pepper)
        #expect(try await hasher.verify("cafe\u{301} at the corner", stored, pepper: pepper))
        #expect(try await !hasher.verify("cafe at the corner", stored, pepper: pepper))
    }

    @Test("without the key outside the database a hash fits no password")
    func peppered() async throws {
        let hasher = PasswordHasher(cost: cheap)
        let stored = try await hasher.hash(sentence, pepper: pepper)
        #expect(try await !hasher.verify(sentence, stored, pepper: SymmetricKey(size: .bits256)))
    }

    @Test("a damaged hash is an error, not a way in")
    func damaged() async throws {
        let hasher = PasswordHasher(cost: cheap)
        for stored in ["", "$argon2id$", "plain text", "$argon2i$v=19$m=64,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA"] {
            await #expect(throws: CRMError.self) { _ = try await hasher.verify(sentence, stored, pepper: pepper) }
        }
    }

    @Test("what no account has costs one hash and never fits")
    func nobody() async throws {
        let hasher = PasswordHasher(cost: cheap)
        try await hasher.verifyNobody(sentence, pepper: pepper)
        #expect(hasher.hashCount == 1)
        #expect(hasher.dummyCount == 1)
    }

    @Test("a full queue is refused with 503 at once, nobody else is held up, and the waiting work is still done")
    func bounded() async throws {
        let pool = ThreadPool(threads: 1, queueMax: 1)
        let gate = DispatchSemaphore(value: 0)
        let done = Tally()
        let refused = Tally()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<5 {
                group.addTask {
                    do {
                        try await pool.run {
                            gate.wait()
                            done.increment()
                        }
                    } catch {
                        // The three that find no place let the two that did finish.
                        if (error as? CRMError)?.status == 503, refused.increment() == 3 {
                            gate.signal()
                            gate.signal()
                        }
                    }
                }
            }
        }
        #expect(refused.value == 3)
        #expect(done.value == 2)
    }
}

/// A count that threads share.
private final class Tally: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    @discardableResult
    func increment() -> Int {
        count.withLock {
            $0 += 1
            return $0
        }
    }
}
