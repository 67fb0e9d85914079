internal import TensorKernels

/// Measures `matrixProduct` at the shapes of the models, against the multiply-add peak and the read
/// rate of the same minutes.
///
/// Samples of the product and of the peak alternate and last about as long as each other, so that a
/// busy neighbour takes the same share of both.
struct MatmulBenchmark {
    /// One product x [rows, inputs] · Wᵀ, W [outputs, inputs].
    struct Shape {
        var name: String
        var rows: Int
        var inputs: Int
        var outputs: Int
    }

    /// What to measure.
    struct Options {
        /// The linear layers of Qwen2-0.5B and of the SigLIP so400m tower, and decoding.
        var shapes: [Shape] = Options.modelShapes
        var types: [PanelType] = [.float32, .bfloat16, .int8, .int4]
        var threads: [Int] = [1, 2]
        /// Samples of each cell.
        var repeats = 9

        static let modelShapes: [Shape] = [
            Shape(name: "qwen2-0.5b gate/up", rows: 512, inputs: 896, outputs: 4864),
            Shape(name: "qwen2-0.5b q/o", rows: 512, inputs: 896, outputs: 896),
            Shape(name: "qwen2-0.5b down", rows: 512, inputs: 4864, outputs: 896),
            Shape(name: "qwen2-0.5b gate/up", rows: 1024, inputs: 896, outputs: 4864),
            Shape(name: "siglip fc1", rows: 729, inputs: 1152, outputs: 4304),
            Shape(name: "siglip fc2", rows: 729, inputs: 4304, outputs: 1152),
            Shape(name: "qwen2-0.5b gate/up", rows: 16, inputs: 896, outputs: 4864),
            Shape(name: "qwen2-0.5b head, decode", rows: 1, inputs: 896, outputs: 151_936),
        ]
    }

    var options = Options()

    func run() -> MatmulReport {
        var cells: [MatmulReport.Cell] = []
        var readRates: [Int: Double] = [:]
        for threads in options.threads {
            let pool = ComputeThreadPool(threads: threads, name: "bench")
            readRates[pool.threadCount] = PeakBenchmark.readRate(pool: pool)
            for type in options.types {
                cells += options.shapes.map { measure($0, type: type, pool: pool) }
            }
        }
        return MatmulReport(cells: cells, kernels: .chosen, readRates: readRates)
    }

    private func measure(
        _ shape: Shape,
        type: PanelType,
        pool: ComputeThreadPool
    ) -> MatmulReport.Cell {
        let x = UnsafeMutablePointer<Float>.allocate(capacity: shape.rows * shape.inputs)
        let y = UnsafeMutablePointer<Float>.allocate(capacity: shape.rows * shape.outputs)
        defer {
            x.deallocate()
            y.deallocate()
        }
        for index in 0..<(shape.rows * shape.inputs) { x[index] = Float(index % 7) - 3 }
        let weight = makeWeight(shape, type: type, pool: pool)
        let flops = 2 * Double(shape.rows) * Double(shape.inputs) * Double(shape.outputs)
        let expectedRate = type.isQuantized && pool.dotKernels == .vnni ? 300e9 : 80e9
        let expectedSeconds = flops / (expectedRate * Double(pool.threadCount))
        // Short products repeat within a sample, so that one sample lasts at least 2 ms.
        let calls = max(1, Int(0.002 / expectedSeconds))
        var rates: [Double] = []
        var peaks: [Double] = []
        for sample in 0...options.repeats {
            let elapsed = ElapsedTime()
            for _ in 0..<calls {
                matrixProduct(
                    x,
                    rows: shape.rows,
                    by: weight,
                    bias: nil,
                    into: y,
                    pool: pool
                )
            }
            let rate = flops * Double(calls) / elapsed.seconds * 1e-9
            let peak = PeakBenchmark.rate(
                type,
                pool: pool,
                seconds: expectedSeconds * Double(calls)
            )
            // The first sample warms the caches and the clock.
            guard sample > 0 else { continue }
            rates.append(rate)
            peaks.append(peak)
        }
        return MatmulReport.Cell(
            shape: shape,
            type: type,
            threads: pool.threadCount,
            rates: rates.sorted(),
            peaks: peaks.sorted(),
            weightBytes: weight.byteCount
        )
    }

    private func makeWeight(
        _ shape: Shape,
        type: PanelType,
        pool: ComputeThreadPool
    ) -> PackedMatrix {
        // 0x3c3c is a small positive number in bf16.
        let byteCount = shape.inputs * shape.outputs * WeightType.bfloat16.byteCount
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        defer { memory.deallocate() }
        memory.initializeMemory(as: UInt8.self, repeating: 0x3c, count: byteCount)
        return PackedMatrix(
            rowMajor: memory,
            type: .bfloat16,
            outputs: shape.outputs,
            inputs: shape.inputs,
            as: type,
            pool: pool
        )
    }
}
