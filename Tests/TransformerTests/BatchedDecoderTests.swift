import TensorKernels
import Testing

@testable import Transformer

/// Several sequences in one pass of the decoder.
@Suite("Decoder over several sequences")
struct BatchedDecoderTests {
    private static let model = Result {
        try VisionLanguageModel(
            directory: ForwardPassTests.goldens("hf-bf16"),
            positions: 256,
            pool: ComputeThreadPool(threads: 1, name: "test")
        )
    }

    @Test(
        "gives every sequence the logits it has alone, however the rows are packed",
        arguments: 0..<4 as Range<UInt64>
    )
    func company(seed: UInt64) throws {
        let model = try Self.model.get()
        var random = Generator(state: seed &+ 5)
        let inputs = (0..<5).map { _ -> ModelInput in
            let count = [1, 2, 40, 64, 65, 150].randomElement(using: &random) ?? 1
            var input = ModelInput()
            input.append(tokens: (0..<count).map { _ in Int32.random(in: 0..<900, using: &random) })
            return input
        }
        let alone = inputs.map { input -> [Float] in
            let pool = ComputeThreadPool(threads: 1, name: "test")
            let activations = TextActivations(decoder: model.decoder, rowCapacity: input.count)
            let sequence = SequenceState(config: model.config.text, capacity: input.count)
            model.decoder.forward(
                input,
                0..<input.count,
                sequence: sequence,
                activations: activations,
                pool: pool,
                interrupt: {}
            )
            return Array(
                model.decoder.logits(
                    ofRow: input.count - 1,
                    activations: activations,
                    pool: pool
                )
            )
        }
        for threads in 1...3 {
            let together = packed(inputs, model: model, threads: threads, random: &random)
            for (mine, expected) in zip(together, alone) {
                #expect(
                    mine.map(\.bitPattern) == expected.map(\.bitPattern),
                    "seed \(seed), \(threads) threads"
                )
            }
        }
    }

    /// Passes of random rows of random sequences until all are computed; logits of each last row.
    private func packed(
        _ inputs: [ModelInput],
        model: VisionLanguageModel,
        threads: Int,
        random: inout Generator
    ) -> [[Float]] {
        let pool = ComputeThreadPool(threads: threads, name: "test", exceedingProcessors: true)
        let activations = TextActivations(decoder: model.decoder, rowCapacity: 300)
        let blocks = KeyValueBlocks(layout: KeyValueLayout(model.config.text), count: 16)
        var free = (0..<Int32(16)).shuffled(using: &random)
        let sequences = inputs.map { input -> SequenceState in
            let sequence = SequenceState(blocks: blocks, limit: input.count)
            for _ in 0..<KeyValueLayout.blockCount(positions: input.count) {
                sequence.add(block: free.removeLast())
            }
            return sequence
        }
        var logits = [[Float]](repeating: [], count: inputs.count)
        while logits.contains(where: \.isEmpty) {
            var parts: [SequenceRows] = []
            var ends: [(sequence: Int, row: Int)] = []
            var rows = 0
            for index in inputs.indices.shuffled(using: &random) where logits[index].isEmpty {
                let left = inputs[index].count - sequences[index].count
                let count = min(left, Int.random(in: 0...60, using: &random))
                guard count > 0 else { continue }
                let start = sequences[index].count
                parts.append(
                    SequenceRows(
                        input: inputs[index],
                        range: start..<(start + count),
                        sequence: sequences[index]
                    )
                )
                rows += count
                if count == left { ends.append((index, rows - 1)) }
            }
            guard !parts.isEmpty else { continue }
            model.decoder.forward(parts, activations: activations, pool: pool, interrupt: {})
            let all = model.decoder.logits(
                ofRows: ends.map(\.row),
                activations: activations,
                pool: pool
            )
            let width = model.decoder.vocabularySize
            for (place, end) in ends.enumerated() {
                logits[end.sequence] = Array(all[place * width..<(place + 1) * width])
            }
        }
        return logits
    }
}

/// A small seeded generator (Steele, Lea and Flood 2014, SplitMix64).
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
