import Foundation
import TensorKernels
import Transformer

@testable import Training

/// A directory of one test, removed when this object goes.
final class ScratchDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "training-\(UUID().uuidString)"
        )
        path = url.path
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path + "/" + name))
    }

    func bytes(of name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: path + "/" + name)))
    }
}

/// A seeded generator (Steele, Lea and Flood 2014, SplitMix64).
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform(_ range: ClosedRange<Float> = -1...1) -> Float {
        Float.random(in: range, using: &self)
    }
}

/// Models small enough to differentiate number by number, and batches for them.
enum TrainingSamples {
    /// `Tests/Goldens`.
    static let goldens =
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/Goldens"

    static let vocabulary = 40

    /// Grouped queries (4 heads over 2), tiles of 4 × 4 patches with a pixel left over, at most 2 tiles'
    /// worth of patches.
    static func config(tied: Bool, directory: ScratchDirectory) throws -> LlavaConfig {
        try directory.write(
            """
            {"architectures": ["LlavaOnevisionForConditionalGeneration"],
             "model_type": "llava_onevision", "torch_dtype": "bfloat16",
             "image_grid_pinpoints": [[13, 26], [26, 13], [26, 26], [13, 39]],
             "image_token_index": 38, "vision_aspect_ratio": "anyres_max_2",
             "tie_word_embeddings": \(tied),
             "text_config": {"model_type": "qwen2", "hidden_size": 24, "intermediate_size": 40,
               "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
               "head_dim": 6, "vocab_size": \(vocabulary), "rms_norm_eps": 1e-6,
               "rope_theta": 10000.0, "hidden_act": "silu", "max_position_embeddings": 512},
             "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 16,
               "intermediate_size": 28, "num_hidden_layers": 2, "num_attention_heads": 2,
               "image_size": 13, "patch_size": 3, "vision_use_head": false}}
            """,
            to: "config.json"
        )
        return try LlavaConfig(trainable: directory.path)
    }

    /// Parameters with lively values everywhere, so that every path has a gradient to be seen.
    static func parameters(_ layout: ParameterLayout, seed: UInt64) -> ParameterBuffer {
        let buffer = ParameterBuffer(layout: layout, seed: seed)
        var numbers = SeededNumbers(state: seed)
        for entry in layout.entries {
            let base = buffer.values.base + entry.offset
            let fanIn = Float(entry.count / entry.shape[0]).squareRoot()
            let size: Float = entry.shape.count > 1 ? 1.5 / fanIn : 0.3
            let isNorm = entry.shape.count == 1 && entry.name.hasSuffix("weight")
            for index in 0..<entry.count {
                base[index] = numbers.uniform() * size + (isNorm ? 1 : 0)
            }
        }
        return buffer
    }

    /// Pictures of every packing: anyres in a window with padding cut off, anyres that is shrunk, a pair
    /// of padded squares, a pooled video whose frames repeat a tile, a plain frame.
    static func images() -> [BatchImage] {
        [
            BatchImage(
                tiles: [0, 1, 2],
                packing: .anyres(
                    gridRows: 1,
                    gridColumns: 2,
                    originalWidth: 50,
                    originalHeight: 19
                )
            ),
            BatchImage(
                tiles: [3, 4, 5, 6, 1],
                packing: .anyres(
                    gridRows: 2,
                    gridColumns: 2,
                    originalWidth: 30,
                    originalHeight: 31
                )
            ),
            BatchImage(tiles: [2], packing: .singleTile),
            BatchImage(tiles: [5], packing: .singleTile),
            BatchImage(tiles: [6, 6, 0], packing: .pooledFrames(count: 3)),
            BatchImage(tiles: [4], packing: .frame),
        ]
    }

    /// Branches over pictures, over a video, over nothing, and a branch that is not scored.
    static func batch(_ config: LlavaConfig, seed: UInt64) -> TrainingBatch {
        var numbers = SeededNumbers(state: seed)
        let size = config.vision.imageSize
        let tiles = (0..<(7 * 3 * size * size)).map { _ in numbers.uniform() }
        let sequences = [
            BatchSequence(
                prefix: [.tokens([1, 2]), .image(0), .tokens([3])],
                branches: [
                    branch(5, weight: 1, &numbers), branch(3, weight: 0.5, &numbers),
                ]
            ),
            BatchSequence(
                prefix: [.image(1), .tokens([4, 4]), .image(2), .image(3)],
                branches: [branch(4, weight: 2, &numbers)]
            ),
            BatchSequence(
                prefix: [.tokens([7]), .image(4), .image(5)],
                branches: [branch(2, weight: 0, &numbers), branch(6, weight: 1, &numbers)]
            ),
            BatchSequence(prefix: [], branches: [branch(7, weight: 1.5, &numbers)]),
        ]
        return TrainingBatch(tiles: tiles, images: images(), sequences: sequences)
    }

    /// Random tokens; the first row and one in three have no target.
    static func branch(
        _ count: Int,
        weight: Float,
        _ numbers: inout SeededNumbers
    ) -> BatchBranch {
        let ids = (0...count).map { _ in
            Int32.random(in: 0..<Int32(vocabulary), using: &numbers)
        }
        return BatchBranch(
            tokens: Array(ids.dropLast()),
            targets: (0..<count).map {
                $0 > 0 && $0 % 3 != 2 || $0 == count - 1 ? ids[$0 + 1] : -1
            },
            weight: weight
        )
    }
}
