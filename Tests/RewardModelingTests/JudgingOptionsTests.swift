import RewardModeling
import Testing
import VisionPreprocessing

@Suite("Judging options")
struct JudgingOptionsTests {
    @Test("what is not given has its default")
    func defaults() throws {
        let options = try JudgingOptions(json: "{}".utf8)
        #expect(options == JudgingOptions())
        #expect(options.answer == .choices && options.orders == .both && options.reuse)
        #expect(options.marginMinimum == 0 && options.maximumNewTokens == nil)
        #expect(options.decoding() == .choices)
        #expect(options.sampling == nil && options.frames == nil)
    }

    @Test("every option is read, and those of the queue are let through")
    func all() throws {
        let options = try JudgingOptions(
            json: """
                {"answer":"generate","orders":"single","reuse":false,"margin_minimum":0.25,
                 "max_new_tokens":4096,"sampling":"segments","frames":16,"shard_size":16,
                 "max_attempts":5}
                """.utf8
        )
        #expect(options.decoding() == .generate(maximumTokens: 4096))
        #expect(options.orders == .single && !options.reuse && options.marginMinimum == 0.25)
        #expect(options.sampling == .segments && options.frames == 16)
    }

    @Test("a policy brings the paper's ten candidates, and whatever else is said about them")
    func sampled() throws {
        #expect(try JudgingOptions(json: "{}".utf8).candidates == nil)
        let usual = try #require(JudgingOptions(json: #"{"policy":"p"}"#.utf8).candidates)
        #expect(usual == CandidateSampling(policy: "p"))
        #expect(usual.count == 10 && usual.temperature == 0.7 && usual.topP == 1)
        #expect(usual.topK == nil && usual.maximumTokens == 512 && usual.seed == 0)
        let all = try #require(
            JudgingOptions(
                json: """
                    {"policy":"p","candidates":4,"temperature":1.5,"top_p":0.9,"top_k":20,
                     "max_candidate_tokens":64,"seed":12}
                    """.utf8
            ).candidates
        )
        #expect(all.count == 4 && all.temperature == 1.5 && all.topP == 0.9 && all.topK == 20)
        #expect(all.maximumTokens == 64 && all.seed == 12)
    }

    @Test(
        "what does not fit is refused by its path",
        arguments: [
            ("{", "options: expected a JSON object, got 1 bytes of other text"),
            (
                #"{"candidates":4}"#,
                "candidates: expected the option policy with it, got the number 4"
            ),
            (#"{"policy":""}"#, #"policy: expected the name of a model, got the string """#),
            (
                #"{"policy":"p","temperature":0}"#,
                "temperature: expected a number from 0.01 to 2, got the number 0"
            ),
            (
                #"{"policy":"p","candidates":65}"#,
                "candidates: expected a whole number from 2 to 64, got the number 65"
            ),
            ("[]", "options: expected an object, got an array of 0"),
            (
                #"{"answer":"maybe"}"#,
                #"answer: expected "choices" or "generate", got the string "maybe""#
            ),
            (#"{"orders":null}"#, #"orders: expected "both" or "single", got null"#),
            (#"{"reuse":1}"#, "reuse: expected true or false, got the number 1"),
            (
                #"{"margin_minimum":-0.1}"#,
                "margin_minimum: expected a number of at least 0, got the number -0.1"
            ),
            (
                #"{"max_new_tokens":0}"#,
                "max_new_tokens: expected a whole number from 1 to 4096, got the number 0"
            ),
            (
                #"{"max_new_tokens":1.5}"#,
                "max_new_tokens: expected a whole number from 1 to 4096, got the number 1.5"
            ),
            (
                #"{"sampling":"all"}"#,
                #"sampling: expected "linspace" or "segments" or "fps", got the string "all""#
            ),
            (
                #"{"frames":1}"#,
                "frames: expected a whole number from 2 to 768, got the number 1"
            ),
            (
                #"{"frames":"8"}"#,
                #"frames: expected a whole number from 2 to 768, got the string "8""#
            ),
            (
                #"{"shard_size":1001}"#,
                "shard_size: expected a whole number from 1 to 1000, got the number 1001"
            ),
            (
                #"{"templates":[]}"#,
                "templates: expected an array of 1 to 8 names of templates, got an array of 0"
            ),
            (
                #"{"rounds":3}"#,
                #"rounds: expected plan "round_robin" with it, got the number 3"#
            ),
            (
                #"{"plan":"all"}"#,
                #"plan: expected "paired" or "round_robin", got the string "all""#
            ),
            (
                #"{"max_attempts":"5"}"#,
                #"max_attempts: expected a whole number from 1 to 100, got the string "5""#
            ),
        ]
    )
    func refuses(json: String, sentence: String) {
        let path = sentence.hasPrefix("options") ? "" : "options."
        #expect(throws: RewardModelingError.invalidOptions(path + sentence)) {
            try JudgingOptions(json: json.utf8)
        }
    }

    @Test("an unknown option is refused with the list of those known")
    func unknown() {
        #expect {
            try JudgingOptions(json: #"{"foo":1}"#.utf8)
        } throws: { error in
            "\(error)".hasPrefix("options.foo: expected one of \"answer\", \"orders\"")
        }
    }
}
