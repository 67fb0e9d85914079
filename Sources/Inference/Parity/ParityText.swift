import TensorKernels
import Tokenization
import Transformer

extension ParityRun {
    /// What the head says of every row of a prompt.
    struct PromptLogits {
        /// Of the last row, [vocabulary].
        var last: [Float] = []
        /// The recorded columns, [rows, columns].
        var columns: [Float] = []
        /// Largest eight, [rows, 8], and their indices.
        var top8: [Float] = []
        var top8Indices: [Int] = []
        /// log ∑ exp, [rows].
        var logSumExp: [Float] = []
        /// All of it, [rows, vocabulary]; only when the case records it.
        var all: [Float] = []
    }

    /// Token ids of the prompt text, by the tokenizer alone and by the checkpoint's chat template.
    func measureTokens(
        _ golden: GoldenCase,
        features: [ImageFeatures],
        meter: inout ParityMeter
    ) {
        let expected = golden.record.inputIDs
        var ids: [Int32] = []
        let prompt = golden.record.prompt
        for (index, chunk) in prompt.split(on: placeholder(of: golden)).enumerated() {
            if index > 0 { ids += placeholders(index - 1, features, of: golden) }
            ids += session.builder.tokenizer.encode(chunk, addedTokens: .recognised)
        }
        meter.equal("token_ids", ids, expected)

        guard let content = content(of: golden) else { return }
        let tokens =
            (try? session.builder.tokenizer.encode(session.builder.template.render(content))) ?? []
        let rendered = tokens.flatMap { token -> [Int32] in
            switch token {
            case .id(let id): [id]
            case .image(let slot), .video(let slot): placeholders(slot, features, of: golden)
            }
        }
        meter.equal("chat_template", rendered, expected)
    }

    /// The ids that stand for an image or a video in a recorded prompt.
    private func placeholders(
        _ slot: Int,
        _ features: [ImageFeatures],
        of golden: GoldenCase
    ) -> [Int32] {
        guard features.indices.contains(slot) else { return [] }
        if golden.record.inputIDs.contains(-200) { return [-200] }
        return Array(repeating: placeholderID(of: golden), count: features[slot].tokens)
    }

    /// What marks the place of an image or a video in a prompt.
    private func placeholder(of golden: GoldenCase) -> String {
        golden.pipeline == .video ? "<video>" : "<image>"
    }

    private func placeholderID(of golden: GoldenCase) -> Int32 {
        let named = session.builder.tokenizer.id(ofAddedToken: placeholder(of: golden)) ?? -200
        return golden.pipeline == .video ? named : session.model.config.llava?.imageTokenID ?? named
    }

    /// The message a case's prompt was rendered from, when this checkpoint's template renders it.
    private func content(of golden: GoldenCase) -> [ContentPart]? {
        let images = golden.record.images
        var slots = images.indices.map { ContentPart.image($0) }
        let opening: String
        switch (golden.pipeline, family) {
        case (.textOnly, .llavaOneVision), (.huggingFace, .llavaOneVision):
            opening = "<|im_start|>user " + String(repeating: "<image>", count: images.count) + "\n"
        case (.original, .llavaQwen):
            opening =
                "<|im_start|>user\n"
                + Array(repeating: "<image>\n", count: images.count).joined(separator: " ")
        case (.video, .llavaOneVision):
            slots = [.video(0)]
            opening = "<|im_start|>user <video>\n"
        default:
            return nil
        }
        let parts = golden.record.prompt.split(on: opening)
        guard parts.count == 2, let text = parts[1].split(on: "<|im_end|>").first else {
            return nil
        }
        return slots + [.text(text)]
    }

    /// Puts the features in the places of a recorded prompt's placeholders.
    func splice(_ golden: GoldenCase, _ features: [ImageFeatures]) throws -> ModelInput {
        let ids = golden.record.inputIDs
        let placeholderID = placeholderID(of: golden)
        var input = ModelInput()
        var index = 0
        var slot = 0
        while index < ids.count {
            let id = ids[index]
            if (id == -200 || id == placeholderID) && slot < features.count {
                input.append(image: features[slot], key: "golden \(slot)")
                index += id == -200 ? 1 : features[slot].tokens
                slot += 1
            } else {
                guard id >= 0, Int(id) < session.model.decoder.vocabularySize else {
                    throw ParityError(
                        "input_ids: expected ids below the vocabulary of "
                            + "\(session.model.decoder.vocabularySize), got \(id). Are goldens "
                            + "and checkpoint of one set?"
                    )
                }
                input.append(tokens: CollectionOfOne(id))
                index += 1
            }
        }
        return input
    }

    /// Runs the prompt in prefill steps, with the head on every row.
    func forwardPrompt(
        _ input: ModelInput,
        golden: GoldenCase,
        taps: ParityTaps
    ) throws -> PromptLogits {
        let columns = try columns(of: golden)
        let keepsAll = golden.floats("logits") != nil
        let decoder = session.model.decoder
        var result = PromptLogits()
        sequence.reset()
        while sequence.count < input.count {
            let rows = sequence.step(input)
            for row in 0..<rows.count {
                let logits = decoder.logits(
                    ofRow: row,
                    activations: session.textActivations,
                    pool: session.pool
                )
                taps.recordFinalNorm(
                    decoder.finalNorm(
                        ofRow: row,
                        activations: session.textActivations,
                        pool: session.pool
                    )
                )
                result.columns += columns.map { logits[$0] }
                let top = largest(8, of: logits)
                result.top8 += top.map(\.value)
                result.top8Indices += top.map(\.index)
                if let base = logits.baseAddress {
                    result.logSumExp.append(rowLogSoftmax(base, count: logits.count).logSumExp)
                }
                if keepsAll { result.all += logits }
                if rows.lowerBound + row == input.count - 1 { result.last = Array(logits) }
            }
        }
        return result
    }

    /// The columns of the logits a case records.
    private func columns(of golden: GoldenCase) throws(ParityError) -> [Int] {
        let columns = golden.indices("logits_cols_idx") ?? []
        let vocabulary = session.model.decoder.vocabularySize
        guard columns.allSatisfy((0..<vocabulary).contains) else {
            throw ParityError(
                "\(golden.name): logits_cols_idx: expected columns below \(vocabulary), got "
                    + "\(columns.max() ?? 0). Are goldens and checkpoint of one set?"
            )
        }
        return columns
    }

    /// Hidden rows and logits of the prompt.
    func measureText(
        _ golden: GoldenCase,
        taps: ParityTaps,
        logits: PromptLogits,
        meter: inout ParityMeter
    ) {
        if let expected = golden.floats("text_layer_norms") {
            meter.norms("text_layers", taps.textNorms.flatMap { $0 }, expected)
        }
        if let expected = golden.floats("text_layer_last") {
            meter.features("text_layer_last", taps.textLast.flatMap { $0 }, expected)
        }
        meter.logits("logits_last", logits.last, golden.floats("logits_last") ?? [])
        meter.logits("logits_cols", logits.columns, golden.floats("logits_cols") ?? [])
        for (stage, key, actual) in [
            ("logits_top8", "logits_top8_val", logits.top8),
            ("logits_lse", "logits_lse", logits.logSumExp),
        ] {
            if let expected = golden.floats(key) { meter.logits(stage, actual, expected) }
        }
        if let expected = golden.floats("logits") { meter.logits("logits", logits.all, expected) }
    }

    /// 32 greedy tokens, the end of the turn ignored.
    func measureGreedy(
        _ golden: GoldenCase,
        after prompt: ModelInput,
        meter: inout ParityMeter
    ) throws {
        let record = golden.record
        let expected = isSinglePrecision ? record.fp32GenIDs ?? [] : record.genIDs
        let (ids, rows) = try greedy(after: prompt, count: expected.count)
        let columns = try columns(of: golden)
        let recorded = rows.flatMap { row in columns.map { row[$0] } }
        let (note, isNearTie) = divergence(ids, expected, record, tolerance: meter.logitTolerance)
        if isNearTie {
            meter.add("greedy_ids", 0, tolerance: 0, count: expected.count, note: note)
        } else {
            meter.equal("greedy_ids", ids, expected, note: note)
        }
        if !isSinglePrecision && ids == expected {
            meter.logits("greedy_logits", recorded, golden.floats("gen_logits_cols") ?? [])
        }
    }

    /// The most probable tokens after a prompt that the sequence holds, and the logits of each.
    func greedy(
        after prompt: ModelInput,
        count: Int
    ) throws -> (ids: [Int32], logits: [[Float]]) {
        var input = prompt
        var ids: [Int32] = []
        var rows: [[Float]] = []
        var logits = session.model.decoder.logits(
            ofRow: (prompt.count - 1) % session.textActivations.rowCapacity,
            activations: session.textActivations,
            pool: session.pool
        )
        for step in 0..<count {
            rows.append(Array(logits))
            let token = try Sampler.greedy(logits)
            ids.append(token)
            guard step + 1 < count else { break }
            input.append(tokens: CollectionOfOne(token))
            logits = sequence.advance(to: input)
        }
        return (ids, rows)
    }

    /// Where greedy ids part from the golden's, and whether the golden itself was about to toss a coin.
    private func divergence(
        _ ids: [Int32],
        _ expected: [Int32],
        _ record: GoldenCase.Record,
        tolerance: Double
    ) -> (note: String?, isNearTie: Bool) {
        guard let step = zip(ids, expected).enumerated().first(where: { $1.0 != $1.1 })?.offset
        else { return (nil, false) }
        guard !isSinglePrecision, record.genMargins.indices.contains(step) else {
            return ("differs from step \(step)", false)
        }
        let margin = record.genMargins[step]
        let note = "differs from step \(step), where the golden's margin is \(margin)"
        return (note, margin < tolerance)
    }

    private func largest(
        _ count: Int,
        of logits: UnsafeBufferPointer<Float>
    ) -> [(value: Float, index: Int)] {
        var top: [(value: Float, index: Int)] = []
        var threshold = -Float.infinity
        for index in logits.indices where logits[index] > threshold || top.count < count {
            let value = logits[index]
            let place = top.firstIndex { $0.value < value } ?? top.endIndex
            top.insert((value, index), at: place)
            if top.count > count { top.removeLast() }
            if top.count == count, let last = top.last { threshold = last.value }
        }
        return top
    }
}

extension String {
    /// The parts between occurrences of `separator`, empty ones included.
    fileprivate func split(on separator: String) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        let bytes = Array(utf8)
        let pattern = Array(separator.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: pattern) {
                parts.append(String(decoding: part, as: UTF8.self))
                part = []
                index += pattern.count
            } else {
                part.append(bytes[index])
                index += 1
            }
        }
        parts.append(String(decoding: part, as: UTF8.self))
        return parts
    }
}
