/// The dimensions of the vision tower of Qwen2.5-VL or Qwen3-VL. Every value is positive and bounded.
package struct QwenVisionConfig: Sendable, Equatable {
    /// What one tower has and the other has not.
    package enum Kind: Sendable, Equatable {
        /// Qwen2.5-VL: attention within windows of `window` × `window` cells, but over the whole frame
        /// in the blocks `wholeFrame`. `tokensPerSecond` positions of the decoder are one second.
        case windowed(window: Int, wholeFrame: Set<Int>, tokensPerSecond: Int)
        /// Qwen3-VL: a learned table of `gridSide` × `gridSide` positions; the outputs of the blocks
        /// `deepstack`, in order, go to the first decoder layers.
        case deepstacked(gridSide: Int, deepstack: [Int])
    }

    package let hiddenSize: Int
    package let intermediateSize: Int
    package let layerCount: Int
    package let headCount: Int
    /// Side of one patch in pixels.
    package let patchSize: Int
    package let kind: Kind

    /// Patches along the side of a cell, which is one row of the prompt.
    package static let mergeSize = 2
    /// Frames in one patch.
    package static let temporalPatchSize = 2
    /// Both norms of a block and the mergers' (fixed in the reference).
    static let normEpsilon: Float = 1e-6

    /// Numbers in a head, a multiple of 4.
    package var headDimension: Int { hiddenSize / headCount }
    /// Numbers in a patch: channels × frames × height × width.
    package var patchValues: Int { 3 * Self.temporalPatchSize * patchSize * patchSize }
    /// Numbers in the patches of a cell, merged.
    var mergedSize: Int { Self.mergeSize * Self.mergeSize * hiddenSize }
    /// Decoder layers that the tower's inner blocks are added after.
    package var deepstackCount: Int {
        if case .deepstacked(_, let blocks) = kind { blocks.count } else { 0 }
    }

    /// The keys of `vision_config`.
    struct File: Decodable {
        let depth: Double?
        let hidden_size: Double?
        let intermediate_size: Double?
        let num_heads: Double?
        let in_channels: Double?
        let in_chans: Double?
        let out_hidden_size: Double?
        let patch_size: Double?
        let spatial_merge_size: Double?
        let temporal_patch_size: Double?
        let hidden_act: String?
        let window_size: Double?
        let fullatt_block_indexes: [Double]?
        let tokens_per_second: Double?
        let num_position_embeddings: Double?
        let deepstack_visual_indexes: [Double]?
    }

    /// Checks the values of a Qwen2.5-VL tower; an omitted one has the default of
    /// `Qwen2_5_VLVisionConfig`. Throws a sentence that names the key.
    init(qwen25 file: File, text: TextConfig) throws(CheckpointError) {
        let common = try Common(file, text: text, hidden: 3584, inner: 3420, depth: 32, patch: 14)
        try Common.field.require("hidden_act", file.hidden_act, isOneOf: ["silu"])
        // In cells: 112 pixels are 4.
        let side = common.patchSize * Self.mergeSize
        let window = try Common.field.integer(
            "window_size",
            file.window_size,
            absent: 112,
            in: side...side * 64
        )
        let wholeFrame = try Common.blocks(
            "fullatt_block_indexes",
            // The reference's default names blocks that a smaller tower does not have.
            file.fullatt_block_indexes
                ?? [7, 15, 23, 31].filter { $0 < Double(common.layerCount) },
            depth: common.layerCount
        )
        let tokensPerSecond = try Common.field.integer(
            "tokens_per_second",
            file.tokens_per_second,
            absent: 4,
            in: 1...1000
        )
        self.init(
            common,
            kind: .windowed(
                window: window / Self.mergeSize / common.patchSize,
                wholeFrame: Set(wholeFrame),
                tokensPerSecond: tokensPerSecond
            )
        )
    }

    /// Checks the values of a Qwen3-VL tower; an omitted one has the default of
    /// `Qwen3VLVisionConfig`. Throws a sentence that names the key.
    init(qwen3 file: File, text: TextConfig) throws(CheckpointError) {
        let common = try Common(file, text: text, hidden: 1152, inner: 4304, depth: 27, patch: 16)
        try Common.field.require("hidden_act", file.hidden_act, isOneOf: ["gelu_pytorch_tanh"])
        let positions = try Common.field.integer(
            "num_position_embeddings",
            file.num_position_embeddings,
            absent: 2304,
            in: 1...1_048_576
        )
        let side = Int(Double(positions).squareRoot())
        guard side * side == positions else {
            throw Common.field.invalid(
                "num_position_embeddings",
                expected: "the square of a whole number",
                got: "\(positions)"
            )
        }
        let blocks = try Common.blocks(
            "deepstack_visual_indexes",
            file.deepstack_visual_indexes ?? [8, 16, 24],
            depth: common.layerCount
        )
        guard blocks.count <= text.layerCount else {
            throw Common.field.invalid(
                "deepstack_visual_indexes",
                expected: "at most as many as the decoder's \(text.layerCount) layers",
                got: "\(blocks.count)"
            )
        }
        self.init(common, kind: .deepstacked(gridSide: side, deepstack: blocks))
    }

    private init(_ common: Common, kind: Kind) {
        hiddenSize = common.hiddenSize
        intermediateSize = common.intermediateSize
        layerCount = common.layerCount
        headCount = common.headCount
        patchSize = common.patchSize
        self.kind = kind
    }

    /// The values both towers have.
    private struct Common {
        static let field = ConfigField(prefix: "vision_config.")
        let hiddenSize: Int
        let intermediateSize: Int
        let layerCount: Int
        let headCount: Int
        let patchSize: Int

        init(
            _ file: File,
            text: TextConfig,
            hidden: Int,
            inner: Int,
            depth: Int,
            patch: Int
        ) throws(CheckpointError) {
            let field = Self.field
            func integer(
                _ key: String,
                _ value: Double?,
                _ absent: Int,
                _ range: ClosedRange<Int>
            ) throws(CheckpointError) -> Int {
                try field.integer(key, value, absent: absent, in: range)
            }
            hiddenSize = try integer("hidden_size", file.hidden_size, hidden, 4...16_384)
            intermediateSize = try integer(
                "intermediate_size",
                file.intermediate_size,
                inner,
                1...262_144
            )
            layerCount = try integer("depth", file.depth, depth, 1...1024)
            headCount = try integer("num_heads", file.num_heads, 16, 1...1024)
            patchSize = try integer("patch_size", file.patch_size, patch, 1...64)
            let merge = QwenVisionConfig.mergeSize
            let frames = QwenVisionConfig.temporalPatchSize
            _ = try integer("in_channels", file.in_channels ?? file.in_chans, 3, 3...3)
            _ = try integer("spatial_merge_size", file.spatial_merge_size, 2, merge...merge)
            _ = try integer("temporal_patch_size", file.temporal_patch_size, 2, frames...frames)
            let out = try integer("out_hidden_size", file.out_hidden_size, 3584, 1...65_536)
            guard out == text.hiddenSize else {
                throw field.invalid(
                    "out_hidden_size",
                    expected: "the decoder's hidden_size \(text.hiddenSize)",
                    got: "\(out)"
                )
            }
            guard hiddenSize % (4 * headCount) == 0 else {
                throw field.invalid(
                    "num_heads",
                    expected: "heads of a multiple of 4 numbers out of hidden_size \(hiddenSize)",
                    got: "\(headCount)"
                )
            }
            guard hiddenSize / headCount <= VisionConfig.widestHead else {
                throw field.invalid(
                    "num_heads",
                    expected: "heads of at most \(VisionConfig.widestHead) numbers of hidden_size "
                        + "\(hiddenSize)",
                    got: "\(headCount)"
                )
            }
        }

        /// Numbers of blocks, each once and below the depth.
        static func blocks(
            _ key: String,
            _ values: [Double],
            depth: Int
        ) throws(CheckpointError) -> [Int] {
            var blocks: [Int] = []
            for (index, value) in values.prefix(1025).enumerated() {
                let block = try field.integer(
                    "\(key)[\(index)]",
                    value,
                    absent: 0,
                    in: 0...depth - 1
                )
                guard !blocks.contains(block) else {
                    throw field.invalid(key, expected: "each block once", got: "\(block) twice")
                }
                blocks.append(block)
            }
            return blocks
        }
    }
}
