/// Isotonic regression: the best non-decreasing function in the sense of least squares.
package enum Isotonic {
    /// The fitted points: inputs ascend strictly or in equal-valued block ends, outputs never fall.
    ///
    /// Pool adjacent violators (Ayer et al., 1955; Barlow et al., 1972). Rows of equal input are pooled first. Each
    /// block yields its first and last input, so that `interpolate` is flat within a block and linear between blocks.
    package static func fit(inputs: [Double], targets: [Double]) -> (inputs: [Double], outputs: [Double]) {
        precondition(inputs.count == targets.count, "one target per input")
        struct Block {
            var first: Double
            var last: Double
            var sum: Double
            var weight: Double
            var mean: Double { sum / weight }
        }
        var blocks: [Block] = []
        for row in inputs.indices.sorted(by: { inputs[$0] < inputs[$1] }) {
            if let end = blocks.indices.last, blocks[end].last == inputs[row], blocks[end].first == inputs[row] {
                blocks[end].sum += targets[row]
                blocks[end].weight += 1
            } else {
                blocks.append(Block(first: inputs[row], last: inputs[row], sum: targets[row], weight: 1))
            }
        }
        var pooled: [Block] = []
        for block in blocks {
            pooled.append(block)
            while pooled.count > 1, pooled[pooled.count - 2].mean >= pooled[pooled.count - 1].mean {
                let upper = pooled.removeLast()
                pooled[pooled.count - 1].last = upper.last
                pooled[pooled.count - 1].sum += upper.sum
                pooled[pooled.count - 1].weight += upper.weight
            }
        }
        var fittedInputs: [Double] = []
        var fittedOutputs: [Double] = []
        for block in pooled {
            fittedInputs.append(block.first)
            fittedOutputs.append(block.mean)
            if block.last > block.first {
                fittedInputs.append(block.last)
                fittedOutputs.append(block.mean)
            }
        }
        return (fittedInputs, fittedOutputs)
    }

    /// The value at `input` on the line through the points; constant beyond the ends. 0.5 when there are no points.
    package static func interpolate(_ input: Double, inputs: [Double], outputs: [Double]) -> Double {
        guard let first = inputs.first, let last = inputs.last, inputs.count == outputs.count else { return 0.5 }
        if input <= first { return outputs[0] }
        if input >= last { return outputs[outputs.count - 1] }
        var low = 0
        var high = inputs.count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if inputs[middle] <= input { low = middle } else { high = middle }
        }
        let share = (input - inputs[low]) / (inputs[high] - inputs[low])
        return outputs[low] + share * (outputs[high] - outputs[low])
    }
}
