package import RewardModeling

/// How a model is trained: the options of a train job with their defaults.
package struct TrainingOptions: Sendable, Equatable {
    /// What is trained.
    package enum Method: String, Sendable, CaseIterable {
        /// Every weight.
        case full
        /// Low-rank adapters (Hu et al. 2021) over frozen weights, merged when the model is saved.
        case lora
    }

    /// How the weights of the model are stored.
    package enum Precision: String, Sendable, CaseIterable {
        case bf16
        case f32
    }

    /// What the loss of a batch is the mean of.
    package enum LossMean: String, Sendable, CaseIterable {
        /// Of all target tokens, as reference trainers have it: long answers count more.
        case tokens
        /// Of the answers, each the mean of its tokens: a score counts as much as a description.
        case answers
    }

    /// Passes over the training examples; may be a fraction.
    package var epochs = 1.0
    /// Optimizer steps at most; nil means as many as the epochs take.
    package var maximumSteps: Int?
    /// Examples of one step.
    package var batchSize = 64
    /// Highest learning rate.
    package var learningRate = 1e-4
    /// Learning rate of the vision tower as a share of the others'; 0 leaves it as it is. Where a decoder
    /// is new and a tower has learnt to see, equal rates let the one's first steps undo the other. Adapters
    /// leave the tower as it is in any case.
    package var visionLearningRateRatio = 1.0
    package var weightDecay = 0.01
    /// Share of the steps in which the learning rate rises.
    package var warmupRatio = 0.03
    /// The last learning rate as a share of the highest.
    package var finalLearningRateRatio = 0.1
    /// Greatest global norm of the gradients.
    package var clipNorm = 1.0
    package var lossMean = LossMean.tokens
    /// Parts a batch is computed in.
    package var accumulation = 1
    package var seed: UInt64 = 0
    /// Share of the examples without a split of their own that are kept for validation.
    package var validationFraction = 0.02
    /// Steps between two validations.
    package var validateEvery = 200
    /// Steps between two states on disk.
    package var checkpointEvery = 100
    package var method = Method.full
    package var loraRank = 16
    package var loraAlpha = 32.0
    /// Tasks whose examples are used, such as `image_generation`; nil means all.
    package var tasks: [String]?
    package var precision = Precision.bf16
    /// Whether another model of the name may be replaced.
    package var replacesModel = false

    /// The defaults.
    package init() {}

    /// Reads a job's options. Throws `.invalidOptions` with a sentence that names the option.
    package init(json: some Collection<UInt8>) throws(RewardModelingError) {
        guard case .object(let fields)? = PayloadValue(json: json) else {
            throw .invalidOptions(
                "options: expected a JSON object, got \(json.count) bytes of other text"
            )
        }
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            guard take(name, value) else {
                throw .invalidOptions(
                    "options.\(name): expected an option of a train job with a value in its range, "
                        + "got \(value.json.prefix(80)). Correct it or upgrade rewardd."
                )
            }
        }
    }

    /// Sets one option; false for an unknown name or a value out of range.
    private mutating func take(_ name: String, _ value: PayloadValue) -> Bool {
        switch name {
        case "epochs": set(\.epochs, value) { $0 > 0 }
        case "max_steps": setWhole(\.maximumSteps, value, 1...1_000_000_000)
        case "batch_size": setWhole(\.batchSize, value, 1...4096)
        case "learning_rate": set(\.learningRate, value) { $0 > 0 }
        case "vision_learning_rate_ratio":
            set(\.visionLearningRateRatio, value) { (0...1).contains($0) }
        case "weight_decay": set(\.weightDecay, value) { $0 >= 0 }
        case "warmup_ratio": set(\.warmupRatio, value) { (0...1).contains($0) }
        case "final_learning_rate_ratio":
            set(\.finalLearningRateRatio, value) { (0...1).contains($0) }
        case "clip_norm": set(\.clipNorm, value) { $0 > 0 }
        case "loss_mean": setWord(\.lossMean, value)
        case "accumulation": setWhole(\.accumulation, value, 1...1024)
        case "seed": setWhole(\.seed, value, 0...9_007_199_254_740_991)
        case "validation_fraction": set(\.validationFraction, value) { (0...0.5).contains($0) }
        case "validate_every": setWhole(\.validateEvery, value, 1...1_000_000_000)
        case "checkpoint_every": setWhole(\.checkpointEvery, value, 1...1_000_000_000)
        case "method": setWord(\.method, value)
        case "lora_rank": setWhole(\.loraRank, value, 1...4096)
        case "lora_alpha": set(\.loraAlpha, value) { $0 > 0 }
        case "tasks": setTasks(value)
        case "precision": setWord(\.precision, value)
        case "replace": setFlag(\.replacesModel, value)
        // The queue's own.
        case "max_attempts": true
        default: false
        }
    }

    /// Tasks whose records are used; nil for all.
    var judgingTasks: Set<JudgingTask>? {
        tasks.map { Set($0.compactMap(JudgingTask.init(rawValue:))) }
    }

    /// Every option that decides the numbers, in one line: two runs with equal lines, data and base are
    /// one run.
    var identity: String {
        [
            "epochs=\(epochs)", "max_steps=\(maximumSteps.map(String.init) ?? "none")",
            "batch=\(batchSize)x\(accumulation)", "rate=\(learningRate)x\(visionLearningRateRatio)",
            "decay=\(weightDecay)",
            "warmup=\(warmupRatio)", "final=\(finalLearningRateRatio)", "clip=\(clipNorm)",
            "mean=\(lossMean.rawValue)",
            "seed=\(seed)", "validation=\(validationFraction)", "method=\(method.rawValue)",
            "lora=\(loraRank)/\(loraAlpha)",
            "tasks=\(tasks.map { $0.sorted().joined(separator: ",") } ?? "all")",
        ].joined(separator: " ")
    }

    // MARK: - Values

    private mutating func set(
        _ path: WritableKeyPath<Self, Double>,
        _ value: PayloadValue,
        where isGood: (Double) -> Bool
    ) -> Bool {
        guard case .number(let number) = value, number.isFinite, isGood(number) else {
            return false
        }
        self[keyPath: path] = number
        return true
    }

    private mutating func setWhole<Number: BinaryInteger>(
        _ path: WritableKeyPath<Self, Number>,
        _ value: PayloadValue,
        _ range: ClosedRange<Int>
    ) -> Bool {
        guard let number = Self.whole(value, range) else { return false }
        self[keyPath: path] = Number(number)
        return true
    }

    private mutating func setWhole(
        _ path: WritableKeyPath<Self, Int?>,
        _ value: PayloadValue,
        _ range: ClosedRange<Int>
    ) -> Bool {
        guard let number = Self.whole(value, range) else { return false }
        self[keyPath: path] = number
        return true
    }

    private static func whole(_ value: PayloadValue, _ range: ClosedRange<Int>) -> Int? {
        guard case .number(let number) = value, let whole = Int(exactly: number),
            range.contains(whole)
        else { return nil }
        return whole
    }

    private mutating func setWord<Word: RawRepresentable<String>>(
        _ path: WritableKeyPath<Self, Word>,
        _ value: PayloadValue
    ) -> Bool {
        guard case .string(let text) = value, let word = Word(rawValue: text) else { return false }
        self[keyPath: path] = word
        return true
    }

    private mutating func setFlag(
        _ path: WritableKeyPath<Self, Bool>,
        _ value: PayloadValue
    ) -> Bool {
        guard case .bool(let flag) = value else { return false }
        self[keyPath: path] = flag
        return true
    }

    private mutating func setTasks(_ value: PayloadValue) -> Bool {
        guard case .array(let values) = value, !values.isEmpty else { return false }
        var names: [String] = []
        for value in values {
            guard case .string(let name) = value else { return false }
            names.append(name)
        }
        tasks = names
        return true
    }
}
