import Hashing
import Tokenization
import Transformer
import VisionPreprocessing

/// What the engine's own path makes of a case of a Qwen-VL family: the message planned, its pictures and
/// clips encoded, everything in its place.
struct PatchCase {
    let prompt: EnginePrompt
    let plan: InputBuilder.Plan
    let encoder: QwenEncoder
    let builder: InputBuilder

    /// Plans a case as its version of the reference would show it.
    init(
        _ golden: GoldenCase,
        session: EngineSession,
        convention: VideoConvention,
        load: (String) throws -> RGBImage
    ) throws {
        guard var family = session.builder.family as? QwenFamily,
            let tower = (session.visualEncoder as? QwenEncoder)?.tower
        else { throw ParityError("\(golden.name): expected a checkpoint of its family.") }
        let backend = golden.record.pixelBackend ?? ""
        family.processor = family.processor.with(
            arithmetic: backend.hasPrefix("torchvision") ? .torchvision : .pillow
        )
        family.convention = convention
        encoder = QwenEncoder(tower: tower, family: family, pool: session.pool)
        builder = InputBuilder(
            tokenizer: session.builder.tokenizer,
            template: session.builder.template,
            family: family,
            vocabularySize: session.builder.vocabularySize
        )
        prompt = try Self.prompt(of: golden, load: load)
        plan = try builder.plan(prompt)
    }

    /// The message of a case; frames are sampled where the case says that its processor did.
    private static func prompt(
        of golden: GoldenCase,
        load: (String) throws -> RGBImage
    ) throws -> EnginePrompt {
        func image(_ name: String) throws -> EngineImage {
            EngineImage(digest: SHA256.digest(name.utf8), image: try load(name))
        }
        let record = golden.record
        var (imageCount, clipCount) = (0, 0)
        let parts = (record.messages ?? []).flatMap { $0.content }.map { part -> ContentPart in
            switch part.type {
            case "image":
                imageCount += 1
                return .image(imageCount - 1)
            case "video":
                clipCount += 1
                return .video(clipCount - 1)
            default:
                return .text(part.text ?? "")
            }
        }
        var clips: [EngineClip] = []
        if !record.videoFrames.isEmpty {
            let rate = record.videoMetadata?.fps ?? ClipTimes.standardRate
            let names = record.videoFrames
            let indices = record.samplesFrames == true ? sample(names.count, rate) : nil
            clips = [
                EngineClip(
                    frames: try (indices ?? Array(names.indices)).map { try image(names[$0]) },
                    framesPerSecond: rate,
                    times: indices?.map { Double($0) / rate }
                )
            ]
        }
        return EnginePrompt(
            content: parts,
            images: try record.images.map { try image($0) },
            clips: clips
        )
    }

    /// Two frames a second, evenly, at least 4 (`video_processing_qwen3_vl.py: sample_frames`).
    private static func sample(_ total: Int, _ rate: Double) -> [Int] {
        guard rate > 0, total > 1 else { return Array(0..<total) }
        let wanted = Double(total) / rate * 2
        let count = wanted < 768 ? min(max(Int(wanted), 4), 768, total) : min(768, total)
        let step = Double(total - 1) / Double(max(count - 1, 1))
        return (0..<count).map { Int((Double($0) * step).rounded(.toNearestOrEven)) }
    }

    /// Token ids with the placeholders that stand for rows in the reference.
    var ids: [Int32] {
        let pads = ["<|image_pad|>", "<|video_pad|>"].map {
            builder.tokenizer.id(ofAddedToken: $0) ?? -1
        }
        var visuals = plan.visuals.makeIterator()
        return plan.tokens.flatMap { token -> [Int32] in
            if case .id(let id) = token { return [id] }
            guard let visual = visuals.next() else { return [] }
            let pad = if case .image = visual.source { pads[0] } else { pads[1] }
            return Array(repeating: pad, count: visual.tokens)
        }
    }

    /// Every picture and pair of frames in order, resized.
    func processed(ofClips: Bool) -> [ProcessedPatches] {
        plan.visuals.flatMap { visual -> [ProcessedPatches] in
            guard case .patches(let cut) = visual.cut else { return [] }
            switch visual.source {
            case .image(let slot):
                if ofClips { return [] }
                let image = prompt.images[slot].image
                return [encoder.patches(of: [image], cut, encoder.family.processor)]
            case .clip(let slot):
                guard ofClips, let pairs = cut.pairs else { return [] }
                let frames = prompt.clips[slot].frames
                return pairs.map { pair in
                    let (first, second) = QwenEncoder.frames(ofPair: pair, count: frames.count)
                    return encoder.patches(
                        of: [frames[first].image, frames[second].image],
                        cut,
                        encoder.family.clipProcessor
                    )
                }
            case .frame:
                return []
            }
        }
    }

    /// The prompt as the decoder reads it.
    ///
    /// Pictures are encoded before clips wherever they stand, as by the reference: what observers see of the
    /// tower is in its order.
    func input() throws -> ModelInput {
        let visuals = plan.visuals
        let pictures = visuals.indices.filter { !Self.isClip(visuals[$0]) }
        let clips = visuals.indices.filter { Self.isClip(visuals[$0]) }
        var features: [Int: ImageFeatures] = [:]
        for place in pictures + clips {
            features[place] = try encoder.features(of: visuals[place], in: prompt, interrupt: {})
        }
        var input = ModelInput()
        var place = 0
        for token in plan.tokens {
            if case .id(let id) = token {
                input.append(tokens: CollectionOfOne(id))
            } else if let encoded = features[place] {
                input.append(image: encoded, key: visuals[place].key)
                place += 1
            }
        }
        return input
    }

    private static func isClip(_ visual: PlannedVisual) -> Bool {
        if case .image = visual.source { false } else { true }
    }
}

extension ParityRun {
    /// Measures pixels, tokens, vision tower and places of a case of a Qwen-VL family; returns its prompt.
    func patchInput(
        _ golden: GoldenCase,
        taps: ParityTaps,
        meter: inout ParityMeter
    ) throws -> ModelInput {
        let isLegacy = golden.record.promptForm?.hasPrefix("transformers 4") == true
        let shown = try PatchCase(
            golden,
            session: session,
            convention: isLegacy ? .transformers4 : .transformers5,
            load: { try load($0) }
        )
        measurePatches(golden, shown, meter: &meter)
        meter.equal("chat_template", shown.ids, golden.record.inputIDs)
        if let expanded = golden.record.expandedPrompt {
            let ids = session.builder.tokenizer.encode(expanded, addedTokens: .recognised)
            meter.equal("token_ids", ids, golden.record.inputIDs)
        }
        shown.encoder.observer = { taps.record($0, $1, $2) }
        let input = try shown.input()
        measurePositions("positions", of: input, golden.indices("position_ids"), meter: &meter)
        guard !isSinglePrecision, !shown.plan.visuals.isEmpty else { return input }
        measureVision(golden, taps: taps, meter: &meter)
        for level in taps.deepstack.indices {
            if let expected = golden.floats("deepstack_\(level)") {
                meter.features("deepstack_\(level)", taps.deepstack[level], expected)
            }
        }
        return input
    }

    /// A clip of Qwen2.5-VL under the rules the model was trained with: places, logits, greedy tokens.
    func measureTrainedRules(_ golden: GoldenCase, meter: inout ParityMeter) throws {
        guard !isSinglePrecision, let ids = golden.record.trainedGenIDs,
            let positions = golden.indices("position_ids_v457")
        else { return }
        guard ids.count <= golden.record.genIDs.count else {
            throw ParityError(
                "\(golden.name): v457_gen_ids: expected at most \(golden.record.genIDs.count) ids, "
                    + "got \(ids.count). Make the case again."
            )
        }
        let input = try PatchCase(
            golden,
            session: session,
            convention: .transformers4,
            load: { try load($0) }
        ).input()
        measurePositions("trained_positions", of: input, positions, meter: &meter)
        sequence.reset()
        let logits = sequence.advance(to: input)
        meter.logits(
            "trained_logits",
            Array(logits),
            golden.floats("v457_logits_last") ?? []
        )
        let written = try greedy(after: input, count: ids.count).ids
        meter.equal("trained_greedy_ids", written, ids)
    }

    /// The three axes, each [rows].
    private func measurePositions(
        _ stage: String,
        of input: ModelInput,
        _ expected: [Int]?,
        meter: inout ParityMeter
    ) {
        guard let expected else { return }
        var places: [RowPosition] = []
        input.forEachPosition(of: 0..<input.count) { places.append($0) }
        meter.equal(stage, (0..<3).flatMap { axis in places.map { $0[axis] } }, expected)
    }

    /// Bytes after resizing, and a sample of the normalised pixels.
    private func measurePatches(
        _ golden: GoldenCase,
        _ shown: PatchCase,
        meter: inout ParityMeter
    ) {
        for (ofClips, bytes, sample) in [
            (false, "image_u8_", "pixel_sample"), (true, "video_u8_", "video_pixel_sample"),
        ] {
            let processed = shown.processed(ofClips: ofClips)
            guard !processed.isEmpty else { continue }
            let expected = processed.indices.flatMap { golden.bytes("\(bytes)\($0)") ?? [] }
            if !expected.isEmpty {
                let actual = processed.flatMap { $0.frames.flatMap(\.pixels) }
                meter.equal(ofClips ? "clip_pixels" : "pixels", actual, expected)
            }
            let pixels = processed.flatMap { $0.normalized() }
            guard let indices = golden.indices(sample + "_idx"),
                let values = golden.floats(sample + "_val")
            else { continue }
            let found = indices.map { pixels.indices.contains($0) ? pixels[$0] : .nan }
            meter.equal(ofClips ? "clip_pixel_sample" : "pixel_sample", found, values)
        }
    }
}
