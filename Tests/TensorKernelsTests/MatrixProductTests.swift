import TensorKernels
import Testing

@Suite("Matrix product")
struct MatrixProductTests {
    let pools = makePools()

    /// x, W as stored, W widened, bias.
    struct Case {
        let x: [Float]
        let weight: PackedMatrix
        let wide: [Float]
        let bias: [Float]

        init(rows: Int, inputs: Int, outputs: Int, type: WeightType, seed: UInt64) {
            var numbers = SeededNumbers(seed: seed)
            x = numbers.floats(rows * inputs)
            bias = numbers.floats(outputs)
            let stored = storedNumbers(numbers.floats(outputs * inputs), type: type)
            // One byte off: a tensor in a checkpoint may lie anywhere.
            let memory = UnsafeMutableRawPointer.allocate(
                byteCount: stored.count + 1,
                alignment: 64
            )
            defer { memory.deallocate() }
            (memory + 1).copyMemory(from: stored, byteCount: stored.count)
            weight = PackedMatrix(
                rowMajor: memory + 1,
                type: type,
                outputs: outputs,
                inputs: inputs
            )
            wide = [Float](unsafeUninitializedCapacity: outputs * inputs) { target, count in
                stored.withUnsafeBytes { bytes in
                    if let source = bytes.baseAddress, let target = target.baseAddress {
                        widen(source, type: type, count: outputs * inputs, into: target)
                    }
                }
                count = outputs * inputs
            }
        }

        /// The bits that are promised: one chain of fused multiply-adds, k ascending, from 0.
        func chains(rows: Range<Int>, bias useBias: Bool) -> [Float] {
            var sums = [Float]()
            x.withUnsafeBufferPointer { x in
                wide.withUnsafeBufferPointer { wide in
                    for row in rows {
                        for output in 0..<weight.outputs {
                            var sum: Float = 0
                            for k in 0..<weight.inputs {
                                sum.addProduct(
                                    x[row * weight.inputs + k],
                                    wide[output * weight.inputs + k]
                                )
                            }
                            sums.append(useBias ? sum + bias[output] : sum)
                        }
                    }
                }
            }
            return sums
        }

        func product(rows: Range<Int>, bias useBias: Bool, pool: ComputeThreadPool) -> [Float] {
            let inputs = weight.inputs
            return [Float](unsafeUninitializedCapacity: rows.count * weight.outputs) { y, count in
                x.withUnsafeBufferPointer { x in
                    bias.withUnsafeBufferPointer { bias in
                        if let x = x.baseAddress, let y = y.baseAddress {
                            matrixProduct(
                                x + rows.lowerBound * inputs,
                                rows: rows.count,
                                by: weight,
                                bias: useBias ? bias.baseAddress : nil,
                                into: y,
                                pool: pool
                            )
                        }
                    }
                }
                count = rows.count * weight.outputs
            }
        }
    }

    /// |error| ≤ 2⁻²⁴ · (inputs + 1) · (Σ|x·w| + |bias|): the bound of a chain of inputs roundings.
    @Test(
        "is a sum of products within the bound of a chain of roundings",
        arguments: WeightType.allCases,
        [
            (1, 1, 1), (2, 5, 15), (3, 17, 33), (5, 33, 17), (7, 588, 40),
            (6, 64, 16), (13, 257, 100), (13, 3420, 17), (4, 131, 31), (150, 1100, 3),
        ]
    )
    func bound(type: WeightType, shape: (rows: Int, inputs: Int, outputs: Int)) {
        let seed = UInt64(shape.rows * 31 + shape.inputs)
        let this = Case(
            rows: shape.rows,
            inputs: shape.inputs,
            outputs: shape.outputs,
            type: type,
            seed: seed
        )
        for useBias in [false, true] {
            let y = this.product(rows: 0..<shape.rows, bias: useBias, pool: pools[1])
            for row in 0..<shape.rows {
                for output in 0..<shape.outputs {
                    var sum = useBias ? Double(this.bias[output]) : 0
                    var size = sum.magnitude
                    for k in 0..<shape.inputs {
                        let term =
                            Double(this.x[row * shape.inputs + k])
                            * Double(this.wide[output * shape.inputs + k])
                        sum += term
                        size += term.magnitude
                    }
                    let error = (Double(y[row * shape.outputs + output]) - sum).magnitude
                    let bound = size * Double(shape.inputs + 1) * 0x1p-24
                    #expect(error <= bound, "row \(row), output \(output), seed \(seed)")
                }
            }
        }
    }

    @Test(
        "is the same chain of fused multiply-adds to the bit, whatever the rows, threads and chunks",
        arguments: WeightType.allCases,
        [(29, 17, 33), (60, 588, 47), (155, 1000, 20), (13, 3420, 65)]
    )
    func bits(type: WeightType, shape: (rows: Int, inputs: Int, outputs: Int)) {
        let seed = UInt64(shape.rows * 7 + shape.outputs)
        let this = Case(
            rows: shape.rows,
            inputs: shape.inputs,
            outputs: shape.outputs,
            type: type,
            seed: seed
        )
        let expectedBits = this.chains(rows: 0..<shape.rows, bias: true).bits
        for pool in pools {
            for chunk in [1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 25, shape.rows] {
                var y = [Float]()
                for start in stride(from: 0, to: shape.rows, by: chunk) {
                    let rows = start..<min(start + chunk, shape.rows)
                    y += this.product(rows: rows, bias: true, pool: pool)
                }
                #expect(
                    y.map(\.bitPattern) == expectedBits,
                    "chunks of \(chunk), \(pool.threadCount) threads, seed \(seed)"
                )
            }
        }
    }

    @Test("takes no rows at all")
    func noRows() {
        let this = Case(rows: 1, inputs: 3, outputs: 4, type: .float32, seed: 1)
        #expect(this.product(rows: 0..<0, bias: true, pool: pools[0]).isEmpty)
    }

    @Test("packs alike with and without threads, and counts its bytes")
    func packing() {
        let values = (0..<(40 * 3)).map { Float($0) }
        let weights = [nil, pools[1]].map { pool in
            values.withUnsafeBytes { bytes in
                bytes.baseAddress.map {
                    PackedMatrix(rowMajor: $0, type: .float32, outputs: 40, inputs: 3, pool: pool)
                }
            }
        }
        #expect(weights.allSatisfy { $0?.byteCount == 48 * 3 * 4 })
        #expect(PackedMatrix.byteCount(type: .bfloat16, outputs: 40, inputs: 3) == 48 * 3 * 2)
    }
}

/// The bytes of numbers as a checkpoint stores them.
func storedNumbers(_ values: [Float], type: WeightType) -> [UInt8] {
    switch type {
    case .float32: values.withUnsafeBytes { [UInt8]($0) }
    case .bfloat16:
        values.map { UInt16($0.bitPattern >> 16) }.withUnsafeBytes { [UInt8]($0) }
    case .float16: values.map { Float16($0).bitPattern }.withUnsafeBytes { [UInt8]($0) }
    }
}
