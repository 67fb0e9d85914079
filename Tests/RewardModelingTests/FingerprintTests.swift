import Hashing
import Inference
import RewardModeling
import Testing

@Suite("Fingerprints")
struct FingerprintTests {
    private func fingerprint(
        _ question: JudgementQuestion,
        _ engine: ScriptedEngine = ScriptedEngine(),
        _ decoding: AnswerDecoding = .choices,
        scope: String? = nil
    ) -> Digest {
        question.fingerprint(engine: engine, decoding: decoding, scope: scope)
    }

    @Test("the same question has the same fingerprint, today and after a restart")
    func stable() throws {
        let question = try QuestionSamples.pair()
        #expect(fingerprint(question) == fingerprint(try QuestionSamples.pair()))
        let point = fingerprint(try QuestionSamples.point()).hex.prefix(16)
        #expect(point == "701f4f05a65a8500")
    }

    @Test("everything that decides the numbers changes it")
    func sensitive() throws {
        let base = try QuestionSamples.pair()
        let point = try QuestionSamples.point()
        let otherPicture = JudgementQuestion(
            template: base.template,
            order: base.order,
            texts: base.texts,
            images: [base.images[0], try picture("c.png")]
        )
        let fewerPictures = JudgementQuestion(
            template: base.template,
            order: base.order,
            texts: base.texts,
            images: [base.images[0]]
        )
        let all = [
            fingerprint(base),
            fingerprint(base, ScriptedEngine(modelDigest: SHA256.digest("other".utf8))),
            fingerprint(base, ScriptedEngine(identity: "scripted 2")),
            fingerprint(base, ScriptedEngine(), .generate(maximumTokens: 512)),
            fingerprint(base, ScriptedEngine(), .generate(maximumTokens: 513)),
            fingerprint(base, ScriptedEngine(), penalized(1.05, prompt: true)),
            fingerprint(base, ScriptedEngine(), penalized(1.05, prompt: false)),
            fingerprint(base, ScriptedEngine(), penalized(1.1, prompt: true)),
            fingerprint(base, scope: "job 1"),
            fingerprint(base, scope: "job 2"),
            fingerprint(base, scope: ""),
            fingerprint(try QuestionSamples.pair(.secondFirst)),
            fingerprint(try QuestionSamples.pair(caption: "a red cube ")),
            fingerprint(otherPicture), fingerprint(fewerPictures),
            fingerprint(point), fingerprint(try QuestionSamples.point("three dogs")),
        ]
        #expect(Set(all).count == all.count)
    }

    private func penalized(_ factor: Double, prompt: Bool) -> AnswerDecoding {
        .generate(
            maximumTokens: 512,
            decoding: Decoding(repetitionPenalty: factor, penalizesPrompt: prompt)
        )
    }

    @Test("clips are told apart by their frames, the frames' order and where one clip ends")
    func clips() throws {
        let template = try QuestionSamples.pack.get().template(.videoGeneration, .pairRank)
        let frames = try ["a", "b", "c", "d"].map(picture)
        func clip(_ indices: [Int]) -> EngineClip { EngineClip(frames: indices.map { frames[$0] }) }
        let shown: [[EngineClip]] = [
            [clip([0, 1]), clip([2, 3])], [clip([2, 3]), clip([0, 1])],
            [clip([1, 0]), clip([2, 3])], [clip([0, 1]), clip([3, 2])],
            [clip([0, 1, 2]), clip([3])], [clip([0]), clip([1, 2, 3])],
            [clip([0, 1, 2, 3])], [clip([0, 1])], [clip([0, 1]), clip([2, 3, 3])], [],
        ]
        var all = shown.map { clips in
            fingerprint(
                JudgementQuestion(
                    template: template,
                    order: .firstSecond,
                    texts: [.caption: "c"],
                    clips: clips
                )
            )
        }
        all.append(
            fingerprint(
                JudgementQuestion(
                    template: template,
                    order: .firstSecond,
                    texts: [.caption: "c"],
                    images: frames
                )
            )
        )
        #expect(Set(all).count == all.count)
    }

    @Test("text moved from one field to the next makes another question")
    func fieldsDoNotRunTogether() throws {
        let template = try QuestionSamples.pack.get().template(.imageUnderstanding, .pairRank)
        let images = [try picture("i")]
        let splits = [("ab", "c"), ("a", "bc"), ("abc", ""), ("", "abc")].map { first, second in
            fingerprint(
                JudgementQuestion(
                    template: template,
                    order: .firstSecond,
                    texts: [.question: "q", .first: first, .second: second],
                    images: images
                )
            )
        }
        #expect(Set(splits).count == splits.count)
    }

    /// Verdicts are recorded in item order. An item (a, b) shown b first and an item (b, a) shown b
    /// first put the same prompt to the model, but `first` means another picture in each.
    @Test("an item and its mirror image never share a record")
    func mirror() throws {
        let shown = try QuestionSamples.pair(.secondFirst)
        let mirrored = JudgementQuestion(
            template: shown.template,
            order: .firstSecond,
            texts: shown.texts,
            images: shown.images
        )
        #expect(shown.images.map(\.digest) == mirrored.images.map(\.digest))
        #expect(fingerprint(shown) != fingerprint(mirrored))
    }
}
