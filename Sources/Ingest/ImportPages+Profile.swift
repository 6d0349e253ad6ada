import Kernel
import Platform
import Storage
import Tabular
import Web

/// What a file holds, before it is imported.
extension ImportPages {
    /// A page must come soon: of a larger file its beginning is profiled, and the page says so.
    private static let rowsMax = 50_000

    @Sendable func profile(_ call: Call) async throws -> WebResponse {
        let id: ImportRunID = try call.request.id("id")
        let (run, file) = try await service(call.tenant).run(id, for: try call.principal())
        guard run.purgedAt == nil else { throw CRMError.notFound }
        let isClear = ImportViews.showsFile(file, try call.request.principal())
        try await call.recordView(
            AuditEntry("ingest.run.profile", [.run(id)], unmasked: isClear ? ["file"] : []))
        let blobs = call.tenant.blobs
        let found = try await OwnThread.run { try FileProfile.read(file, blobs, rowsMax: Self.rowsMax) }
        let profile = isClear ? found : found.masked(all: true)
        let text = ProfileText(profile: profile, language: call.language)
        return call.page(
            "ingest/import-profile", title: file.name, active: "/imports",
            [
                "id": .text("\(id)"), "fileName": .text(file.name), "facts": .text(text.summary),
                "isCut": .bool(profile.isCut), "seesMasked": .bool(!isClear),
                "columns": .list(
                    profile.columns.map { column in
                        [
                            "name": .text(column.name), "type": .text(text.typeName(column.type)),
                            "missing": .text(text.share(column)), "distinct": .text(text.distinct(column)),
                            "range": .text(Self.both(text.low(column), " – ", text.high(column))),
                            "middle": .text(Self.both(column.mean.map(text.number) ?? "", " / ", text.median(column))),
                            "top": .texts(column.top.prefix(5).map(Self.counted)),
                            "shapes": .texts(column.shapes.prefix(3).map(Self.counted)),
                            "notes": .texts(text.notes(column, isAlone: true)), "isPersonal": .bool(column.personal != nil),
                        ]
                    }),
            ])
    }

    /// Nothing when there is neither.
    private static func both(_ first: String, _ between: String, _ second: String) -> String {
        first.isEmpty && second.isEmpty ? "" : first + between + second
    }

    private static func counted(_ one: FileProfile.Count) -> String { "\(one.value) × \(Numbers.grouped(one.count))" }
}

extension FileProfile {
    /// The profile of a file that was brought in.
    static func read(_ file: IngestFile, _ blobs: any BlobStore, rowsMax: Int) throws -> FileProfile {
        var reader = try ChunkReader.open(file, blobs)
        var options = FileProfiler.Options()
        options.rowsMax = rowsMax
        var profiler = FileProfiler(options: options)
        do {
            return try profiler.profile(
                &reader, name: file.name, bytes: Int(file.size), unpacked: file.inspection.canonical?.unpacked)
        } catch let error as TabularError {
            throw FileInspector.words(error, name: file.name)
        }
    }
}
