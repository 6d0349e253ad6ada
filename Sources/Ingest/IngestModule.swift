import Kernel
import Platform
import Storage

/// Import of files: O1 to O3 of the capability list.
package struct IngestModule: Module {
    package let name = "Ingest"
    private let target: @Sendable (Tenant) -> any ImportTarget
    private let others: @Sendable (Tenant) -> [any ImportTarget]
    private let share: ShareFolder?
    private let intake: IntakeSettings

    /// - Parameters:
    ///   - share: where the shipped mapping files are; `nil` = none.
    ///   - intake: where files come by themselves.
    ///   - others: what can be imported besides.
    ///   - target: the domain whose records are imported; App injects it.
    package init(
        share: ShareFolder?, intake: IntakeSettings = .none, others: @escaping @Sendable (Tenant) -> [any ImportTarget] = { _ in [] },
        target: @escaping @Sendable (Tenant) -> any ImportTarget
    ) {
        self.share = share
        self.intake = intake
        self.others = others
        self.target = target
    }

    package var permissions: [PermissionGrant] {
        [
            PermissionGrant(
                ImportService.permission, Words(en: "Import files and take imports back", zh: "导入文件与撤销导入"),
                roles: [.administrator, .supervisor]),
            PermissionGrant(
                IntakeService.manage, Words(en: "Set up which files come by themselves", zh: "设置自动收取文件"),
                roles: [.administrator]),
        ]
    }

    package var labels: [TableLabels] { IngestLabels.all }
    /// Keyed by the run, and forgotten run by run (retention): neither spread nor kept in months.
    package var layouts: [TableLayout] {
        TableLayout.all(
            [
                "ingest_file", "ingest_mapping", "ingest_run", "ingest_journal", "ingest_reject",
                "ingest_revert_issue", "ingest_intake", "ingest_intake_file",
            ], .local)
    }

    package var navigation: [NavigationEntry] {
        [
            NavigationEntry(
                key: "ingest.title", icon: "import", path: "/imports", permission: ImportService.permission, order: 30)
        ]
    }

    /// What the command line and the jobs of one tenant use.
    package func service(_ tenant: Tenant) -> ImportService {
        ImportService(tenant: tenant, target: target(tenant), others: others(tenant), share: share)
    }

    func intake(_ tenant: Tenant) -> IntakeService { IntakeService(imports: service(tenant), settings: intake) }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        IntakePages(service: intake).endpoints + ImportPages(service: service).endpoints
    }

    package var schedules: [Schedule] {
        [Schedule(name: "ingest.purge", jobKind: ImportService.purgeJob, everySeconds: 86_400)]
            + IntakeService.schedules
    }

    package func jobs(_ tenant: Tenant) -> [JobHandler] { service(tenant).jobs + intake(tenant).jobs }
}

/// What the columns hold. Files and journals hold whatever the source holds, so they count as unlabelled.
enum IngestLabels {
    static let all: [TableLabels] = [
        TableLabels(
            "ingest_file",
            [
                "id": .plain, "blob_id": .unlabelled, "name": .plain, "size": .plain, "digest": .plain,
                "inspection": .unlabelled, "created_at": .plain, "created_by": .plain, "created_by_name": .name,
            ]),
        TableLabels(
            "ingest_mapping",
            [
                "entity": .plain, "signature": .plain, "name": .plain, "mapping": .plain, "updated_at": .plain,
                "updated_by_name": .name,
            ]),
        TableLabels(
            "ingest_run",
            [
                "id": .plain, "file_id": .plain, "entity": .plain, "mapping": .plain, "state": .plain,
                "worker": .plain, "touched_at": .plain, "job_id": .plain, "actor": .name, "plan": .unlabelled,
                "plan_reject_blob_id": .unlabelled, "reject_blob_id": .unlabelled, "chunk": .plain,
                "checkpoint": .plain, "revert_chunk": .plain, "rows_read": .plain, "created_count": .plain,
                "updated_count": .plain, "unchanged_count": .plain, "rejected_count": .plain, "linked_count": .plain,
                "review_count": .plain,
                "revert_issue_count": .plain, "message_en": .plain, "message_zh": .plain, "created_at": .plain,
                "started_at": .plain, "finished_at": .plain, "reverted_at": .plain, "purged_at": .plain,
                "created_by": .plain,
                "created_by_name": .name,
            ]),
        TableLabels(
            "ingest_intake",
            [
                "source": .plain, "entity": .plain, "enabled": .plain, "settle_seconds": .plain, "url": .secret,
                "every_minutes": .plain, "next_pull_at": .plain, "etag": .plain, "modified": .plain,
                "pulled_at": .plain, "looked_at": .plain, "message_en": .plain, "message_zh": .plain,
                "pull_en": .plain, "pull_zh": .plain, "actor": .name, "updated_at": .plain, "updated_by_name": .name,
            ]),
        TableLabels.plain(
            "ingest_intake_file",
            [
                "id", "source", "name", "origin", "state", "size", "digest", "run_id", "message_en", "message_zh",
                "taken_at", "finished_at",
            ]),
        TableLabels("ingest_journal", ["run_id": .plain, "chunk": .plain, "entries": .unlabelled]),
        TableLabels.plain(
            "ingest_reject",
            ["run_id", "phase", "record", "line", "column_index", "code", "words_en", "words_zh"]),
        TableLabels.plain(
            "ingest_revert_issue",
            ["run_id", "chunk", "number", "customer_id", "field", "reason_en", "reason_zh"]),
    ]
}
