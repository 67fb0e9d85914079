/// One picture or clip of a group: what it shows, how it is spoilt, and the seed of everything else
/// about it (places, shades, noise).
package struct SceneVariant: Sendable, Hashable {
    /// What is true of it.
    package let content: SceneContent
    /// Its fault, if any.
    package let quality: SceneQuality
    let seed: UInt64
}

/// A sentence about a scene and what exactly it claims.
package struct SceneCaption: Sendable, Hashable {
    /// The sentence.
    package let text: String
    /// What it claims.
    package let statement: SceneStatement
}

/// Several variants of one scene, so near to each other that any caption of one can be graded
/// against the picture of any other by counting what differs.
///
/// Variant 0 is the scene itself, without faults; the others have up to three changes each and
/// some of them a fault of quality.
package struct SceneGroup: Sendable {
    /// The split whose looks the group keeps to.
    package let split: SceneSplit
    /// The group's number in its split.
    package let index: Int
    /// How the scene is put together.
    package let composition: SceneComposition
    /// The variants.
    package let variants: [SceneVariant]
    /// Captions of each variant, true of it: two that mention the same as those of the other
    /// variants and one with a choice of its own.
    package let captions: [[SceneCaption]]
    /// A caption of each variant that mentions everything: for describing, too long to judge by.
    package let fullCaptions: [SceneCaption]
    /// Questions about each variant.
    package let questions: [[SceneQuestion]]

    /// Draws a variant of a picture, or the first frame of a clip's.
    /// - side: width and height in pixels.
    package func picture(of variant: Int, side: Int = 128) -> ScenePicture {
        frames(of: variant, count: 4, side: side)[0]
    }

    /// Draws a variant: one picture, or `count` frames of a clip (at least three).
    /// - side: width and height in pixels.
    package func frames(of variant: Int, count: Int = 4, side: Int = 128) -> [ScenePicture] {
        let filter = QualityFilter(
            quality: variants[variant].quality,
            side: side,
            seed: variants[variant].seed
        )
        return scenes(of: variant, count: count).enumerated().map { frame, scene in
            filter.picture(of: scene, frame: frame)
        }
    }

    /// Where everything is in each frame: the truth that the pixels are drawn from.
    package func scenes(of variant: Int, count: Int = 4) -> [Scene] {
        let content = variants[variant].content
        let random = SeededRandom(path: [variants[variant].seed, 0x9AC3])
        if composition.isClip {
            var placer = ClipPlacer(random: random)
            return placer.frames(of: content, count: count)
        }
        var placer = ScenePlacer(random: random)
        return [placer.scene(of: content)]
    }

    /// How well the picture of a variant serves a caption of any variant.
    package func grade(_ caption: SceneCaption, ofPicture variant: Int) -> SceneGrade {
        SceneGrade(
            caption.statement,
            shownBy: variants[variant].content,
            quality: variants[variant].quality
        )
    }
}
