import TensorKernels
import Testing

/// What breaks silently: a kernel of another set that adds in another order changes the last bits of
/// judgements, so that the same question has other bits on another processor.
@Suite("Kernel sets")
struct KernelSetTests {
    @Test("the widest set of the processor runs unless another is asked for by its name")
    func choice() {
        let baseline = KernelSet.baseline.name
        for request in [nil, ""] {
            #expect(KernelSet.choice(request, isWideSupported: true) == .wide)
            #expect(KernelSet.choice(request, isWideSupported: false) == .baseline)
        }
        #expect(KernelSet.choice(baseline, isWideSupported: true) == .baseline)
        #expect(KernelSet.choice(baseline, isWideSupported: false) == .baseline)
        #expect(KernelSet.choice("x86-64-v4", isWideSupported: true) == .wide)
    }

    @Test(
        "a set that the processor lacks, or that nobody knows, is not replaced by another in silence"
    )
    func refused() {
        #expect(KernelSet.choice("x86-64-v4", isWideSupported: false) == nil)
        for request in ["x86-64-v5", "X86-64-V4", "avx512", " "] {
            #expect(KernelSet.choice(request, isWideSupported: true) == nil, "\(request)")
        }
    }

    @Test("a pool runs with the chosen set unless told otherwise")
    func pools() {
        #expect(KernelSet.chosen.isSupported)
        #expect(makePools().allSatisfy { $0.kernels == .chosen })
        #expect(makePools(kernels: .baseline).allSatisfy { $0.kernels == .baseline })
    }
}

/// Both sets against the slow twin. Every height of a tile, pairs of tiles of 6 rows, one panel left
/// over, a last panel that is not whole, and chains cut into blocks of k occur.
@Suite(
    "Products with 512-bit registers",
    .enabled(if: KernelSet.wide.isSupported, "this processor has no AVX-512")
)
struct WideProductTests {
    @Test(
        "the weights' product has the bits of the slow twin with either set",
        arguments: WeightType.allCases,
        [(1, 32), (3, 31), (17, 48), (66, 97), (130, 64), (259, 79)]
    )
    func weights(type: WeightType, shape: (inputs: Int, outputs: Int)) {
        let this = MatrixProductTests.Case(
            rows: 40,
            inputs: shape.inputs,
            outputs: shape.outputs,
            type: type,
            seed: UInt64(shape.inputs)
        )
        let pools = KernelSet.allCases.flatMap { Array(makePools(kernels: $0).prefix(2)) }
        for useBias in [false, true] {
            let expected = this.chains(rows: 0..<40, bias: useBias).bits
            for rows in 1...40 {
                for pool in pools {
                    #expect(
                        this.product(rows: 0..<rows, bias: useBias, pool: pool).bits
                            == Array(expected.prefix(rows * shape.outputs)),
                        "\(rows) rows, bias \(useBias), \(pool.kernels), \(pool.threadCount) threads"
                    )
                }
            }
        }
    }

    @Test(
        "chains that go on in the next block of inputs have the same bits",
        arguments: WeightType.allCases
    )
    func cutChains(type: WeightType) {
        // With 143 rows, 916 inputs are the most that are interleaved at a time.
        let this = MatrixProductTests.Case(
            rows: 143,
            inputs: 1001,
            outputs: 35,
            type: type,
            seed: 143
        )
        let expected = this.chains(rows: 0..<143, bias: true).bits
        for pool in KernelSet.allCases.flatMap({ makePools(kernels: $0) }) {
            #expect(this.product(rows: 0..<143, bias: true, pool: pool).bits == expected)
        }
    }

    @Test(
        "the product of training has the bits of the slow twin with either set",
        arguments: [(33, 1), (32, 7), (47, 30), (64, 258), (101, 301)]
    )
    func training(shape: (n: Int, k: Int)) {
        let (n, k) = shape
        var numbers = SeededNumbers(seed: UInt64(n * 1009 + k))
        let a = numbers.floats(40 * k)
        let b = numbers.floats(k * n)
        let c = numbers.floats(40 * n)
        let turnedB = BackwardProductTests.transposed(b, rows: k, columns: n)
        let all = BackwardProductTests.Shape(40, n, k)
        let expected = [false, true].map { accumulate in
            BackwardProductTests.twin(all, a, b, startingFrom: accumulate ? c : nil).bits
        }
        let pools = KernelSet.allCases.flatMap { Array(makePools(kernels: $0).prefix(2)) }
        let workspace = ProductWorkspace()
        for (m, accumulate) in (1...40).flatMap({ [($0, false), ($0, true)] }) {
            let rows = Array(a.prefix(m * k))
            let start = Array(c.prefix(m * n))
            let turnedRows = BackwardProductTests.transposed(rows, rows: m, columns: k)
            for pool in pools {
                for (aLayout, bLayout) in BackwardProductTests.layouts {
                    // A guard behind the result shows writes beyond it.
                    var y = (accumulate ? start : start.map { _ in .nan }) + [42]
                    y.apply { y in
                        generalProduct(
                            aLayout == .rowMajor ? rows : turnedRows,
                            aLayout,
                            bLayout == .rowMajor ? b : turnedB,
                            bLayout,
                            m: m,
                            n: n,
                            k: k,
                            accumulate: accumulate,
                            into: y,
                            workspace: workspace,
                            pool: pool
                        )
                    }
                    #expect(y.last == 42)
                    #expect(
                        Array(y.dropLast()).bits
                            == Array(expected[accumulate ? 1 : 0].prefix(m * n)),
                        "\(m) rows, \(aLayout), \(bLayout), accumulate \(accumulate), \(pool.kernels)"
                    )
                }
            }
        }
    }
}
