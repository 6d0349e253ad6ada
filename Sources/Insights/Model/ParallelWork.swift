import Foundation

/// Blocking work spread over threads of its own, away from the cooperative pool.
enum ParallelWork {
    /// The results of `body` for 0 ..< `count`, in order, computed on at most `threads` threads.
    ///
    /// The first error, in order of the items, is thrown once all threads have stopped; items not begun by then are
    /// skipped. Blocks the caller.
    static func map<Result: Sendable>(
        _ count: Int, threads: Int, _ body: @escaping @Sendable (Int) throws -> Result
    ) throws -> [Result] {
        let board = Board<Result>(count: count)
        let group = DispatchGroup()
        for _ in 0..<min(max(1, threads), count) {
            group.enter()
            let thread = Thread {
                while let item = board.next() {
                    board.finish(item, Swift.Result { try body(item) })
                }
                group.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        group.wait()
        return try board.results()
    }

    /// What is to be done and what is done. Sendable: everything is behind `lock`.
    private final class Board<Result: Sendable>: @unchecked Sendable {
        private let lock = NSLock()
        private var upcoming = 0
        private var failed = false
        private var finished: [Swift.Result<Result, any Error>?]

        init(count: Int) {
            finished = [Swift.Result<Result, any Error>?](repeating: nil, count: count)
        }

        func next() -> Int? {
            lock.withLock {
                guard !failed, upcoming < finished.count else { return nil }
                upcoming += 1
                return upcoming - 1
            }
        }

        func finish(_ item: Int, _ result: Swift.Result<Result, any Error>) {
            lock.withLock {
                finished[item] = result
                if case .failure = result { failed = true }
            }
        }

        func results() throws -> [Result] {
            try lock.withLock {
                for case .failure(let error)? in finished { throw error }
                return try finished.compactMap { try $0?.get() }
            }
        }
    }
}
