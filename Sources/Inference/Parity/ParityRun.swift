package import TensorKernels
import Transformer
package import VisionPreprocessing

/// Runs a checkpoint on recorded cases of the reference and measures every stage.
///
/// Which image layout and packing a case needs comes from the case: a checkpoint of either naming holds the
/// same values, so one directory serves the Hugging Face cases and the original ones.
package struct ParityRun {
    /// Reads one media file of the goldens by name.
    package typealias ImageLoader = (_ name: String) throws -> RGBImage

    let session: EngineSession
    let sequence: SingleSequence
    let goldensDirectory: String
    let loadImage: ImageLoader
    /// The checkpoint's weights are single precision: other goldens apply.
    let isSinglePrecision: Bool
    /// Its family, which decides whether its chat template made a case's prompt.
    let family: ModelFamily

    /// Loads a checkpoint for sequences of the goldens' lengths.
    ///
    /// - Throws: ``InferenceError`` when the checkpoint cannot be used.
    package init(
        checkpoint directory: String,
        goldens goldensDirectory: String,
        threads: Int,
        prefillRows: Int = 256,
        contextLimit: Int = 4096,
        precision: WeightPrecision = .stored,
        loadImage: @escaping ImageLoader
    ) throws {
        let options = EngineOptions(
            threads: threads,
            contextLimit: contextLimit,
            prefillRows: prefillRows,
            precision: precision
        )
        let blueprint = try EngineBlueprint(directory: directory, options: options)
        session = try blueprint.makeSession()
        sequence = SingleSequence(session)
        self.goldensDirectory = goldensDirectory
        self.loadImage = loadImage
        family = blueprint.config.family
        let types = Set(
            blueprint.checkpoint.tensorNames.compactMap { blueprint.checkpoint.tensor($0)?.type }
        )
        isSinglePrecision = types == ["F32"]
    }

    /// Every case of the goldens directory.
    ///
    /// - Throws: ``ParityError`` for goldens that cannot be read, or what the image loader throws.
    package func run() throws -> ParityReport {
        var cases: [ParityReport.Case] = []
        for golden in try GoldenCase.all(in: goldensDirectory) {
            cases.append(try run(golden))
        }
        return ParityReport(cases: cases)
    }

    /// One case.
    ///
    /// - Throws: ``ParityError`` for a malformed case, or what the image loader throws.
    package func run(_ golden: GoldenCase) throws -> ParityReport.Case {
        guard golden.record.family == goldenFamily else {
            return skipped(golden, "family \(golden.record.family)")
        }
        let record = golden.record
        var meter = ParityMeter(noiseFloor: record.noiseFloor)
        let taps = ParityTaps(config: session.model.config)
        session.textActivations.observer = { taps.record($0, $1, $2) }
        session.visualEncoder.observer = { taps.record($0, $1, $2) }
        defer {
            session.textActivations.observer = nil
            session.visualEncoder.observer = nil
        }

        let input: ModelInput
        if let llava = session.visualEncoder as? LlavaEncoder {
            let features = try imageFeatures(golden, llava, taps: taps, meter: &meter)
            measureTokens(golden, features: features, meter: &meter)
            input = try splice(golden, features)
        } else {
            input = try patchInput(golden, taps: taps, meter: &meter)
        }
        guard input.count > 0, input.count <= session.contextLimit - record.genIDs.count else {
            throw ParityError(
                "\(golden.name): expected 1 to \(session.contextLimit) tokens with the answer, got "
                    + "\(input.count) and \(record.genIDs.count). Make shorter goldens or raise "
                    + "--context."
            )
        }
        let prompt = try forwardPrompt(input, golden: golden, taps: taps)
        if isSinglePrecision {
            meter.logits("logits_last", prompt.last, golden.floats("fp32ckpt_logits_last") ?? [])
        } else {
            measureText(golden, taps: taps, logits: prompt, meter: &meter)
        }
        try measureGreedy(golden, after: input, meter: &meter)
        session.textActivations.observer = nil
        try measureTrainedRules(golden, meter: &meter)
        return ParityReport.Case(
            name: golden.name,
            skipped: nil,
            measurements: meter.measurements
        )
    }

    /// What the generator calls this family.
    private var goldenFamily: String {
        switch family {
        case .llavaOneVision, .llavaQwen: "llava_ov"
        case .qwen25VL: "qwen2_5_vl"
        case .qwen3VL: "qwen3_vl"
        }
    }

    private func skipped(_ golden: GoldenCase, _ reason: String) -> ParityReport.Case {
        ParityReport.Case(name: golden.name, skipped: reason, measurements: [])
    }
}
