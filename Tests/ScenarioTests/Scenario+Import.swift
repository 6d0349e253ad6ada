import App
import Foundation
import Ingest
import Kernel
import Storage
import TestSupport

extension Scenario {
    /// Brings a file as the command line does.
    @discardableResult
    func imported(_ entity: String, _ csv: String, source: String) async throws -> ImportReport {
        let service = runtime.modules.imports(tenant, runtime.share)
        let path = NSTemporaryDirectory() + "\(entity)-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(csv.utf8).write(to: URL(fileURLWithPath: path))
        return try await service.on(entity).importFile(
            path, source: source, principal: runtime.operatorPrincipal(tenant: tenant.name))
    }
}
