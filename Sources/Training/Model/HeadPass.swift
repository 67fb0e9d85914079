import TensorKernels
import Transformer

/// Final norm, output head and cross entropy, on the rows that have something to predict.
///
/// Logits are made for so many rows at a time that they take at most 64 MiB: of a vocabulary of 150 000 a
/// thousand rows would take 600.
final class HeadPass {
    /// −log p of each target.
    let losses = GrowingBuffer<Float>()  // [targets]
    /// 1 where the target has the highest logit.
    let correct = GrowingBuffer<UInt8>()  // [targets]

    private let norm = NormTape()
    private let normed = GrowingBuffer<Float>()  // [targets, hidden]
    private let logits = GrowingBuffer<Float>()  // [rows of a part, vocabulary]
    private let ones = GrowingBuffer<Float>()  // [targets]
    private let scales = GrowingBuffer<Float>()  // [targets], gradient of the loss by each −log p
    private let normedGradient = GrowingBuffer<Float>()  // [targets, hidden]

    private let slots: ModelSlots
    private let config: TextConfig
    private static let logitLimit = 16 << 20

    /// Makes a head without memory.
    init(slots: ModelSlots, config: TextConfig) {
        self.slots = slots
        self.config = config
    }

    /// Rows of logits made at a time.
    private static func partRows(vocabularySize: Int) -> Int {
        max(1, logitLimit / vocabularySize)
    }

    /// Floats for `targets` rows.
    static func floatCount(_ config: TextConfig, vocabularySize: Int, targets: Int) -> Int {
        targets * (4 * config.hiddenSize + 6)
            + min(targets, partRows(vocabularySize: vocabularySize)) * vocabularySize
    }

    /// Fills ``losses`` and ``correct`` from `output` [targets, hidden].
    ///
    /// With `rowScales` (for each target, the gradient of the loss by its −log p) it also adds the
    /// gradients of head and norm, and writes that of `output` to `outputGradient`.
    func run(
        plan: BatchPlan,
        output: GrowingBuffer<Float>,
        rowScales: [Float]?,
        outputGradient: GrowingBuffer<Float>,
        context: PassContext
    ) {
        let count = plan.targetCount
        let width = config.hiddenSize
        require(plan)
        guard count > 0 else { return }
        context.normalize(
            slots.norm,
            output,
            rows: count,
            columns: width,
            epsilon: config.rmsNormEpsilon,
            into: normed,
            tape: norm
        )
        if let rowScales { scales.fill(rowScales) }
        let size = Self.partRows(vocabularySize: slots.lmHead.outputs)
        for start in stride(from: 0, to: count, by: size) {
            runPart(
                start..<min(start + size, count),
                plan: plan,
                wantsGradient: rowScales != nil,
                context: context
            )
        }
        guard rowScales != nil else { return }
        context.clear(outputGradient.base, count: count * width)
        context.normalizeBackward(
            slots.norm,
            x: output,
            dy: normedGradient,
            rows: count,
            columns: width,
            tape: norm,
            addingTo: outputGradient
        )
    }

    private func require(_ plan: BatchPlan) {
        let count = plan.targetCount
        let vocabulary = slots.lmHead.outputs
        normed.require(count * config.hiddenSize)
        normedGradient.require(count * config.hiddenSize)
        norm.require(rows: count)
        logits.require(min(count, Self.partRows(vocabularySize: vocabulary)) * vocabulary)
        losses.require(count)
        correct.require(count)
        if ones.capacity < count || count == 0 {
            ones.require(count)
            ones.base.update(repeating: 1, count: ones.capacity)
        }
    }

    private func runPart(
        _ part: Range<Int>,
        plan: BatchPlan,
        wantsGradient: Bool,
        context: PassContext
    ) {
        let (width, vocabulary) = (config.hiddenSize, slots.lmHead.outputs)
        let (start, rows) = (part.lowerBound, part.count)
        let head = context.parameters + slots.lmHead.weight
        let rowsIn = normed.base + start * width
        product(
            rowsIn,
            .rowMajor,
            head,
            .transposed,
            [rows, vocabulary, width],
            false,
            logits.base,
            context
        )
        softmaxCrossEntropy(
            logits.base,
            rows: rows,
            vocabulary: vocabulary,
            targets: plan.targetIDs.base + start,
            weights: ones.base,
            losses: losses.base + start,
            correct: correct.base + start,
            pool: context.pool
        )
        guard wantsGradient else { return }
        context.scaleRows(
            logits.base,
            by: scales.base + start,
            rows: rows,
            columns: vocabulary
        )
        if slots.lmHead.isTrained {
            product(
                logits.base,
                .transposed,
                rowsIn,
                .rowMajor,
                [vocabulary, width, rows],
                true,
                context.gradients + slots.lmHead.weight,
                context
            )
        }
        product(
            logits.base,
            .rowMajor,
            head,
            .rowMajor,
            [rows, width, vocabulary],
            false,
            normedGradient.base + start * width,
            context
        )
    }

    /// `generalProduct` with its sizes as [m, n, k].
    private func product(
        _ a: UnsafePointer<Float>,
        _ aLayout: OperandLayout,
        _ b: UnsafePointer<Float>,
        _ bLayout: OperandLayout,
        _ sizes: [Int],
        _ accumulate: Bool,
        _ c: UnsafeMutablePointer<Float>,
        _ context: PassContext
    ) {
        generalProduct(
            a,
            aLayout,
            b,
            bLayout,
            m: sizes[0],
            n: sizes[1],
            k: sizes[2],
            accumulate: accumulate,
            into: c,
            workspace: context.workspace,
            pool: context.pool
        )
    }
}
