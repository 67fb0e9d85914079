import Foundation
import Hashing
import TensorKernels
import Testing
import Transformer

@testable import Training

@Suite("training state")
struct TrainingStateTests {
    private let run = SHA256.digest("run".utf8)

    /// A tiny model in training.
    private struct Session {
        let model: TrainableModel
        let optimizer: AdamWOptimizer
        let batch: TrainingBatch
        let pool = ComputeThreadPool(threads: 1, name: "test")

        init(directory: ScratchDirectory, seed: UInt64) throws {
            let config = try TrainingSamples.config(tied: true, directory: directory)
            let layout = ParameterLayout(
                config: config,
                vocabularySize: TrainingSamples.vocabulary
            )
            model = TrainableModel(
                config: config,
                parameters: TrainingSamples.parameters(layout, seed: seed),
                pool: pool
            )
            optimizer = AdamWOptimizer(
                layout: layout,
                settings: try AdamWSettings(weightDecay: 0.1)
            )
            batch = TrainingSamples.batch(config, seed: 50)
        }

        var numbers: TrainedNumbers {
            TrainedNumbers(parameters: model.parameters, optimizer: optimizer)
        }

        var bits: [UInt32] {
            numbers.buffers.flatMap { buffer in
                (0..<buffer.count).map { buffer.base[$0].bitPattern }
            }
        }

        func train(steps: Int) throws {
            for _ in 0..<steps {
                _ = try model.accumulateGradients(batch)
                _ = optimizer.update(
                    parameters: model.parameters.values,
                    gradients: model.gradients,
                    learningRate: 0.01,
                    pool: pool
                )
            }
        }
    }

    @Test("a run that stopped and went on has the bits of one that did not")
    func resume() throws {
        let directory = try ScratchDirectory()
        let path = directory.path + "/state"
        let straight = try Session(directory: directory, seed: 1)
        try straight.train(steps: 5)

        let first = try Session(directory: directory, seed: 1)
        try first.train(steps: 2)
        let state = TrainingState(step: 2, callerBytes: [7, 8, 9])
        try state.write(to: path, run: run, numbers: first.numbers)
        let second = try Session(directory: directory, seed: 99)
        #expect(try TrainingState(from: path, run: run, into: second.numbers) == state)
        #expect(second.optimizer.step == 2)
        #expect(second.bits == first.bits)
        try second.train(steps: 3)
        #expect(second.bits == straight.bits)
    }

    @Test("is replaced whole, and leaves nothing else behind")
    func replacing() throws {
        let directory = try ScratchDirectory()
        let path = directory.path + "/state"
        let session = try Session(directory: directory, seed: 2)
        for step in 1...3 {
            try session.train(steps: 1)
            try TrainingState(step: step, callerBytes: []).write(
                to: path,
                run: run,
                numbers: session.numbers
            )
        }
        #expect(try TrainingState(from: path, run: run, into: session.numbers).step == 3)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        #expect(names == ["config.json", "state"])
        let size = try directory.bytes(of: "state").count
        #expect(size == TrainingState.byteCount(count: session.numbers.parameters.count))
    }

    @Test("a full disk gives a sentence and leaves the last state whole")
    func fullDisk() throws {
        let directory = try ScratchDirectory()
        let path = directory.path + "/state"
        let session = try Session(directory: directory, seed: 3)
        let state = TrainingState(step: 1, callerBytes: [1])
        try state.write(to: path, run: run, numbers: session.numbers)
        // Every write to this device fails for want of space.
        try FileManager.default.createSymbolicLink(
            atPath: path + ".tmp",
            withDestinationPath: "/dev/full"
        )
        #expect {
            try TrainingState(step: 2, callerBytes: []).write(
                to: path,
                run: run,
                numbers: session.numbers
            )
        } throws: { error in
            "\(error)".contains("No space left on device")
        }
        #expect(try TrainingState(from: path, run: run, into: session.numbers) == state)
        #expect(throws: TrainingError.self) {
            try state.write(to: directory.path + "/absent/s", run: run, numbers: session.numbers)
        }
    }

    @Test("another run, another model and a missing file are refused by name")
    func strangers() throws {
        let directory = try ScratchDirectory()
        let path = directory.path + "/state"
        let session = try Session(directory: directory, seed: 4)
        let state = TrainingState(step: 1, callerBytes: [])
        try state.write(to: path, run: run, numbers: session.numbers)
        #expect {
            let other = SHA256.digest("other".utf8)
            _ = try TrainingState(from: path, run: other, into: session.numbers)
        } throws: { "\($0)".contains("another") || "\($0)".contains("other data") }
        let small = AdamWOptimizer(count: 16, decayingCount: 0, settings: try AdamWSettings())
        let stranger = TrainedNumbers(
            parameters: FloatBuffer(count: 16),
            layout: run,
            optimizer: small
        )
        #expect(throws: TrainingError.self) {
            _ = try TrainingState(from: path, run: run, into: stranger)
        }
        #expect(!TrainingState.isPresent(at: path + "x"))
        #expect(throws: TrainingError.self) {
            _ = try TrainingState(from: path + "x", run: run, into: session.numbers)
        }
    }

    @Test("a file cut short or changed anywhere is refused and changes nothing", arguments: 0..<4)
    func hostile(seed: UInt64) throws {
        let directory = try ScratchDirectory()
        let numbers = TrainedNumbers(
            parameters: FloatBuffer(count: 48),
            layout: SHA256.digest("layout".utf8),
            optimizer: AdamWOptimizer(
                count: 48,
                decayingCount: 16,
                settings: try AdamWSettings()
            )
        )
        var random = SeededNumbers(state: seed)
        for buffer in numbers.buffers {
            for place in 0..<buffer.count { buffer.base[place] = random.uniform() }
        }
        let path = directory.path + "/state"
        try TrainingState(step: 3, callerBytes: [1, 2, 3]).write(
            to: path,
            run: run,
            numbers: numbers
        )
        let good = try directory.bytes(of: "state")
        let before = numbers.buffers.flatMap { buffer in (0..<48).map { buffer.base[$0] } }
        for round in 0..<150 {
            var bad = good
            switch Int.random(in: 0..<4, using: &random) {
            case 0: bad.removeLast(Int.random(in: 1...bad.count, using: &random))
            case 1: bad.append(contentsOf: [0, 1, 2])
            case 2:
                // The counts of the header, which decide what is read.
                let place = Int.random(in: 88..<120, using: &random)
                bad[place] ^= UInt8.random(in: 1...255, using: &random)
            default:
                let place = Int.random(in: 0..<bad.count, using: &random)
                bad[place] ^= 1 << Int.random(in: 0..<8, using: &random)
            }
            try Data(bad).write(to: URL(filePath: path))
            #expect(throws: TrainingError.self, "seed \(seed), round \(round)") {
                _ = try TrainingState(from: path, run: run, into: numbers)
            }
        }
        let after = numbers.buffers.flatMap { buffer in (0..<48).map { buffer.base[$0] } }
        #expect(before == after)
    }
}
