import Testing

@testable import Jobs

@Suite("Checkpoint rows as JSON")
struct RowJSONTests {
    private func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("a judgement has every key the database reads")
    func judgement() {
        let row = JudgementRow(
            fingerprint: [0, 255],
            itemIndex: 3,
            kind: "pair_rank",
            task: "image_generation",
            templateID: "t/1",
            answerMode: "choices",
            presentationOrder: "first_second",
            rawResponse: "a\"\\\n\u{0}\u{1f}é",
            verdict: "tie",
            score: .nan,
            probabilities: ["tie": 0.5, "first": 0.25]
        )
        #expect(
            text(row.write) == #"{"fingerprint":"00ff","item_index":3,"kind":"pair_rank","#
                + #""task":"image_generation","model":null,"model_digest":null,"#
                + #""template_id":"t/1","#
                + #""template_digest":null,"answer_mode":"choices","#
                + #""presentation_order":"first_second","#
                + #""raw_response":"a\"\\\u000a"# + "\u{fffd}"
                + #"\u001fé","verdict":"tie","score":null,"#
                + #""scale_minimum":null,"scale_maximum":null,"spread":null,"criteria":null,"#
                + #""probabilities":{"first":0.25,"tie":0.5},"prompt_tokens":0,"#
                + #""generated_tokens":0,"seconds":0.0}"#
        )
    }

    @Test("a completed item carries its result and pair as they are")
    func completed() {
        let row = ItemResultRow(
            itemIndex: 1,
            outcome: .completed(json: #"{"pair": {}}"#),
            judgements: [[1], [2]],
            pair: PairRow(
                chosenIndex: 1,
                rejectedIndex: 0,
                chosenJSON: #""b""#,
                rejectedJSON: #""a""#,
                margin: 1.5
            )
        )
        #expect(
            text(row.write) == #"{"item_index":1,"state":"completed","result":{"pair": {}},"#
                + #""error_code":null,"error":null,"judgements":["01","02"],"#
                + #""pair":{"chosen_index":1,"rejected_index":0,"chosen":"b","rejected":"a","#
                + #""chosen_score":null,"rejected_score":null,"margin":1.5,"evidence":{}}}"#
        )
    }

    @Test("a failed item carries code and sentence")
    func failed() {
        let row = ItemResultRow(itemIndex: 0, outcome: .failed(code: "unparsed", message: "no"))
        #expect(
            text(row.write) == #"{"item_index":0,"state":"failed","result":null,"#
                + #""error_code":"unparsed","error":"no","judgements":[],"pair":null}"#
        )
    }
}
