import Foundation
import Kernel
import Platform
import Tabular
import TabularFiles
import Web

/// Evaluating an extract that is not in the database.
package enum Insights {
    /// What `switchboard evaluate` is asked for.
    package struct EvaluationRequest: Sendable {
        package let path: String
        package let label: String
        package let positive: String?
        package let identifier: String?
        package let folds: Int
        package let seed: UInt64
        /// Where to write what the figures are computed from: a row per labelled row of the file.
        package let predictions: String?
        /// Name or number of a workbook's sheet; `nil` = the first that has rows.
        package let sheet: String?
        /// Rows above the heading; `nil` = a title of a sheet is looked for.
        package let skipRows: Int?
        package init(
            path: String, label: String, positive: String? = nil, identifier: String? = nil, folds: Int = 5,
            seed: UInt64 = 1, predictions: String? = nil, sheet: String? = nil, skipRows: Int? = nil
        ) {
            self.sheet = sheet
            self.skipRows = skipRows
            self.predictions = predictions
            self.path = path
            self.label = label
            self.positive = positive
            self.identifier = identifier
            self.folds = folds
            self.seed = seed
        }
    }

    /// Rows read at most; further ones are left out, and the result says so.
    package static let evaluationRowsMax = 2_000_000

    /// Reads the file, finds give-away columns, cross-validates and calibrates. Runs on a thread of its own.
    /// - Parameter report: told of the progress in hundredths; what it throws stops the evaluation.
    /// - Throws: `CRMError` for a file that cannot be read or learned from, with a stable code.
    package static func evaluateFile(
        _ request: EvaluationRequest, report: @escaping RunReport = { _, _, _ in }
    ) async throws -> FileEvaluation {
        do {
            return try await OwnThread.run(
                first: TrainingProgress(stage: .reading, share: 0),
                report: { try await report(Int64($0.share * 100), 100, $0.text.words) },
                { box in try evaluate(request, box) })
        } catch let error as any CRMErrorConvertible {
            throw error.crmError
        }
    }

    private static func evaluate(
        _ request: EvaluationRequest, _ box: OwnThread.Mailbox<TrainingProgress>
    ) throws -> FileEvaluation {
        let start = ContinuousClock.now
        let data = try read(request.path, sheet: request.sheet, skipRows: request.skipRows)
        let table = RawTable(columns: data.columns.indices.map { (data.columns[$0], data.cells[$0]) })
        let options = TrainingOptions(
            label: request.label, positive: request.positive, identifier: request.identifier, folds: request.folds,
            seed: request.seed, threads: max(1, ProcessInfo.processInfo.activeProcessorCount))
        let report: EvaluationReport
        do {
            let result = try ChurnTrainer.evaluateWithPredictions(table, options) { try box.note($0) }
            report = result.report
            if let path = request.predictions { try write(result.predictions, to: path) }
        } catch let error as ModelError {
            throw told(error.crmError, data)
        }
        return FileEvaluation(
            report: report, rejects: data.rejectCount,
            firstReject: data.rejects.first.map(TabularWording.reject),
            isCut: data.isCut, seconds: (ContinuousClock.now - start).seconds)
    }

    /// Rows that could not be read are as a rule why there are too few: a refusal says so.
    private static func told(_ error: CRMError, _ data: TableData) -> CRMError {
        guard data.rejectCount > 0, let first = data.rejects.first.map(TabularWording.reject) else { return error }
        let count = Figures.count(data.rejectCount)
        return CRMError(
            error.code, status: error.status,
            Words(
                en: error.message.en + " Rows that could not be read: \(count), the first: \(first.en).",
                zh: error.message.zh + "\(count) 行无法读取，首个：\(first.zh)。"))
    }

    /// CSV with the row's number in the file's data (from 1), its fold, outcome, and probability before and after
    /// calibration.
    private static func write(_ predictions: [ChurnTrainer.Prediction], to path: String) throws {
        var text = "row,fold,outcome,raw,probability\n"
        for one in predictions {
            text += "\(one.row + 1),\(one.fold + 1),\(one.outcome ? 1 : 0),\(one.raw),\(one.probability)\n"
        }
        do { try text.write(toFile: path, atomically: true, encoding: .utf8) } catch {
            throw CRMError(
                "file_unwritable", status: 422,
                Words(en: "The file \(path) cannot be written.", zh: "无法写入文件 \(path)。"))
        }
    }

    private static func read(_ path: String, sheet: String?, skipRows: Int?) throws -> TableData {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue,
            let handle = FileHandle(forReadingAtPath: path)
        else {
            throw CRMError(
                "file_unreadable", status: 422,
                Words(en: "The file \(path) cannot be read.", zh: "无法读取文件 \(path)。"))
        }
        try? handle.close()
        do {
            let file = try OpenedFile(path: path, sheet: sheet, skipRows: skipRows)
            return try TableData.read(
                options: file.options(TabularOptions()), rowsMax: evaluationRowsMax, source: try file.source())
        } catch let error as ContainerError {
            throw error.error(file: URL(fileURLWithPath: path).lastPathComponent)
        } catch let error as TabularError {
            throw TabularWording.error(error)
        }
    }
}

/// What came out of evaluating a file.
package struct FileEvaluation: Sendable {
    package let report: EvaluationReport
    /// Rows that could not be read, with the first one's reason.
    package let rejects: Int
    package let firstReject: Words?
    /// The file holds more than `Insights.evaluationRowsMax` rows.
    package let isCut: Bool
    /// Reading included.
    package let seconds: Double

    /// One JSON object: `auc logloss brier ece lift_at_10 folds rows features excluded[{column, reason}] seconds`, and
    /// what explains them.
    package var json: JSONValue {
        .object([
            "auc": .double(report.auc), "logloss": .double(report.logloss), "brier": .double(report.brier),
            "ece": .double(report.ece), "lift_at_10": .double(report.liftAt10), "folds": .int(Int64(report.folds)),
            "rows": .int(Int64(report.rows)), "features": .int(Int64(report.features)),
            "excluded": .array(
                report.excluded.map {
                    .object([
                        "column": .string($0.column), "reason": .string($0.reason), "code": .string($0.code.rawValue),
                    ])
                }),
            "seconds": .double(seconds), "label": .string(report.label), "positive": .string(report.positive),
            "positives": .int(Int64(report.positives)),
            "seed": Int64(exactly: report.seed).map { .int($0) } ?? .string(String(report.seed)),
            "columns": .array(report.columns.map { .string($0) }),
            "fold_auc": .array(report.perFold.map { .double($0.auc) }), "calibrator": .string(report.calibrator),
            "ece_raw": .double(report.eceRaw), "rows_without_label": .int(Int64(report.rowsWithoutLabel)),
            "duplicate_rows": .int(Int64(report.duplicateRows)), "rows_rejected": .int(Int64(rejects)),
            "cut": .bool(isCut),
            "suspects": .array(
                report.suspects.map { .object(["column": .string($0.column), "reason": .string($0.text.en)]) }),
        ])
    }

    /// The same for people.
    package func text(_ language: Language) -> String {
        func say(_ en: String, _ zh: String) -> String { language == .zh ? zh : en }
        func line(_ name: String, _ value: String, _ note: String) -> String {
            // Chinese characters take two columns on a terminal.
            let width = name.unicodeScalars.reduce(0) { $0 + ($1.value > 0x2E7F ? 2 : 1) }
            return "  " + name + String(repeating: " ", count: max(1, 14 - width))
                + String(repeating: " ", count: max(0, 8 - value.count)) + value + "   " + note
        }
        let (rows, left) = (Figures.count(report.rows), Figures.count(report.positives))
        let (share, columns, folds) = (Figures.percent(report.baseRate), report.features, report.folds)
        let value = report.positive
        var lines = [
            say(
                "\(rows) rows, \(left) of them “\(value)” (\(share)), \(columns) columns, \(folds) folds",
                "\(rows) 行，其中“\(value)”\(left) 行（\(share)），\(columns) 个特征列，\(folds) 折交叉验证"),
            "",
            line(
                "AUC", Figures.decimal(report.auc, 4), say("how often a leaver ranks above a stayer", "离网客户得分高于在网客户的概率")
            ),
            line(say("log loss", "对数损失"), Figures.decimal(report.logloss, 4), say("lower is better", "越低越好")),
            line("Brier", Figures.decimal(report.brier, 4), say("lower is better", "越低越好")),
            line(
                "ECE", Figures.decimal(report.ece, 4),
                say("gap between predicted and observed", "预测与实际的平均差距")),
            line(
                say("lift at 10 %", "前 10% 提升度"), Figures.decimal(report.liftAt10, 2),
                say("leavers in the riskiest tenth, over the average", "风险最高 10% 中的离网率与平均之比")),
            "",
        ]
        lines.append(
            report.excluded.isEmpty
                ? say("No column was left out.", "没有排除任何列。") : say("Columns left out:", "排除的列："))
        for exclusion in report.excluded {
            lines.append("  \(exclusion.column): " + say(exclusion.reason, exclusion.reasonZh))
        }
        for suspect in report.suspects { lines.append(say("Look at: ", "请确认：") + suspect.text.words[language]) }
        if rejects > 0 {
            lines.append(
                say("\(Figures.count(rejects)) rows could not be read", "\(Figures.count(rejects)) 行无法读取")
                    + (firstReject.map { say(", the first: ", "，首个：") + $0[language] } ?? ""))
        }
        if isCut {
            lines.append(
                say(
                    "Only the first \(Figures.count(Insights.evaluationRowsMax)) rows were read.",
                    "仅读取了前 \(Figures.count(Insights.evaluationRowsMax)) 行。"))
        }
        lines.append(
            say(
                "\(Figures.decimal(seconds, 1)) s, seed \(report.seed)",
                "用时 \(Figures.decimal(seconds, 1)) 秒，种子 \(report.seed)"))
        // A column's name with a line end in it is not a line of ours.
        return lines.map { String($0.map { $0.isNewline ? " " : $0 }) }.joined(separator: "\n")
    }
}
