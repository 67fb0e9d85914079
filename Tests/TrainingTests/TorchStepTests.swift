import Foundation
import JSONReading
import TensorKernels
import Testing
import Transformer

@testable import Training

@Suite("steps of AdamW equal PyTorch's")
struct TorchStepTests {
    private static let golden = TrainingSamples.goldens + "/training"

    @Test("two clipped steps over an anyres picture, a padded pair and a video")
    func steps() throws {
        let directory = Self.golden + "/model"
        let layout = try ParameterLayout(checkpointDirectory: directory)
        let parameters = try ParameterBuffer(layout: layout, checkpointDirectory: directory)
        let pool = ComputeThreadPool(threads: 2, name: "test")
        let model = TrainableModel(config: layout.config, parameters: parameters, pool: pool)
        let optimizer = AdamWOptimizer(
            layout: layout,
            settings: try AdamWSettings(
                beta1: 0.9,
                beta2: 0.95,
                epsilon: 1e-4,
                weightDecay: 0.1,
                maximumNorm: 0.5
            )
        )
        let document = try JSONReader.read(Self.bytes("steps.json"))
        let batch = try Self.batch(document, config: layout.config)
        for step in try elements(document["steps"]) {
            let outcome = try model.accumulateGradients(batch)
            #expect(abs(outcome.loss - (try number(step["loss"]))) < 2e-5)
            let losses = try elements(step["branch_losses"]).map { try number($0) }
            #expect(outcome.branchLosses.count == losses.count)
            for (mine, theirs) in zip(outcome.branchLosses, losses) {
                #expect(abs(mine - theirs) < 2e-5)
            }
            for entry in layout.entries {
                let expected = try number(step["norms"]?[entry.name])
                let base = model.gradients.base + entry.offset
                let square = (0..<entry.count).reduce(0.0) { $0 + Double(base[$1] * base[$1]) }
                #expect(
                    abs(square.squareRoot() - expected) < 1e-4 * expected + 2e-6,
                    "\(entry.name): \(square.squareRoot()), expected \(expected)"
                )
            }
            let update = optimizer.update(
                parameters: parameters.values,
                gradients: model.gradients,
                learningRate: Float(try number(step["rate"])),
                pool: pool
            )
            #expect(update.isApplied)
            let norm = try number(step["norm"])
            #expect(abs(update.gradientNorm - norm) < 1e-4 * norm)
        }
        try compareAfter(parameters)
    }

    /// The parameters after the second step. A step moves a number by up to 0.01.
    private func compareAfter(_ parameters: ParameterBuffer) throws {
        let scratch = try ScratchDirectory()
        let files = FileManager.default
        try files.copyItem(
            atPath: Self.golden + "/after.safetensors",
            toPath: scratch.path + "/model.safetensors"
        )
        try files.copyItem(
            atPath: Self.golden + "/model/config.json",
            toPath: scratch.path + "/config.json"
        )
        let expected = try ParameterBuffer(
            layout: parameters.layout,
            checkpointDirectory: scratch.path
        )
        for entry in parameters.layout.entries {
            let (mine, theirs) = (parameters.values.base, expected.values.base)
            let worst = (entry.offset..<entry.offset + entry.count).map {
                abs(mine[$0] - theirs[$0])
            }
            .max()
            #expect((worst ?? 1) < 2e-5, "\(entry.name): \(worst ?? 1)")
        }
    }

    private static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(filePath: golden + "/" + name)))
    }

    private static func batch(_ document: JSONNode, config: LlavaConfig) throws -> TrainingBatch {
        let size = config.vision.imageSize
        let tiles = (0..<(8 * 3 * size * size)).map { Float(Double(($0 * 7919) % 511) / 255 - 1) }
        var images: [BatchImage] = []
        var sequences: [BatchSequence] = []
        for sequence in try elements(document["sequences"]) {
            var prefix: [BatchPiece] = [.tokens(try ids(sequence["before"]))]
            for image in try elements(sequence["images"]) {
                prefix.append(.image(images.count))
                let tiles = try ids(image).map { Int($0) }
                images.append(
                    BatchImage(tiles: tiles, packing: try packing(sequence["size"], tiles.count))
                )
            }
            prefix.append(.tokens(try ids(sequence["after"])))
            let branches = try elements(sequence["branches"]).map { branch in
                BatchBranch(
                    tokens: try ids(branch["tokens"]),
                    targets: try ids(branch["targets"]),
                    weight: Float(try number(branch["weight"]))
                )
            }
            sequences.append(BatchSequence(prefix: prefix, branches: branches))
        }
        return TrainingBatch(tiles: tiles, images: images, sequences: sequences)
    }

    private static func packing(_ size: JSONNode?, _ tiles: Int) throws -> ImageTiles.Packing {
        if size?.text != nil { return .pooledFrames(count: tiles) }
        guard case .array(let sides)? = size else { return .singleTile }
        return .anyres(
            gridRows: 1,
            gridColumns: tiles - 1,
            originalWidth: Int(try number(sides[1])),
            originalHeight: Int(try number(sides[0]))
        )
    }
}

private func elements(_ node: JSONNode?) throws -> [JSONNode] {
    guard case .array(let elements)? = node else { return try #require(nil as [JSONNode]?) }
    return elements
}

private func number(_ node: JSONNode?) throws -> Double { try #require(node?.double) }

private func ids(_ node: JSONNode?) throws -> [Int32] {
    try elements(node).map { Int32(try number($0)) }
}
