import VisionPreprocessing

/// A batch, and the label of each of its branches in order.
typealias LabelledBatch = (batch: TrainingBatch, labels: [PreparedCluster.BranchLabel])

/// Puts prepared clusters together into one batch.
enum BatchAssembler {
    /// The batch of `clusters`, and the label of each of its branches in order.
    static func batch(of clusters: [PreparedCluster]) -> LabelledBatch {
        var batch = TrainingBatch(tiles: [], images: [], sequences: [])
        var labels: [PreparedCluster.BranchLabel] = []
        var tileCount = 0
        for cluster in clusters {
            let firstImage = batch.images.count
            for tile in cluster.tiles { batch.tiles += tile.normalized() }
            for image in cluster.images {
                batch.images.append(
                    BatchImage(tiles: image.tiles.map { $0 + tileCount }, packing: image.packing)
                )
            }
            for sequence in cluster.sequences {
                let prefix = sequence.prefix.map { piece in
                    switch piece {
                    case .tokens: piece
                    case .image(let index): BatchPiece.image(index + firstImage)
                    }
                }
                batch.sequences.append(BatchSequence(prefix: prefix, branches: sequence.branches))
            }
            labels += cluster.labels.flatMap { $0 }
            tileCount += cluster.tiles.count
        }
        return (batch, labels)
    }
}
