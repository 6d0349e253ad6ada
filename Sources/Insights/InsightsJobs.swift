import Foundation
import Kernel
import Platform
import Storage
import Web

/// The shells around training and scoring that the queue runs.
struct InsightsJobs: Sendable {
    let tenant: Tenant
    let customers: any CustomerReading

    func handlers() -> [JobHandler] {
        [
            JobHandler(kind: ChurnTraining.jobKind) { try await train($0) },
            JobHandler(kind: ChurnScoring.jobKind) { try await score($0) },
        ]
    }

    private func principal(_ kind: String) -> Principal { .system(tenant: tenant.name, "job:" + kind) }

    private func report(_ context: JobContext) -> RunReport {
        { done, total, words in try await context.progress(done: done, total: total, words) }
    }

    private func train(_ context: JobContext) async throws -> String? {
        let request =
            (try? JSONDecoder().decode(TrainingRequest.self, from: Data(context.job.payload.utf8)))
            ?? TrainingRequest()
        let summary = try await ChurnTraining(tenant: tenant, customers: customers).run(
            request, by: principal(ChurnTraining.jobKind), startedBy: context.job.createdBy, job: context.job.id,
            report: report(context))
        if summary.isActive {
            let tenant = self.tenant
            _ = try await tenant.database.write { session in
                try ChurnScoring.request(by: context.job.createdBy, tenant, session)
            }
        }
        return JSONValue.object(summary.json).encoded()
    }

    private func score(_ context: JobContext) async throws -> String? {
        let summary = try await ChurnScoring(tenant: tenant, customers: customers).run(
            by: principal(ChurnScoring.jobKind), job: context.job.id, report: report(context))
        return JSONValue.object(summary.json).encoded()
    }
}
