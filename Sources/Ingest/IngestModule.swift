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
    private let order: SourceOrder
    private let customers: LineageCustomers

    /// - Parameters:
    ///   - share: where the shipped mapping files are; `nil` = none.
    ///   - intake: where files come by themselves.
    ///   - order: in which sources are trusted, kept by the domain that joins records.
    ///   - customers: what is told of customers on the lineage page.
    ///   - others: what can be imported besides.
    ///   - target: the domain whose records are imported; App injects it.
    package init(
        share: ShareFolder?, intake: IntakeSettings = .none, order: SourceOrder? = nil,
        customers: LineageCustomers? = nil, others: @escaping @Sendable (Tenant) -> [any ImportTarget] = { _ in [] },
        target: @escaping @Sendable (Tenant) -> any ImportTarget
    ) {
        self.order = order ?? .none
        self.customers = customers ?? .none
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
            PermissionGrant(
                ImportService.quarantinePermission,
                Words(en: "Repair, bring again and discard rows in quarantine", zh: "修复、重新导入和放弃隔离行"),
                roles: [.administrator, .supervisor]),
            PermissionGrant(
                RulePages.permission, Words(en: "Set up sources and quality rules", zh: "管理数据来源与质量规则"),
                roles: [.administrator, .supervisor]),
            PermissionGrant(
                LineagePages.permission, Words(en: "See where values of a customer come from", zh: "查看客户数据的来源"),
                roles: [.agent, .supervisor, .analyst, .administrator]),
        ]
    }

    package var labels: [TableLabels] { IngestLabels.all }
    /// Keyed by the run, and forgotten run by run (retention): neither spread nor kept in months.
    package var layouts: [TableLayout] {
        TableLayout.all(
            [
                "ingest_file", "ingest_mapping", "ingest_run", "ingest_journal", "ingest_reject",
                "ingest_revert_issue", "ingest_forecast", "ingest_intake", "ingest_intake_file", "ingest_rule", "ingest_finding", "ingest_quality", "ingest_quarantine",
                "ingest_source", "ingest_source_mapping",
            ], .local) + TableLayout.all(["ingest_lineage", "ingest_record_lineage"], .customer(key: "customer_id"))
    }

    package var navigation: [NavigationEntry] {
        [
            NavigationEntry(
                key: "ingest.title", icon: "import", path: "/imports", permission: ImportService.permission, order: 30),
            NavigationEntry(
                key: "quarantine.title", icon: "shield", path: "/quarantine",
                permission: ImportService.quarantinePermission, order: 31),
            NavigationEntry(
                key: "rules.title", icon: "check", path: "/rules", permission: ImportService.permission, order: 32),
            NavigationEntry(
                key: "sources.title", icon: "sim", path: "/sources", permission: ImportService.permission, order: 33),
            NavigationEntry(
                key: "quality.title", icon: "chart", path: "/quality", permission: ImportService.permission, order: 34),
        ]
    }

    /// What the command line and the jobs of one tenant use.
    package func service(_ tenant: Tenant) -> ImportService {
        ImportService(tenant: tenant, target: target(tenant), others: others(tenant), share: share)
    }

    func intake(_ tenant: Tenant) -> IntakeService { IntakeService(imports: service(tenant), settings: intake) }

    package func endpoints(_ site: SiteInfo) -> [Endpoint] {
        IntakePages(service: intake).endpoints + ImportPages(service: service).endpoints
            + QuarantinePages(service: service).endpoints
            + RulePages(service: service).endpoints + SourcePages(service: service, order: order).endpoints
            + LineagePages(service: service, customers: customers).endpoints
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
                "review_count": .plain, "quarantined_count": .plain, "skipped_count": .plain, "corrected_count": .plain,
                "undone_links": .plain, "undone_decisions": .plain,
                "undone_waiting": .plain, "matched_chunk": .plain, "is_replay": .plain,
                "source": .plain, "mapping_version": .plain,
                "revert_issue_count": .plain, "message_en": .plain, "message_zh": .plain, "created_at": .plain,
                "started_at": .plain, "finished_at": .plain, "reverted_at": .plain, "purged_at": .plain,
                "created_by": .plain,
                "created_by_name": .name,
            ]),
        TableLabels(
            "ingest_intake",
            [
                "source": .plain, "entity": .plain, "enabled": .plain, "settle_seconds": .plain, "url": .secret,
                "secret": .secret,
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
        TableLabels(
            "ingest_rule",
            [
                "key": .plain, "name_en": .plain, "name_zh": .plain, "source": .plain, "entity": .plain,
                "fields": .plain, "kind": .plain, "dimension": .plain, "severity": .plain, "parameters": .plain,
                "is_on": .plain, "revision": .plain, "updated_at": .plain, "updated_by_name": .name,
            ]),
        TableLabels(
            "ingest_source",
            [
                "id": .plain, "key": .plain, "name": .plain, "kind": .plain, "entity": .plain, "owner": .name,
                "encoding": .plain, "delimiter": .plain, "sheet": .plain, "fields": .plain, "fresh_hours": .plain,
                "revision": .plain, "created_at": .plain, "updated_at": .plain, "updated_by_name": .name,
            ]),
        TableLabels(
            "ingest_source_mapping",
            [
                "source": .plain, "entity": .plain, "version": .plain, "mapping": .plain, "made_at": .plain,
                "made_by_name": .name,
            ]),
        TableLabels.plain(
            "ingest_lineage",
            ["customer_id", "run_id", "record", "line", "chunk", "is_new", "columns", "fixes", "at"]),
        TableLabels.plain(
            "ingest_record_lineage",
            ["customer_id", "record_id", "run_id", "record", "line", "is_new", "columns", "fixes", "at", "chunk"]),
        TableLabels.plain(
            "ingest_finding", ["run_id", "phase", "rule", "field", "checked", "failed", "fixed"]),
        TableLabels.plain(
            "ingest_quality",
            ["source", "entity", "day", "rule", "field", "dimension", "checked", "failed", "fixed"]),
        TableLabels(
            "ingest_quarantine",
            [
                "id": .plain, "run_id": .plain, "record": .plain, "line": .plain, "entity": .plain, "source": .plain,
                "rule": .plain, "field": .plain, "findings": .plain, "cells": .unlabelled, "repaired": .unlabelled,
                "repaired_columns": .plain,
                "match_key": .plain, "key_hash": .unlabelled, "state": .plain, "revision": .plain,
                "replay_run_id": .plain, "replay_record": .plain, "created_at": .plain, "decided_at": .plain,
                "decided_by_name": .name, "reason": .plain,
            ]),
        TableLabels.plain(
            "ingest_reject",
            ["run_id", "phase", "record", "line", "column_index", "code", "words_en", "words_zh"]),
        TableLabels.plain(
            "ingest_revert_issue",
            ["run_id", "chunk", "number", "customer_id", "field", "reason_en", "reason_zh"]),
        TableLabels.plain("ingest_forecast", ["run_id", "job_id", "chunk", "asked_at", "counted_at", "result"]),
    ]
}
