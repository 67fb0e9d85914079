import Foundation
import TensorKernels
import Testing

@testable import Transformer

/// One Qwen-VL model under other names, in other number types and in several files: the same model.
@Suite("Storages of Qwen-VL")
struct QwenStorageTests {
    /// How a copy of a golden checkpoint differs from it.
    enum Variant: String, CaseIterable, CustomTestStringConvertible {
        /// Raw modules of transformers 4.52 on: `model.visual.`, `model.language_model.`.
        case rawNames
        /// As Qwen2.5-VL was published: `visual.`, `model.`.
        case publishedNames
        case singlePrecision
        case shards
        /// A tied model that stores its head all the same, with other numbers in it.
        case storedHead
        /// A list of DeepStack's blocks in another order, its mergers with it.
        case turnedTaps

        var testDescription: String { rawValue }
    }

    @Test("reads to the same bits", arguments: QwenGoldens.families, Variant.allCases)
    func variants(family: String, variant: Variant) throws {
        let original = QwenGoldens.path(family, "hf-bf16")
        let copy = try CheckpointDirectory()
        var config = try QwenGoldens.text(family, "hf-bf16/config.json")
        var tensors = try Self.tensors(original)
        switch variant {
        case .rawNames: tensors = tensors.map { Self.rename($0, Self.raw) }
        case .publishedNames: tensors = tensors.map { Self.rename($0, Self.published) }
        case .singlePrecision: tensors = tensors.map(Self.widen)
        case .shards: break
        case .turnedTaps:
            guard family == "qwen3_vl" else { return }
            let list = try #require(
                config.firstRange(of: /"deepstack_visual_indexes": \[\s*0,\s*2\s*\]/)
            )
            config.replaceSubrange(list, with: "\"deepstack_visual_indexes\": [2, 0]")
            tensors = tensors.map { tensor in
                var tensor = tensor
                let name = tensor.name
                tensor.name = name.replacing("merger_list.0.", with: "merger_list.1.")
                if tensor.name == name {
                    tensor.name = name.replacing("merger_list.1.", with: "merger_list.0.")
                }
                return tensor
            }
        case .storedHead:
            guard family == "qwen3_vl", let table = tensors.first(where: { $0.isTable }) else {
                return
            }
            tensors.append(
                Tensor(
                    name: "lm_head.weight",
                    type: table.type,
                    shape: table.shape,
                    bytes: [UInt8](repeating: 1, count: table.bytes.count)
                )
            )
        }
        try copy.write(config, to: "config.json")
        try Self.write(tensors, to: copy, shards: variant == .shards ? 3 : 1)
        #expect(try Self.numbers(copy.path) == Self.numbers(original))
    }

    @Test("a tensor that is missing is named in every naming")
    func missing() throws {
        for family in QwenGoldens.families {
            let copy = try CheckpointDirectory()
            try copy.write(QwenGoldens.text(family, "hf-bf16/config.json"), to: "config.json")
            let tensors = try Self.tensors(QwenGoldens.path(family, "hf-bf16")).filter {
                !$0.name.hasSuffix("blocks.2.attn.proj.bias")
            }
            try Self.write(tensors, to: copy, shards: 1)
            #expect {
                _ = try Self.numbers(copy.path)
            } throws: { error in
                "\(error)".contains("'vision.blocks.2.attn.proj.bias': expected one of")
                    && "\(error)".contains("'visual.blocks.2.attn.proj.bias'")
                    && "\(error)".contains("'model.visual.blocks.2.attn.proj.bias'")
            }
        }
    }

    private struct Tensor {
        var name: String
        var type: String
        let shape: [Int]
        var bytes: [UInt8]

        var isTable: Bool { name.hasSuffix("embed_tokens.weight") }
    }

    private static let raw = [
        ("visual.", "model.visual."), ("model.visual.", "model.visual."),
        ("model.language_model.", "model.language_model."), ("model.", "model.language_model."),
    ]
    private static let published = [
        ("model.visual.", "visual."), ("visual.", "visual."),
        ("model.language_model.", "model."), ("model.", "model."),
    ]

    private static func rename(_ tensor: Tensor, _ names: [(String, String)]) -> Tensor {
        var tensor = tensor
        if let (old, new) = names.first(where: { tensor.name.hasPrefix($0.0) }) {
            tensor.name = new + tensor.name.dropFirst(old.count)
        }
        return tensor
    }

    /// bf16 → f32, which every number survives.
    private static func widen(_ tensor: Tensor) -> Tensor {
        var tensor = tensor
        tensor.type = "F32"
        tensor.bytes = stride(from: 0, to: tensor.bytes.count, by: 2).flatMap { index in
            [0, 0, tensor.bytes[index], tensor.bytes[index + 1]]
        }
        return tensor
    }

    private static func tensors(_ directory: String) throws -> [Tensor] {
        let checkpoint = try Checkpoint(directory: directory)
        return checkpoint.tensorNames.compactMap { name in
            checkpoint.tensor(name).map {
                Tensor(name: name, type: $0.type, shape: $0.shape, bytes: Array($0.bytes))
            }
        }
    }

    private static func write(
        _ tensors: [Tensor],
        to directory: CheckpointDirectory,
        shards: Int
    ) throws {
        var map: [String] = []
        for shard in 0..<shards {
            let file =
                shards == 1
                ? "model.safetensors" : "model-0000\(shard + 1)-of-0000\(shards).safetensors"
            var (entries, data): ([String], [UInt8]) = ([], [])
            for (index, tensor) in tensors.enumerated() where index % shards == shard {
                let range = [data.count, data.count + tensor.bytes.count]
                entries.append(
                    "\"\(tensor.name)\": {\"dtype\": \"\(tensor.type)\", \"shape\": "
                        + "\(tensor.shape), \"data_offsets\": \(range)}"
                )
                data += tensor.bytes
                map.append("\"\(tensor.name)\": \"\(file)\"")
            }
            let header = "{\(entries.joined(separator: ", "))}"
            try directory.write(
                CheckpointDirectory.safetensors(header: header, data: data),
                to: file
            )
        }
        if shards > 1 {
            try directory.write(
                "{\"weight_map\": {\(map.joined(separator: ", "))}}",
                to: "model.safetensors.index.json"
            )
        }
    }

    /// What a model makes of a picture and a few tokens around it.
    private static func numbers(_ directory: String) throws -> [Float] {
        let pool = ComputeThreadPool(threads: 1, name: "test")
        let model = try VisionLanguageModel(directory: directory, positions: 64, pool: pool)
        guard case .qwen(let tower) = model.visual else { return [] }
        let count = 4 * 6 * tower.config.patchValues
        let features = tower.encode(
            PicturePatches(
                rows: 4,
                columns: 6,
                pixels: (0..<count).map { Float(($0 * 7919) % 511) / 255 - 1 }
            ),
            activations: QwenVisionActivations(
                config: tower.config,
                hiddenSize: tower.hiddenSize
            ),
            pool: pool,
            interrupt: {}
        )
        var input = ModelInput()
        input.append(tokens: [1, 2])
        input.append(image: features, key: "")
        input.append(tokens: [3, 4, 5])
        let activations = TextActivations(decoder: model.decoder, rowCapacity: input.count)
        model.decoder.forward(
            input,
            0..<input.count,
            sequence: SequenceState(config: model.config.text, capacity: input.count),
            activations: activations,
            pool: pool,
            interrupt: {}
        )
        return Array(
            model.decoder.logits(ofRow: input.count - 1, activations: activations, pool: pool)
        )
    }
}
