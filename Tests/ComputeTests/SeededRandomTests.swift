import Testing

@testable import Compute

@Suite("seeded random numbers")
struct SeededRandomTests {
    @Test("SplitMix64 yields the published numbers for seed 1234567")
    func splitMixGolden() {
        var generator = SplitMix64(seed: 1_234_567)
        let numbers = (0..<5).map { _ in generator.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test("xoshiro256** yields the published numbers for state 1, 2, 3, 4")
    func xoshiroGolden() {
        var generator = SeededRandom(state: (1, 2, 3, 4))
        let numbers = (0..<4).map { _ in generator.next() }
        #expect(numbers == [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240])
    }

    @Test("the same seed shuffles alike and keeps every element; another seed does not shuffle alike")
    func shuffles() {
        var first = SeededRandom(seed: 7)
        var second = SeededRandom(seed: 7)
        var third = SeededRandom(seed: 8)
        let order = first.permutation(of: 500)
        #expect(order == second.permutation(of: 500))
        #expect(order != third.permutation(of: 500))
        #expect(order.sorted() == Array(0..<500))
        #expect(order != Array(0..<500))
    }

    @Test("numbers below a bound are spread evenly and stay inside it")
    func bounded() {
        var generator = SeededRandom(seed: 42)
        var counts = [Int](repeating: 0, count: 7)
        for _ in 0..<70_000 { counts[generator.below(7)] += 1 }
        // Five standard deviations of a binomial with 70,000 draws and p = 1/7.
        #expect(counts.allSatisfy { abs($0 - 10_000) < 465 })
        #expect(generator.below(1) == 0)
    }

    @Test("unit numbers lie in [0, 1) with mean one half")
    func unit() {
        var generator = SeededRandom(seed: 3)
        let values = (0..<100_000).map { _ in generator.unit() }
        #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
        #expect(abs(values.reduce(0, +) / 100_000 - 0.5) < 0.005)
    }
}
