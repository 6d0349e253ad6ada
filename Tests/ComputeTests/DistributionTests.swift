import Testing

@testable import Compute

@Suite("distributions")
struct DistributionTests {
    @Test("quantiles interpolate between neighbours")
    func quantiles() {
        #expect(Distribution.quantile(sorted: [1, 2, 3, 4], 0) == 1)
        #expect(Distribution.quantile(sorted: [1, 2, 3, 4], 0.5) == 2.5)
        #expect(Distribution.quantile(sorted: [1, 2, 3, 4], 1) == 4)
        #expect(Distribution.quantile(sorted: [10, 20], 0.25) == 12.5)
        #expect(Distribution.quantile(sorted: [], 0.5) == nil)
        #expect(Distribution.quantiles(of: [5, 1, 3], [0.5]) == [3])
    }

    @Test("a histogram counts every value once, edges and strays included")
    func histogram() {
        let bars = Distribution.histogram(of: [-1, 0, 0.24, 0.25, 0.5, 1, 2, .nan], lower: 0, upper: 1, bars: 4)
        #expect(bars.map(\.count) == [3, 1, 1, 2])
        #expect(bars.map(\.lower) == [0, 0.25, 0.5, 0.75])
        #expect(bars.last?.upper == 1)
    }
}
