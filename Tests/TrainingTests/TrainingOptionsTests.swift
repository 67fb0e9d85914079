import RewardModeling
import Testing
import Training

@Suite("The options of a train job")
struct TrainingOptionsTests {
    private func read(_ json: String) throws -> TrainingOptions {
        try TrainingOptions(json: Array(json.utf8))
    }

    @Test("none means the defaults")
    func defaults() throws {
        let options = try read("{}")
        #expect(options == TrainingOptions())
        #expect(options.epochs == 1 && options.maximumSteps == nil && options.batchSize == 64)
        #expect(options.learningRate == 1e-4 && options.weightDecay == 0.01)
        #expect(options.warmupRatio == 0.03 && options.finalLearningRateRatio == 0.1)
        #expect(options.clipNorm == 1 && options.accumulation == 1 && options.seed == 0)
        #expect(options.validationFraction == 0.02 && options.validateEvery == 200)
        #expect(options.checkpointEvery == 100 && options.method == .full)
        #expect(options.precision == .bf16 && options.tasks == nil && !options.replacesModel)
    }

    @Test("each is read")
    func values() throws {
        let options = try read(
            """
            {"epochs": 0.5, "max_steps": 10, "batch_size": 8, "learning_rate": 5e-5,
             "weight_decay": 0, "warmup_ratio": 0, "final_learning_rate_ratio": 1,
             "clip_norm": 0.5, "loss_mean": "answers", "vision_learning_rate_ratio": 0,
             "accumulation": 2, "seed": 9007199254740991,
             "validation_fraction": 0, "validate_every": 5, "checkpoint_every": 6,
             "method": "lora", "lora_rank": 4, "lora_alpha": 8.5, "tasks": ["video_generation"],
             "precision": "f32", "replace": true, "max_attempts": 3}
            """
        )
        var expected = TrainingOptions()
        expected.epochs = 0.5
        expected.lossMean = .answers
        expected.visionLearningRateRatio = 0
        expected.maximumSteps = 10
        expected.batchSize = 8
        expected.learningRate = 5e-5
        expected.weightDecay = 0
        expected.warmupRatio = 0
        expected.finalLearningRateRatio = 1
        expected.clipNorm = 0.5
        expected.accumulation = 2
        expected.seed = 9_007_199_254_740_991
        expected.validationFraction = 0
        expected.validateEvery = 5
        expected.checkpointEvery = 6
        expected.method = .lora
        expected.loraRank = 4
        expected.loraAlpha = 8.5
        expected.tasks = ["video_generation"]
        expected.precision = .f32
        expected.replacesModel = true
        #expect(options == expected)
    }

    @Test(
        "a value out of range or an unknown name is refused with its path",
        arguments: [
            (#"{"epochs": 0}"#, "options.epochs: "), (#"{"seed": 1.5}"#, "options.seed: "),
            (#"{"batch_size": 1e300}"#, "options.batch_size: "),
            (#"{"loss_mean": "all"}"#, "options.loss_mean: "),
            (#"{"vision_learning_rate_ratio": 2}"#, "options.vision_learning_rate_ratio: "),
            (#"{"tasks": "all"}"#, "options.tasks: "), (#"{"speed": 1}"#, "options.speed: "),
            ("[1]", "options: "), ("{", "options: "),
        ]
    )
    func refusals(json: String, start: String) {
        let error = #expect(throws: RewardModelingError.self) { try read(json) }
        #expect(error?.message.hasPrefix(start) == true)
        #expect(error?.code == "invalid_options")
    }
}
