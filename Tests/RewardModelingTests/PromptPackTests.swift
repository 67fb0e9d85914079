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
            for kind in QuestionKind.allCases {
                let template = try pack.template(task, kind)
                #expect(template.id == "\(task.rawValue)/\(kind.rawValue)")
                #expect(
                    template.scale == (kind == .pointScore ? Scale(minimum: 1, maximum: 5) : nil)
                )
            }
        }
        #expect(Set(pack.templates.map(\.digest)).count == 4)
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
                "expected a template for image_generation and pair_rank, got none. Use a pack"
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

@Suite("Refused prompt packs")
struct PromptPackRefusalTests {
    struct Fault: Sendable, CustomStringConvertible {
        let description: String
        let change: @Sendable (inout PackSample) -> Void

        init(_ sentence: String, _ change: @escaping @Sendable (inout PackSample) -> Void) {
            description = sentence
            self.change = change
        }
    }

    static let faults: [Fault] = [
        Fault(#"templates[0].id: expected a string, got nothing"#) { $0["id"] = nil },
        Fault(#"templates[0].id: expected a name, got the string """#) { $0["id"] = .string("") },
        Fault(#"templates[0].tone: expected one of "id", "task""#) { $0["tone"] = .null },
        Fault(
            #"templates[0].task: expected "image_generation" or "image_understanding", got nothing"#
        ) {
            $0["task"] = nil
        },
        Fault(
            #"templates[0].kind: expected "point_score" or "pair_rank", got the "#
                + #"string "build_pairs""#
        ) {
            $0["kind"] = .string("build_pairs")
        },
        Fault(#"templates[0].media: expected ["image"], got ["first","second"]"#) {
            $0["media"] = .array([.string("first"), .string("second")])
        },
        Fault(#"templates[0].text: expected a string or an array of lines, got the number 3"#) {
            $0["text"] = .number(3)
        },
        Fault(
            "templates[0].text: expected only the placeholders {question}, {response}, got {prompt}"
        ) {
            $0["text"] = .string("{question} {response} {prompt}")
        },
        Fault(
            "templates[0].text: expected only the placeholders {question}, "
                + "{response}, got {caption}"
        ) {
            $0["text"] = .string("{question} {response} {caption}")
        },
        Fault(
            "templates[0].text: expected the placeholders {question}, "
                + "{response}, got none for {response}"
        ) {
            $0["text"] = .string("{question}")
        },
        Fault(#"templates[0].answer_grammar: expected "final_score" for this kind"#) {
            $0["answer_grammar"] = .string("better_statement")
        },
        Fault("templates[0].answer_prefix: expected a string, got nothing") {
            $0["answer_prefix"] = nil
        },
        Fault(
            "templates[0].scale: expected two numbers, the least and the "
                + "greatest score, got an array of 2"
        ) {
            $0["scale"] = .array([.number(5), .number(1)])
        },
        Fault("templates[0].choices: expected an array of at least two choices, got an array of 1")
        {
            $0["choices"] = PackSample.numerals([1])
        },
        Fault("templates[0].choices[1].value: expected a number on the scale, got the number 6") {
            $0["choices"] = PackSample.numerals([1, 6])
        },
        Fault(
            "templates[0].choices[1].value: expected numbers on the scale in "
                + "rising order, got the number 2"
        ) {
            $0["choices"] = PackSample.numerals([3, 2])
        },
        Fault(#"templates[0].choices[1].text: expected a text of its own, got the string "1""#) {
            $0["choices"] = .array([PackSample.choice("1", 1), PackSample.choice("1", 2)])
        },
        Fault(
            #"templates[0].choices[1].text: expected an answer that reads as "#
                + #"2.0, got "3", which reads as 3.0"#
        ) {
            $0["choices"] = .array([PackSample.choice("1", 1), PackSample.choice("3", 2)])
        },
        Fault(
            #"templates[0].choices[0].text: expected an answer that reads as "#
                + #"1.0, got "1", which reads as unparsed"#
        ) {
            $0["answer_prefix"] = .string("Score: ")
        },
    ]

    @Test("a fault is named by its path", arguments: faults)
    func refuses(fault: Fault) {
        var sample = PackSample()
        fault.change(&sample)
        #expect {
            try PromptPack(json: sample.pack().utf8)
        } throws: { error in
            let sentence = "\(error)"
            return sentence.hasPrefix(fault.description)
        }
    }

    @Test("two templates may share neither id nor task and kind")
    func doubled() {
        let sample = PackSample()
        var renamed = sample
        renamed["id"] = .string("other")
        #expect(
            throws: RewardModelingError.invalidPromptPack(
                "templates[1].id: expected an id of its own, got \"sample\" again"
            )
        ) {
            try PromptPack(json: sample.pack(with: sample).utf8)
        }
        #expect(
            throws: RewardModelingError.invalidPromptPack(
                "templates[1]: expected one template for image_understanding and point_score, "
                    + "got a second beside \"sample\""
            )
        ) {
            try PromptPack(json: sample.pack(with: renamed).utf8)
        }
    }

    @Test(
        "a pack that is none is refused",
        arguments: [
            ("", "prompt pack: expected a JSON object, got 0 bytes"),
            ("[]", "prompt pack: expected an object, got an array of 0"),
            (
                #"{"name":"x"}"#,
                "templates: expected an array of at least one template, got nothing"
            ),
            (
                #"{"name":"x","templates":[]}"#,
                "templates: expected an array of at least one template"
            ),
            (
                #"{"name":"x","templates":[],"more":1}"#,
                "more: expected one of \"name\", \"templates\""
            ),
            (
                #"{"name":"x","templates":[7]}"#,
                "templates[0]: expected an object, got the number 7"
            ),
        ]
    )
    func refusesWhole(json: String, sentence: String) {
        #expect { try PromptPack(json: json.utf8) } throws: { "\($0)".hasPrefix(sentence) }
    }

    @Test("a comparison's choices name both sides once")
    func verdicts() {
        let source = String(decoding: PackageSource.builtin, as: UTF8.self)
        let sameSide = source.replacing(#""verdict": "second""#, with: #""verdict": "first""#)
        #expect { try PromptPack(json: sameSide.utf8) } throws: {
            "\($0)".contains("choices[1].verdict: expected each of first, second and tie once")
        }
        let contrary = source.replacing(
            #""text": "Image 2 is better than Image 1.", "verdict": "second""#,
            with: #""text": "Image 1 is better.", "verdict": "second""#
        )
        #expect { try PromptPack(json: contrary.utf8) } throws: {
            "\($0)".contains("expected an answer that reads as second")
        }
    }
}

/// The built-in pack's bytes.
enum PackageSource {
    static var builtin: [UInt8] { PromptPack.builtinSource }
}

/// A small pack that a test spoils in one place.
struct PackSample {
    private var fields: [String: PayloadValue] = [
        "id": .string("sample"), "task": .string("image_understanding"),
        "kind": .string("point_score"), "media": .array([.string("image")]),
        "text": .array([.string("{question}"), .string("{response}")]),
        "answer_grammar": .string("final_score"), "scale": .array([.number(1), .number(5)]),
        "answer_prefix": .string("Final Score: "), "choices": PackSample.numerals([1, 2, 3, 4, 5]),
    ]

    subscript(_ name: String) -> PayloadValue? {
        get { fields[name] }
        set { fields[name] = newValue }
    }

    static func numerals(_ values: [Int]) -> PayloadValue {
        .array(values.map { choice("\($0)", Double($0)) })
    }

    static func choice(_ text: String, _ value: Double) -> PayloadValue {
        .object(["text": .string(text), "value": .number(value)])
    }

    func pack(with other: PackSample? = nil) -> String {
        let templates = [self] + (other.map { [$0] } ?? [])
        return PayloadValue.object([
            "name": .string("test"), "templates": .array(templates.map { .object($0.fields) }),
        ]).json
    }

    func template() throws -> PromptTemplate {
        try PromptPack(json: pack().utf8).templates[0]
    }
}
