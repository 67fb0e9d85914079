import Inference
import Logging
import TensorKernels
import Testing
import Transformer

/// The precisions of the weights: what they change, and what they must not.
@Suite("Precisions of the weights")
struct PrecisionTests {
    private func options(
        _ precision: WeightPrecision,
        threads: Int = 1,
        prefillRows: Int = 64
    ) -> EngineOptions {
        var options = TinyModel.options(threads: threads, prefillRows: prefillRows)
        options.precision = precision
        return options
    }

    private func probabilities(_ options: EngineOptions) async throws -> [[Double]] {
        let engine = try TinyModel.makeEngine(options)
        var result: [[Double]] = []
        for seed in [1, 2, 1] as [UInt64] {
            let response = try await engine.choose(
                ChooseRequest(
                    prompt: TinyModel.prompt(seed: seed),
                    answerPrefix: "Image ",
                    choices: ["1", "2", "12"]
                )
            )
            result.append(response.probabilities.map { Double($0) })
        }
        return result
    }

    @Test(
        "quantised weights give the same bits whatever the threads and prefill steps",
        arguments: [WeightPrecision.int8, .int4]
    )
    func reproducible(precision: WeightPrecision) async throws {
        let reference = try await probabilities(options(precision, prefillRows: 2048))
        for (threads, rows) in [(1, 1), (1, 7), (2, 64), (3, 2048)] {
            #expect(
                try await probabilities(options(precision, threads: threads, prefillRows: rows))
                    == reference,
                "\(threads) threads, \(rows) rows"
            )
        }
    }

    @Test("weights widened to f32, and bf16 kept as bf16, give the bits of stored ones")
    func exact() async throws {
        let stored = try await probabilities(options(.stored))
        #expect(try await probabilities(options(.float32)) == stored)
        #expect(try await probabilities(options(.bfloat16)) == stored)
    }

    @Test("fewer bits are further from the stored weights, and not far")
    func closeness() async throws {
        let stored = try await probabilities(options(.stored))
        let distance = { (other: [[Double]]) in
            zip(stored.joined(), other.joined()).map { abs($0 - $1) }.max() ?? 0
        }
        let bytes = distance(try await probabilities(options(.int8)))
        let halves = distance(try await probabilities(options(.int4)))
        #expect(bytes > 0 && bytes < 0.2)
        #expect(halves > bytes && halves < 0.7)
    }

    @Test("each precision has an identity of its own; that of stored weights is what it always was")
    func identities() throws {
        let identities = try WeightPrecision.allCases.map {
            try EngineBlueprint(directory: TinyModel.huggingFace, options: options($0)).identity
        }
        #expect(Set(identities).count == identities.count)
        let stored = try EngineBlueprint(
            directory: TinyModel.huggingFace,
            options: TinyModel.options()
        ).identity
        #expect(identities.contains(stored) && !stored.contains("weights="))
    }

    @Test("memory is accounted as it will be taken")
    func memory() throws {
        let weights = try WeightPrecision.allCases.map { precision in
            (
                precision,
                try EngineBlueprint(directory: TinyModel.huggingFace, options: options(precision))
                    .memory.weights
            )
        }
        let bytes = Dictionary(uniqueKeysWithValues: weights)
        let stored = try #require(bytes[.stored])
        // Every matrix of this checkpoint is bf16, and panels are filled up to 16 outputs.
        #expect((stored...(stored + stored / 8)).contains(try #require(bytes[.bfloat16])))
        #expect(try #require(bytes[.float32]) > stored)
        #expect(try #require(bytes[.int4]) < #require(bytes[.int8]))
    }

    @Test("a pool loads a model in its own precision, others in that of the pool")
    func pool() async throws {
        let pool = EnginePool(
            memoryBudget: .max,
            options: options(.bfloat16),
            logger: Logger(sink: RecordingLogSink())
        )
        await pool.register(name: "own", directory: TinyModel.huggingFace, precision: .int8)
        await pool.register(name: "common", directory: TinyModel.huggingFace)
        #expect(try await pool.engine(named: "own").identity.contains("weights=int8:"))
        #expect(try await pool.engine(named: "common").identity.contains("weights=bf16"))
        await pool.replace(name: "common", directory: TinyModel.huggingFace, precision: .int4)
        #expect(try await pool.engine(named: "common").identity.contains("weights=int4:"))
        await pool.shutDown()
    }
}
