import App
import ArgumentParser
import Kernel
import Web

/// A consistent copy of a running SQLite installation.
struct MakeBackup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Back up an SQLite installation while it runs.",
        discussion: """
            Writes databases and files with their checksums below FOLDER. The keys are left out unless --keys is given: without
            them passwords cannot be checked, so keep DATA/keys in a safe place of its own. PostgreSQL: use pg_dump or
            pg_basebackup (docs/runbooks/backup.md).
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "A folder that does not exist yet.") var folder: String
    @Flag(name: .long, help: "Include the keys.") var keys = false
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let configuration = try common.configuration()
            guard configuration.database == nil else {
                throw Complaint(
                    Words(
                        en: "this installation is on PostgreSQL: use pg_dump or pg_basebackup (docs/runbooks/backup.md)",
                        zh: "该安装使用 PostgreSQL：请用 pg_dump 或 pg_basebackup（docs/runbooks/backup.md）"))
            }
            let bar = ProgressBar()
            let made = try await Backup.make(
                of: configuration.data, to: folder, withKeys: keys, at: SystemClock().now()
            ) { bar.show(Int($1), Int($2), $0) }
            bar.finish()
            if json {
                Terminal.out(JSONValue.object(["files": .int(Int64(made.files)), "bytes": .int(made.bytes)]).encoded())
            } else {
                Terminal.out(
                    Terminal.pick(
                        "\(made.files) files, \(made.bytes / 1_000_000) MB in \(folder)",
                        "\(folder) 中有 \(made.files) 个文件，共 \(made.bytes / 1_000_000) MB"))
                if !keys {
                    Terminal.note(
                        Terminal.pick(
                            "The keys in \(configuration.data)/keys are not part of it: keep them elsewhere.",
                            "\(configuration.data)/keys 中的密钥不在备份内，请另行保管。"))
                }
            }
        }
    }
}

/// Puts a backup into an empty data folder.
struct Restore: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Restore a backup into an empty data folder.",
        discussion: """
            Checks every file first; nothing is changed when one is missing or damaged. The keys are needed: from the backup
            (made with --keys), or copied to DATA/keys beforehand. Only for SQLite: with DATABASE_URL set it refuses; a dump of
            PostgreSQL is restored with pg_restore (docs/runbooks/backup.md).
            """)
    @OptionGroup var common: CommonOptions
    @Argument(help: "The folder of the backup.") var folder: String
    @Flag(name: .long, help: "Print JSON.") var json = false

    func run() async throws {
        try await Terminal.run(json: json) {
            let configuration = try common.configuration()
            guard configuration.database == nil else {
                throw Complaint(
                    Words(
                        en: "restore brings back an SQLite installation, and DATABASE_URL (or “database” of the settings) names a "
                            + "PostgreSQL server: unset it, or use pg_restore (docs/runbooks/backup.md). To move a restored "
                            + "installation to the server use: switchboard copy",
                        zh: "restore 只恢复 SQLite 安装，而 DATABASE_URL（或设置中的 database）指向 PostgreSQL 服务器：请取消该设置，或使用 "
                            + "pg_restore（docs/runbooks/backup.md）。要将恢复后的安装迁到服务器，请用：switchboard copy"))
            }
            let done = try await Backup.restore(folder, into: configuration.data)
            // Opening it migrates it to this version and tells whether the keys fit.
            try await common.withTenant { _, _ in }
            if json {
                Terminal.out(
                    JSONValue.object(["files": .int(Int64(done.files)), "keys": .bool(done.hasKeys)]).encoded())
            } else {
                Terminal.out(
                    Terminal.pick(
                        "\(done.files) files restored to \(configuration.data)", "已将 \(done.files) 个文件恢复到 \(configuration.data)"))
            }
        }
    }
}
