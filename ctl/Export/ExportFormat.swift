/// What trainers read: the shapes a preference pair can be exported in.
enum ExportFormat: String, CaseIterable, Sendable {
    /// TRL's conversational preference rows with pictures: `images`, `prompt`, `chosen`, `rejected`.
    case trl
    /// LLaMA-Factory's ShareGPT preference rows, with a `dataset_info.json`.
    case llamafactory
    /// UnifiedReward's own DPO of vision-language models: `id`, `image`, `prompt`, `chosen`, `rejected`.
    case llavaDPO = "llava-dpo"
    /// Diffusion-DPO rows: `id`, `caption`, `jpg_0`, `jpg_1`, `label_0`.
    case diffusionDPO = "diffusion-dpo"
    /// VideoDPO rows: `id`, `caption`, `chosen`, `rejected`.
    case videoDPO = "video-dpo"
    /// Everything that is known of a pair, for programs of one's own.
    case jsonl

    /// The tasks whose pairs have this shape.
    var tasks: [String] {
        switch self {
        case .trl, .llamafactory, .llavaDPO: ["image_understanding", "video_understanding"]
        case .diffusionDPO: ["image_generation"]
        case .videoDPO: ["video_generation"]
        case .jsonl: CommonArguments.tasks
        }
    }

    /// The file of rows in the directory.
    var fileName: String {
        switch self {
        case .trl: "train.jsonl"
        case .llamafactory: "data.json"
        case .llavaDPO, .diffusionDPO, .videoDPO: "dpo_data.json"
        case .jsonl: "pairs.jsonl"
        }
    }

    /// Whether the rows are the elements of one JSON array; otherwise they are lines.
    var isArray: Bool { fileName.hasSuffix(".json") }

    /// Where media lie in the directory.
    var mediaDirectory: String {
        switch self {
        case .trl, .llamafactory, .llavaDPO: "images"
        case .diffusionDPO: "images_dpo"
        case .videoDPO: "videos"
        case .jsonl: "media"
        }
    }

    /// What rows write before a media file's name: Diffusion-DPO's loader adds its directory itself.
    var mediaPrefix: String { self == .diffusionDPO ? "" : mediaDirectory + "/" }
}
