/// Which faults and which mentions are frequent in scenes.
package enum SceneMix: String, CaseIterable, Sendable {
    /// Mostly what a generator of pictures gets wrong: colours, numbers, places, events, missing
    /// objects. What models are measured with.
    case usual
    /// More of what is hard to see: shapes, sizes, textures, backgrounds, jagged edges. For a model that
    /// sees the rest: pairs that differ in one of these were right in 24 to 75 %, in a colour in 90 %.
    case hard

    /// How often what a generator gets wrong is changed before anything else.
    var commonFirst: Double { self == .usual ? 0.7 : 0.4 }

    /// How often a text mentions a size, and how often a texture.
    var detail: Double { self == .usual ? 0.2 : 0.4 }

    /// The faults that a picture or clip may have, one as often as it stands here.
    func faults(ofClip isClip: Bool) -> [QualityFault] {
        let faults = QualityFault.allCases.filter { isClip || $0 != .flicker }
        return self == .usual ? faults : faults + [.jagged, .jagged]
    }
}
