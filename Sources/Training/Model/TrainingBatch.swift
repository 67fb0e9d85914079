package import Transformer

/// What one forward and backward pass works on: pictures, and token sequences that show them.
package struct TrainingBatch: Sendable {
    /// [T, 3, S, S], normalised, each distinct tile once.
    package var tiles: [Float]
    /// Pictures and videos, by the tiles they are made of.
    package var images: [BatchImage]
    /// Independent sequences.
    package var sequences: [BatchSequence]

    /// Collects the parts.
    package init(tiles: [Float], images: [BatchImage], sequences: [BatchSequence]) {
        self.tiles = tiles
        self.images = images
        self.sequences = sequences
    }

    /// Σ weight over every target token: what the loss of a batch is divided by. To accumulate several
    /// batches as if they were one, scale each by its share of the sum of these.
    package var targetWeight: Double {
        sequences.reduce(0) { sum, sequence in
            sequence.branches.reduce(sum) { sum, branch in
                sum + Double(branch.weight) * Double(branch.targets.count { $0 >= 0 })
            }
        }
    }
}

/// One picture or video of a batch.
package struct BatchImage: Sendable {
    /// Which tiles, in the order `packing` wants them; a tile may be shown twice.
    package var tiles: [Int]
    /// How their features become rows.
    package var packing: ImageTiles.Packing

    /// Names the tiles of a picture.
    package init(tiles: [Int], packing: ImageTiles.Packing) {
        self.tiles = tiles
        self.packing = packing
    }
}

/// A run of rows that a sequence starts with.
package enum BatchPiece: Sendable {
    case tokens([Int32])
    /// An index into ``TrainingBatch/images``.
    case image(Int)
}

/// A shared beginning and what follows it, several times over: the work of the beginning is done once.
package struct BatchSequence: Sendable {
    /// Pictures and the text before them; may be empty.
    package var prefix: [BatchPiece]
    /// Continuations that do not see each other.
    package var branches: [BatchBranch]

    /// Joins a beginning and its continuations.
    package init(prefix: [BatchPiece], branches: [BatchBranch]) {
        self.prefix = prefix
        self.branches = branches
    }
}

/// One continuation. Its positions start at the length of the prefix.
package struct BatchBranch: Sendable {
    /// Token ids; at least one.
    package var tokens: [Int32]
    /// For each token, the id its row must predict; -1 for none.
    package var targets: [Int32]
    /// Weight of each of its target tokens in the loss; not negative.
    package var weight: Float

    /// Pairs tokens with what follows them.
    package init(tokens: [Int32], targets: [Int32], weight: Float) {
        self.tokens = tokens
        self.targets = targets
        self.weight = weight
    }
}

/// What one batch gave.
package struct StepOutcome: Sendable, Equatable {
    /// Mean of −log p over target tokens, by weight; 0 without targets.
    package var loss: Double
    /// Σ weight over target tokens.
    package var weight: Double
    /// Target tokens.
    package var targets: Int
    /// Target tokens that have the highest logit of their row.
    package var correct: Int
    /// Mean of −log p over the target tokens of each branch, in order of sequences and branches; 0 for
    /// a branch without targets.
    package var branchLosses: [Double]
    /// Whether each branch has targets and every one of them has the highest logit of its row.
    package var branchCorrect: [Bool]
}
