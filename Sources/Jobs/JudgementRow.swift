import FoundationEssentials
import Postgres

/// One row of `rewardd.judgement`: what a checkpoint stores and what `find_judgements` returns.
/// Digests are 32 bytes.
package struct JudgementRow: Sendable, Equatable {
    package var fingerprint: [UInt8]
    /// The item that asked (first).
    package var itemIndex: Int
    /// `point_score`, `pair_rank`, `pair_score` or `candidate`.
    package var kind: String
    package var task: String
    /// Nil when storing: the model of the shard's job.
    package var model: String?
    package var modelDigest: [UInt8]?
    package var templateID: String
    package var templateDigest: [UInt8]?
    /// `choices` or `generate`; `sample` for a candidate.
    package var answerMode: String
    /// `first_second`, `second_first` or nil.
    package var presentationOrder: String?
    package var rawResponse: String?
    /// `first`, `second`, `tie`, `unparsed` or nil.
    package var verdict: String?
    package var score: Double?
    package var scaleMinimum: Double?
    package var scaleMaximum: Double?
    /// Standard deviation of the score's distribution.
    package var spread: Double?
    /// Each criterion's numbers as a JSON array; nil for an answer that is one choice.
    package var criteriaJSON: String?
    package var probabilities: [String: Double]
    /// How the answer's tokens were chosen, a JSON object; nil for plain greedy decoding.
    package var decodingJSON: String?
    package var promptTokens: Int
    package var generatedTokens: Int
    /// Seconds the engine took, kept in single precision.
    package var seconds: Double

    package init(
        fingerprint: [UInt8],
        itemIndex: Int,
        kind: String,
        task: String,
        model: String? = nil,
        modelDigest: [UInt8]? = nil,
        templateID: String,
        templateDigest: [UInt8]? = nil,
        answerMode: String,
        presentationOrder: String? = nil,
        rawResponse: String? = nil,
        verdict: String? = nil,
        score: Double? = nil,
        scaleMinimum: Double? = nil,
        scaleMaximum: Double? = nil,
        spread: Double? = nil,
        criteriaJSON: String? = nil,
        probabilities: [String: Double] = [:],
        decodingJSON: String? = nil,
        promptTokens: Int = 0,
        generatedTokens: Int = 0,
        seconds: Double = 0
    ) {
        self.fingerprint = fingerprint
        self.itemIndex = itemIndex
        self.kind = kind
        self.task = task
        self.model = model
        self.modelDigest = modelDigest
        self.templateID = templateID
        self.templateDigest = templateDigest
        self.answerMode = answerMode
        self.presentationOrder = presentationOrder
        self.rawResponse = rawResponse
        self.verdict = verdict
        self.score = score
        self.scaleMinimum = scaleMinimum
        self.scaleMaximum = scaleMaximum
        self.spread = spread
        self.criteriaJSON = criteriaJSON
        self.probabilities = probabilities
        self.decodingJSON = decodingJSON
        self.promptTokens = promptTokens
        self.generatedTokens = generatedTokens
        self.seconds = seconds
    }

    /// Reads a row of the table.
    init(_ row: Row) throws {
        fingerprint = try row.bytes("fingerprint")
        itemIndex = try row.int("item_index")
        kind = try row.text("kind")
        task = try row.text("task")
        model = try row.text("model")
        modelDigest = try row.bytesIfPresent("model_digest")
        templateID = try row.text("template_id")
        templateDigest = try row.bytesIfPresent("template_digest")
        answerMode = try row.text("answer_mode")
        presentationOrder = try row.textIfPresent("presentation_order")
        rawResponse = try row.textIfPresent("raw_response")
        verdict = try row.textIfPresent("verdict")
        score = try row.doubleIfPresent("score")
        scaleMinimum = try row.doubleIfPresent("scale_minimum")
        scaleMaximum = try row.doubleIfPresent("scale_maximum")
        spread = try row.doubleIfPresent("spread")
        criteriaJSON = try row.jsonIfPresent("criteria").map { String(decoding: $0, as: UTF8.self) }
        probabilities = try JudgementRow.probabilities(row.jsonIfPresent("probabilities"))
        decodingJSON = try row.jsonIfPresent("decoding").map { String(decoding: $0, as: UTF8.self) }
        promptTokens = try row.int("prompt_tokens")
        generatedTokens = try row.int("generated_tokens")
        seconds = try row.double("seconds")
    }

    /// Writes the keys that `rewardd.checkpoint` reads.
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("fingerprint", hex: fingerprint)
            writer.field("item_index", itemIndex)
            writer.field("kind", kind)
            writer.field("task", task)
            writer.field("model", model)
            writer.field("model_digest", hex: modelDigest)
            writer.field("template_id", templateID)
            writer.field("template_digest", hex: templateDigest)
            writer.field("answer_mode", answerMode)
            writer.field("presentation_order", presentationOrder)
            writer.field("raw_response", rawResponse)
            writer.field("verdict", verdict)
            writer.field("score", score)
            writer.field("scale_minimum", scaleMinimum)
            writer.field("scale_maximum", scaleMaximum)
            writer.field("spread", spread)
            writer.field("criteria", json: criteriaJSON)
            writer.field("probabilities", probabilities)
            writer.field("decoding", json: decodingJSON)
            writer.field("prompt_tokens", promptTokens)
            writer.field("generated_tokens", generatedTokens)
            writer.field("seconds", seconds)
        }
    }

    private static func probabilities(_ json: [UInt8]?) throws(JobsError) -> [String: Double] {
        guard let json else { return [:] }
        do {
            return try JSONDecoder().decode([String: Double].self, from: Data(json))
        } catch {
            let text = String(decoding: json.prefix(80), as: UTF8.self)
            throw .unexpectedReply(
                function: "find_judgements",
                expected: "probabilities as numbers by name",
                got: text
            )
        }
    }
}
