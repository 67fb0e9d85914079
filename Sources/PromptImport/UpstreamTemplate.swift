import RewardModeling

/// How the answers to one of UnifiedReward's templates are read: what a pack says beside the words.
struct UpstreamTemplate: Sendable {
    /// Its name upstream, and in the pack.
    let id: String
    let task: JudgingTask
    let kind: QuestionKind
    let grammar: String
    var media: [String] = []
    var scale: [Double] = []
    var criteria: [(name: String, label: String)] = []
    var prefix = ""
    /// Texts with their verdicts, or with their values.
    var choices: [(text: String, value: PayloadValue)] = []

    /// Every template a pack can be made of.
    static let all: [UpstreamTemplate] = pairs + points + criteria + editing + thinking + rubrics

    // MARK: - Shapes

    private static let pairs =
        ["IG-PAIR-LLAVA", "IG-PAIR-QWEN"].map { pair($0, .imageGeneration, "Image") }
        + ["IU-PAIR-LLAVA", "IU-PAIR-QWEN", "IU-PAIR-DPO"].map {
            pair($0, .imageUnderstanding, "Answer")
        }
        + ["VG-PAIR-LLAVA", "VG-PAIR-QWEN"].map { pair($0, .videoGeneration, "Video") }
        + ["VU-PAIR-LLAVA", "VU-PAIR-QWEN", "VU-PAIR-DPO"].map {
            pair($0, .videoUnderstanding, "Answer")
        }

    private static let points = [
        point("IG-POINT-5", .imageGeneration, 1...5),
        point("IG-POINT-10", .imageGeneration, 1...10),
        point("IG-POINT-SGL", .imageGeneration, 1...5),
        point("IU-POINT-LLAVA", .imageUnderstanding, 0...100, step: 10),
        point("IU-POINT-QWEN", .imageUnderstanding, 0...100, step: 10),
        point("VG-POINT-DPO", .videoGeneration, 1...10),
        point("VU-POINT", .videoUnderstanding, 1...5),
        point("VU-POINT-DPO", .videoUnderstanding, 1...5),
    ]

    private static let criteria = [
        scores("IG-ACS-WORD", .imageGeneration, ["Alignment", "Coherence", "Style"]),
        scores("IG-ACS-20", .imageGeneration, ["Alignment", "Coherence", "Style"]),
        scores("VG-APS-20", .videoGeneration, ["Alignment", "Physics", "Style"]),
        UpstreamTemplate(
            id: "VG-POINT-VF",
            task: .videoGeneration,
            kind: .pointScore,
            grammar: "criteria_scores",
            media: ["video"],
            scale: [1, 4],
            criteria: [
                ("visual_quality", "visual quality"),
                ("temporal_consistency", "temporal consistency"),
                ("dynamic_degree", "dynamic degree"), ("alignment", "text-to-video alignment"),
                ("factual_consistency", "factual consistency"),
            ],
            choices: numerals(1...4)
        ),
        shares("IG-PAIRSCORE-20", .imageGeneration), shares("VG-PAIRSCORE-20", .videoGeneration),
    ]

    private static let editing = [
        UpstreamTemplate(
            id: "ED-PAIR",
            task: .imageEditing,
            kind: .pairRank,
            grammar: "better_statement",
            media: ["source", "first", "second"],
            choices: statements("Image", full: true)
        ),
        UpstreamTemplate(
            id: "ED-PAIRSCORE",
            task: .imageEditing,
            kind: .pairScore,
            grammar: "two_numbers",
            media: ["source", "first", "second"],
            scale: [-1000, 1000],
            criteria: [("overall", "overall score")],
            choices: [-10, -5, 0, 5, 10].map { ("\($0)", .number($0)) }
        ),
        edit(
            "ED-POINT-IF",
            ["source", "edited"],
            [("success", "edit success"), ("overediting", "over-editing")]
        ),
        edit(
            "ED-POINT-Q",
            ["edited"],
            [("naturalness", "naturalness"), ("artifacts", "artifacts")]
        ),
    ]

    private static let thinking = ["TH", "TH3"].flatMap { line in
        [
            thought("\(line)-IG", .imageGeneration, "Image"),
            thought("\(line)-IU", .imageUnderstanding, "Answer"),
            thought("\(line)-VG", .videoGeneration, "Video"),
            thought("\(line)-VU", .videoUnderstanding, "Answer"),
        ]
    }

    private static let rubrics = [
        rubric("FX-IG", .imageGeneration, "Image"), rubric("FX-VG", .videoGeneration, "Video"),
    ]

    // MARK: - Makers

    private static func pair(_ id: String, _ task: JudgingTask, _ noun: String) -> UpstreamTemplate
    {
        UpstreamTemplate(
            id: id,
            task: task,
            kind: .pairRank,
            grammar: "better_statement",
            media: pairMedia(task),
            choices: statements(noun, full: true)
        )
    }

    private static func thought(
        _ id: String,
        _ task: JudgingTask,
        _ noun: String
    ) -> UpstreamTemplate {
        UpstreamTemplate(
            id: id,
            task: task,
            kind: .pairRank,
            grammar: "better_statement",
            media: pairMedia(task),
            prefix: "<answer>",
            choices: statements(noun, full: false)
        )
    }

    private static func rubric(
        _ id: String,
        _ task: JudgingTask,
        _ noun: String
    ) -> UpstreamTemplate {
        UpstreamTemplate(
            id: id,
            task: task,
            kind: .pairRank,
            grammar: "rubric",
            media: pairMedia(task),
            prefix: "{\"winner\": \"",
            choices: [
                ("\(noun) 1", .string("first")), ("\(noun) 2", .string("second")),
            ]
        )
    }

    private static func point(
        _ id: String,
        _ task: JudgingTask,
        _ scale: ClosedRange<Int>,
        step: Int = 1
    ) -> UpstreamTemplate {
        UpstreamTemplate(
            id: id,
            task: task,
            kind: .pointScore,
            grammar: "final_score",
            media: pointMedia(task),
            scale: [Double(scale.lowerBound), Double(scale.upperBound)],
            prefix: "Final Score: ",
            choices: numerals(scale, step: step)
        )
    }

    private static func scores(
        _ id: String,
        _ task: JudgingTask,
        _ names: [String]
    ) -> UpstreamTemplate {
        UpstreamTemplate(
            id: id,
            task: task,
            kind: .pointScore,
            grammar: "criteria_scores",
            media: pointMedia(task),
            scale: [1, 5],
            criteria: names.map { ($0.lowercased(), "\($0) Score (1-5)") },
            choices: numerals(1...5)
        )
    }

    private static func shares(_ id: String, _ task: JudgingTask) -> UpstreamTemplate {
        UpstreamTemplate(
            id: id,
            task: task,
            kind: .pairScore,
            grammar: "pair_scores",
            media: pairMedia(task),
            scale: [0, 1],
            criteria: ["Alignment", "Coherence", "Style"].map { ($0.lowercased(), "\($0) Score") },
            choices: (0...10).map { ("\(Double($0) / 10)", .number(Double($0) / 10)) }
        )
    }

    private static func edit(
        _ id: String,
        _ media: [String],
        _ criteria: [(name: String, label: String)]
    ) -> UpstreamTemplate {
        UpstreamTemplate(
            id: id,
            task: .imageEditing,
            kind: .pointScore,
            grammar: "score_list",
            media: media,
            scale: [0, 25],
            criteria: criteria,
            choices: numerals(0...25, step: 5)
        )
    }

    private static func statements(
        _ noun: String,
        full: Bool
    ) -> [(text: String, value: PayloadValue)] {
        [("1", "2", "first"), ("2", "1", "second")].map { own, other, verdict in
            (
                full
                    ? "\(noun) \(own) is better than \(noun) \(other)."
                    : "\(noun) \(own) is better",
                .string(verdict)
            )
        }
    }

    private static func numerals(
        _ scale: ClosedRange<Int>,
        step: Int = 1
    ) -> [(text: String, value: PayloadValue)] {
        stride(from: scale.lowerBound, through: scale.upperBound, by: step).map {
            ("\($0)", .number(Double($0)))
        }
    }

    private static func pairMedia(_ task: JudgingTask) -> [String] {
        task.judgesMedia ? ["first", "second"] : pointMedia(task)
    }

    private static func pointMedia(_ task: JudgingTask) -> [String] { [task.medium.rawValue] }
}
