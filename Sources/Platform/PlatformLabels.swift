/// What the columns of the platform's and the storage layer's own tables hold (G31).
package enum PlatformLabels {
    package static let all: [TableLabels] = [
        TableLabels(
            "platform_audit_event",
            [
                "id": .plain, "at": .plain, "actor_id": .plain, "actor_name": .name, "roles": .plain, "action": .plain,
                "purpose": .plain, "address": .profile, "request_id": .plain, "unmasked": .plain, "facts": .profile,
                "refused": .plain,
            ]),
        .plain("platform_audit_subject", ["subject_id", "event_id", "subject_kind"]),
        .plain("platform_blob", ["id", "size", "digest", "finished", "created_at"]),
        TableLabels("platform_blob_part", ["blob_id": .plain, "part": .plain, "data": .profile]),
        // What was answered may tell of a person; it is kept for a day.
        TableLabels(
            "platform_request",
            [
                "id": .plain, "digest": .plain, "created_at": .plain, "expires_at": .plain, "status": .plain,
                "location": .plain, "flash": .plain, "etag": .plain, "content_type": .plain, "body": .profile,
            ]),
        .plain("schema_migration", ["module", "number", "name", "checksum", "applied_at"]),
        .plain("storage_server", ["holder", "alive_until"]),
        .plain("storage_node", ["node", "holder", "lease_until"]),
        TableLabels(
            "storage_outbox_event",
            [
                "id": .plain, "type": .plain, "payload": .profile, "created_at": .plain, "status": .plain,
                "attempts": .plain, "next_attempt_at": .plain, "last_error": .plain,
            ]),
        .plain("storage_outbox_receipt", ["event_id", "handler", "handled_at"]),
        TableLabels(
            "storage_job",
            [
                "id": .plain, "kind": .plain, "payload": .plain, "status": .plain, "done": .plain, "total": .plain,
                "message_en": .plain, "message_zh": .plain, "result": .plain, "attempts": .plain,
                "attempts_max": .plain,
                "run_at": .plain, "lease_owner": .plain, "lease_until": .plain, "cancel_requested": .plain,
                "created_by": .name, "created_at": .plain, "started_at": .plain, "finished_at": .plain,
                "failures": .plain,
            ]),
        .plain("storage_mark", ["name", "value", "marked_at"]),
        .plain("storage_copy", ["name", "after_key", "done", "finished"]),
        .plain("storage_schedule", ["name", "next_run_at"]),
    ]
}
