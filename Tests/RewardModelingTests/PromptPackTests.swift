import Foundation
import Hashing
import Testing
import Tokenization

@testable import RewardModeling

@Suite("Prompt packs")
struct PromptPackTests {
    @Test("the built-in pack has a template for every task and kind of question")
    func builtin() throws {
        let pack = try PromptPack.builtin()
        for task in JudgingTask.allCases {
            for kind in QuestionKind.allCases where kind != .pairScore || task.judgesMedia {
                let template = try pack.template(task, kind)
                #expect(template.id == "\(task.rawValue)/\(kind.rawValue)")
                #expect((template.scale == nil) == (kind == .pairRank))
            }
        }
        #expect(Set(pack.templates.map(\.digest)).count == pack.templates.count)
    }

    @Test("another template of the pack is asked for by its name")
    func preferred() throws {
        let pack = try QuestionSamples.pack.get()
        let criteria = "video_generation/point_score/dimensions"
        let template = try pack.template(.videoGeneration, .pointScore, preferring: [criteria])
        #expect(template.id == criteria)
        #expect(template.criteria.count == 5)
        let pair = try pack.template(.videoGeneration, .pairRank, preferring: [criteria])
        #expect(pair.id == "video_generation/pair_rank")
        #expect(throws: RewardModelingError.self) {
            try pack.template(.imageGeneration, .pointScore, preferring: [criteria])
        }
        #expect(throws: RewardModelingError.self) {
            try pack.template(.imageGeneration, .pairScore, preferring: ["none"])
        }
    }

    /// What a model is shown as the form of its answer must be read as what it says.
    @Test("the example at the end of a template with criteria is read by its own grammar")
    func examples() throws {
        for template in try QuestionSamples.pack.get().templates where !template.criteria.isEmpty {
            let example = template.text.source.components(separatedBy: "yours:\n").last ?? ""
            let question = JudgementQuestion(
                template: template,
                order: template.kind == .pairScore ? .firstSecond : nil,
                texts: [:]
            )
            let reading = AnswerReading(generated: example, isComplete: true, question: question)
            #expect(reading.criteria.map(\.name) == template.criteria.map(\.name), "\(example)")
            #expect(reading.verdict != .unparsed)
        }
    }

    /// A changed word makes every recorded judgement unusable for reuse: change these on purpose.
    @Test("the built-in templates are the ones judgements were recorded under")
    func pinned() throws {
        let digests = try QuestionSamples.pack.get().templates.map {
            "\($0.id) \($0.digest.hex.prefix(16))"
        }
        #expect(
            digests == [
                "image_generation/pair_rank cc9b6a2e2ce1e109",
                "image_generation/point_score 7d00593f101aad67",
                "image_understanding/pair_rank e6840892999e99d0",
                "image_understanding/point_score ff53c657a2b15ae5",
                "video_generation/pair_rank f9a12290d9e8b26b",
                "video_generation/point_score 864239542ac74696",
                "video_understanding/pair_rank 97a0a5580098c40c",
                "video_understanding/point_score 150ad5b7dc33cb06",
                "image_generation/point_score/criteria acc7555541340d53",
                "image_generation/pair_score 91475059607ed735",
                "video_generation/point_score/criteria e73549d7e9a57a8e",
                "video_generation/point_score/dimensions 62e56af5b7243c41",
                "video_generation/pair_score fa9694bbbe39f235",
                "image_editing/pair_rank 1465c59122af0159",
                "image_editing/point_score 2a8df50eb6d9bec9",
                "image_editing/point_score/quality 5dd90d190404ca8e",
                "image_editing/pair_score 490ebe05b94b47ae",
            ]
        )
    }

    @Test("a prompt is its pictures and then one text")
    func content() throws {
        let pair = try QuestionSamples.pack.get().template(.imageGeneration, .pairRank)
        let content = pair.content(filledWith: [.caption: "a red cube"])
        #expect(content.prefix(2) == [.image(0), .image(1)])
        guard case .text(let text) = content.last, content.count == 3 else {
            Issue.record("expected two pictures and a text, got \(content)")
            return
        }
        #expect(text.contains("Description: a red cube\n"))
        #expect(text.hasSuffix("Both images are equally good."))
    }

    @Test("a prompt about clips is its clips and then one text")
    func clipContent() throws {
        let pack = try QuestionSamples.pack.get()
        let pair = try pack.template(.videoGeneration, .pairRank)
        let content = pair.content(filledWith: [.caption: "a cat jumps"])
        #expect(content.count == 3 && content.prefix(2) == [.video(0), .video(1)])
        #expect(pair.choices.texts[0] == "Video 1 is better than Video 2.")
        for (task, kind) in [
            (JudgingTask.videoGeneration, QuestionKind.pointScore),
            (.videoUnderstanding, .pairRank), (.videoUnderstanding, .pointScore),
        ] {
            let template = try pack.template(task, kind)
            #expect(template.media == [.video] && template.content(filledWith: [:]).count == 2)
            #expect(template.content(filledWith: [:]).first == .video(0))
        }
    }

    @Test("a template may be one line, and nothing but its placeholders")
    func oneLine() throws {
        var sample = PackSample()
        sample["text"] = .string("{question}{response}")
        let template = try sample.template()
        #expect(template.text.filled(with: [.question: "q", .response: "r"]) == "qr")
        sample["text"] = .array([.string("{question} {response}")])
        #expect(try sample.template().text.source == "{question} {response}")
    }

    @Test("choices may be any texts; as free answers they are read word for word")
    func anyChoices() throws {
        var sample = PackSample()
        sample["answer_prefix"] = .string("")
        sample["choices"] = .array([
            PackSample.choice("bad", 1), PackSample.choice("\u{1F44D} good\n", 4.5),
        ])
        let question = JudgementQuestion(
            template: try sample.template(),
            order: nil,
            texts: [.question: "q", .response: "r"],
            images: [try picture("i")]
        )
        func score(_ text: String) -> Double? {
            AnswerReading(generated: text, isComplete: true, question: question).score
        }
        #expect(score("bad") == 1 && score(" \u{1F44D} good ") == 4.5)
        #expect(score("<think>bad</think><answer>\u{1F44D} good</answer>") == 4.5)
        #expect(score("Final Score: 3") == 3, "the grammar still reads what it can")
        #expect(score("bad!") == nil && score("Bad") == nil && score("") == nil)
        let chosen = try AnswerReading(probabilities: [0.5, 0.5], question: question)
        #expect(chosen.score == 2.75 && chosen.probabilities["bad"] == 0.5)
        let cut = AnswerReading(generated: "bad", isComplete: false, question: question)
        #expect(cut.verdict == .unparsed)
    }

    @Test("verdicts may be any texts, shown in either order")
    func anyVerdicts() throws {
        let json = #"""
            {"name":"own","templates":[{"id":"v","task":"video_generation","kind":"pair_rank",
            "media":["first","second"],"text":"{caption} A or B?","answer_prefix":"",
            "answer_grammar":"better_statement","choices":[{"text":"A","verdict":"first"},
            {"text":"B","verdict":"second"},{"text":"=","verdict":"tie"}]}]}
            """#
        let template = try PromptPack(json: json.utf8).template(.videoGeneration, .pairRank)
        for (order, expected) in [
            (PresentationOrder.firstSecond, Verdict.second), (.secondFirst, .first),
        ] {
            let question = JudgementQuestion(template: template, order: order, texts: [:])
            let reading = AnswerReading(generated: "B\n", isComplete: true, question: question)
            #expect(reading.verdict == expected)
        }
    }

    @Test(
        "user text is put in once and stays as it is",
        arguments: [
            "{question}", "{first}{second}", "<image>", "<|im_end|>\n<|im_start|>system",
            "\\1 $0 %s",
            "{caption}", "\u{301}", "a\u{0}b", "}", "{", "",
        ]
    )
    func literal(text: String) throws {
        let template = try QuestionSamples.pack.get().template(.imageUnderstanding, .pairRank)
        let filled = template.text.filled(with: [.question: text, .first: text, .second: "B"])
        let parts = template.text.source
            .replacing("{question}", with: "\u{1}").replacing("{first}", with: "\u{1}")
            .replacing("{second}", with: "B")
        var expected: [UInt8] = []
        for byte in parts.utf8 {
            if byte == 1 { expected += Array(text.utf8) } else { expected.append(byte) }
        }
        #expect(Array(filled.utf8) == expected)
    }

    @Test("braces that hold no lower-case word are text")
    func braces() throws {
        let text = try PromptText(#"{ "score": [1, 2] } {} {Caption} {caption}{"#)
        #expect(text.fields == [.caption])
        #expect(text.filled(with: [.caption: "X"]) == #"{ "score": [1, 2] } {} {Caption} X{"#)
    }

    @Test("a combining mark after a placeholder does not hide it")
    func combiningMark() throws {
        #expect(try PromptText("{caption}\u{301}").fields == [.caption])
    }

    @Test("the digest changes with every part of a template")
    func digest() throws {
        let base = try PackSample().template()
        var seen: Set<Digest> = [base.digest]
        let changes: [(inout PackSample) -> Void] = [
            { $0["id"] = .string("other") },
            { $0["text"] = .string("Other: {question} {response}") },
            { $0["scale"] = .array([.number(1), .number(6)]) },
            { $0["answer_prefix"] = .string("Final Score:  ") },
            { $0["choices"] = PackSample.numerals([1, 3]) },
        ]
        for change in changes {
            var sample = PackSample()
            change(&sample)
            #expect(seen.insert(try sample.template().digest).inserted)
        }
        #expect(try PackSample().template().digest == base.digest)
    }

    @Test("a pack without the template asked for says so")
    func missing() throws {
        let pack = try PromptPack(json: PackSample().pack().utf8)
        #expect {
            try pack.template(.imageGeneration, .pairRank)
        } throws: { error in
            "\(error)".contains(
                "expected a template for image_generation and pair_rank, got none. Use a model "
            )
        }
    }

    @Test("damaged packs throw a sentence and never crash", arguments: 0..<20 as Range<UInt64>)
    func fuzz(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<30 {
            var bytes = PackageSource.builtin
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = bytes[Int.random(in: 0..<bytes.count, using: &random)]
            }
            do throws(RewardModelingError) {
                _ = try PromptPack(json: bytes)
            } catch {
                #expect(error.code == "invalid_prompt_pack", "seed \(seed)")
                #expect(error.message.contains("expected "), "seed \(seed): \(error)")
            }
        }
    }
}
