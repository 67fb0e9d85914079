import Hashing
import Inference
import RewardModeling
import Testing

@Suite("How packs have answers decoded")
struct PackDecodingTests {
    /// An engine of a checkpoint with a penalty.
    private struct Published: AnswerEngine {
        let modelDigest = SHA256.digest("published".utf8)
        let identity = "published 1"
        var repetitionPenalty = 1.1

        func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
            throw InferenceError.shuttingDown
        }

        func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
            throw InferenceError.shuttingDown
        }
    }

    private func pack(_ decoding: String) throws -> PackDecoding {
        let template = """
            {"id":"t","task":"image_understanding","kind":"point_score","media":["image"],
             "text":"{question} {response}","answer_grammar":"final_score","answer_prefix":"",
             "scale":[1,2],"choices":[{"text":"1","value":1},{"text":"2","value":2}]}
            """
        return try PromptPack(json: #"{"name":"p",\#(decoding)"templates":[\#(template)]}"#.utf8)
            .decoding
    }

    @Test("a pack that says nothing is greedy, whatever the checkpoint says")
    func silent() throws {
        #expect(try pack("") == .greedy)
        #expect(try pack(#""decoding":{},"#).decoding(for: Published()) == .greedy)
        #expect(try PromptPack.builtin().decoding == .greedy)
    }

    @Test("a penalty is the pack's own or the checkpoint's, of all tokens or the answer's")
    func penalties() throws {
        let fixed = try pack(#""decoding":{"repetition_penalty":1.05},"#)
        #expect(
            fixed.decoding(for: Published())
                == Decoding(repetitionPenalty: 1.05, penalizesPrompt: true)
        )
        let text = #"{"penalizes":"answer","repetition_penalty":"checkpoint"}"#
        let own = try pack(#""decoding":\#(text),"#)
        #expect(
            own.decoding(for: Published())
                == Decoding(repetitionPenalty: 1.1, penalizesPrompt: false)
        )
        #expect(own.decoding(for: Published(repetitionPenalty: 1)) == .greedy)
        #expect(own.decoding(for: ScriptedEngine()) == .greedy)
        #expect(own.json.json == text)
    }

    @Test(
        "what is no decoding is refused by its path",
        arguments: [
            ("3", "decoding: expected an object, got the number 3"),
            (
                #"{"repetition_penalty":0}"#,
                #"decoding.repetition_penalty: expected a number from 0.01 to 100 or "checkpoint", got the number 0"#
            ),
            (
                #"{"penalizes":"prompt"}"#,
                #"decoding.penalizes: expected "prompt_and_answer" or "answer", got the string "prompt""#
            ),
            (
                #"{"temperature":1}"#,
                #"decoding.temperature: expected one of "repetition_penalty", "penalizes", got an unknown field"#
            ),
        ]
    )
    func refused(decoding: String, sentence: String) {
        #expect(throws: RewardModelingError.invalidPromptPack(sentence)) {
            try pack(#""decoding":\#(decoding),"#)
        }
    }
}
