/// What a class of the reference means where config.json says nothing, and how it computes.
struct TextReference: Sendable {
    let hiddenSize: Int
    let intermediateSize: Int
    let layerCount: Int
    let headCount: Int
    let keyValueHeadCount: Int
    /// Nil when it is hidden size / heads.
    let headDimension: Double?
    let vocabularySize: Int
    let maximumPositions: Int
    let rmsNormEpsilon: Double
    let ropeTheta: Double
    let hasProjectionBiases: Bool
    let normsHeads: Bool
    /// How positions are read; the sections are the class's own, used when the file has none.
    let rotary: RotaryLayout

    /// `Qwen2Config` (`configuration_qwen2.py`).
    static let qwen2 = TextReference(
        hiddenSize: 4096,
        intermediateSize: 22_016,
        layerCount: 32,
        headCount: 32,
        keyValueHeadCount: 32,
        headDimension: nil,
        vocabularySize: 151_936,
        maximumPositions: 32_768,
        rmsNormEpsilon: 1e-6,
        ropeTheta: 10_000,
        hasProjectionBiases: true,
        normsHeads: false,
        rotary: .sequential
    )

    /// `Qwen2_5_VLTextConfig` (`configuration_qwen2_5_vl.py`).
    static let qwen25VL = TextReference(
        hiddenSize: 8192,
        intermediateSize: 29_568,
        layerCount: 80,
        headCount: 64,
        keyValueHeadCount: 8,
        headDimension: nil,
        vocabularySize: 152_064,
        maximumPositions: 32_768,
        rmsNormEpsilon: 1e-5,
        ropeTheta: 1_000_000,
        hasProjectionBiases: true,
        normsHeads: false,
        rotary: .contiguous([])
    )

    /// `Qwen3VLTextConfig` (`configuration_qwen3_vl.py`).
    static let qwen3VL = TextReference(
        hiddenSize: 4096,
        intermediateSize: 22_016,
        layerCount: 32,
        headCount: 32,
        keyValueHeadCount: 32,
        headDimension: 128,
        vocabularySize: 151_936,
        maximumPositions: 128_000,
        rmsNormEpsilon: 1e-6,
        ropeTheta: 5_000_000,
        hasProjectionBiases: false,
        normsHeads: true,
        rotary: .interleaved([24, 20, 20])
    )
}
