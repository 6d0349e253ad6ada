import Dispatch
import Kernel
import Synchronization
import Testing

@Suite("Beside")
struct BesideTests {
    private final class Count: Sendable {
        let made = Mutex(0)
        func make() -> Int { made.withLock { $0 += 1; return $0 } }
    }

    @Test("work is done once, whoever asks for its result first and however often", arguments: [true, false])
    func once(isWorthIt: Bool) async {
        for _ in 0..<300 {
            let count = Count()
            let beside = Beside(isWorthIt: isWorthIt) { count.make() }
            let results = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<4 { group.addTask { beside.value() } }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results == [1, 1, 1, 1])
            #expect(beside.value() == 1)
            #expect(count.made.withLock { $0 } == 1)
        }
    }

    @Test("what is not worth a thread waits until it is asked for")
    func lazy() {
        let count = Count()
        let beside = Beside(isWorthIt: false) { count.make() }
        #expect(count.made.withLock { $0 } == 0)
        #expect(beside.value() == 1)
    }

    @Test("with every thread of the pool held up, whoever asks does the work")
    func noThread() {
        let gate = DispatchSemaphore(value: 0)
        for _ in 0..<200 { DispatchQueue.global().async { gate.wait() } }
        let beside = (0..<20).map { number in Beside { number } }
        #expect(beside.map { $0.value() } == Array(0..<20))
        for _ in 0..<200 { gate.signal() }
    }

    @Test("a list mapped on several cores is the list mapped")
    func mapped() {
        for count in [0, 1, 2, 3, 63, 64, 127, 128, 129, 1_000, 1_001] {
            let numbers = Array(0..<count)
            #expect(numbers.mapBeside { $0 * 3 } == numbers.map { $0 * 3 }, "\(count)")
            #expect(numbers.mapBeside(least: 1) { $0 * 3 } == numbers.map { $0 * 3 }, "\(count)")
        }
    }
}
