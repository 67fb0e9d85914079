import Hashing
package import TensorKernels
package import Tokenization
package import Transformer
package import VisionPreprocessing

/// Qwen2.5-VL and Qwen3-VL: pictures in patches of their own shape, clips in pairs of frames.
package struct QwenFamily: VisualFamily {
    /// Frames of a clip that share their rows.
    static let pair = QwenVisionConfig.temporalPatchSize

    let vision: QwenVisionConfig
    /// Brings pictures to size.
    package var processor: PatchProcessor
    /// Brings frames of clips to size.
    package let clipProcessor: PatchProcessor
    /// Whose prompts and places of clips.
    package var convention: VideoConvention

    /// Sets the family up by the preprocessor files of a checkpoint.
    ///
    /// Pictures and clips are resized as by torchvision: the processors are the fast ones, by default and in vLLM.
    /// `qwen_vl_utils` resizes pictures by Pillow before a processor sees them, which then leaves them as they are:
    /// that is a prompt pack's affair.
    ///
    /// - Throws: a sentence for a file that is missing, malformed or of another checkpoint.
    init(
        directory: String,
        vision: QwenVisionConfig,
        convention: VideoConvention
    ) throws(VisionPreprocessingError) {
        self.vision = vision
        self.convention = convention
        let isQwen25 = if case .windowed = vision.kind { true } else { false }
        processor = try PatchProcessor.read(
            directory: directory,
            patchSize: vision.patchSize,
            defaults: .picture,
            arithmetic: .torchvision
        )
        clipProcessor = try PatchProcessor.read(
            directory: directory,
            patchSize: vision.patchSize,
            defaults: isQwen25 ? .qwen25Clip : .qwen3Clip,
            arithmetic: .torchvision
        )
    }

    package var patchLimit: Int {
        // A clip's bounds are those of a frame, or of all frames together: a pair has no more.
        max(processor.budget.most, clipProcessor.budget.most)
            / (vision.patchSize * vision.patchSize)
    }

    package func identity(template: ChatTemplate) -> String {
        let processors = [("pictures", processor), ("clips", clipProcessor)].map {
            name,
            processor in
            "\(name)=\(processor.arithmetic)/\(processor.budget.least)-\(processor.budget.most)"
                + "/mean\(processor.mean.map { "\($0)" }.joined(separator: ","))"
                + "/std\(processor.standardDeviation.map { "\($0)" }.joined(separator: ","))"
        }
        return (["patch=\(vision.patchSize)"] + processors + ["convention=\(convention.rawValue)"])
            .joined(separator: " ")
    }

    package func plan(
        _ elements: [PromptElement],
        of prompt: EnginePrompt
    ) throws(InferenceError) -> VisualPlan {
        var plan = VisualPlan(elements: [], visuals: [])
        var isAfterClip = false
        for element in elements {
            // What closes a clip whose marks went into its parts.
            if isAfterClip, element == ClipMarks.end {
                isAfterClip = false
                continue
            }
            isAfterClip = false
            switch element {
            case .text, .control:
                plan.elements.append(element)
            case .image(let slot):
                plan.elements.append(element)
                plan.visuals.append(try planImage(prompt.image(at: slot), slot: slot))
            case .video(let slot):
                let clip = try prompt.clip(at: slot)
                try ClipTimes.check(clip, slot: slot)
                switch vision.kind {
                case .windowed(_, _, let tokensPerSecond):
                    plan.elements.append(element)
                    plan.visuals.append(
                        try planClip(clip, slot: slot, tokensPerSecond: tokensPerSecond)
                    )
                case .deepstacked:
                    isAfterClip = try expand(clip, slot: slot, into: &plan)
                }
            }
        }
        plan.elements = PromptElement.merged(plan.elements)
        return plan
    }

    package func makeEncoder(
        model: VisionLanguageModel,
        pool: ComputeThreadPool
    ) -> any VisualEncoder {
        guard case .qwen(let tower) = model.visual else {
            preconditionFailure("expected a model of Qwen-VL, as its config.json says")
        }
        return QwenEncoder(tower: tower, family: self, pool: pool)
    }

    private func planImage(
        _ image: EngineImage,
        slot: Int
    ) throws(InferenceError) -> PlannedVisual {
        let size: (width: Int, height: Int)
        do {
            size = try processor.budget.size(width: image.image.width, height: image.image.height)
        } catch {
            throw .invalidRequest("images[\(slot)]: \(error)")
        }
        let side = processor.budget.factor
        let grid = VisualGrid.picture(rows: size.height / side, columns: size.width / side)
        return PlannedVisual(
            source: .image(slot),
            cut: .patches(
                PatchCut(width: size.width, height: size.height, pairs: nil, grid: grid)
            ),
            tokens: grid.count,
            key: image.digest.hex
        )
    }

    /// The size of a clip's frames, by the first of them.
    private func clipSize(
        _ clip: EngineClip,
        slot: Int,
        isWholeClip: Bool
    ) throws(InferenceError) -> (width: Int, height: Int) {
        let first = clip.frames[0].image
        do {
            return isWholeClip
                ? try clipProcessor.budget.size(
                    width: first.width,
                    height: first.height,
                    frames: clip.frames.count
                )
                : try clipProcessor.budget.size(width: first.width, height: first.height)
        } catch {
            throw .invalidRequest("clips[\(slot)]: \(error)")
        }
    }

    /// A clip of Qwen2.5-VL: one run of rows, whose time axis runs with the seconds of the clip.
    private func planClip(
        _ clip: EngineClip,
        slot: Int,
        tokensPerSecond: Int
    ) throws(InferenceError) -> PlannedVisual {
        let size = try clipSize(clip, slot: slot, isWholeClip: false)
        let side = clipProcessor.budget.factor
        let grid = ClipTimes.grid(
            pairs: (clip.frames.count + 1) / Self.pair,
            rows: size.height / side,
            columns: size.width / side,
            seconds: Double(Self.pair) / ClipTimes.rate(of: clip),
            tokensPerSecond: tokensPerSecond,
            convention: convention
        )
        return PlannedVisual(
            source: .clip(slot),
            cut: .patches(
                PatchCut(
                    width: size.width,
                    height: size.height,
                    pairs: 0..<grid.frames,
                    grid: grid
                )
            ),
            tokens: grid.count,
            key: "clip \(clip.digest.hex)"
        )
    }

    /// A clip of Qwen3-VL: each pair of frames by itself, behind its time in words. Returns whether the
    /// mark that closes the clip is to be left out.
    private func expand(
        _ clip: EngineClip,
        slot: Int,
        into plan: inout VisualPlan
    ) throws(InferenceError) -> Bool {
        let size = try clipSize(clip, slot: slot, isWholeClip: true)
        let side = clipProcessor.budget.factor
        let grid = VisualGrid.picture(rows: size.height / side, columns: size.width / side)
        let replacesMarks =
            convention == .transformers4 && plan.elements.last == ClipMarks.start
        if replacesMarks { plan.elements.removeLast() }
        for pair in 0..<(clip.frames.count + 1) / Self.pair {
            let (first, second) = QwenEncoder.frames(ofPair: pair, count: clip.frames.count)
            plan.elements += [
                .text("<\(ClipTimes.words(of: clip, first, second)) seconds>"), ClipMarks.start,
                .video(slot), ClipMarks.end,
            ]
            plan.visuals.append(
                PlannedVisual(
                    source: .clip(slot),
                    cut: .patches(
                        PatchCut(
                            width: size.width,
                            height: size.height,
                            pairs: pair..<pair + 1,
                            grid: grid
                        )
                    ),
                    tokens: grid.count,
                    key: "pair \(clip.frames[first].digest.hex) \(clip.frames[second].digest.hex) "
                        + "\(size.width)x\(size.height)"
                )
            )
        }
        return replacesMarks
    }
}

/// The marks the chat templates of Qwen-VL put around pictures and clips.
private enum ClipMarks {
    static let start = PromptElement.control("<|vision_start|>")
    static let end = PromptElement.control("<|vision_end|>")
}
