import Foundation
import Kernel

/// How the product reaches a PostgreSQL database.
package struct PostgresSettings: Sendable, Equatable {
    /// `postgres://user:password@host1:5432,host2:5432/database?sslmode=verify-full`, as libpq reads it. With several
    /// hosts the one that takes writes is found.
    package var url: String
    /// Connections of this process, 1...200. Each has a thread.
    package var connectionsMax = 8
    /// Seconds to wait for a server that does not answer while connecting.
    package var connectSeconds = 5
    /// The server ends a statement after this time; 0 = never.
    package var statementMilliseconds = 30_000
    package var lockMilliseconds = 5_000
    package var idleInTransactionMilliseconds = 60_000
    /// Seconds after which an answer is no longer waited for; for a commit its outcome is unknown then.
    package var answerSeconds = 60
    /// Seconds a caller waits for a free connection before it is told to come again.
    package var waitSeconds = 10
    /// `read-write`, `prefer-standby`, ...; `nil` = `read-write` when there are several hosts.
    package var targetSessionAttributes: String?
    /// What a transaction is that says nothing of its isolation. A standby refuses `serializable`.
    package var isolation = "serializable"

    package init(url: String) {
        self.url = url
        let authority =
            url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).dropFirst(2).first ?? ""
        if authority.contains(","), !url.contains("target_session_attrs") { targetSessionAttributes = "read-write" }
    }

    /// Whether a text is such an address.
    package static func isURL(_ text: String) -> Bool {
        text.hasPrefix("postgres://") || text.hasPrefix("postgresql://")
    }

    /// Whether user, password and hosts of an address cannot be told apart for certain: a character that ends one of them
    /// stands in a name or password as it is. What looks like the host may be part of the password then.
    package static func isAmbiguous(_ text: String) -> Bool {
        guard isURL(text), let scheme = text.range(of: "://") else { return true }
        var hosts = text[scheme.upperBound...]
        if let at = hosts.firstIndex(of: "@") {
            let login = hosts[..<at]
            hosts = hosts[hosts.index(after: at)...]
            if hosts.contains("@") || login.contains(where: { "/?".contains($0) || $0.isWhitespace }) { return true }
        }
        let authority = hosts.prefix { !"/?".contains($0) }
        return !authority.split(separator: ",", omittingEmptySubsequences: false).allSatisfy(isHost)
    }

    /// `name`, `name:5432`, `[::1]:5432`, or nothing (the local socket).
    private static func isHost(_ text: Substring) -> Bool {
        var rest = text
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return false }
            guard rest[..<end].dropFirst().allSatisfy({ $0.isHexDigit || ":.%".contains($0) }) else { return false }
            rest = rest[rest.index(after: end)...]
        } else {
            let name = rest.prefix { $0 != ":" }
            guard name.allSatisfy({ $0.isLetter || $0.isNumber || "-._~%".contains($0) }) else { return false }
            rest = rest[name.endIndex...]
        }
        return rest.isEmpty || (rest.hasPrefix(":") && rest.dropFirst().utf8.allSatisfy { (48...57).contains($0) })
    }

    /// The same server with another database: a tenant is a database of its own.
    package func database(named name: String) -> PostgresSettings {
        var copy = self
        let parts = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var pieces = parts[0].split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        while pieces.count < 4 { pieces.append("") }
        pieces[3] = name
        copy.url = pieces.joined(separator: "/") + (parts.count > 1 ? "?" + parts[1] : "")
        return copy
    }

    /// Each host of the address by itself, as a standby is reached: whoever answers there, and soon or not at all.
    package var replicas: [PostgresSettings] {
        var pieces = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
        guard pieces.count > 2 else { return [] }
        let authority = pieces[2]
        let user = authority.lastIndex(of: "@").map { String(authority[...$0]) } ?? ""
        return authority.dropFirst(user.count).split(separator: ",").map { host in
            pieces[2] = user + host
            var copy = self
            copy.url = pieces.joined(separator: "/")
            copy.targetSessionAttributes = nil
            copy.isolation = "repeatable read"
            copy.connectSeconds = min(connectSeconds, 2)
            copy.waitSeconds = 1
            return copy
        }
    }

    /// The hosts of the address with their ports, for a person.
    package var hosts: String {
        guard !Self.isAmbiguous(url) else { return "an address that cannot be read for certain" }
        let pieces = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let authority = (pieces.count > 2 ? pieces[2] : "").prefix { $0 != "?" }
        let hosts = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return hosts.isEmpty ? "the local socket" : String(hosts)
    }

    /// User and hosts of the address, for a person: never the password, nor what may be a part of it.
    package var place: String {
        guard !Self.isAmbiguous(url) else { return "database of an address that cannot be read for certain" }
        let pieces = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let authority = pieces.count > 2 ? String(pieces[2]) : ""
        let end = authority.lastIndex(of: "@")
        let hosts = end.map { String(authority[authority.index(after: $0)...]) } ?? authority
        let user = end.map { authority[..<$0].prefix { $0 != ":" } } ?? ""
        return "database \(databaseName) at \(hosts.isEmpty ? "the local socket" : hosts)"
            + (user.isEmpty ? "" : ", user \(user)")
    }

    /// Words of libpq without the password of the address, which it may repeat when it cannot read the address.
    func withoutPassword(_ words: String) -> String {
        guard !Self.isAmbiguous(url) else { return "a character of the address must be percent-encoded" }
        let pieces = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard pieces.count > 2, let end = pieces[2].lastIndex(of: "@"),
            let colon = pieces[2][..<end].firstIndex(of: ":")
        else { return words }
        let secret = String(pieces[2][pieces[2].index(after: colon)..<end])
        guard !secret.isEmpty else { return words }
        return [secret, secret.removingPercentEncoding ?? secret].filter { words.contains($0) && $0.count > 2 }
            .reduce(words) { $0.replacing($1, with: "***") }
    }

    /// Hosts that are tried one after the other.
    var hostCount: Int {
        let pieces = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return pieces.count > 2 ? pieces[2].count { $0 == "," } + 1 : 1
    }

    /// Whether a server that answers nobody is given up before its answer is: not where one may take hours.
    var minds: Bool { answerSeconds <= 60 }

    /// The name of the database in the address; empty when it names none.
    package var databaseName: String {
        let path = url.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let pieces = path.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return pieces.count > 3 ? String(pieces[3]) : ""
    }
}
