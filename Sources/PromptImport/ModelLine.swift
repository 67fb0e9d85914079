import RewardModeling

/// The lines of UnifiedReward's models: each was trained on templates of its own, which a pack for it
/// holds, the usual one of each task and kind first.
package enum ModelLine: String, Sendable, CaseIterable {
    /// UnifiedReward-0.5b, -7b and -7b-v1.5.
    case llava
    /// UnifiedReward-qwen-*.
    case qwen
    /// UnifiedReward-2.0-*.
    case second = "2.0"
    /// UnifiedReward-Think-7b and -Think-qwen-*.
    case think
    /// UnifiedReward-Think-qwen3vl-*.
    case think3
    /// UnifiedReward-Edit-*.
    case edit
    /// UnifiedReward-Flex-*.
    case flex

    /// How free answers are decoded. The scripts ask for greedy decoding or mean to, and leave the repetition
    /// penalty to the checkpoint's generation_config.json. Those of the first line generate from embeddings,
    /// so that it is applied to the answer's tokens alone; Think-7b is of their kind and leads its line.
    var decoding: PackDecoding {
        switch self {
        case .llava, .think: PackDecoding(penalty: .checkpoint, scope: .answer)
        case .qwen, .second, .think3, .edit, .flex:
            PackDecoding(penalty: .checkpoint, scope: .all)
        }
    }

    /// How clips are shown. The scripts that ask a server send the frames as so many pictures, which is what the
    /// models were trained on; those for Qwen2.5-VL hand its processor a video.
    var clips: ClipDisplay {
        switch self {
        case .second, .think3, .flex: .pictures
        case .llava, .qwen, .think, .edit: .videos
        }
    }

    /// Which frames of a video the line's scripts take; nil for the usual eight from the first to the last.
    var sampling: String? {
        switch self {
        case .second: "segments"
        case .qwen: "fps"
        case .llava, .think, .think3, .edit, .flex: nil
        }
    }

    /// Names of the templates, in the pack's order.
    package var templates: [String] {
        switch self {
        case .llava:
            [
                "IG-PAIR-LLAVA", "IG-POINT-5", "IG-ACS-WORD", "IG-POINT-SGL", "IG-POINT-10",
                "IU-PAIR-LLAVA", "IU-PAIR-DPO", "IU-POINT-LLAVA", "VG-PAIR-LLAVA", "VG-POINT-VF",
                "VG-POINT-DPO", "VU-PAIR-LLAVA", "VU-PAIR-DPO", "VU-POINT", "VU-POINT-DPO",
            ]
        case .qwen: Self.classic
        case .second:
            ["IG-PAIRSCORE-20", "IG-ACS-20", "VG-PAIRSCORE-20", "VG-APS-20"] + Self.classic
        case .think: ["TH-IG", "TH-IU", "TH-VG", "TH-VU"]
        case .think3: ["TH3-IG", "TH3-IU", "TH3-VG", "TH3-VU"]
        case .edit: ["ED-PAIR", "ED-PAIRSCORE", "ED-POINT-IF", "ED-POINT-Q"] + Self.images
        case .flex: ["FX-IG", "FX-VG"]
        }
    }

    private static let images = ["IG-PAIR-QWEN", "IG-PAIRSCORE-20", "IG-ACS-20", "IG-POINT-5"]
    private static let classic = [
        "IG-PAIR-QWEN", "IG-POINT-5", "IG-ACS-WORD", "IU-PAIR-QWEN", "IU-POINT-QWEN",
        "VG-PAIR-QWEN", "VG-POINT-VF", "VU-PAIR-QWEN", "VU-POINT",
    ]
}
