import FoundationEssentials
import Glibc
import Inference
import Testing
import Tokenization

/// Tokens are left and weighed as by Hugging Face's processors (`Goldens/make_decoding_goldens.py`), and drawn by
/// numbers that a seed and a place decide.
@Suite("Drawing tokens")
struct TokenSamplerTests {
    private struct Golden: Decodable {
        let cases: [Case]
    }

    private struct Case: Decodable {
        let logits: [Float]
        let context: [Int32]
        let repetition_penalty: Double
        let temperature: Double
        let top_k: Int
        let top_p: Double
        let greedy: Int32
        let probabilities: [String: Double]

        var penalty: Decoding { Decoding(repetitionPenalty: repetition_penalty) }

        var decoding: Decoding {
            var decoding = penalty
            decoding.sampling = Decoding.Sampling(
                temperature: temperature,
                topP: top_p,
                topK: top_k == 0 ? nil : top_k,
                seed: 1
            )
            return decoding
        }
    }

    private static func cases() throws -> [Case] {
        let url = URL(filePath: TinyModel.goldens + "/sampling/decoding.json")
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url)).cases
    }

    @Test("penalty, temperature, top k and top p leave the tokens that transformers leaves")
    func processors() throws {
        let cases = try Self.cases()
        #expect(cases.count == 120)
        for (index, sample) in cases.enumerated() {
            var sampler = TokenSampler(sample.decoding, context: sample.context)
            let shares = try sampler.probabilities(sample.logits)
            for (token, share) in shares.enumerated() {
                let expected = sample.probabilities["\(token)"] ?? 0
                #expect((share == 0) == (expected == 0), "case \(index), token \(token)")
                #expect(abs(share - expected) < 1e-6, "case \(index), token \(token)")
            }
        }
    }

    @Test("the most probable token after the penalty is that of transformers")
    func penalizedGreedy() throws {
        for (index, sample) in try Self.cases().enumerated() {
            var sampler = TokenSampler(sample.penalty, context: sample.context)
            let token = try sample.logits.withUnsafeBufferPointer { try sampler.next($0) }
            #expect(token == sample.greedy, "case \(index)")
        }
    }

    @Test(
        "a token that was chosen is penalised from then on, one of the prompt only if it is to be"
    )
    func penaltyOverTime() throws {
        let logits: [Float] = [2, 1.9, -1]
        func tokens(_ decoding: Decoding, context: [Int32]) throws -> [Int32] {
            var sampler = TokenSampler(decoding, context: context)
            return try (0..<2).map { _ in
                try logits.withUnsafeBufferPointer { try sampler.next($0) }
            }
        }
        #expect(try tokens(Decoding(repetitionPenalty: 1.5), context: []) == [0, 1])
        #expect(try tokens(Decoding(repetitionPenalty: 1.5), context: [0]) == [1, 0])
        #expect(
            try tokens(Decoding(repetitionPenalty: 1.5, penalizesPrompt: false), context: [0])
                == [0, 1]
        )
        #expect(try tokens(.greedy, context: [0]) == [0, 0])
    }

    @Test("a large vocabulary is cut as sorting all of it would cut it", arguments: [3, 4, 5])
    func twin(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        // Steps of a quarter, so that many tokens are equal.
        let logits = (0..<20_000).map { _ in
            Float(Int(random.next() % 60)) / 4 - Float(Int(random.next() % 60)) / 4
        }
        for (topP, topK) in [(0.5, nil), (0.97, nil), (1, 50), (0.9, 700), (1, 19_999)]
            as [(Double, Int?)]
        {
            let sampling = Decoding.Sampling(temperature: 0.7, topP: topP, topK: topK, seed: 1)
            var sampler = TokenSampler(Decoding(sampling: sampling))
            let shares = try sampler.probabilities(logits)
            let kept = shares.indices.filter { shares[$0] > 0 }
            #expect(kept == Self.slowlyKept(logits, 0.7, topP, topK), "\(topP) \(topK ?? 0)")
        }
    }

    /// The tokens that are left, in order, by sorting everything.
    private static func slowlyKept(
        _ logits: [Float],
        _ temperature: Float,
        _ topP: Double,
        _ topK: Int?
    ) -> [Int] {
        let scores = logits.map { $0 / temperature }
        let least = topK.map { scores.sorted(by: >)[$0 - 1] } ?? -.infinity
        var left = scores.indices.filter { scores[$0] >= least }
        guard topP < 1 else { return left }
        let largest = scores.max() ?? 0
        func weight(_ index: Int) -> Double { exp(Double(scores[index]) - Double(largest)) }
        let total = left.reduce(0) { $0 + weight($1) }
        left.sort { (scores[$1], $0) < (scores[$0], $1) }
        var sum = 0.0
        var kept: [Int] = []
        for index in left where sum < topP * total {
            sum += weight(index)
            kept.append(index)
        }
        return kept.sorted()
    }

    @Test("tokens come as often as their probabilities say")
    func frequencies() throws {
        let logits: [Float] = [0, 1, 2, -1, -30, .nan]
        var sampler = TokenSampler(
            Decoding(sampling: Decoding.Sampling(temperature: 0.8, seed: 11))
        )
        let shares = try sampler.probabilities(logits)
        #expect(shares[5] == 0)
        var counts = [Int](repeating: 0, count: logits.count)
        let draws = 40_000
        for _ in 0..<draws {
            counts[Int(try logits.withUnsafeBufferPointer { try sampler.next($0) })] += 1
        }
        for (count, share) in zip(counts, shares) {
            // Five standard deviations, and one token.
            let room = 5 * (Double(draws) * share * (1 - share)).squareRoot() + 1
            #expect(abs(Double(count) - Double(draws) * share) < room, "\(counts) \(shares)")
        }
    }

    @Test("numbers of a seed are those of SplitMix64, place by place")
    func places() {
        for seed in [0, 1, .max, 0x1234_5678_9ABC_DEF0] as [UInt64] {
            var sequence = SplitMix(state: seed)
            for place in 0..<100 as Range<UInt64> {
                let bits = sequence.next()
                #expect(CounterRandom.bits(seed: seed, at: place) == bits)
                let unit = CounterRandom.unit(seed: seed, at: place)
                #expect(unit == Double(bits >> 11) / 0x1p53 && unit < 1)
            }
        }
    }

    @Test("logits without a number are refused, and numbers no answer can be drawn by")
    func refusals() async throws {
        var sampler = TokenSampler(Decoding(sampling: Decoding.Sampling(seed: 1)))
        for logits in [[.nan, -.infinity], [0, .infinity], []] as [[Float]] {
            #expect(throws: InferenceError.notFinite) { try sampler.probabilities(logits) }
        }
        let engine = try TinyModel.makeEngine()
        let wrong = [
            (Decoding(repetitionPenalty: 0), "repetitionPenalty"),
            (Decoding(sampling: Decoding.Sampling(temperature: 0, seed: 1)), "temperature"),
            (Decoding(sampling: Decoding.Sampling(temperature: .nan, seed: 1)), "temperature"),
            (Decoding(sampling: Decoding.Sampling(topP: 1.5, seed: 1)), "topP"),
            (Decoding(sampling: Decoding.Sampling(topK: 0, seed: 1)), "topK"),
        ]
        for (decoding, name) in wrong {
            let request = GenerateRequest(
                prompt: EnginePrompt(content: [.text("x")]),
                maximumTokens: 1,
                decoding: decoding
            )
            let error = await #expect(throws: InferenceError.self) {
                try await engine.generate(request)
            }
            #expect("\(error as Any)".contains(name))
        }
    }
}

/// A sampled answer depends on its request alone.
@Suite("Sampled answers")
struct SampledAnswerTests {
    private static func request(_ seed: UInt64, picture: UInt64 = 1) throws -> GenerateRequest {
        GenerateRequest(
            prompt: try TinyModel.prompt(seed: picture),
            maximumTokens: 12,
            decoding: Decoding(
                sampling: Decoding.Sampling(temperature: 1.5, topP: 0.95, seed: seed)
            )
        )
    }

    @Test("are the same alone, together, on more threads and in smaller steps")
    func reproducible() async throws {
        let alone = try TinyModel.makeEngine()
        var expected: [String] = []
        for seed in 0..<6 as Range<UInt64> {
            expected.append(try await alone.generate(Self.request(seed)).text)
        }
        #expect(Set(expected).count > 1)
        for options in [
            TinyModel.options(threads: 2, prefillRows: 7),
            TinyModel.options(prefillRows: 2048, reusesPrefix: false),
        ] {
            let engine = try TinyModel.makeEngine(options)
            let texts = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for seed in 0..<6 {
                    group.addTask {
                        (seed, try await engine.generate(Self.request(UInt64(seed))).text)
                    }
                }
                // Others in the same passes.
                group.addTask {
                    (6, try await engine.generate(Self.request(77, picture: 5)).text)
                }
                return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            }
            #expect((0..<6).map { texts[$0] } == expected)
        }
    }
}
