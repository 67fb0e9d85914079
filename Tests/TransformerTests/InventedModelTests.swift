import TensorKernels
import Testing
import Transformer

/// Models that are measured without a checkpoint.
@Suite("Models with random weights")
struct InventedModelTests {
    private static let configuration = """
        {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, \
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 100, \
        "tie_word_embeddings": true}
        """

    @Test(
        "run like any other, in every family and precision",
        arguments: [ModelFamily.llavaOneVision, .qwen25VL, .qwen3VL],
        WeightPrecision.allCases
    )
    func decoder(family: ModelFamily, precision: WeightPrecision) throws {
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let decoder = try InventedModel.decoder(
            configuration: Self.configuration,
            family: family,
            precision: precision,
            positions: 8,
            pool: pool
        )
        #expect(decoder.layerWeightCount == 2 * 64 * (2 * 64 + 2 * 32 + 3 * 96))
        let activations = TextActivations(decoder: decoder, rowCapacity: 8)
        let sequence = SequenceState(config: decoder.config, capacity: 8)
        var input = ModelInput()
        input.append(tokens: [1, 2, 3, 4, 5] as [Int32])
        decoder.forward(
            input,
            0..<5,
            sequence: sequence,
            activations: activations,
            pool: pool,
            interrupt: {}
        )
        let logits = decoder.logits(ofRows: [4], activations: activations, pool: pool)
        #expect(logits.count == 100 && logits.allSatisfy(\.isFinite))
        #expect(Set(logits.map(\.bitPattern)).count > 50)
        // 68 608 weights, with what fills up panels and blocks.
        let byteCount = decoder.matrixByteCount
        #expect(precision == .float32 ? byteCount > 180_000 : byteCount < 150_000)
    }

    @Test("dimensions that are none are refused")
    func refused() {
        #expect(throws: (any Error).self) {
            try InventedModel.decoder(
                configuration: #"{"hidden_size": -1}"#,
                family: .llavaOneVision,
                precision: .stored,
                positions: 8,
                pool: ComputeThreadPool(threads: 1, name: "test")
            )
        }
    }
}
