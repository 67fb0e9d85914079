import Testing

@testable import RemoteInference

/// What breaks silently if this is wrong: probabilities that look well and are those of other answers.
@Suite("The walk over answers")
struct ChoiceWalkTests {
    /// A model over tokens that its words decide: what it would write, and how probable each is.
    private struct TokenModel {
        /// Tokens of every length, so that answers can be cut in several ways.
        let vocabulary: [String]
        let seed: UInt64

        /// Probabilities of all tokens after a text; `told` of them are told.
        func tokens(after text: String, wanted: Set<String>) -> [WrittenToken.Offer] {
            var hash = seed
            for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            var random = SeededBytes(seed: hash)
            var weights: [(String, Double)] = []
            for token in vocabulary {
                let weight = Double.random(in: 0.01...1, using: &random)
                // What no answer goes on with is far less probable, as of a model that was taught the form.
                weights.append((token, wanted.contains(token) ? weight : weight * 1e-9))
            }
            let sum = weights.reduce(0) { $0 + $1.1 }
            return weights.map { .init(bytes: Array($0.0.utf8), probability: $0.1 / sum) }
        }
    }

    @Test("gives what summing over every way to write each answer gives", arguments: 1...40)
    func twin(seed: UInt64) throws {
        var random = SeededBytes(seed: seed)
        let letters = ["a", "b", "c"]
        var answers: Set<String> = []
        while answers.count < 4 {
            let length = 2 + Int.random(in: 0..<4, using: &random)
            let text = (0..<length).map { _ in letters.randomElement(using: &random) ?? "a" }
            let answer = text.joined()
            guard !answers.contains(where: { $0.hasPrefix(answer) || answer.hasPrefix($0) }) else {
                continue
            }
            answers.insert(answer)
        }
        let choices = answers.sorted()
        let model = TokenModel(vocabulary: ["a", "b", "c", "ab", "ca", "bc", "x"], seed: seed)
        // Once an answer is certain the model is not asked further, and so is the twin.
        func expected(_ written: String, _ share: Double) -> [Double] {
            let live = choices.filter { $0.hasPrefix(written) }
            if live.count == 1 { return choices.map { $0 == live[0] ? share : 0 } }
            let offers = offers(model, after: written, choices)
            let allowed = offers.filter { offer in
                live.contains { $0.hasPrefix(written + text(offer)) }
            }
            let sum = allowed.reduce(0) { $0 + $1.probability }
            var result = choices.map { _ in 0.0 }
            for offer in allowed {
                let part = expected(written + text(offer), share * offer.probability / sum)
                for index in result.indices { result[index] += part[index] }
            }
            return result
        }
        var walk = try ChoiceWalk(prefix: "", choices: choices)
        var questions = 0
        while let question = walk.next {
            questions += 1
            var written = question.prefill
            var tokens: [WrittenToken] = []
            for _ in 0..<question.tokens {
                let offers = offers(model, after: written, choices)
                guard let best = offers.max(by: { $0.probability < $1.probability }) else { break }
                tokens.append(WrittenToken(bytes: best.bytes, offers: offers))
                written += text(best)
            }
            try walk.take(tokens)
            try #require(questions < 200)
        }
        let wanted = expected("", 1)
        for (got, wanted) in zip(walk.probabilities, wanted) {
            // What is less probable than the tolerance was not asked about.
            #expect(abs(got - wanted) < 0.01, "seed \(seed): \(walk.probabilities) \(wanted)")
        }
        #expect(abs(walk.probabilities.reduce(0, +) - 1) < 1e-12)
    }

    @Test("moves the white space before the answers into them")
    func whiteSpace() throws {
        var walk = try ChoiceWalk(prefix: "Final Score: ", choices: ["1", "2"])
        #expect(walk.next == .init(prefill: "Final Score:", tokens: 2))
        try walk.take([
            token(" ", [(" ", 0.9), (" 2", 0.1)]), token("1", [("1", 0.5), ("2", 0.5)]),
        ])
        #expect(walk.next == nil)
        #expect(zip(walk.probabilities, [0.45, 0.55]).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test("follows parts of characters")
    func partsOfCharacters() throws {
        var walk = try ChoiceWalk(prefix: "", choices: ["é", "è"])
        let first = Array("é".utf8)[0]
        try walk.take([
            WrittenToken(bytes: [first], offers: [.init(bytes: [first], probability: 1)]),
            WrittenToken(
                bytes: [0xA9],
                offers: [
                    .init(bytes: [0xA9], probability: 0.75),
                    .init(bytes: [0xA8], probability: 0.25),
                ]
            ),
        ])
        #expect(walk.next == nil)
        #expect(walk.probabilities == [0.75, 0.25])
    }

    @Test("refuses what could be more probable than it is told")
    func untold() throws {
        var walk = try ChoiceWalk(prefix: "", choices: ["yes", "no"])
        // "no" could have a probability of up to 0.2 as well.
        #expect(throws: ChoiceWalk.Refusal.self) {
            try walk.take([token("yes", [("yes", 0.6), ("perhaps", 0.2)])])
        }
        walk = try ChoiceWalk(prefix: "", choices: ["yes", "no"])
        // Not allowed words alone.
        #expect(throws: ChoiceWalk.Refusal.self) {
            try walk.take([token("The", [("The", 0.6), ("A", 0.3)])])
        }
        walk = try ChoiceWalk(prefix: "", choices: ["yes", "no"])
        // At most 1e-9: no share worth a digit.
        try walk.take([token("yes", [("yes", 0.7), ("The", 0.2), ("x", 1e-9)])])
        #expect(walk.probabilities == [1, 0])
        walk = try ChoiceWalk(prefix: "", choices: ["yes", "no"])
        // All there is was told, however improbable.
        try walk.take([token("no", [("yes", 0.25), ("no", 0.75)])])
        #expect(walk.probabilities == [0.25, 0.75])
    }

    @Test("refuses answers that cannot be told apart, and tokens that are none")
    func refusals() throws {
        for choices in [["1", "10"], ["a", "a"], ["only one"], []] {
            #expect(throws: ChoiceWalk.Refusal.self) {
                try ChoiceWalk(prefix: "", choices: choices)
            }
        }
        var walk = try ChoiceWalk(prefix: "", choices: ["a", "b"])
        #expect(throws: ChoiceWalk.Refusal.self) { try walk.take([]) }
    }

    private func token(_ text: String, _ offers: [(String, Double)]) -> WrittenToken {
        WrittenToken(
            bytes: Array(text.utf8),
            offers: offers.map { .init(bytes: Array($0.0.utf8), probability: $0.1) }
        )
    }

    private func text(_ offer: WrittenToken.Offer) -> String {
        String(decoding: offer.bytes, as: UTF8.self)
    }

    private func offers(
        _ model: TokenModel,
        after written: String,
        _ choices: [String]
    ) -> [WrittenToken.Offer] {
        let wanted = model.vocabulary.filter { token in
            choices.contains { $0.hasPrefix(written + token) }
        }
        return model.tokens(after: written, wanted: Set(wanted))
    }
}
