/// Which clusters make up each batch of a run: known before the first step, so that a resumed run goes
/// on where it was.
///
/// Every epoch has an order of its own, shuffled by seed and epoch (Fisher and Yates over SplitMix64).
struct StepPlan {
    /// Indices of clusters, for each batch in turn; `accumulation` batches make a step.
    let batches: [[Int]]
    /// Updates of the run.
    let steps: Int
    /// Batches of one step.
    let accumulation: Int

    /// The most times that a run goes to a cluster: the plan names each of them, some 36 bytes.
    static let mostVisits = 10_000_000

    /// Refuses a run whose plan would not fit into memory.
    ///
    /// - Throws: ``TrainingError/invalidOption(name:expected:got:)``.
    static func check(clusters: Int, options: TrainingOptions) throws(TrainingError) {
        // At most as many visits as examples, of which a batch has its size and less than a cluster more.
        let bySteps = options.maximumSteps.map {
            Double($0) * Double(options.accumulation) * Double(options.batchSize)
        }
        let visits = min(Double(clusters) * options.epochs, bySteps ?? .infinity)
        guard visits > Double(mostVisits) else { return }
        throw .invalidOption(
            name: "epochs",
            expected:
                "at most \(mostVisits / max(clusters, 1)) over \(clusters) groups of records that "
                + "share pictures, or max_steps of at most "
                + "\(mostVisits / (options.accumulation * options.batchSize))",
            got: "\(options.epochs)"
        )
    }

    /// - Parameter exampleCounts: examples of each cluster.
    init(exampleCounts: [Int], options: TrainingOptions) {
        let total = exampleCounts.reduce(0, +)
        let wanted = Int((Double(total) * options.epochs).rounded(.up))
        let most = options.maximumSteps.map { $0 * options.accumulation } ?? Int.max
        var batches: [[Int]] = []
        var batch: [Int] = []
        var count = 0
        var used = 0
        var epoch: UInt64 = 0
        while used < wanted, batches.count < most {
            var order = Array(exampleCounts.indices)
            var random = SplitMix64(seed: options.seed &+ (epoch &+ 1) &* 0xD1B5_4A32_D192_ED03)
            order.shuffle(using: &random)
            for cluster in order where used < wanted && batches.count < most {
                batch.append(cluster)
                count += exampleCounts[cluster]
                used += exampleCounts[cluster]
                if count >= options.batchSize {
                    batches.append(batch)
                    batch = []
                    count = 0
                }
            }
            epoch += 1
        }
        if !batch.isEmpty, batches.count < most { batches.append(batch) }
        self.batches = batches
        accumulation = options.accumulation
        steps = (batches.count + accumulation - 1) / accumulation
    }

    /// The greatest number of rows, tiles and examples a batch has, given those of each cluster.
    func widest(_ sizes: [ClusterSize]) -> ClusterSize {
        batches.reduce(ClusterSize()) { widest, batch in
            var sum = ClusterSize()
            for cluster in batch { sum += sizes[cluster] }
            return widest.union(sum)
        }
    }

    /// The batches of one step.
    func batches(ofStep step: Int) -> ArraySlice<[Int]> {
        batches[(step * accumulation)..<min((step + 1) * accumulation, batches.count)]
    }
}

/// A small generator with 64 bits of state (Steele, Lea and Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    /// Equal seeds, equal numbers.
    init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
