/// The one name that the code uses for a tensor, over the namings in which checkpoints come.
/// LLaVA-OneVision:
///
///     canonical         hub llava-hf, and transformers 5 without "vision_model."
///     vision.…          vision_tower.vision_model.…
///     projector.0.…     multi_modal_projector.linear_1.…     (projector.1: linear_2)
///     image_newline     image_newline
///     text.…            language_model.model.…
///     lm_head.weight    language_model.lm_head.weight
///
///     canonical         raw modules of transformers 4.52 on     original llava_qwen
///     vision.…          model.vision_tower.vision_model.…       model.vision_tower.vision_tower.vision_model.…
///     projector.0.…     model.multi_modal_projector.linear_1.…  model.mm_projector.0.…  (1: .2)
///     image_newline     model.image_newline                     model.image_newline
///     text.…            model.language_model.…                  model.…
///     lm_head.weight    lm_head.weight                          lm_head.weight
///
/// Qwen2.5-VL as published, and as raw modules of transformers 4.52 on, which Qwen3-VL always has:
///
///     vision.…          visual.…                                model.visual.…
///     text.…            model.…                                 model.language_model.…
///     lm_head.weight    lm_head.weight                          lm_head.weight
enum CanonicalTensorName {
    /// Stored prefix → canonical prefix; where several match, the first one counts.
    private static let prefixes: [(stored: String, canonical: String)] = [
        ("model.vision_tower.vision_tower.vision_model.", "vision."),
        ("model.vision_tower.vision_model.", "vision."),
        ("vision_tower.vision_model.", "vision."),
        ("model.vision_tower.", "vision."),
        ("vision_tower.", "vision."),
        ("model.visual.", "vision."),
        ("visual.", "vision."),
        ("model.mm_projector.0.", "projector.0."),
        ("model.mm_projector.2.", "projector.1."),
        ("model.multi_modal_projector.linear_1.", "projector.0."),
        ("model.multi_modal_projector.linear_2.", "projector.1."),
        ("multi_modal_projector.linear_1.", "projector.0."),
        ("multi_modal_projector.linear_2.", "projector.1."),
        ("language_model.model.", "text."),
        ("model.language_model.", "text."),
        ("model.", "text."),
    ]

    private static let whole = [
        "image_newline": "image_newline",
        "model.image_newline": "image_newline",
        "lm_head.weight": "lm_head.weight",
        "language_model.lm_head.weight": "lm_head.weight",
    ]

    /// The canonical name of a stored tensor; nil for one that this model family does not have.
    static func name(ofStored stored: String) -> String? {
        if let canonical = whole[stored] { return canonical }
        guard let prefix = prefixes.first(where: { stored.hasPrefix($0.stored) }) else {
            return nil
        }
        return prefix.canonical + stored.dropFirst(prefix.stored.count)
    }

    /// All names under which a canonical tensor may be stored, for the sentence that it is missing.
    static func storedNames(of canonical: String) -> [String] {
        var names = whole.filter { $0.value == canonical }.map(\.key)
        for prefix in prefixes where canonical.hasPrefix(prefix.canonical) {
            names.append(prefix.stored + canonical.dropFirst(prefix.canonical.count))
        }
        return names.filter { name(ofStored: $0) == canonical }.sorted()
    }
}
