import RewardModeling
import Testing

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
            #"templates[0].task: expected "image_generation" or "image_understanding" or "#
                + #""video_generation" or "video_understanding" or "image_editing", got nothing"#
        ) {
            $0["task"] = nil
        },
        Fault(
            #"templates[0].kind: expected "point_score" or "pair_rank" or "pair_score", got the "#
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
        Fault(
            #"templates[0].answer_grammar: expected "final_score" or "criteria_scores" or "score_list" for this kind"#
        ) {
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
            #"templates[0].choices[1].text: expected a text of its own, got the string "good ""#
        ) {
            $0["choices"] = .array([PackSample.choice("good", 1), PackSample.choice("good ", 2)])
        },
        Fault(#"templates[0].choices[0].text: expected a text of its own, got the string " ""#) {
            $0["choices"] = .array([PackSample.choice(" ", 1), PackSample.choice("good", 2)])
        },
        Fault("templates[0].choices[0].text: expected a text without U+0000, got the string") {
            $0["choices"] = .array([PackSample.choice("a\u{0}", 1), PackSample.choice("b", 2)])
        },
        Fault("templates[0].answer_prefix: expected a text without U+0000") {
            $0["answer_prefix"] = .string("\u{0}")
        },
        Fault(#"templates[0].media: expected ["video"], got ["image"]"#) {
            $0["task"] = .string("video_understanding")
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

    @Test("how clips are shown is said of tasks with clips alone")
    func clips() throws {
        var sample = PackSample()
        sample["clips"] = .string("pictures")
        #expect { try sample.template() } throws: {
            "\($0)".contains("templates[0].clips: expected nothing for a task of pictures")
        }
        sample["task"] = .string("video_understanding")
        sample["media"] = .array([.string("video")])
        #expect(try sample.template().clips == .pictures)
        sample["clips"] = .string("frames")
        #expect { try sample.template() } throws: {
            "\($0)".contains("templates[0].clips: expected")
        }
    }

    @Test("two templates may share their task and kind but not their id")
    func doubled() throws {
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
        let pack = try PromptPack(json: sample.pack(with: renamed).utf8)
        #expect(try pack.template(.imageUnderstanding, .pointScore).id == "sample")
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
                "more: expected one of \"name\", \"video\", \"decoding\", \"templates\""
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
