import Foundation
import JSONReading
import TensorKernels
import Testing
import Transformer

@testable import Training

@Suite("model directories")
struct ModelDirectoryTests {
    private static let base = TrainingSamples.goldens + "/llava_ov/hf-bf16"

    @Test("a checkpoint read and written again has the same tensors, names and texts")
    func roundTrip() throws {
        let directory = try ScratchDirectory()
        let saved = directory.path + "/saved"
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        let parameters = try ParameterBuffer(layout: layout, checkpointDirectory: Self.base)
        let writer = ModelDirectoryWriter(baseDirectory: Self.base, type: .bfloat16)
        try writer.write(parameters, to: saved)

        let (old, new) = (
            try Checkpoint(directory: Self.base), try Checkpoint(directory: saved)
        )
        #expect(old.tensorNames == new.tensorNames)
        for name in old.tensorNames {
            let (before, after) = (try #require(old.tensor(name)), try #require(new.tensor(name)))
            #expect(before.shape == after.shape && before.type == after.type)
            #expect(before.bytes.elementsEqual(after.bytes), "\(name)")
        }
        let texts = try FileManager.default.contentsOfDirectory(atPath: Self.base)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: saved).sorted() == texts.sorted()
        )
        let header = try Data(contentsOf: URL(filePath: saved + "/model.safetensors"))
        #expect(header[0] % 8 == 0)
    }

    @Test("a model of a family that cannot be trained is refused by its name")
    func otherFamilies() {
        for family in ["qwen2_5_vl", "qwen3_vl"] {
            #expect {
                try ParameterLayout(
                    checkpointDirectory: TrainingSamples.goldens + "/\(family)/hf-bf16"
                )
            } throws: { error in
                "\(error)".contains("config.json: model_type: expected 'llava_onevision' or")
                    && "\(error)".contains("got '\(family)'")
            }
        }
    }

    @Test("the original naming is read and kept")
    func originalNaming() throws {
        let source = TrainingSamples.goldens + "/llava_ov/orig-bf16-sharded"
        let directory = try ScratchDirectory()
        let saved = directory.path + "/saved"
        let layout = try ParameterLayout(checkpointDirectory: source)
        let parameters = try ParameterBuffer(layout: layout, checkpointDirectory: source)
        try ModelDirectoryWriter(baseDirectory: source, type: .bfloat16).write(
            parameters,
            to: saved
        )
        let (old, new) = (try Checkpoint(directory: source), try Checkpoint(directory: saved))
        for name in new.tensorNames where !name.contains("post_layernorm") {
            let after = try #require(new.tensor(name))
            let before = try #require(old.tensor(name), "\(name)")
            #expect(before.bytes.elementsEqual(after.bytes), "\(name)")
        }
        let again = try ParameterBuffer(layout: layout, checkpointDirectory: saved)
        #expect(
            (0..<layout.count).allSatisfy { again.values.base[$0] == parameters.values.base[$0] }
        )
    }

    @Test("the configuration names the type of the new weights", arguments: SavedType.allCases)
    func configuration(type: SavedType) throws {
        let directory = try ScratchDirectory()
        let saved = directory.path + "/saved"
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        try ModelDirectoryWriter(baseDirectory: Self.base, type: type).write(
            ParameterBuffer(layout: layout, seed: 1),
            to: saved
        )
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: saved + "/config.json")))
        let document = try JSONReader.read(bytes)
        #expect(document["torch_dtype"]?.text == type.configName)
        #expect(document["text_config"]?["torch_dtype"]?.text == type.configName)
        _ = try VisionLanguageModel(
            directory: saved,
            positions: 8,
            pool: ComputeThreadPool(threads: 1, name: "test")
        )
    }

    @Test("a directory that is there is replaced whole, and leftovers are cleared away")
    func replacing() throws {
        let directory = try ScratchDirectory()
        let saved = directory.path + "/saved"
        try FileManager.default.createDirectory(
            atPath: saved + ".partial/deep",
            withIntermediateDirectories: true
        )
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        let writer = ModelDirectoryWriter(baseDirectory: Self.base, type: .float32)
        for seed in [1, 2] as [UInt64] {
            try writer.write(ParameterBuffer(layout: layout, seed: seed), to: saved)
        }
        let expected = ParameterBuffer(layout: layout, seed: 2)
        let found = try ParameterBuffer(layout: layout, checkpointDirectory: saved)
        #expect((0..<layout.count).allSatisfy { found.values.base[$0] == expected.values.base[$0] })
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["saved"])
    }

    @Test("a base that is not there is refused and nothing is left")
    func missingBase() throws {
        let directory = try ScratchDirectory()
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        let writer = ModelDirectoryWriter(baseDirectory: directory.path + "/none", type: .float32)
        #expect(throws: TrainingError.self) {
            try writer.write(ParameterBuffer(layout: layout, seed: 1), to: directory.path + "/s")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test("bf16 rounds to nearest, ties to even, and keeps what is not a number")
    func rounding() {
        for value in [0, -0.0, 1, 1.00390625, 1.01171875, 3.4e38, .infinity] as [Float] {
            let low = Float(bitPattern: value.bitPattern & 0xFFFF_0000)
            let high = Float(bitPattern: (value.bitPattern & 0xFFFF_0000) &+ 0x1_0000)
            let rounded = Float(bitPattern: UInt32(bfloat16Bits(value)) << 16)
            #expect(rounded == low || rounded == high)
            guard value.isFinite, high.isFinite else { continue }
            #expect(abs(rounded - value) <= min(abs(low - value), abs(high - value)))
        }
        #expect(bfloat16Bits(1.00390625) == 0x3F80)
        #expect(bfloat16Bits(1.01171875) == 0x3F82)
        #expect(Float(bitPattern: UInt32(bfloat16Bits(.nan)) << 16).isNaN)
        #expect(Float(bitPattern: UInt32(bfloat16Bits(Float(bitPattern: 0x7F80_0001))) << 16).isNaN)
    }

    @Test("random models are equal for equal seeds and lively in every matrix")
    func randomModel() throws {
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        let (one, two) = (
            ParameterBuffer(layout: layout, seed: 5), ParameterBuffer(layout: layout, seed: 5)
        )
        #expect((0..<layout.count).allSatisfy { one.values.base[$0] == two.values.base[$0] })
        for entry in layout.entries where entry.shape.count > 1 {
            let values = try #require(one.tensor(entry.name))
            let square = values.reduce(0.0) { $0 + Double($1 * $1) } / Double(values.count)
            guard case .normal(let deviation) = entry.start else { continue }
            #expect(abs(square.squareRoot() / Double(deviation) - 1) < 0.15, "\(entry.name)")
        }
    }

    @Test("places of patches start as waves that are near for neighbours")
    func waves() throws {
        let width = 8
        var rows = [Float](repeating: 9, count: 9 * width)
        rows.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            GridWaves(width: width).write(side: 3, to: base)
        }
        func distance(_ one: Int, _ other: Int) -> Float {
            (0..<width).reduce(0) { sum, column in
                let difference = rows[one * width + column] - rows[other * width + column]
                return sum + difference * difference
            }
        }
        #expect(Array(rows[0..<width]) == [0, 0, 0.5, 0.5, 0, 0, 0.5, 0.5])
        #expect(abs(distance(0, 1) - distance(4, 5)) < 1e-5)
        #expect(abs(distance(0, 1) - distance(0, 3)) < 1e-5)
        #expect(distance(0, 1) < distance(0, 4))
    }

    @Test("a new model takes from another what has the same name and shape")
    func taken() throws {
        let directory = try ScratchDirectory()
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        let other = ParameterBuffer(layout: layout, seed: 5)
        let saved = directory.path + "/other"
        try ModelDirectoryWriter(baseDirectory: Self.base, type: .float32).write(other, to: saved)

        let wider = ParameterLayout(
            config: layout.config,
            vocabularySize: layout.vocabularySize + 8
        )
        let parameters = ParameterBuffer(layout: wider, seed: 6)
        let fresh = ParameterBuffer(layout: wider, seed: 6)
        let count = try parameters.take(from: saved)
        var expected = 0
        for entry in wider.entries {
            let numbers = try #require(parameters.tensor(entry.name))
            let known = try #require(other.tensor(entry.name))
            let isTaken = numbers.count == known.count
            if isTaken { expected += numbers.count }
            let source = try isTaken ? known : #require(fresh.tensor(entry.name))
            #expect(numbers.elementsEqual(source), "\(entry.name)")
        }
        #expect(count == expected && count < wider.parameterCount)
        #expect(throws: TrainingError.self) { try parameters.take(from: directory.path) }
    }

    @Test("a layer that the other model lacks adds nothing at first")
    func deepened() throws {
        let directory = try ScratchDirectory()
        let layout = try ParameterLayout(checkpointDirectory: Self.base)
        let shallow = directory.path + "/shallow"
        try ModelDirectoryWriter(baseDirectory: Self.base, type: .float32)
            .write(ParameterBuffer(layout: layout, seed: 5), to: shallow)
        let like = directory.path + "/like"
        try FileManager.default.copyItem(atPath: Self.base, toPath: like)
        let path = like + "/config.json"
        let layers = layout.config.text.layerCount
        let config = try String(contentsOfFile: path, encoding: .utf8).replacing(
            #/"num_hidden_layers": \d+/#,
            with: "\"num_hidden_layers\": \(layers + 2)",
            maxReplacements: 1
        )
        try config.write(toFile: path, atomically: true, encoding: .utf8)
        let deep = ParameterLayout(
            config: try LlavaConfig(trainable: like),
            vocabularySize: layout.vocabularySize
        )
        #expect(deep.config.text.layerCount == layers + 2)
        let parameters = ParameterBuffer(layout: deep, seed: 6)
        _ = try parameters.take(from: shallow)
        for layer in 0..<layers + 2 {
            for name in ["self_attn.o_proj", "mlp.down_proj"] {
                let numbers = try #require(parameters.tensor("text.layers.\(layer).\(name).weight"))
                #expect(numbers.allSatisfy { $0 == 0 } == (layer >= layers), "\(layer) \(name)")
            }
            let queries = try #require(
                parameters.tensor("text.layers.\(layer).self_attn.q_proj.weight")
            )
            #expect(queries.contains { $0 != 0 })
        }
    }
}
