import TensorKernels
import Testing
import Transformer

@testable import Training

@Suite("training computes what inference computes")
struct EngineAgreementTests {
    @Test("the loss of every branch is that of the engine's logits", arguments: [21, 22, 23])
    func losses(seed: UInt64) throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: seed == 22, directory: directory)
        let layout = ParameterLayout(
            config: config,
            vocabularySize: TrainingSamples.vocabulary
        )
        let parameters = TrainingSamples.parameters(layout, seed: seed)
        let saved = directory.path + "/saved"
        try ModelDirectoryWriter(baseDirectory: directory.path, type: .float32).write(
            parameters,
            to: saved
        )
        let pool = ComputeThreadPool(threads: 2, name: "test")
        let engine = try VisionLanguageModel(directory: saved, positions: 512, pool: pool)
        let model = TrainableModel(config: config, parameters: parameters, pool: pool)
        let batch = TrainingSamples.batch(config, seed: seed)
        let outcome = try model.evaluate(batch)
        var branchIndex = 0
        for sequence in batch.sequences {
            for branch in sequence.branches {
                let expected = try engineLoss(engine, batch, sequence, branch, pool)
                #expect(
                    abs(outcome.branchLosses[branchIndex] - expected.loss) < 1e-4,
                    "seed \(seed), branch \(branchIndex)"
                )
                #expect(outcome.branchCorrect[branchIndex] == expected.isCorrect)
                branchIndex += 1
            }
        }
        #expect(branchIndex == outcome.branchLosses.count)
    }

    /// Mean of −log p over the targets of a branch, row by row through the inference engine.
    private func engineLoss(
        _ engine: VisionLanguageModel,
        _ batch: TrainingBatch,
        _ sequence: BatchSequence,
        _ branch: BatchBranch,
        _ pool: ComputeThreadPool
    ) throws -> (loss: Double, isCorrect: Bool) {
        var input = ModelInput()
        for piece in sequence.prefix {
            switch piece {
            case .tokens(let ids): input.append(tokens: ids)
            case .image(let index):
                input.append(image: try features(engine, batch, index, pool), key: "")
            }
        }
        let start = input.count
        input.append(tokens: branch.tokens)
        let activations = TextActivations(decoder: engine.decoder, rowCapacity: input.count)
        engine.decoder.forward(
            input,
            0..<input.count,
            sequence: SequenceState(config: engine.config.text, capacity: input.count),
            activations: activations,
            pool: pool,
            interrupt: {}
        )
        var (sum, count, right) = (0.0, 0, 0)
        for (offset, target) in branch.targets.enumerated() where target >= 0 {
            let logits = Array(
                engine.decoder.logits(ofRow: start + offset, activations: activations, pool: pool)
            )
            let soft = rowLogSoftmax(logits, count: logits.count)
            sum += Double(soft.logSumExp - logits[Int(target)])
            right += logits[Int(target)] == soft.max ? 1 : 0
            count += 1
        }
        return (count > 0 ? sum / Double(count) : 0, count > 0 && right == count)
    }

    private func features(
        _ engine: VisionLanguageModel,
        _ batch: TrainingBatch,
        _ index: Int,
        _ pool: ComputeThreadPool
    ) throws -> ImageFeatures {
        let image = batch.images[index]
        let llava = try #require(engine.llava)
        let size = llava.config.vision.imageSize
        let floats = 3 * size * size
        let tiles = ImageTiles(
            tileCount: image.tiles.count,
            pixels: image.tiles.flatMap { batch.tiles[$0 * floats..<($0 + 1) * floats] },
            packing: image.packing
        )
        return llava.encodeImage(
            tiles,
            activations: VisionActivations(
                config: llava.config.vision,
                hiddenSize: engine.config.text.hiddenSize
            ),
            pool: pool,
            interrupt: {}
        )
    }

    @Test("pictures of any size take as many rows as the engine gives them", arguments: 0..<4)
    func rowCounts(seed: UInt64) throws {
        var numbers = SeededNumbers(state: seed)
        for _ in 0..<200 {
            let packing = ImagePacking(
                gridSide: Int.random(in: 1...27, using: &numbers),
                maximumTiles: Int.random(in: 1...9, using: &numbers),
                rounding: Bool.random(using: &numbers) ? .truncated : .sevenDecimals
            )
            let rows = Int.random(in: 1...6, using: &numbers)
            let columns = Int.random(in: 1...6, using: &numbers)
            let image = BatchImage(
                tiles: Array(0...(rows * columns)),
                packing: .anyres(
                    gridRows: rows,
                    gridColumns: columns,
                    originalWidth: Int.random(in: 1...2000, using: &numbers),
                    originalHeight: Int.random(in: 1...2000, using: &numbers)
                )
            )
            var count = 0
            let patches = Int32(packing.gridSide * packing.gridSide * image.tiles.count)
            FeatureRows(packing: packing).forEachRow(of: image) { taps in
                count += 1
                #expect(taps.allSatisfy { $0.row >= 0 && $0.row < patches })
                let sum = taps.reduce(0) { $0 + $1.weight }
                #expect(taps.isEmpty || abs(sum - 1) < 1e-5)
            }
            #expect(count == packing.tokenCount(of: image.packing), "seed \(seed), \(image)")
        }
    }
}
