import CXGBoost
import Foundation

/// Numbers for the trees: `rows` x `width` in row-major order, NaN where missing.
package struct FeatureMatrix: Sendable {
    package let rows: Int
    package let width: Int
    package let values: [Float]

    package init(rows: Int, width: Int, values: [Float]) {
        precondition(values.count == rows * width, "one value per row and feature")
        self.rows = rows
        self.width = width
        self.values = values
    }

    package func subset(_ chosen: [Int]) -> FeatureMatrix {
        var kept: [Float] = []
        kept.reserveCapacity(chosen.count * width)
        for row in chosen { kept.append(contentsOf: values[(row * width)..<((row + 1) * width)]) }
        return FeatureMatrix(rows: chosen.count, width: width, values: kept)
    }
}

/// How trees are grown; names as in XGBoost's documentation.
package struct TreeSettings: Codable, Equatable, Sendable {
    package var depth: Int
    package var learningRate: Double
    package var minChildWeight: Double
    package var rowShare: Double
    package var columnShare: Double
    package var lambda: Double
    /// Steps a number is cut into. More than 64 buys nothing on some ten thousand rows and costs time.
    package var bins: Int

    package init(
        depth: Int, learningRate: Double, minChildWeight: Double, rowShare: Double, columnShare: Double,
        lambda: Double, bins: Int = 64
    ) {
        self.depth = depth
        self.learningRate = learningRate
        self.minChildWeight = minChildWeight
        self.rowShare = rowShare
        self.columnShare = columnShare
        self.lambda = lambda
        self.bins = bins
    }
}

/// Throws XGBoost's own message when a call did not succeed.
private func check(_ status: Int32) throws(ModelError) {
    guard status != 0 else { return }
    let message = XGBGetLastError().map { String(cString: $0) } ?? "unknown"
    // The first line says what is wrong; the rest is a stack trace.
    throw .engine(String(message.split(separator: "\n").first ?? "unknown"))
}

/// An XGBoost data matrix, freed with the object. It never leaves the function it is made in.
private final class TreeData {
    let handle: DMatrixHandle

    init(_ matrix: FeatureMatrix, rows: Range<Int>, labels: [Bool]? = nil, threads: Int) throws(ModelError) {
        var made: DMatrixHandle?
        let status = matrix.values.withUnsafeBufferPointer { buffer -> Int32 in
            // No rows at all never reaches this point, so there is a base address.
            guard let base = buffer.baseAddress else { return -1 }
            return XGDMatrixCreateFromMat_omp(
                base + rows.lowerBound * matrix.width, UInt64(rows.count), UInt64(matrix.width), .nan, &made,
                Int32(threads))
        }
        try check(status)
        guard let made else { throw .engine("no data matrix") }
        handle = made
        if let labels {
            let numbers = labels.map { $0 ? Float(1) : 0 }
            try check(XGDMatrixSetFloatInfo(handle, "label", numbers, UInt64(numbers.count)))
        }
    }

    deinit {
        XGDMatrixFree(handle)
    }
}

/// A trained ensemble of trees, freed with the object.
///
/// Every call blocks for as long as it takes, so call it from a thread of your own, never from the cooperative pool.
/// Sendable although it owns a C handle: the handle is touched only while `lock` is held.
package final class TreeBooster: @unchecked Sendable {
    /// What early stopping found.
    package struct Search: Sendable {
        package let booster: TreeBooster
        /// Trees up to and including the best round.
        package let rounds: Int
        /// Log loss on the validation rows at that round.
        package let loss: Double
    }

    private let handle: BoosterHandle
    private let lock = NSLock()
    private let threads: Int
    package let width: Int

    private init(width: Int, threads: Int, with data: [DMatrixHandle?]) throws(ModelError) {
        var made: BoosterHandle?
        try check(XGBoosterCreate(data, UInt64(data.count), &made))
        guard let made else { throw .engine("no booster") }
        handle = made
        self.width = width
        self.threads = threads
    }

    deinit {
        // XGBoost's destructor looks into thread-local storage. The last reference may go while a thread is being torn
        // down (its block is released after that storage is gone), so the handle is freed on a thread that lives on.
        let address = UInt(bitPattern: handle)
        Self.freeing.async {
            if let handle = UnsafeMutableRawPointer(bitPattern: address) { XGBoosterFree(handle) }
        }
    }

    private static let freeing = DispatchQueue(label: "insights.booster-freeing")

    // MARK: Training

    /// Grows exactly `rounds` trees.
    package static func train(
        _ matrix: FeatureMatrix, labels: [Bool], settings: TreeSettings, rounds: Int, seed: UInt64, threads: Int
    ) throws(ModelError) -> TreeBooster {
        try demandRows(matrix)
        let data = try TreeData(matrix, rows: 0..<matrix.rows, labels: labels, threads: threads)
        let booster = try TreeBooster(width: matrix.width, threads: threads, with: [data.handle])
        try booster.configure(settings, base: share(labels), seed: seed)
        for round in 0..<max(1, rounds) {
            try check(XGBoosterUpdateOneIter(booster.handle, Int32(round), data.handle))
        }
        return booster
    }

    /// Grows trees until the log loss on `validation` has not improved for `patience` rounds.
    package static func search(
        _ matrix: FeatureMatrix, labels: [Bool], validation: FeatureMatrix, validationLabels: [Bool],
        settings: TreeSettings, maxRounds: Int, patience: Int, seed: UInt64, threads: Int
    ) throws(ModelError) -> Search {
        try demandRows(matrix)
        try demandRows(validation)
        let data = try TreeData(matrix, rows: 0..<matrix.rows, labels: labels, threads: threads)
        let held = try TreeData(validation, rows: 0..<validation.rows, labels: validationLabels, threads: threads)
        let booster = try TreeBooster(width: matrix.width, threads: threads, with: [data.handle, held.handle])
        try booster.configure(settings, base: share(labels), seed: seed)
        var best = (round: 0, loss: Double.infinity)
        for round in 0..<max(1, maxRounds) {
            try check(XGBoosterUpdateOneIter(booster.handle, Int32(round), data.handle))
            let loss = try booster.loss(on: held, round: round)
            if loss < best.loss { best = (round, loss) }
            if round - best.round >= patience { break }
        }
        return Search(booster: booster, rounds: best.round + 1, loss: best.loss)
    }

    private static func demandRows(_ matrix: FeatureMatrix) throws(ModelError) {
        guard matrix.rows > 0, matrix.width > 0 else { throw .engine("no rows or no features") }
    }

    private static func share(_ labels: [Bool]) -> Double {
        let positives = labels.reduce(0) { $0 + ($1 ? 1 : 0) }
        return (Double(positives) + 0.5) / (Double(labels.count) + 1)
    }

    private func configure(_ settings: TreeSettings, base: Double, seed: UInt64) throws(ModelError) {
        // Of very many features each tree sees some eighty: a fraction of the time, and no worse.
        let columnShare = min(settings.columnShare, max(0.05, 80 / Double(width)))
        for (name, value) in [
            ("objective", "binary:logistic"), ("eval_metric", "logloss"), ("tree_method", "hist"),
            ("max_bin", "\(settings.bins)"),
            ("base_score", "\(base)"), ("max_depth", "\(settings.depth)"), ("eta", "\(settings.learningRate)"),
            ("min_child_weight", "\(settings.minChildWeight)"), ("subsample", "\(settings.rowShare)"),
            ("colsample_bytree", "\(columnShare)"), ("lambda", "\(settings.lambda)"),
            ("nthread", "\(threads)"), ("seed", "\(seed & 0x7fff_ffff)"),
            // The generator is shared by the thread; reseeding each round keeps one training from disturbing another.
            ("seed_per_iteration", "1"), ("verbosity", "0"),
        ] {
            try check(XGBoosterSetParam(handle, name, value))
        }
    }

    private func loss(on data: TreeData, round: Int) throws(ModelError) -> Double {
        var sets: [DMatrixHandle?] = [data.handle]
        var text: UnsafePointer<CChar>?
        let status = "held".withCString { name -> Int32 in
            var names: [UnsafePointer<CChar>?] = [name]
            return XGBoosterEvalOneIter(handle, Int32(round), &sets, &names, 1, &text)
        }
        try check(status)
        // The answer reads "[12]\theld-logloss:0.41234".
        guard let text, let number = String(cString: text).split(separator: ":").last.flatMap({ Double($0) }) else {
            throw .engine("no evaluation")
        }
        return number
    }

    // MARK: Prediction

    /// Rows per call, to bound the memory of XGBoost's copies.
    private static let chunk = 32_768

    /// Log-odds per row.
    package func margins(_ matrix: FeatureMatrix) throws -> [Float] {
        try predict(matrix, type: 1, outputs: 1)
    }

    /// Exact contributions (Tree SHAP, Lundberg et al., 2018) in log-odds: per row `width` numbers, one per feature,
    /// then the bias; together they add up to the row's margin.
    package func contributions(_ matrix: FeatureMatrix) throws -> [Float] {
        try predict(matrix, type: 2, outputs: width + 1)
    }

    private func predict(_ matrix: FeatureMatrix, type: Int, outputs: Int) throws -> [Float] {
        guard matrix.width == width else { throw ModelError.engine("\(matrix.width) features instead of \(width)") }
        guard matrix.rows > 0 else { return [] }
        return try Self.aside { [self] in try predictHere(matrix, type: type, outputs: outputs) }
    }

    /// Runs on a thread made for the purpose. XGBoost keeps the buffers it answers with, megabytes for contributions,
    /// per booster and thread, and lets go of those of other threads only when these end.
    private static func aside<Answer: Sendable>(_ body: @escaping @Sendable () throws -> Answer) throws -> Answer {
        guard let answer = try ParallelWork.map(1, threads: 1, { _ in try body() }).first else {
            throw ModelError.engine("no answer")
        }
        return answer
    }

    private func predictHere(_ matrix: FeatureMatrix, type: Int, outputs: Int) throws(ModelError) -> [Float] {
        let config = """
            {"type": \(type), "training": false, "iteration_begin": 0, "iteration_end": 0, "strict_shape": true}
            """
        var result: [Float] = []
        result.reserveCapacity(matrix.rows * outputs)
        for start in stride(from: 0, to: matrix.rows, by: Self.chunk) {
            let rows = start..<min(start + Self.chunk, matrix.rows)
            let data = try TreeData(matrix, rows: rows, threads: threads)
            lock.lock()
            defer { lock.unlock() }
            var shape: UnsafePointer<UInt64>?
            var dimensions: UInt64 = 0
            var values: UnsafePointer<Float>?
            try check(XGBoosterPredictFromDMatrix(handle, data.handle, config, &shape, &dimensions, &values))
            guard let values, let shape else { throw .engine("no prediction") }
            let count = (0..<Int(dimensions)).reduce(1) { $0 * Int(shape[$1]) }
            guard count == rows.count * outputs else { throw .engine("a prediction of unexpected size") }
            result.append(contentsOf: UnsafeBufferPointer(start: values, count: count))
        }
        return result
    }

    // MARK: Storing

    /// The model in XGBoost's universal binary JSON, readable by later versions of XGBoost too.
    package func serialized() throws -> [UInt8] {
        try Self.aside { [self] in try serializedHere() }
    }

    private func serializedHere() throws(ModelError) -> [UInt8] {
        lock.lock()
        defer { lock.unlock() }
        var length: UInt64 = 0
        var bytes: UnsafePointer<CChar>?
        try check(XGBoosterSaveModelToBuffer(handle, #"{"format": "ubj"}"#, &length, &bytes))
        guard let bytes else { throw .engine("no model bytes") }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: Int(length)))
    }

    /// Reads what `serialized` wrote.
    package convenience init(serialized bytes: [UInt8], width: Int, threads: Int) throws(ModelError) {
        try self.init(width: width, threads: threads, with: [])
        guard !bytes.isEmpty else { throw .unreadableModel(detail: "no trees") }
        try check(XGBoosterLoadModelFromBuffer(handle, bytes, UInt64(bytes.count)))
        try check(XGBoosterSetParam(handle, "nthread", "\(threads)"))
        var features: UInt64 = 0
        try check(XGBoosterGetNumFeature(handle, &features))
        guard Int(features) == width else { throw .unreadableModel(detail: "\(features) features, not \(width)") }
    }
}
