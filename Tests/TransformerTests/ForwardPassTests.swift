import FoundationEssentials
import TensorKernels
import Testing

@testable import Transformer

/// The forward pass of the tiny model, to the last bit.
///
/// What breaks silently: a kernel whose sums depend on the number of rows or threads gives judgements that
/// change with load.
@Suite("Forward pass")
struct ForwardPassTests {
    static let model = Result {
        try VisionLanguageModel(
            directory: goldens("hf-bf16"),
            positions: 512,
            pool: ComputeThreadPool(threads: 1, name: "test")
        )
    }

    @Test(
        "gives the same bits whatever the prefill steps and threads",
        arguments: [(1, 1), (7, 1), (64, 1), (150, 1), (64, 2), (150, 3), (7, 3)]
    )
    func steps(rowCapacity: Int, threads: Int) throws {
        let model = try Self.model.get()
        let tokens = (0..<150).map { Int32(($0 * 37 + 11) % 900) }
        let reference = logits(model, tokens, rowCapacity: 150, threads: 1)
        #expect(logits(model, tokens, rowCapacity: rowCapacity, threads: threads) == reference)
    }

    @Test("a sequence cut back and continued equals one computed straight")
    func truncation() throws {
        let model = try Self.model.get()
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let activations = TextActivations(decoder: model.decoder, rowCapacity: 64)
        let sequence = SequenceState(config: model.config.text, capacity: 64)
        var detour = ModelInput()
        detour.append(tokens: [1, 2, 3, 4, 5, 6, 7, 8])
        model.decoder.forward(
            detour,
            0..<8,
            sequence: sequence,
            activations: activations,
            pool: pool,
            interrupt: {}
        )
        sequence.truncate(to: 3)
        var input = ModelInput()
        input.append(tokens: [1, 2, 3, 9, 10])
        model.decoder.forward(
            input,
            3..<5,
            sequence: sequence,
            activations: activations,
            pool: pool,
            interrupt: {}
        )
        let continued = Array(
            model.decoder.logits(ofRow: 1, activations: activations, pool: pool)
        )
        #expect(continued == logits(model, [1, 2, 3, 9, 10], rowCapacity: 5, threads: 1))
    }

    @Test("an interrupted step leaves the sequence as it was", arguments: [0, 1, 2])
    func interruption(layer: Int) throws {
        struct Stop: Error {}
        let model = try Self.model.get()
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let activations = TextActivations(decoder: model.decoder, rowCapacity: 8)
        let sequence = SequenceState(config: model.config.text, capacity: 16)
        var input = ModelInput()
        input.append(tokens: [1, 2, 3, 4, 5])
        model.decoder.forward(
            input,
            0..<2,
            sequence: sequence,
            activations: activations,
            pool: pool,
            interrupt: {}
        )
        var calls = 0
        #expect(throws: Stop.self) {
            try model.decoder.forward(
                input,
                2..<5,
                sequence: sequence,
                activations: activations,
                pool: pool,
                interrupt: {
                    if calls == layer { throw Stop() }
                    calls += 1
                }
            )
        }
        #expect(sequence.count == 2)
    }

    @Test("encodes an image to the same bits whatever the threads", arguments: [1, 2, 3])
    func imageThreads(threads: Int) throws {
        let model = try #require(Self.model.get().llava)
        let size = model.config.vision.imageSize
        let pixels = (0..<(2 * 3 * size * size)).map { Float(($0 * 7919) % 511) / 255 - 1 }
        let tiles = ImageTiles(
            tileCount: 2,
            pixels: pixels,
            packing: .anyres(
                gridRows: 1,
                gridColumns: 1,
                originalWidth: 80,
                originalHeight: 100
            )
        )
        func encode(_ threads: Int) -> [Float] {
            model.encodeImage(
                tiles,
                activations: VisionActivations(
                    config: model.config.vision,
                    hiddenSize: model.config.text.hiddenSize
                ),
                pool: ComputeThreadPool(threads: threads, name: "test"),
                interrupt: {}
            ).values
        }
        #expect(encode(threads) == encode(1))
    }

    @Test("says what it will take before anything is taken")
    func memory() throws {
        let directory = Self.goldens("hf-bf16")
        let config = try ModelConfig(directory: directory)
        let checkpoint = try Checkpoint(directory: directory)
        let short = ModelMemory(
            config: config,
            checkpoint: checkpoint,
            positions: 100,
            keyValueBytes: 1000,
            rowCapacity: 10
        )
        let long = ModelMemory(
            config: config,
            checkpoint: checkpoint,
            positions: 200,
            keyValueBytes: 2000,
            rowCapacity: 10
        )
        #expect(short.weights == long.weights)
        #expect(long.keyValueCache > short.keyValueCache)
        #expect(short.total == short.weights + short.keyValueCache + short.activations)
    }

    /// Logits after the last of `tokens`, prefilled in steps.
    private func logits(
        _ model: VisionLanguageModel,
        _ tokens: [Int32],
        rowCapacity: Int,
        threads: Int
    ) -> [Float] {
        let pool = ComputeThreadPool(threads: threads, name: "test")
        let activations = TextActivations(decoder: model.decoder, rowCapacity: rowCapacity)
        let sequence = SequenceState(config: model.config.text, capacity: tokens.count)
        var input = ModelInput()
        input.append(tokens: tokens)
        var last = 0
        while sequence.count < tokens.count {
            let start = sequence.count
            let end = min(start + rowCapacity, tokens.count)
            model.decoder.forward(
                input,
                start..<end,
                sequence: sequence,
                activations: activations,
                pool: pool,
                interrupt: {}
            )
            last = end - start - 1
        }
        return Array(model.decoder.logits(ofRow: last, activations: activations, pool: pool))
    }

    /// A checkpoint of the tiny model.
    static func goldens(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
            + "/Goldens/llava_ov/\(name)"
    }
}
