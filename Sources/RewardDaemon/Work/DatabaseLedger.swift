import FailPoints
import Hashing
import Jobs
import PreferencePairs
import RewardModeling

/// The judgements of the database, as the judging of one item sees them.
struct DatabaseLedger: JudgementLedger {
    let queue: JobQueue
    let checkpointer: ShardCheckpointer
    let job: Int64
    let itemIndex: Int
    let model: String
    let modelDigest: Digest
    /// The job's task.
    let task: String

    /// What is known under these fingerprints: committed by any job, or taken by this shard and about
    /// to be committed.
    func recall(
        _ fingerprints: [Digest]
    ) async throws -> [Digest: RecordedJudgement] {
        var known: [Digest: RecordedJudgement] = [:]
        for row in try await rows(fingerprints) {
            guard let judgement = RecordedJudgement(row) else { continue }
            known[judgement.fingerprint] = judgement
        }
        if known.count < fingerprints.count { queue.failPoints.pass(.answerBefore) }
        return known
    }

    private func rows(_ fingerprints: [Digest]) async throws -> [JudgementRow] {
        let wanted = Set(fingerprints.map(\.bytes))
        let pending = await checkpointer.pending(wanted)
        let unknown = wanted.subtracting(pending.map(\.fingerprint))
        return try await pending + queue.findJudgements(Array(unknown), job: job)
    }

    /// Hands the judgement to the next commit.
    func record(_ judgement: RecordedJudgement) async throws {
        queue.failPoints.pass(.answerAfter)
        await checkpointer.add(
            JudgementRow(judgement, itemIndex: itemIndex, model: model, modelDigest: modelDigest)
        )
    }
}

extension DatabaseLedger: CandidateLedger {
    /// As for judgements.
    func recallCandidates(
        _ fingerprints: [Digest]
    ) async throws -> [Digest: SampledCandidate] {
        var known: [Digest: SampledCandidate] = [:]
        for row in try await rows(fingerprints) {
            guard let candidate = SampledCandidate(row) else { continue }
            known[candidate.fingerprint] = candidate
        }
        if known.count < fingerprints.count { queue.failPoints.pass(.answerBefore) }
        return known
    }

    /// Hands the candidate to the next commit.
    func record(_ candidate: SampledCandidate) async throws {
        queue.failPoints.pass(.answerAfter)
        await checkpointer.add(
            JudgementRow(
                candidate,
                itemIndex: itemIndex,
                task: task,
                model: model,
                modelDigest: modelDigest
            )
        )
    }
}

// MARK: - Rows

extension JudgementRow {
    /// The row of a candidate written for one item by one policy.
    init(
        _ candidate: SampledCandidate,
        itemIndex: Int,
        task: String,
        model: String,
        modelDigest: Digest
    ) {
        self.init(
            fingerprint: candidate.fingerprint.bytes,
            itemIndex: itemIndex,
            kind: "candidate",
            task: task,
            model: model,
            modelDigest: modelDigest.bytes,
            templateID: "candidate",
            answerMode: "sample",
            rawResponse: candidate.text,
            decodingJSON: candidate.decoding.json,
            promptTokens: candidate.promptTokens,
            generatedTokens: candidate.generatedTokens,
            seconds: candidate.seconds
        )
    }
}

extension SampledCandidate {
    /// Reads a row back; nil when it is no candidate this version understands.
    init?(_ row: JudgementRow) {
        guard row.kind == "candidate", let fingerprint = Digest(bytes: row.fingerprint),
            let text = row.rawResponse, let decoding = row.decodingJSON,
            let value = PayloadValue(json: decoding.utf8)
        else { return nil }
        self.init(
            fingerprint: fingerprint,
            text: text,
            decoding: value,
            promptTokens: row.promptTokens,
            generatedTokens: row.generatedTokens,
            seconds: row.seconds
        )
    }
}

extension JudgementRow {
    /// The row of a judgement made for one item by one model.
    init(_ judgement: RecordedJudgement, itemIndex: Int, model: String, modelDigest: Digest) {
        self.init(
            fingerprint: judgement.fingerprint.bytes,
            itemIndex: itemIndex,
            kind: judgement.kind.rawValue,
            task: judgement.task.rawValue,
            model: model,
            modelDigest: modelDigest.bytes,
            templateID: judgement.templateID,
            templateDigest: judgement.templateDigest.bytes,
            answerMode: judgement.answerMode.rawValue,
            presentationOrder: judgement.order?.rawValue,
            rawResponse: judgement.rawResponse,
            verdict: judgement.verdict?.rawValue,
            score: judgement.score,
            scaleMinimum: judgement.scaleMinimum,
            scaleMaximum: judgement.scaleMaximum,
            spread: judgement.spread,
            criteriaJSON: judgement.criteria.isEmpty
                ? nil : PayloadValue.array(judgement.criteria.map(\.json)).json,
            probabilities: judgement.probabilities,
            decodingJSON: judgement.decoding?.json,
            promptTokens: judgement.promptTokens,
            generatedTokens: judgement.generatedTokens,
            seconds: judgement.seconds
        )
    }
}

extension RecordedJudgement {
    /// Reads a row back; nil when it holds a word this version does not know, so that the question is
    /// asked again instead of being answered by something misunderstood.
    init?(_ row: JudgementRow) {
        guard let fingerprint = Digest(bytes: row.fingerprint),
            let kind = QuestionKind(rawValue: row.kind),
            let task = JudgingTask(rawValue: row.task),
            let templateDigest = row.templateDigest.flatMap(Digest.init(bytes:)),
            let answerMode = AnswerMode(rawValue: row.answerMode)
        else { return nil }
        let order = row.presentationOrder.map(PresentationOrder.init(rawValue:))
        let verdict = row.verdict.map(Verdict.init(rawValue:))
        if case .some(.none) = order { return nil }
        if case .some(.none) = verdict { return nil }
        var criteria: [CriterionReading] = []
        if let json = row.criteriaJSON {
            guard case .array(let values)? = PayloadValue(json: json.utf8) else { return nil }
            criteria = values.compactMap(CriterionReading.init)
            guard criteria.count == values.count else { return nil }
        }
        self.init(
            fingerprint: fingerprint,
            kind: kind,
            task: task,
            templateID: row.templateID,
            templateDigest: templateDigest,
            answerMode: answerMode,
            order: order ?? nil,
            rawResponse: row.rawResponse ?? "",
            verdict: verdict ?? nil,
            score: row.score,
            scaleMinimum: row.scaleMinimum,
            scaleMaximum: row.scaleMaximum,
            spread: row.spread,
            criteria: criteria,
            probabilities: row.probabilities,
            decoding: row.decodingJSON.flatMap { PayloadValue(json: $0.utf8) },
            promptTokens: row.promptTokens,
            generatedTokens: row.generatedTokens,
            seconds: row.seconds
        )
    }
}

extension ItemResultRow {
    /// The row of what an item came to.
    init(itemIndex: Int, _ result: ItemResult) {
        let outcome: Outcome
        switch result.outcome {
        case .completed(let json): outcome = .completed(json: json)
        case .failed(let code, let message): outcome = .failed(code: code, message: message)
        }
        self.init(
            itemIndex: itemIndex,
            outcome: outcome,
            judgements: result.judgements.map(\.bytes),
            pair: result.pair.map(PairRow.init)
        )
    }
}

extension PairRow {
    /// The row of a preference pair.
    init(_ pair: PreferencePair) {
        self.init(
            chosenIndex: pair.chosenIndex,
            rejectedIndex: pair.rejectedIndex,
            chosenJSON: pair.chosen.json.json,
            rejectedJSON: pair.rejected.json.json,
            chosenScore: pair.chosenScore,
            rejectedScore: pair.rejectedScore,
            margin: pair.margin,
            evidenceJSON: pair.evidence.json.json
        )
    }
}
