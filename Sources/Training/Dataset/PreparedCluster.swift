import VisionPreprocessing

/// Records that show the same pictures, turned into what the model reads.
///
/// A cluster is the unit of shuffling and of sharing: a picture is encoded once for all its records, and
/// questions about the same pictures in the same order are branches of one sequence.
struct PreparedCluster: Sendable {
    /// What a branch is about.
    struct BranchLabel: Sendable {
        /// What reports call it.
        let group: String
        /// Line of the dataset.
        let line: Int
    }

    /// Each distinct tile once, 8 bits a sample.
    var tiles: [ProcessedImage] = []
    /// Pictures and clips by the tiles above.
    var images: [BatchImage] = []
    /// Rows each of them takes.
    var imageRows: [Int] = []
    /// Beginnings with their continuations; their pieces count the images above.
    var sequences: [BatchSequence] = []
    /// For each branch, in order of sequences and branches.
    var labels: [[BranchLabel]] = []

    /// What the cluster asks of the machine.
    var size: ClusterSize {
        var size = ClusterSize()
        size.tiles = tiles.count
        for sequence in sequences {
            for piece in sequence.prefix {
                switch piece {
                case .tokens(let ids): size.rows += ids.count
                case .image(let index): size.rows += imageRows[index]
                }
            }
            for branch in sequence.branches {
                size.rows += branch.tokens.count
                size.targetRows += branch.targets.count { $0 >= 0 }
                size.examples += 1
            }
        }
        return size
    }

    /// Memory it takes, in bytes, pixels in the main.
    var byteCount: Int {
        tiles.reduce(4096 + size.rows * 8) { sum, tile in
            tile.tiles.reduce(sum) { $0 + $1.pixels.count }
        }
    }
}

/// Numbers of rows, tiles and examples.
struct ClusterSize: Sendable, Equatable {
    /// Rows of the decoder.
    var rows = 0
    /// Rows with a target: the head runs on these.
    var targetRows = 0
    /// Tiles the vision tower encodes.
    var tiles = 0
    /// Questions with an answer.
    var examples = 0

    static func += (left: inout ClusterSize, right: ClusterSize) {
        left.rows += right.rows
        left.targetRows += right.targetRows
        left.tiles += right.tiles
        left.examples += right.examples
    }

    /// The greater of each.
    func union(_ other: ClusterSize) -> ClusterSize {
        ClusterSize(
            rows: max(rows, other.rows),
            targetRows: max(targetRows, other.targetRows),
            tiles: max(tiles, other.tiles),
            examples: max(examples, other.examples)
        )
    }
}
