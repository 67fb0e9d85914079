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
    /// UnifiedReward-Think-7b.
    case think
    /// UnifiedReward-Think-qwen-*: the templates of Think-7b, shown as those of the line before it.
    case thinkQwen = "think-qwen"
    /// UnifiedReward-Think-qwen3vl-*.
    case think3
    /// UnifiedReward-Edit-*.
    case edit
    /// UnifiedReward-Flex-*.
    case flex

    /// How free answers are decoded. The scripts ask for greedy decoding or mean to, and leave the repetition
    /// penalty to the checkpoint's generation_config.json. Those of the first line and of Think-7b generate
    /// from embeddings, so that it is applied to the answer's tokens alone.
    var decoding: PackDecoding {
        switch self {
        case .llava, .think: PackDecoding(penalty: .checkpoint, scope: .answer)
        case .qwen, .second, .thinkQwen, .think3, .edit, .flex:
            PackDecoding(penalty: .checkpoint, scope: .all)
        }
    }

    /// How clips are shown. The scripts that ask a server send the frames as so many pictures, which is what the
    /// models were trained on; those for Qwen2.5-VL hand its processor a video.
    var clips: ClipDisplay {
        switch self {
        case .second, .think3, .flex: .pictures
        case .llava, .qwen, .think, .thinkQwen, .edit: .videos
        }
    }

    /// Which frames of a video the scripts take by which a template is asked; nil for the usual eight from the
    /// first to the last.
    func video(of template: String) -> [String: PayloadValue]? {
        switch (self, template) {
        case (.second, "VG-PAIRSCORE-20"): ["sampling": .string("segments")]
        case (.second, "VG-APS-20"): ["sampling": .string("segments"), "frames": .number(16)]
        case (.qwen, _), (.thinkQwen, _): ["sampling": .string("fps")]
        default: nil
        }
    }

    /// The longest answer that the scripts ask for, in tokens.
    func longestAnswer(to template: String) -> Int {
        switch (self, template) {
        case (.qwen, "IG-PAIR-QWEN"), (.qwen, "IG-POINT-5"), (.thinkQwen, "TH-IG"): 512
        case (.qwen, _) where template.hasPrefix("V"): 1024
        case (.thinkQwen, "TH-VG"), (.thinkQwen, "TH-VU"): 1024
        default: 4096
        }
    }

    /// What the scripts do with a picture or frame before the model's own preprocessing. Those that ask a server
    /// send JPEG files of quality 95, two of them made from frames that were saved as JPEG before; those for
    /// Qwen2.5-VL go through `qwen_vl_utils`; two squash pictures to 512 × 512.
    func preparation(of template: String) -> [PayloadValue] {
        let jpeg = PayloadValue.object(["jpeg": .number(95)])
        switch (self, template) {
        case (.llava, "IG-POINT-10"), (.llava, "IG-POINT-SGL"):
            return [.object(["resize": .array([.number(512), .number(512)])])]
        case (.llava, _), (.think, _): return []
        case (.qwen, _), (.thinkQwen, _): return [.object(["fit": .string("qwen_vl_utils")])]
        case (.second, "VG-PAIRSCORE-20"), (.second, "VG-APS-20"): return [jpeg, jpeg]
        case (.second, _), (.think3, _), (.edit, _), (.flex, _): return [jpeg]
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
        case .think, .thinkQwen: ["TH-IG", "TH-IU", "TH-VG", "TH-VU"]
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
