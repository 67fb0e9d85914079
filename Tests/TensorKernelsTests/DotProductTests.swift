import TensorKernels
import Testing

/// What breaks silently: a kernel that adds in another order, or overflows, changes judgements a little.
@Suite("Products of quantised weights")
struct DotProductTests {
    /// x and W, quantised by code of this file, and the product that the kernels promise, to the bit.
    struct Case {
        let rows: Int
        let x: [Float]
        let weight: PackedMatrix
        let wide: [Float]
        let bias: [Float]

        init(
            _ shape: (rows: Int, inputs: Int, outputs: Int),
            _ type: PanelType,
            scale: Float = 1,
            stored: WeightType = .float32
        ) {
            rows = shape.rows
            var numbers = SeededNumbers(seed: UInt64(shape.rows * 31 + shape.inputs))
            // Magnitudes differ from block to block, as they do in models.
            x = numbers.floats(shape.rows * shape.inputs).enumerated().map {
                $1 * (($0 / 64) % 3 == 0 ? 8 : 0.25)
            }
            bias = numbers.floats(shape.outputs)
            let bytes = storedNumbers(
                numbers.floats(shape.outputs * shape.inputs, scale: scale),
                type: stored
            )
            wide = [Float](unsafeUninitializedCapacity: shape.outputs * shape.inputs) { target, n in
                bytes.withUnsafeBytes { source in
                    if let source = source.baseAddress, let target = target.baseAddress {
                        widen(
                            source,
                            type: stored,
                            count: shape.outputs * shape.inputs,
                            into: target
                        )
                    }
                }
                n = shape.outputs * shape.inputs
            }
            weight = bytes.withUnsafeBytes { source in
                guard let base = source.baseAddress else { preconditionFailure("no weights") }
                return PackedMatrix(
                    rowMajor: base,
                    type: stored,
                    outputs: shape.outputs,
                    inputs: shape.inputs,
                    as: type
                )
            }
        }

        /// One row, quantised by the rule: largest magnitude of 64 to 127, ties to even.
        private func quantized(row: Int, block: Int) -> (values: [Int32], scale: Float) {
            let part = inputs(of: block).map { x[row * weight.inputs + $0] }
            let largest = part.map(\.magnitude).max() ?? 0
            let inverse = largest < 0x1p-110 ? 0 : 127 / largest
            return (
                part.map { Int32(($0 * inverse).rounded(.toNearestOrEven)) }, largest / 127
            )
        }

        func inputs(of block: Int) -> Range<Int> {
            (block * 64)..<min(block * 64 + 64, weight.inputs)
        }

        /// The slow twin: exact integers within a block, then one rounding for each block (and minimum).
        func product(useBias: Bool) -> [Float] {
            var result: [Float] = []
            let blocks = (weight.inputs + 63) / 64
            for row in 0..<rows {
                let x = (0..<blocks).map { quantized(row: row, block: $0) }
                for output in 0..<weight.outputs {
                    var sum: Float = 0
                    for block in 0..<blocks {
                        let w = weight.quantizedBlock(block, output: output)
                        let dot = zip(x[block].values, w.values).reduce(0) { $0 + $1.0 * $1.1 }
                        sum.addProduct(Float(dot), x[block].scale * w.scale)
                        if let minimum = w.minimum {
                            sum.addProduct(
                                x[block].scale * Float(x[block].values.reduce(0, +)),
                                minimum
                            )
                        }
                    }
                    result.append(useBias ? sum + bias[output] : sum)
                }
            }
            return result
        }

        func product(
            rows range: Range<Int>,
            useBias: Bool,
            pool: ComputeThreadPool
        ) -> [Float] {
            var y = [Float](repeating: .nan, count: range.count * weight.outputs + 1)
            y[range.count * weight.outputs] = 42
            y.apply { y in
                x.withUnsafeBufferPointer { x in
                    bias.withUnsafeBufferPointer { bias in
                        guard let x = x.baseAddress else { return }
                        matrixProduct(
                            x + range.lowerBound * weight.inputs,
                            rows: range.count,
                            by: weight,
                            bias: useBias ? bias.baseAddress : nil,
                            into: y,
                            pool: pool
                        )
                    }
                }
            }
            #expect(y.last == 42, "nothing is written beyond the result")
            return Array(y.dropLast())
        }
    }

    static let types: [PanelType] = [.int8, .int4]

    static func pools(threads: [Int] = [1, 2, 3]) -> [ComputeThreadPool] {
        DotKernelSet.allCases.filter(\.isSupported).flatMap { set in
            threads.map {
                ComputeThreadPool(
                    threads: $0,
                    name: "test",
                    exceedingProcessors: true,
                    dotKernels: set
                )
            }
        }
    }

    @Test(
        "have the bits of the slow twin with every kernel, any number of rows, and every tail",
        arguments: types,
        [(1, 16), (3, 31), (63, 48), (64, 33), (65, 97), (130, 64), (200, 5)]
    )
    func bits(type: PanelType, shape: (inputs: Int, outputs: Int)) {
        let this = Case((40, shape.inputs, shape.outputs), type)
        for useBias in [false, true] {
            let expected = this.product(useBias: useBias).bits
            for pool in Self.pools(threads: [1, 2]) {
                for rows in Array(1...14) + [18, 23, 36, 40] {
                    #expect(
                        this.product(rows: 0..<rows, useBias: useBias, pool: pool).bits
                            == Array(expected.prefix(rows * shape.outputs)),
                        "\(rows) rows, \(pool.dotKernels), \(pool.threadCount) threads"
                    )
                }
            }
        }
    }

    @Test(
        "have the same bits when inputs and rows are cut into parts, whatever the threads and chunks",
        arguments: types
    )
    func parts(type: PanelType) {
        // More than one part of 16 blocks, more than one block of 24 tiles, tiles of 6 and 5 rows.
        let this = Case((155, 2100, 39), type)
        let expected = this.product(useBias: true).bits
        for pool in Self.pools() {
            for chunk in [155, 150, 64, 7] {
                let y = stride(from: 0, to: 155, by: chunk).flatMap {
                    this.product(rows: $0..<min($0 + chunk, 155), useBias: true, pool: pool)
                }
                #expect(y.bits == expected, "chunks of \(chunk), \(pool.dotKernels)")
            }
        }
    }

    @Test("do not overflow where every number is as large as it can be", arguments: types)
    func extremes(type: PanelType) {
        for (x, w): (Float, Float) in [(1, 1), (1, -1), (-1, 1), (-1, -1)] {
            let ends = [Float](repeating: x, count: 2 * 128)
            // 4 bits: 15 where the weight is w, 0 where it is not, so the sums are the largest possible.
            let weights = (0..<(17 * 128)).map { $0 % 64 == 63 ? -w / 8 : w }
            let weight = weights.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    PackedMatrix(
                        rowMajor: $0,
                        type: .float32,
                        outputs: 17,
                        inputs: 128,
                        as: type
                    )
                }
            }
            let exact = Double(x) * (Double(w) * 126 - Double(w) / 4)
            for pool in Self.pools(threads: [1]) {
                var y = [Float](repeating: 0, count: 2 * 17)
                y.apply { y in
                    ends.withUnsafeBufferPointer { x in
                        guard let x = x.baseAddress, let weight else { return }
                        matrixProduct(x, rows: 2, by: weight, bias: nil, into: y, pool: pool)
                    }
                }
                #expect(y.allSatisfy { (Double($0) - exact).magnitude < 2 }, "\(pool.dotKernels)")
            }
        }
    }

    @Test("have the same bits for stored bf16 and f16 as for their f32 numbers", arguments: types)
    func storedTypes(type: PanelType) {
        for stored in [WeightType.bfloat16, .float16] {
            let this = Case((3, 100, 20), type, stored: stored)
            let expected = this.product(useBias: false).bits
            let pool = Self.pools(threads: [1])[0]
            #expect(this.product(rows: 0..<3, useBias: false, pool: pool).bits == expected)
            let widened = this.wide.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    PackedMatrix(
                        rowMajor: $0,
                        type: .float32,
                        outputs: 20,
                        inputs: 100,
                        as: type
                    )
                }
            }
            for block in 0..<2 {
                for output in 0..<20 {
                    let a = this.weight.quantizedBlock(block, output: output)
                    let b = widened?.quantizedBlock(block, output: output)
                    #expect(a.values == b?.values && a.scale == b?.scale)
                }
            }
        }
    }

    @Test(
        "8-bit weights are off by half a step at most, at any magnitude",
        arguments: [Float(1e-6), 1e-2, 1, 1e4]
    )
    func byteError(scale: Float) {
        let this = Case((1, 150, 20), .int8, scale: scale)
        for output in 0..<20 {
            for block in 0..<3 {
                let w = this.weight.quantizedBlock(block, output: output)
                let inputs = this.inputs(of: block)
                let largest = inputs.map { this.wide[output * 150 + $0].magnitude }.max() ?? 0
                #expect(w.scale >= largest / 127 && w.scale <= largest / 127 * 1.008)
                for (k, q) in zip(inputs, w.values) {
                    let error = (this.wide[output * 150 + k] - Float(q) * w.scale).magnitude
                    #expect(error <= w.scale * 0.5001)
                }
            }
        }
    }

    @Test("4-bit weights err less than evenly spaced levels from the least to the largest weight")
    func halfByteError() {
        let this = Case((1, 640, 64), .int4)
        var fitted = 0.0
        var plain = 0.0
        for output in 0..<64 {
            for block in 0..<10 {
                let w = this.weight.quantizedBlock(block, output: output)
                let weights = this.inputs(of: block).map { this.wide[output * 640 + $0] }
                let (low, high) = (weights.min() ?? 0, weights.max() ?? 0)
                let step = (high - low) / 15
                for (weight, q) in zip(weights, w.values) {
                    #expect((0...15).contains(q))
                    let error = weight - (Float(q) * w.scale + (w.minimum ?? 0))
                    fitted += Double(error * error)
                    let level = ((weight - low) / step).rounded() * step + low
                    plain += Double((weight - level) * (weight - level))
                }
            }
        }
        #expect(fitted < 1.02 * plain, "squared error \(fitted) and \(plain)")
    }

    @Test("zeros give zeros, and a number that is none is not hidden", arguments: types)
    func special(type: PanelType) {
        let zeros = Case((2, 70, 18), type, scale: 0)
        for pool in Self.pools(threads: [1]) {
            #expect(zeros.product(rows: 0..<2, useBias: false, pool: pool).allSatisfy { $0 == 0 })
            for bad in [Float.nan, .infinity, -.infinity] {
                var x = [Float](repeating: 1, count: 70)
                x[66] = bad
                let finite = Case((1, 70, 18), type)
                var y = [Float](repeating: 0, count: 18)
                y.apply { y in
                    x.withUnsafeBufferPointer { x in
                        guard let x = x.baseAddress else { return }
                        matrixProduct(
                            x,
                            rows: 1,
                            by: finite.weight,
                            bias: nil,
                            into: y,
                            pool: pool
                        )
                    }
                }
                #expect(y.allSatisfy { !$0.isFinite }, "\(bad) in x, \(pool.dotKernels)")
                var weights = [Float](repeating: 1, count: 70)
                weights[3] = bad
                let weight = weights.withUnsafeBytes { bytes in
                    bytes.baseAddress.map {
                        PackedMatrix(
                            rowMajor: $0,
                            type: .float32,
                            outputs: 1,
                            inputs: 70,
                            as: type
                        )
                    }
                }
                var sum: Float = 0
                [Float](repeating: 1, count: 70).withUnsafeBufferPointer { x in
                    guard let x = x.baseAddress, let weight else { return }
                    matrixProduct(x, rows: 1, by: weight, bias: nil, into: &sum, pool: pool)
                }
                #expect(!sum.isFinite, "\(bad) in W, \(pool.dotKernels)")
            }
        }
    }

    @Test("take the bytes that are accounted, and pack alike with and without threads")
    func packing() {
        #expect(PackedMatrix.byteCount(type: .int8, outputs: 40, inputs: 65) == 3 * 2 * 1056)
        #expect(PackedMatrix.byteCount(type: .int4, outputs: 40, inputs: 65) == 3 * 2 * 576)
        let this = Case((2, 90, 50), .int4)
        let again = this.wide.withUnsafeBytes { bytes in
            bytes.baseAddress.map {
                PackedMatrix(
                    rowMajor: $0,
                    type: .float32,
                    outputs: 50,
                    inputs: 90,
                    as: .int4,
                    pool: makePools()[1]
                )
            }
        }
        for output in 0..<50 {
            #expect(
                again?.quantizedBlock(1, output: output).values
                    == this.weight.quantizedBlock(1, output: output).values
            )
        }
    }
}
