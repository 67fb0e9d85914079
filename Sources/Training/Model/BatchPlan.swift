import TensorKernels
import Transformer

/// A batch laid out as rows: what stands in each row of the decoder and what it must predict.
///
/// The memory is kept from batch to batch. Belongs to one training thread.
final class BatchPlan {
    /// Rows of the decoder: of each sequence its prefix, then its branches.
    private(set) var rows = 0
    /// Tiles, and rows of the vision tower.
    private(set) var tiles = 0
    private(set) var featureRows = 0
    /// Rows that must predict something.
    var targetRows: RowSubset { RowSubset(indices: targetIndices, count: targetCount) }
    private(set) var targetCount = 0
    /// Sequences of the decoder.
    private(set) var sequences: [AttentionSequence] = []
    /// One for each tile.
    private(set) var tileSequences: [AttentionSequence] = []
    /// One more than the highest position.
    private(set) var positionCount = 0

    let positions = GrowingBuffer<Int32>()  // [rows]
    let tokens = GrowingBuffer<Int32>()  // [rows], -1 where no token stands
    let newlines = GrowingBuffer<Int32>()  // [rows], 0 for image_newline, else -1
    let tapStarts = GrowingBuffer<Int32>()  // [rows + 1], into the next two
    let tapRows = GrowingBuffer<Int32>()
    let tapWeights = GrowingBuffer<Float>()
    let useStarts = GrowingBuffer<Int32>()  // [featureRows + 1], into the next two
    let useRows = GrowingBuffer<Int32>()  // rows a feature row goes to, ascending
    let useWeights = GrowingBuffer<Float>()
    private let targetIndices = GrowingBuffer<Int32>()  // [targetCount], ascending
    let targetIDs = GrowingBuffer<Int32>()  // [targetCount]
    /// Branch of each target, counted over the batch.
    private(set) var targetBranches: [Int] = []
    /// Weight of each branch in the loss.
    private(set) var branchWeights: [Float] = []

    private let features: FeatureRows
    private let tileFloats: Int

    /// Prepares for batches of a model.
    init(config: LlavaConfig) {
        features = FeatureRows(packing: ImagePacking(config))
        tileFloats = 3 * config.vision.imageSize * config.vision.imageSize
    }

    /// Lays out a batch.
    ///
    /// - Precondition: the batch has passed ``TrainingBatch/check(against:)``.
    func load(_ batch: TrainingBatch) {
        var builder = RowBuilder(images: batch.images, features: features)
        for sequence in batch.sequences { builder.append(sequence) }
        rows = builder.tokens.count
        sequences = builder.sequences
        positionCount = Int(builder.positions.max() ?? 0) + 1
        targetCount = builder.targetRows.count
        targetBranches = builder.targetBranches
        branchWeights = builder.branchWeights
        positions.fill(builder.positions)
        tokens.fill(builder.tokens)
        newlines.fill(builder.newlines)
        tapStarts.fill(builder.tapStarts)
        tapRows.fill(builder.tapRows)
        tapWeights.fill(builder.tapWeights)
        targetIndices.fill(builder.targetRows)
        targetIDs.fill(builder.targetIDs)

        let patches = features.packing.gridSide * features.packing.gridSide
        tiles = batch.tiles.count / tileFloats
        featureRows = tiles * patches
        tileSequences = (0..<tiles).map {
            AttentionSequence(
                firstRow: $0 * patches,
                prefixCount: patches,
                branchCounts: [],
                isCausal: false
            )
        }
        transposeTaps(builder)
    }

    /// Lists for each feature row where it goes: a counting sort, rows ascending.
    private func transposeTaps(_ builder: RowBuilder) {
        var starts = [Int32](repeating: 0, count: featureRows + 1)
        for row in builder.tapRows { starts[Int(row) + 1] += 1 }
        for row in 0..<featureRows { starts[row + 1] += starts[row] }
        var next = starts
        useRows.require(builder.tapRows.count)
        useWeights.require(builder.tapRows.count)
        for row in 0..<rows {
            for tap in Int(builder.tapStarts[row])..<Int(builder.tapStarts[row + 1]) {
                let source = Int(builder.tapRows[tap])
                let place = Int(next[source])
                next[source] += 1
                useRows.base[place] = Int32(row)
                useWeights.base[place] = builder.tapWeights[tap]
            }
        }
        useStarts.fill(starts)
    }
}

/// The rows of a batch while they are listed.
private struct RowBuilder {
    let images: [BatchImage]
    let features: FeatureRows
    var sequences: [AttentionSequence] = []
    var positions: [Int32] = []
    var tokens: [Int32] = []
    var newlines: [Int32] = []
    var tapStarts: [Int32] = [0]
    var tapRows: [Int32] = []
    var tapWeights: [Float] = []
    var targetRows: [Int32] = []
    var targetIDs: [Int32] = []
    var targetBranches: [Int] = []
    var branchWeights: [Float] = []

    init(images: [BatchImage], features: FeatureRows) {
        self.images = images
        self.features = features
    }

    mutating func append(_ sequence: BatchSequence) {
        let firstRow = tokens.count
        for piece in sequence.prefix {
            switch piece {
            case .tokens(let ids):
                for id in ids { appendRow(token: id, position: tokens.count - firstRow) }
            case .image(let index):
                features.forEachRow(of: images[index]) { taps in
                    appendRow(taps: taps, position: tokens.count - firstRow)
                }
            }
        }
        let prefixCount = tokens.count - firstRow
        for branch in sequence.branches {
            for (offset, id) in branch.tokens.enumerated() {
                if branch.targets[offset] >= 0 {
                    targetRows.append(Int32(tokens.count))
                    targetIDs.append(branch.targets[offset])
                    targetBranches.append(branchWeights.count)
                }
                appendRow(token: id, position: prefixCount + offset)
            }
            branchWeights.append(branch.weight)
        }
        sequences.append(
            AttentionSequence(
                firstRow: firstRow,
                prefixCount: prefixCount,
                branchCounts: sequence.branches.map(\.tokens.count),
                isCausal: true
            )
        )
    }

    private mutating func appendRow(token: Int32, position: Int) {
        positions.append(Int32(position))
        tokens.append(token)
        newlines.append(-1)
        tapStarts.append(Int32(tapRows.count))
    }

    private mutating func appendRow(taps: [FeatureRows.Tap], position: Int) {
        positions.append(Int32(position))
        tokens.append(-1)
        newlines.append(taps.isEmpty ? 0 : -1)
        for tap in taps {
            tapRows.append(tap.row)
            tapWeights.append(tap.weight)
        }
        tapStarts.append(Int32(tapRows.count))
    }
}
