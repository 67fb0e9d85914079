import TensorKernels
import Testing

/// What breaks silently: a product that shares its rows with another one, or is finished in the cache, and has
/// other bits than one alone. The twins are `matrixProduct` and the functions over whole buffers.
@Suite("Products that share their rows")
struct ProductTargetTests {
    /// Rows, and matrices of the given outputs.
    struct Case {
        let rows: Int
        let inputs: Int
        let x: [Float]
        let weights: [PackedMatrix]
        let biases: [[Float]]

        init(rows: Int, inputs: Int, outputs: [Int], types: [PanelType], seed: UInt64) {
            self.rows = rows
            self.inputs = inputs
            var numbers = SeededNumbers(seed: seed)
            x = numbers.floats(rows * inputs)
            biases = outputs.map { numbers.floats($0) }
            weights = zip(outputs, types).map { outputs, type in
                PackedMatrix(
                    rowMajor: numbers.floats(outputs * inputs),
                    type: .float32,
                    outputs: outputs,
                    inputs: inputs,
                    as: type
                )
            }
        }

        /// Results of `body`, one after another, each with a guard behind it.
        func results(
            _ body: (_ x: UnsafePointer<Float>, _ targets: [ProductTarget]) -> Void
        ) -> [[UInt32]] {
            let buffers = weights.map { weight in
                let buffer = UnsafeMutableBufferPointer<Float>
                    .allocate(capacity: rows * weight.outputs + 1)
                buffer.initialize(repeating: 42)
                return buffer
            }
            defer { for buffer in buffers { buffer.deallocate() } }
            x.withUnsafeBufferPointer { x in
                biases[0].withUnsafeBufferPointer { bias in
                    let targets = zip(weights, buffers).enumerated().compactMap { index, pair in
                        pair.1.baseAddress.map {
                            ProductTarget(
                                pair.0,
                                bias: index == 0 ? bias.baseAddress : nil,
                                into: $0
                            )
                        }
                    }
                    if let x = x.baseAddress { body(x, targets) }
                }
            }
            return buffers.map { buffer in
                #expect(buffer.last == 42, "nothing is written beyond a result")
                return buffer.dropLast().map(\.bitPattern)
            }
        }

        /// One product after another, then `finish` on all of the first result.
        func apart(
            _ pool: ComputeThreadPool,
            finish: (_ first: ProductTarget, _ second: ProductTarget?) -> Void = { _, _ in }
        ) -> [[UInt32]] {
            results { x, targets in
                for target in targets {
                    matrixProduct(
                        x,
                        rows: rows,
                        by: target.weight,
                        bias: target.bias,
                        into: target.y,
                        pool: pool
                    )
                }
                finish(targets[0], targets.dropFirst().first)
            }
        }
    }

    static let rowCounts = [1, 2, 3, 5, 16, 31, 150, 300]

    static func pools() -> [ComputeThreadPool] {
        KernelSet.allCases.filter(\.isSupported).flatMap { makePools(kernels: $0) }
    }

    @Test(
        "three matrices that share their rows have the bits of three products",
        arguments: PanelType.allCases
    )
    func three(type: PanelType) {
        for rows in Self.rowCounts {
            let this = Case(
                rows: rows,
                inputs: 100,
                outputs: [130, 17, 64],
                types: [type, type, type],
                seed: UInt64(rows)
            )
            let pools = Self.pools()
            let expected = this.apart(pools[0])
            for pool in pools {
                let together = this.results { x, targets in
                    matrixProducts(
                        x,
                        rows: rows,
                        targets[0],
                        targets[1],
                        targets[2],
                        pool: pool
                    )
                }
                #expect(together == expected, "\(rows) rows, \(pool.threadCount) threads")
            }
        }
    }

    @Test(
        "a gated product has the bits of two products and siluMultiply",
        arguments: PanelType.allCases
    )
    func gated(type: PanelType) {
        for rows in Self.rowCounts {
            let this = Case(
                rows: rows,
                inputs: 70,
                outputs: [101, 101],
                types: [type, type],
                seed: UInt64(rows)
            )
            let pools = Self.pools()
            let expected = this.apart(pools[0]) { gate, up in
                guard let up else { return }
                siluMultiply(gate: gate.y, up: up.y, count: rows * 101, pool: pools[0])
            }
            for pool in pools {
                let together = this.results { x, targets in
                    gatedProduct(x, rows: rows, gate: targets[0], up: targets[1], pool: pool)
                }
                #expect(together == expected, "\(rows) rows, \(pool.threadCount) threads")
            }
        }
    }

    @Test(
        "a product finished by geluTanh has the bits of the two apart, also in several parts of inputs",
        arguments: PanelType.allCases,
        [(70, 101), (1100, 48)]
    )
    func activated(type: PanelType, shape: (inputs: Int, outputs: Int)) {
        for rows in [1, 16, 143] {
            let this = Case(
                rows: rows,
                inputs: shape.inputs,
                outputs: [shape.outputs],
                types: [type],
                seed: UInt64(rows)
            )
            let pools = Self.pools()
            let expected = this.apart(pools[0]) { first, _ in
                geluTanh(first.y, count: rows * shape.outputs, pool: pools[0])
            }
            for pool in pools {
                let together = this.results { x, targets in
                    matrixProduct(
                        x,
                        rows: rows,
                        by: targets[0].weight,
                        bias: targets[0].bias,
                        into: targets[0].y,
                        finish: .geluTanh,
                        pool: pool
                    )
                }
                #expect(together == expected, "\(rows) rows, \(pool.threadCount) threads")
            }
        }
    }

    @Test("matrices of different types are multiplied one after another, to the same bits")
    func mixed() {
        let this = Case(
            rows: 20,
            inputs: 70,
            outputs: [48, 48],
            types: [.bfloat16, .int8],
            seed: 1
        )
        let pool = makePools()[1]
        let expected = this.apart(pool) { gate, up in
            guard let up else { return }
            siluMultiply(gate: gate.y, up: up.y, count: 20 * 48, pool: pool)
        }
        let together = this.results { x, targets in
            gatedProduct(x, rows: 20, gate: targets[0], up: targets[1], pool: pool)
        }
        #expect(together == expected)
    }
}
