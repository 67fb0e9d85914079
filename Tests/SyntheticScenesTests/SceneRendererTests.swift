import Testing

@testable import SyntheticScenes

@Suite("Drawing")
struct SceneRendererTests {
    @Test("the same seed gives the same bytes, here and everywhere")
    func pinned() {
        let generator = SceneGenerator(seed: 2026, split: .train)
        var digests: [UInt64] = []
        for index in 0..<3 {
            let group = generator.group(index)
            for variant in group.variants.indices {
                digests.append(ScenePixels.digest(group.picture(of: variant).pixels))
            }
            for fault in QualityFault.allCases {
                let quality = SceneQuality(fault, severity: 1 + index % 2)
                let filter = QualityFilter(quality: quality, side: 72, seed: 5)
                let picture = filter.picture(of: group.scenes(of: 0)[0], frame: index)
                digests.append(ScenePixels.digest(picture.pixels))
            }
        }
        for frame in generator.group(0, ofClips: true).frames(of: 2, side: 72) {
            digests.append(ScenePixels.digest(frame.pixels))
        }
        let all = digests.flatMap { digest in
            (0..<8).map { UInt8(truncatingIfNeeded: digest >> UInt64(8 * $0)) }
        }
        #expect(ScenePixels.digest(all) == 3_414_346_042_852_113_296)
        var texts: [UInt8] = []
        for batch in [generator.group(4), generator.group(4, ofClips: true)] {
            for caption in batch.captions.joined() { texts += caption.text.utf8 }
            for question in batch.questions.joined() {
                for answer in question.answers { texts += answer.text.utf8 }
            }
        }
        #expect(ScenePixels.digest(texts) == 17_108_977_359_609_318_425)
    }

    @Test(
        "every colour on every background is the nearest to itself in the picture",
        arguments: SceneColour.allCases,
        SceneBackground.allCases
    )
    func colours(colour: SceneColour, background: SceneBackground) {
        let content = SceneContent.of([.of(colour, .square)], .single, on: background)
        for seed in UInt64(0)..<6 {
            var placer = ScenePlacer(random: SeededRandom(seed: seed))
            let scene = placer.scene(of: content)
            let picture = SceneRenderer(side: 72, isSmooth: true).picture(of: scene)
            let pixel = ScenePixels.colour(
                picture,
                row: Int(scene.objects[0].y * 72),
                column: Int(scene.objects[0].x * 72)
            )
            #expect(ScenePixels.nearest(pixel) == colour)
            let ground = ScenePalette.colour(background)
            #expect(
                ScenePixels.distance(pixel, ground)
                    > 2 * ScenePixels.distance(pixel, ScenePalette.colour(colour))
            )
        }
    }

    @Test("a veil leaves every colour nearest to itself", arguments: 1...2)
    func casts(severity: Int) {
        let share = QualityFilter.castShare(severity: severity)
        for background in SceneBackground.allCases {
            #expect(!QualityFilter.tints(for: background, severity: severity).isEmpty)
        }
        let jitter = ScenePalette.jitter
        for tint in QualityFilter.tints {
            for colour in SceneColour.allCases {
                for corner in 0..<8 {
                    let shade = PixelColour(
                        corner & 1 == 0 ? jitter : -jitter,
                        corner & 2 == 0 ? jitter : -jitter,
                        corner & 4 == 0 ? jitter : -jitter
                    )
                    let shown = ScenePalette.colour(colour).shifted(by: shade)
                        .mixed(with: tint, share: share)
                    #expect(ScenePixels.nearest(shown) == colour)
                }
            }
        }
    }

    @Test(
        "what is left of, right of, above or below is so in the pixels",
        arguments:
            SceneRelation.allCases
    )
    func relations(relation: SceneRelation) {
        let content = SceneContent.of(
            [.of(.red, .circle), .of(.blue, .square, .small)],
            .relation(relation)
        )
        for seed in UInt64(0)..<20 {
            var placer = ScenePlacer(random: SeededRandom(seed: seed))
            let picture = SceneRenderer(side: 96, isSmooth: true).picture(
                of: placer.scene(of: content)
            )
            let one = ScenePixels.region(of: .red, on: .white, in: picture)
            let other = ScenePixels.region(of: .blue, on: .white, in: picture)
            #expect(one.count > 500 && other.count > 200)
            let distance =
                switch relation {
                case .leftOf: other.x - one.x
                case .rightOf: one.x - other.x
                case .above: other.y - one.y
                case .below: one.y - other.y
                }
            #expect(distance > 0.23, "seed \(seed)")
        }
    }

    @Test(
        "stripes are plain to see on every shape",
        arguments: SceneShape.allCases,
        SceneSize.allCases
    )
    func stripes(shape: SceneShape, size: SceneSize) {
        for texture in SceneTexture.allCases {
            let content = SceneContent.of([.of(.red, shape, size, texture)], .single)
            var placer = ScenePlacer(random: SeededRandom(seed: 3))
            let picture = SceneRenderer(side: 72, isSmooth: true).picture(
                of: placer.scene(of: content)
            )
            var (light, dark) = (0, 0)
            for row in 0..<72 {
                for column in 0..<72 {
                    let pixel = ScenePixels.colour(picture, row: row, column: column)
                    guard pixel.green < 110 else { continue }
                    if pixel.red > 170 { light += 1 } else if pixel.red < 110 { dark += 1 }
                }
            }
            #expect(light > 20)
            #expect(texture == .striped ? dark * 5 > light : dark == 0, "\(light) \(dark)")
        }
    }

    @Test(
        "a fault changes the picture plainly after a reduction, a severe one more",
        arguments: QualityFault.allCases
    )
    func faults(fault: QualityFault) {
        var total = [0.0, 0.0]
        for seed in UInt64(0)..<12 {
            let group = SceneGenerator(seed: seed, split: .train).group(0)
            let scene = group.scenes(of: 0)[0]
            let whole = QualityFilter(quality: .whole, side: 128, seed: seed).picture(of: scene)
            for severity in 1...2 {
                let filter = QualityFilter(
                    quality: SceneQuality(fault, severity: severity),
                    side: 128,
                    seed: seed
                )
                // Flicker darkens one of two frames.
                let differences = (0..<2).map {
                    ScenePixels.halvedDifference(filter.picture(of: scene, frame: $0), whole)
                }
                total[severity - 1] += max(differences[0], differences[1])
            }
        }
        #expect(total[0] / 12 > 0.5, "\(fault): \(total)")
        #expect(total[1] > total[0] * 1.25, "\(fault): \(total)")
    }

    @Test(
        "every frame of a noisy clip has noise of its own, and every frame of a veiled one its veil"
    )
    func frames() {
        let group = SceneGenerator(seed: 1, split: .train).group(0)
        let scene = group.scenes(of: 0)[0]
        let noise = QualityFilter(quality: SceneQuality(.noise, severity: 1), side: 64, seed: 9)
        #expect(noise.picture(of: scene, frame: 0) != noise.picture(of: scene, frame: 1))
        let cast = QualityFilter(quality: SceneQuality(.colourCast, severity: 1), side: 64, seed: 9)
        #expect(cast.picture(of: scene, frame: 0) == cast.picture(of: scene, frame: 1))
    }

    @Test("a picture of any side is drawn", arguments: [1, 2, 17, 72, 336])
    func sides(side: Int) {
        for index in 0..<4 {
            let picture = SceneGenerator(seed: 1, split: .train).group(index)
                .picture(of: 1, side: side)
            #expect(picture.pixels.count == side * side * 3)
        }
    }
}
