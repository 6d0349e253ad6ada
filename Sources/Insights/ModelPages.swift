import Foundation
import Kernel
import Platform
import Storage
import Web

/// The registry of model versions: list, card, training, activation.
struct ModelPages: Sendable {
    let takenBack: TakenBackCount

    func endpoints() -> [Endpoint] {
        let view = Route.Access.permission(InsightsPermissions.modelsView)
        let train = Route.Access.permission(InsightsPermissions.modelsTrain)
        return [
            Endpoint(.get, "/models", view, trace: .none, purpose: .analysis) { try await list($0) },
            Endpoint(.get, "/models/{id}", view, trace: .none, purpose: .analysis) { try await card($0) },
            Endpoint(
                .post, "/models/training", train, body: .form(["folds"]), trace: .change, purpose: .analysis,
                effect: .acts
            ) { try await startTraining($0) },
            Endpoint(
                .post, "/models/scoring", train, body: .form([]), trace: .change, purpose: .analysis, effect: .acts
            ) { try await startScoring($0) },
            Endpoint(
                .post, "/models/{id}/activation", train, body: .form([]), trace: .change, purpose: .analysis,
                effect: .acts
            ) { try await activate($0) },
            Endpoint(
                .post, "/models/{id}/retirement", train, body: .form([]), trace: .change, purpose: .analysis,
                effect: .acts
            ) { try await retire($0) },
        ]
    }

    // MARK: Versions

    private func list(_ call: Call) async throws -> WebResponse {
        let before = try call.request.query["before"].map { text in
            guard let version = Int(text), version > 0 else { throw CRMError.notFound }
            return version
        }
        let tenant = call.tenant
        let (models, jobs, failed, gone) = try await call.read { session in
            let running = try Self.openJobs(tenant, session)
            let lastTraining = try tenant.jobs.recent(kind: ChurnTraining.jobKind, limit: 1, session).first
            return (
                try ModelStore.recent(before: before, limit: Limits.pageSize + 1, session), running,
                lastTraining?.status == .failed ? lastTraining : nil,
                try ModelStore.active(session).map { try takenBack.count($0.trainedAt, session) }
            )
        }
        let shown = models.prefix(Limits.pageSize)
        let principal = try call.principal()
        return call.page(
            "insights/model-list", title: call.text("nav.models"), active: "/models",
            [
                "none": .bool(models.isEmpty), "models": .list(shown.map { row($0, call) }),
                "mayTrain": .bool(principal.may(InsightsPermissions.modelsTrain)),
                "training": .bool(jobs.contains { $0.kind == ChurnTraining.jobKind }),
                "hasActive": .bool(shown.contains { $0.state == .active }),
                "jobs": .list(jobs.map { job($0, principal, call) }),
                "failed": .bool(failed != nil && jobs.isEmpty), "failure": .text(failed?.message[call.language]),
                "refused": .text(shown.first { $0.state == .active }?.failure?[call.language]),
                "takenBack": .text(
                    gone.flatMap { $0.imports > 0 ? $0 : nil }.map { gone in
                        call.text(gone.imports == 1 ? "insights.models.gone.one" : "insights.models.gone.many")
                            .replacing("{{imports}}", with: Figures.count(gone.imports))
                            .replacing("{{rows}}", with: Figures.count(gone.rows))
                    }),
                "next": .text(models.count > Limits.pageSize ? shown.last.map { String($0.version) } : nil),
            ])
    }

    /// Trainings and passes that have not ended.
    private static func openJobs(_ tenant: Tenant, _ session: any SQLSession) throws -> [Job] {
        try [ChurnTraining.jobKind, ChurnScoring.jobKind].flatMap {
            try tenant.jobs.recent(kind: $0, limit: 5, session).filter { !$0.isFinished }
        }
    }

    private func job(_ job: Job, _ principal: Principal, _ call: Call) -> View {
        [
            "jobID": .text(job.id.description), "title": .text(call.text("job." + job.kind)),
            "state": .text(call.text("job.state." + job.status.rawValue)), "known": .bool(job.total > 0),
            "done": .text(String(job.done)), "total": .text(String(max(1, job.total))),
            "message": .text(job.message[call.language]),
            "mayCancel": .bool(principal.may(Permission("console.jobs.manage"))),
        ]
    }

    private func row(_ model: ModelRecord, _ call: Call) -> View {
        [
            "id": .text(model.id.description), "version": .text(String(model.version)),
            "state": .text(call.text("insights.state." + model.state.rawValue)), "tone": .text(Self.tone(model.state)),
            "trainedAt": .text(call.time(model.trainedAt)), "trainedBy": .text(model.trainedBy),
            "hasModel": .bool(model.hasModel), "rows": .text(Figures.count(model.labelled)),
            "leavers": .text(Figures.count(model.leavers)), "features": .text(String(model.features)),
            "auc": .text(Figures.decimal(model.figures.auc, 3)),
            "logloss": .text(Figures.decimal(model.figures.logloss, 3)),
            "brier": .text(Figures.decimal(model.figures.brier, 3)),
            "ece": .text(Figures.decimal(model.figures.ece, 3)),
            "lift": .text(Figures.decimal(model.figures.liftAt10, 2)),
            "failure": .text(model.failure?[call.language]),
        ]
    }

    static func tone(_ state: ModelState) -> String {
        switch state {
        case .active: "ok"
        case .training: "info"
        case .failed: "bad"
        case .ready: "warn"
        case .retired: "plain"
        }
    }

    // MARK: Card

    private func card(_ call: Call) async throws -> WebResponse {
        let id: ModelID = try call.request.id("id")
        let loaded = try await call.read { session in
            guard let model = try ModelStore.model(id, session) else { throw CRMError.notFound }
            return (
                model, try ModelStore.card(id, session), try ModelStore.titles(id, session),
                try ScoringRunStore.last(model: id, session)
            )
        }
        let (model, card, titles, pass) = loaded
        let name = call.text("insights.model.version") + " " + String(model.version)
        let principal = try call.principal()
        var view: View = row(model, call).merging([
            "modelName": .text(name), "hasCard": .bool(card != nil), "active": .bool(model.state == .active),
            "mayActivate": .bool(
                principal.may(InsightsPermissions.modelsTrain) && (model.state == .ready || model.state == .retired)),
            "mayRetire": .bool(principal.may(InsightsPermissions.modelsTrain) && model.state == .active),
            "customers": .text(Figures.count(model.customers)), "folds": .text(String(model.folds)),
            "seed": .text(String(model.seed)), "hasPass": .bool(pass != nil),
            "passAt": .text(pass.map { call.time($0.startedAt) }),
            "scored": .text(pass.map { Figures.count($0.scored) }),
            "skipped": .text(pass.map { Figures.count($0.skipped) }),
            "drift": .text(pass?.drift.map { Figures.decimal($0, 3) }),
            "driftWords": .text(pass?.drift.map { InsightsTexts.drift($0)[call.language] }),
            "refused": .text(model.hasModel ? model.failure?[call.language] : nil),
        ])
        view = view.merging(
            card.map { ModelCardView(card: $0, titles: titles, call: call).view } ?? ModelCardView.none)
        return call.page("insights/model-card", title: name, active: "/models", view)
    }

    // MARK: Changes

    private func startTraining(_ call: Call) async throws -> WebResponse {
        let folds = try call.form.optionalText("folds", max: 2).map { text in
            guard let folds = Int(text), ChurnTrainer.foldRange.contains(folds) else {
                throw CRMError.invalid(
                    "folds", "out_of_range",
                    Words(
                        en:
                            "Folds must be \(ChurnTrainer.foldRange.lowerBound) to \(ChurnTrainer.foldRange.upperBound).",
                        zh: "折数须为 \(ChurnTrainer.foldRange.lowerBound) 至 \(ChurnTrainer.foldRange.upperBound)。"))
            }
            return folds
        }
        let tenant = call.tenant
        let principal = try call.principal()
        let request = TrainingRequest(folds: folds ?? 5)
        let payload = String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
        return try await call.change { session in
            // One at a time: a second would learn the same from the same customers.
            let open = try Self.openJobs(tenant, session).first { $0.kind == ChurnTraining.jobKind }
            let job =
                try open?.id
                ?? tenant.jobs.enqueue(
                    ChurnTraining.jobKind, payload: payload, by: principal.userName, session)
            try call.record(
                AuditEntry(
                    "insights.training.request", [AuditSubject(kind: "job", id: job.rawValue)],
                    facts: ["folds": .int(Int64(request.folds)), "running_already": .bool(open != nil)]), session)
            return .redirect("/models").flash(
                open == nil ? "insights.flash.training" : "insights.flash.training_already")
        }
    }

    private func startScoring(_ call: Call) async throws -> WebResponse {
        let tenant = call.tenant
        let principal = try call.principal()
        return try await call.change { session in
            guard try ModelStore.active(session) != nil else { throw Self.noActive }
            let job = try ChurnScoring.request(by: principal.userName, tenant, session)
            try call.record(
                AuditEntry("insights.scoring.request", [AuditSubject(kind: "job", id: job.rawValue)]), session)
            return .redirect("/models").flash("insights.flash.scoring")
        }
    }

    private static let noActive = CRMError.conflict(
        "no_active_model", Words(en: "No model version is in use.", zh: "没有正在使用的模型版本。"))

    private func activate(_ call: Call) async throws -> WebResponse {
        let id: ModelID = try call.request.id("id")
        let tenant = call.tenant
        let principal = try call.principal()
        return try await call.change { session in
            guard let model = try ModelStore.model(id, session) else { throw CRMError.notFound }
            guard model.state == .ready || model.state == .retired, model.blobID != nil else {
                throw CRMError.conflict(
                    "not_activatable",
                    Words(en: "This version cannot be put into use.", zh: "该版本无法启用。"))
            }
            let before = try ModelStore.active(session)
            try ModelStore.activate(id, session)
            _ = try ChurnScoring.request(by: principal.userName, tenant, session)
            try call.record(
                AuditEntry(
                    "insights.model.activate", [AuditSubject(kind: "model", id: id.rawValue)],
                    facts: [
                        "version": .int(Int64(model.version)),
                        "instead_of": before.map { .int(Int64($0.version)) } ?? .null,
                    ]), session)
            return .redirect("/models/\(id)").flash("insights.flash.activated")
        }
    }

    private func retire(_ call: Call) async throws -> WebResponse {
        let id: ModelID = try call.request.id("id")
        return try await call.change { session in
            guard let model = try ModelStore.model(id, session) else { throw CRMError.notFound }
            guard model.state == .active else { throw Self.noActive }
            try ModelStore.retire(id, session)
            try call.record(
                AuditEntry(
                    "insights.model.retire", [AuditSubject(kind: "model", id: id.rawValue)],
                    facts: ["version": .int(Int64(model.version))]), session)
            return .redirect("/models/\(id)").flash("insights.flash.retired")
        }
    }
}
