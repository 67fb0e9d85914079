/// The dimensions of the SigLIP image encoder. Every value is positive and bounded.
package struct VisionConfig: Sendable, Equatable {
    /// The most numbers of an attention head, of any family's tower; attention has room for twice as many.
    static let widestHead = 1024

    package let hiddenSize: Int
    package let intermediateSize: Int
    /// Layers that are stored and run. The feature is the output of the last of them.
    package let layerCount: Int
    package let headCount: Int
    /// Side of one tile in pixels.
    package let imageSize: Int
    /// Side of one patch in pixels.
    package let patchSize: Int
    package let layerNormEpsilon: Float

    /// Patches along one side of a tile; pixels beyond the last whole patch are not looked at.
    package var gridSide: Int { imageSize / patchSize }

    /// The keys of `vision_config`.
    struct File: Decodable {
        let model_type: String?
        let hidden_size: Double?
        let intermediate_size: Double?
        let num_hidden_layers: Double?
        let num_attention_heads: Double?
        let num_channels: Double?
        let image_size: Double?
        let patch_size: Double?
        let layer_norm_eps: Double?
        let hidden_act: String?
    }

    /// google/siglip-so400m-patch14-384 without its last layer, which LLaVA-OneVision deletes
    /// (LLaVA-NeXT, `siglip_encoder.py`).
    static let siglipSo400m = VisionConfig(
        hiddenSize: 1152,
        intermediateSize: 4304,
        layerCount: 26,
        headCount: 16,
        imageSize: 384,
        patchSize: 14,
        layerNormEpsilon: 1e-6
    )

    private init(
        hiddenSize: Int,
        intermediateSize: Int,
        layerCount: Int,
        headCount: Int,
        imageSize: Int,
        patchSize: Int,
        layerNormEpsilon: Float
    ) {
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.headCount = headCount
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.layerNormEpsilon = layerNormEpsilon
    }

    /// Checks the values of `vision_config`; an omitted one has the default of `transformers`'
    /// `SiglipVisionConfig` (`configuration_siglip.py`). Throws a sentence that names the key.
    /// - deletedLayers: how many of `num_hidden_layers` the checkpoint does not store: 1 in
    ///   original naming, 0 otherwise.
    init(_ file: File, deletedLayers: Int) throws(CheckpointError) {
        let field = ConfigField(prefix: "vision_config.")
        try field.require(
            "model_type",
            file.model_type,
            isOneOf: ["siglip_vision_model", "siglip"]
        )
        try field.require("hidden_act", file.hidden_act, isOneOf: ["gelu_pytorch_tanh"])
        hiddenSize = try field.integer(
            "hidden_size",
            file.hidden_size,
            absent: 768,
            in: 1...16_384
        )
        intermediateSize = try field.integer(
            "intermediate_size",
            file.intermediate_size,
            absent: 3072,
            in: 1...262_144
        )
        layerCount =
            try field.integer(
                "num_hidden_layers",
                file.num_hidden_layers,
                absent: 12,
                in: 1 + deletedLayers...1024
            ) - deletedLayers
        headCount = try field.integer(
            "num_attention_heads",
            file.num_attention_heads,
            absent: 12,
            in: 1...1024
        )
        imageSize = try field.integer("image_size", file.image_size, absent: 224, in: 1...4096)
        patchSize = try field.integer("patch_size", file.patch_size, absent: 16, in: 1...imageSize)
        layerNormEpsilon = try field.number(
            "layer_norm_eps",
            file.layer_norm_eps,
            absent: 1e-6,
            in: 1e-12...1
        )
        _ = try field.integer("num_channels", file.num_channels, absent: 3, in: 3...3)
        guard hiddenSize % headCount == 0 else {
            throw field.invalid(
                "num_attention_heads",
                expected: "a divisor of hidden_size \(hiddenSize)",
                got: "\(headCount)"
            )
        }
        guard hiddenSize / headCount <= Self.widestHead else {
            throw field.invalid(
                "num_attention_heads",
                expected:
                    "heads of at most \(Self.widestHead) numbers of hidden_size \(hiddenSize)",
                got: "\(headCount)"
            )
        }
        guard imageSize / patchSize <= 256 else {
            throw field.invalid(
                "patch_size",
                expected: "at most 256 patches along a side of \(imageSize) pixels",
                got: "\(imageSize / patchSize)"
            )
        }
    }
}
