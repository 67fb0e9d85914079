import TensorKernels
import Testing
import Transformer

/// Models that are measured without a checkpoint.
@Suite("Models with random weights")
struct InventedModelTests {
    private static func configuration(_ family: ModelFamily) -> String {
        let positions =
            switch family {
            case .qwen25VL: #", "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}"#
            case .qwen3VL:
                #", "rope_scaling": {"mrope_section": [24, 20, 20], "mrope_interleaved": true}"#
            default: ""
            }
        return """
            {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, \
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 128, \
            "vocab_size": 100, "tie_word_embeddings": true\(positions)}
            """
    }

    @Test(
        "run like any other, in every family and precision",
        arguments: [ModelFamily.llavaOneVision, .qwen25VL, .qwen3VL],
        WeightPrecision.allCases
    )
    func decoder(family: ModelFamily, precision: WeightPrecision) throws {
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let decoder = try InventedModel.decoder(
            configuration: Self.configuration(family),
            family: family,
            precision: precision,
            positions: 8,
            pool: pool
        )
        #expect(decoder.layerWeightCount == 2 * 64 * (2 * 512 + 2 * 256 + 3 * 96))
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
        // 240 640 weights, with what fills up panels and blocks.
        let byteCount = decoder.matrixByteCount
        #expect(precision == .float32 ? byteCount > 900_000 : byteCount < 500_000)
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
