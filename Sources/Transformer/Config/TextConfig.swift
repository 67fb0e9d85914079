/// The dimensions of the decoder, Qwen2 or Qwen3. Every value is positive and bounded.
package struct TextConfig: Sendable, Equatable {
    package let hiddenSize: Int
    package let intermediateSize: Int
    package let layerCount: Int
    package let headCount: Int
    /// Divides `headCount`: query head h uses key/value head h / (headCount / keyValueHeadCount).
    package let keyValueHeadCount: Int
    /// Even. Query, key and value rows are heads × headDimension wide.
    package let headDimension: Int
    /// As configured; the tensors of a resized checkpoint may have fewer or more rows.
    package let vocabularySize: Int
    package let rmsNormEpsilon: Float
    package let ropeTheta: Float
    /// How the rotary embedding reads positions.
    package let rotaryLayout: RotaryLayout
    /// q, k and v have biases: Qwen2.
    package let hasProjectionBiases: Bool
    /// Heads of q and k are normed before they are rotated: Qwen3.
    package let normsHeads: Bool
    /// The output head is the token embedding.
    package let tiesWordEmbeddings: Bool
    package let maximumPositions: Int

    /// The keys of `text_config`, or of the root in original checkpoints.
    struct File: Decodable {
        struct RopeParameters: Decodable {
            let rope_theta: Double?
            let rope_type: String?
            let type: String?
            let mrope_section: [Double]?
            let mrope_interleaved: Bool?
        }
        let model_type: String?
        let hidden_size: Double?
        let intermediate_size: Double?
        let num_hidden_layers: Double?
        let num_attention_heads: Double?
        let num_key_value_heads: Double?
        let head_dim: Double?
        let vocab_size: Double?
        let rms_norm_eps: Double?
        let rope_theta: Double?
        let rope_parameters: RopeParameters?
        let rope_scaling: RopeParameters?
        let hidden_act: String?
        let max_position_embeddings: Double?
        let use_sliding_window: Bool?
        let attention_bias: Bool?
        let tie_word_embeddings: Bool?
    }

    /// Checks the values; an omitted one has the default of the reference's class.
    /// Throws a sentence that names the key.
    /// - prefix: where the keys stand in config.json, for errors.
    init(
        _ file: File,
        of reference: TextReference,
        prefix: String,
        tied: Bool
    ) throws(CheckpointError) {
        let field = ConfigField(prefix: prefix)
        try field.require("hidden_act", file.hidden_act, isOneOf: ["silu"])
        try field.require("use_sliding_window", file.use_sliding_window, is: false)
        if !reference.hasProjectionBiases {
            try field.require("attention_bias", file.attention_bias, is: false)
        }
        let names = reference.rotary == .sequential ? ["default"] : ["default", "mrope"]
        for (key, rope) in [
            ("rope_parameters", file.rope_parameters), ("rope_scaling", file.rope_scaling),
        ] {
            try field.require("\(key).rope_type", rope?.rope_type, isOneOf: names)
            try field.require("\(key).type", rope?.type, isOneOf: names)
        }
        hasProjectionBiases = reference.hasProjectionBiases
        normsHeads = reference.normsHeads
        hiddenSize = try field.integer(
            "hidden_size",
            file.hidden_size,
            absent: reference.hiddenSize,
            in: 1...65_536
        )
        intermediateSize = try field.integer(
            "intermediate_size",
            file.intermediate_size,
            absent: reference.intermediateSize,
            in: 1...1_048_576
        )
        layerCount = try field.integer(
            "num_hidden_layers",
            file.num_hidden_layers,
            absent: reference.layerCount,
            in: 1...1024
        )
        headCount = try field.integer(
            "num_attention_heads",
            file.num_attention_heads,
            absent: reference.headCount,
            in: 1...1024
        )
        keyValueHeadCount = try field.integer(
            "num_key_value_heads",
            file.num_key_value_heads,
            absent: min(reference.keyValueHeadCount, headCount),
            in: 1...1024
        )
        vocabularySize = try field.integer(
            "vocab_size",
            file.vocab_size,
            absent: reference.vocabularySize,
            in: 1...16_777_216
        )
        maximumPositions = try field.integer(
            "max_position_embeddings",
            file.max_position_embeddings,
            absent: reference.maximumPositions,
            in: 1...16_777_216
        )
        rmsNormEpsilon = try field.number(
            "rms_norm_eps",
            file.rms_norm_eps,
            absent: reference.rmsNormEpsilon,
            in: 1e-12...1
        )
        ropeTheta = try field.number(
            "rope_theta",
            file.rope_parameters?.rope_theta ?? file.rope_theta,
            absent: reference.ropeTheta,
            in: 1...1e12
        )
        tiesWordEmbeddings = tied
        guard headCount % keyValueHeadCount == 0 else {
            throw field.invalid(
                "num_key_value_heads",
                expected: "a divisor of the \(headCount) attention heads",
                got: "\(keyValueHeadCount)"
            )
        }
        if file.head_dim ?? reference.headDimension == nil, hiddenSize % headCount != 0 {
            throw field.invalid(
                "num_attention_heads",
                expected: "a divisor of hidden_size \(hiddenSize)",
                got: "\(headCount)"
            )
        }
        headDimension = try field.integer(
            "head_dim",
            file.head_dim,
            absent: reference.headDimension.map { Int($0) } ?? hiddenSize / headCount,
            in: 2...1024
        )
        guard headDimension % 2 == 0 else {
            throw field.invalid(
                "head_dim",
                expected: "an even number, as rotary positions need",
                got: "\(headDimension)"
            )
        }
        rotaryLayout = try RotaryLayout(
            file,
            of: reference,
            headDimension: headDimension,
            field: field
        )
    }
}
