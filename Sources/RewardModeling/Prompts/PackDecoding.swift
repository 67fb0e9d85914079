package import Inference

/// How a prompt pack has free answers decoded: always the most probable token, with the repetition penalty that
/// the models of its line were run with.
package struct PackDecoding: Sendable, Equatable {
    /// What the logits of tokens that occurred are divided by.
    package enum Penalty: Sendable, Equatable {
        /// So much; 1 for nothing.
        case fixed(Double)
        /// What the checkpoint's generation_config.json says.
        case checkpoint
    }

    /// Which tokens count as having occurred.
    package enum Scope: String, Sendable, CaseIterable {
        /// Those of the prompt and of the answer, as where generation starts from token ids.
        case all = "prompt_and_answer"
        /// Those of the answer, as where generation starts from embeddings: the original LLaVA code.
        case answer
    }

    /// What logits are divided by.
    package let penalty: Penalty
    /// For which tokens.
    package let scope: Scope

    /// Plain greedy decoding: what packs have that say nothing.
    package static let greedy = PackDecoding(penalty: .fixed(1), scope: .all)

    /// A way of decoding.
    package init(penalty: Penalty, scope: Scope) {
        self.penalty = penalty
        self.scope = scope
    }

    /// Reads `{"repetition_penalty": 1.05 | "checkpoint", "penalizes": "prompt_and_answer" | "answer"}`.
    init(_ value: PayloadValue?) throws(RewardModelingError) {
        guard let value else {
            self = .greedy
            return
        }
        let reader = try PayloadReader(
            value,
            path: "decoding",
            subject: "decoding",
            error: { .invalidPromptPack($0) }
        )
        try reader.refuseFields(except: ["repetition_penalty", "penalizes"])
        switch reader.value("repetition_penalty") {
        case .string("checkpoint")?: penalty = .checkpoint
        case nil: penalty = .fixed(1)
        case .number(let number)? where (0.01...100).contains(number): penalty = .fixed(number)
        default:
            throw reader.mismatch(
                "repetition_penalty",
                "a number from 0.01 to 100 or \"checkpoint\""
            )
        }
        scope = try reader.word("penalizes", as: Scope.self) ?? .all
    }

    /// How an engine is asked to decode.
    package func decoding(for engine: any AnswerEngine) -> Decoding {
        let factor =
            switch penalty {
            case .fixed(let factor): factor
            case .checkpoint: engine.repetitionPenalty
            }
        // Without a penalty it makes no difference what it is for.
        guard factor != 1 else { return .greedy }
        return Decoding(repetitionPenalty: factor, penalizesPrompt: scope == .all)
    }

    /// The object of a pack.
    package var json: PayloadValue {
        let penalty: PayloadValue =
            switch penalty {
            case .fixed(let factor): .number(factor)
            case .checkpoint: .string("checkpoint")
            }
        return .object(["repetition_penalty": penalty, "penalizes": .string(scope.rawValue)])
    }
}
