import TensorKernels
import Testing
import Transformer

@testable import Training

/// What is wrong with a batch, and what the sentence must name.
struct BatchFault: Sendable, CustomTestStringConvertible {
    let name: String
    let spoil: @Sendable (inout TrainingBatch) -> Void
    var testDescription: String { name }
}

@Suite("batches are checked before anything is computed")
struct BatchCheckTests {
    private static let samples: [BatchFault] = [
        BatchFault(name: "tiles") { $0.tiles.removeLast() },
        BatchFault(name: "images[0]") { $0.images[0].tiles.removeLast() },
        BatchFault(name: "images[2]") { $0.images[2].tiles = [7] },
        BatchFault(name: "images[2]") { $0.images[2].tiles = [-1] },
        BatchFault(name: "images[4]") { $0.images[4].packing = .pooledFrames(count: -3) },
        BatchFault(name: "images[0]") {
            $0.images[0].packing = .anyres(
                gridRows: .max,
                gridColumns: .max,
                originalWidth: 1,
                originalHeight: 1
            )
        },
        BatchFault(name: "images[0]") {
            $0.images[0].packing = .anyres(
                gridRows: 1,
                gridColumns: 2,
                originalWidth: 0,
                originalHeight: 1
            )
        },
        BatchFault(name: "sequences") { $0.sequences = [] },
        BatchFault(name: "sequences[0].prefix") { $0.sequences[0].prefix = [.image(6)] },
        BatchFault(name: "sequences[0].prefix") { $0.sequences[0].prefix = [.tokens([40])] },
        BatchFault(name: "sequences[0].prefix") { $0.sequences[0].prefix = [.tokens([-1])] },
        BatchFault(name: "sequences[1].branches[0].tokens") {
            $0.sequences[1].branches[0].tokens[0] = 1000
        },
        BatchFault(name: "sequences[1].branches[0].targets") {
            $0.sequences[1].branches[0].targets[0] = -2
        },
        BatchFault(name: "sequences[1].branches[0]") { $0.sequences[1].branches[0].targets = [] },
        BatchFault(name: "sequences[1].branches[0].weight") {
            $0.sequences[1].branches[0].weight = -1
        },
        BatchFault(name: "sequences[1].branches[0].weight") {
            $0.sequences[1].branches[0].weight = .nan
        },
        BatchFault(name: "sequences[3]") {
            $0.sequences[3].prefix = [.tokens([Int32](repeating: 1, count: 600))]
        },
        BatchFault(name: "sequences[3]") {
            $0.sequences[3] = BatchSequence(prefix: [], branches: [])
        },
    ]

    @Test("each fault is named", arguments: samples)
    func naming(_ fault: BatchFault) throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let layout = ParameterLayout(config: config, vocabularySize: TrainingSamples.vocabulary)
        var batch = TrainingSamples.batch(config, seed: 1)
        try batch.check(against: layout)
        fault.spoil(&batch)
        #expect {
            try batch.check(against: layout)
        } throws: { error in
            "\(error)".hasPrefix("batch: \(fault.name): expected ")
        }
    }

    @Test("a batch without targets, pictures or weight has loss 0 and no gradient")
    func nothingToLearn() throws {
        let directory = try ScratchDirectory()
        let config = try TrainingSamples.config(tied: true, directory: directory)
        let layout = ParameterLayout(config: config, vocabularySize: TrainingSamples.vocabulary)
        let model = TrainableModel(
            config: config,
            parameters: TrainingSamples.parameters(layout, seed: 1),
            pool: ComputeThreadPool(threads: 1, name: "test")
        )
        let silent = BatchBranch(tokens: [1, 2], targets: [-1, -1], weight: 1)
        let weightless = BatchBranch(tokens: [1, 2], targets: [2, 3], weight: 0)
        for branches in [[silent], [weightless], [], [silent, weightless]] {
            let batch = TrainingBatch(
                tiles: [],
                images: [],
                sequences: [BatchSequence(prefix: [.tokens([5])], branches: branches)]
            )
            let outcome = try model.accumulateGradients(batch)
            #expect(outcome.loss == 0)
            #expect(outcome.branchLosses.count == branches.count)
            #expect((0..<layout.count).allSatisfy { model.gradients.base[$0] == 0 })
        }
    }
}
