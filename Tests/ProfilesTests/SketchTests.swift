import TestSupport
import Testing

@testable import Profiles

@Suite("Different values")
struct SketchTests {
    private func hash(_ number: Int) -> UInt64 { ProfileEvent.hash("test", "value \(number)") }

    private func sketch(_ numbers: some Sequence<Int>) -> DistinctSketch {
        var sketch = DistinctSketch()
        for number in numbers { sketch.add(hash(number)) }
        return sketch
    }

    @Test("up to 64 different values are counted exactly, also when each comes often")
    func exact() {
        for count in [0, 1, 2, 63, 64] {
            let sketch = sketch((0..<3).flatMap { _ in 0..<count })
            #expect(sketch.count == Int64(count) && sketch.isExact)
        }
        #expect(!sketch(0..<65).isExact)
    }

    @Test("beyond 64 the estimate stays within four standard errors of 2.3 %")
    func estimate() {
        for count in [65, 100, 300, 1_000, 3_000, 5_000, 10_000, 100_000] {
            let estimate = Double(sketch(0..<count).count)
            #expect(abs(estimate - Double(count)) <= 4 * 0.023 * Double(count), "\(count) counted as \(estimate)")
        }
    }

    @Test("what a sketch holds depends on the set only: on no order, no repetition, no grouping, and it survives being stored")
    func canonical() throws {
        for seed in UInt64(1)...40 {
            var generator = SeededGenerator(seed: seed)
            let size = [3, 40, 64, 65, 90, 400].randomElement(using: &generator) ?? 3
            var numbers = (0..<size).flatMap { number in Array(repeating: number, count: Int.random(in: 1...3, using: &generator)) }
            let plain = sketch(0..<size)
            numbers.shuffle(using: &generator)
            var merged = DistinctSketch()
            var rest = numbers[...]
            while !rest.isEmpty {
                let part = rest.prefix(Int.random(in: 1...80, using: &generator))
                let stored = try #require(DistinctSketch(bytes: sketch(part).bytes))
                merged.merge(stored)
                rest = rest.dropFirst(part.count)
            }
            #expect(merged == plain, "seed \(seed)")
        }
    }

    @Test("bytes that are no sketch are none")
    func damaged() {
        #expect(DistinctSketch(bytes: [1, 2, 3]) == nil)
        #expect(DistinctSketch(bytes: [UInt8](repeating: 9, count: 16)) == nil)
        #expect(DistinctSketch(bytes: [UInt8](repeating: 99, count: 2_048)) == nil)
        #expect(DistinctSketch(bytes: [])?.count == 0)
    }
}
