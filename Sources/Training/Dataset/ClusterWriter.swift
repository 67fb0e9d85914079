import Inference
import RewardModeling
import Tokenization
import Transformer
import VisionPreprocessing

/// Turns the records of a cluster into tokens, targets and tiles.
struct ClusterWriter: Sendable {
    let examples: ExampleWriter
    let builder: InputBuilder
    /// What cuts pictures and clips.
    let family: LlavaFamily
    /// The token that ends an answer.
    let endOfTurn: Int32
    /// The longest question with its answer, in rows.
    let contextLimit: Int
    /// Whether a token's weight is 1, or its share of an answer's.
    let lossMean: TrainingOptions.LossMean
    /// The dataset's file, for errors.
    let file: String

    /// The cluster of `records`.
    ///
    /// - Throws: ``TrainingError/unusableRecord(_:)``, `CancellationError`.
    func cluster(of records: some Sequence<DatasetRecord>) async throws -> PreparedCluster {
        var cluster = PreparedCluster()
        var places = ClusterPlaces()
        let examples = ExampleWriter(pack: examples.pack, media: RememberedMedia(examples.media))
        for record in records {
            try Task.checkCancellation()
            for example in try await examples.examples(of: record, file: file) {
                try add(example, to: &cluster, &places)
            }
        }
        return cluster
    }

    private func add(
        _ example: TrainingExample,
        to cluster: inout PreparedCluster,
        _ places: inout ClusterPlaces
    ) throws(TrainingError) {
        let plan: InputBuilder.Plan
        let answer: [Int32]
        do {
            plan = try builder.plan(example.prompt)
            answer = try builder.answerTokens(example.response) + [endOfTurn]
        } catch {
            throw .unusableRecord("\(file) line \(example.line): \(error)")
        }
        guard plan.count + answer.count <= contextLimit else {
            throw .unusableRecord(
                "\(file) line \(example.line): expected at most \(contextLimit) tokens, got "
                    + "\(plan.count + answer.count). Shorten the text or use a smaller picture."
            )
        }
        let (prefix, question) = split(plan, of: example, into: &cluster, &places)
        let branch = branch(question: question, answer: answer)
        let label = PreparedCluster.BranchLabel(group: example.group, line: example.line)
        if let index = places.sequences[prefix] {
            cluster.sequences[index].branches.append(branch)
            cluster.labels[index].append(label)
        } else {
            places.sequences[prefix] = cluster.sequences.count
            cluster.sequences.append(
                BatchSequence(prefix: prefix.map(\.piece), branches: [branch])
            )
            cluster.labels.append([label])
        }
    }

    /// Everything up to the last picture, and the tokens after it.
    private func split(
        _ plan: InputBuilder.Plan,
        of example: TrainingExample,
        into cluster: inout PreparedCluster,
        _ places: inout ClusterPlaces
    ) -> (prefix: [PieceKey], question: [Int32]) {
        var prefix: [PieceKey] = []
        var run: [Int32] = []
        var planned = plan.visuals.makeIterator()
        for token in plan.tokens {
            if case .id(let id) = token {
                run.append(id)
            } else if let visual = planned.next() {
                if !run.isEmpty { prefix.append(.tokens(run)) }
                run = []
                prefix.append(.visual(place(visual, of: example.prompt, in: &cluster, &places)))
            }
        }
        return (prefix, run)
    }

    /// The index of a picture or clip in the cluster, cut into tiles when it is new.
    private func place(
        _ visual: PlannedVisual,
        of prompt: EnginePrompt,
        in cluster: inout PreparedCluster,
        _ places: inout ClusterPlaces
    ) -> Int {
        if let known = places.visuals[visual.key] { return known }
        var tiles: [Int] = []
        for tile in family.tiles(of: visual, in: prompt) {
            // A square picture on a grid of one tile is the same tile twice, and the same again
            // when it is shown beside another.
            let key = TileKey(isFrame: visual.isClip, pixels: tile.tiles[0].pixels)
            let place = places.tiles[key, default: cluster.tiles.count]
            if place == cluster.tiles.count { cluster.tiles.append(tile) }
            places.tiles[key] = place
            tiles.append(place)
        }
        let index = cluster.images.count
        cluster.images.append(BatchImage(tiles: tiles, packing: visual.packing))
        cluster.imageRows.append(visual.tokens)
        places.visuals[visual.key] = index
        return index
    }

    /// The question and its answer; each row before a token of the answer must predict it. The last
    /// token of the answer is only ever predicted.
    private func branch(question: [Int32], answer: [Int32]) -> BatchBranch {
        precondition(!question.isEmpty, "a template ends with the opening of the answer's turn")
        return BatchBranch(
            tokens: question + answer.dropLast(),
            targets: [Int32](repeating: -1, count: question.count - 1) + answer,
            weight: lossMean == .answers ? 1 / Float(answer.count) : 1
        )
    }
}

/// Where the parts of a cluster already stand.
private struct ClusterPlaces {
    var visuals: [String: Int] = [:]
    var tiles: [TileKey: Int] = [:]
    var sequences: [[PieceKey]: Int] = [:]
}

/// Frames and pictures are normalised differently, so equal pixels are not yet equal tiles.
private struct TileKey: Hashable {
    let isFrame: Bool
    let pixels: [UInt8]
}

extension PlannedVisual {
    fileprivate var isClip: Bool {
        if case .clip = source { true } else { false }
    }

    fileprivate var packing: ImageTiles.Packing {
        guard case .tiles(_, let packing) = cut else {
            preconditionFailure("expected a plan of LLaVA-OneVision")
        }
        return packing
    }
}

extension LlavaFamily {
    /// The tiles of a picture or clip, each by itself.
    fileprivate func tiles(of visual: PlannedVisual, in prompt: EnginePrompt) -> [ProcessedImage] {
        switch (visual.source, visual.cut) {
        case (.image(let slot), .tiles(let layout, _)):
            let image = tiles(of: prompt.images[slot].image, layout: layout)
            return image.tiles.indices.map(image.tile)
        case (.clip(let slot), .tiles):
            return prompt.clips[slot].frames.map { tile(of: $0.image) }
        case (.frame(let slot, let index), .tiles):
            return [pictureTile(of: prompt.clips[slot].frames[index].image)]
        case (_, .patches):
            preconditionFailure("expected a plan of LLaVA-OneVision")
        }
    }
}

/// A piece of a beginning, comparable.
private enum PieceKey: Hashable {
    case tokens([Int32])
    case visual(Int)

    var piece: BatchPiece {
        switch self {
        case .tokens(let ids): .tokens(ids)
        case .visual(let index): .image(index)
        }
    }
}
