import Testing

@testable import SyntheticScenes

@Suite("Clips do what they say, measured on pixels")
struct SceneClipTests {
    private let red = ObjectTraits.of(.red, .circle)
    private let blue = ObjectTraits.of(.blue, .square, .small)

    private func frames(_ content: SceneContent, seed: UInt64, count: Int) -> [ScenePicture] {
        var placer = ClipPlacer(random: SeededRandom(seed: seed))
        return placer.frames(of: content, count: count).map {
            SceneRenderer(side: 64, isSmooth: true).picture(of: $0)
        }
    }

    private func regions(
        _ colour: SceneColour,
        _ frames: [ScenePicture]
    ) -> [(count: Int, x: Double, y: Double)] {
        frames.map { ScenePixels.region(of: colour, on: .white, in: $0) }
    }

    @Test("the actor moves as said and the other stands still", arguments: SceneDirection.allCases)
    func motion(direction: SceneDirection) {
        for seed in UInt64(0)..<10 {
            for count in [3, 4, 7] {
                let content = SceneContent.of([blue, red], .motion(direction, actor: 1))
                let frames = frames(content, seed: seed, count: count)
                #expect(frames.count == count)
                let moving = regions(.red, frames)
                let still = regions(.blue, frames)
                for frame in 1..<count {
                    let across = moving[frame].x - moving[frame - 1].x
                    let down = moving[frame].y - moving[frame - 1].y
                    let (along, aside) =
                        switch direction {
                        case .left: (-across, down)
                        case .right: (across, down)
                        case .up: (-down, across)
                        case .down: (down, across)
                        }
                    #expect(along > 0.3 / Double(count - 1) && aside.magnitude < 0.02)
                    #expect((still[frame].x - still[0].x).magnitude < 0.005, "seed \(seed)")
                    #expect((still[frame].y - still[0].y).magnitude < 0.005)
                }
            }
        }
    }

    @Test("the first to appear is there before the other, and both at the end")
    func appearance() {
        for seed in UInt64(0)..<20 {
            let frames = frames(.of([red, blue], .appearance(actor: 1)), seed: seed, count: 4)
            let first = regions(.blue, frames).map { $0.count > 50 }
            let second = regions(.red, frames).map { $0.count > 50 }
            #expect(first[0] == false && second[0] == false && first[3] && second[3])
            #expect(first.count { $0 } > second.count { $0 }, "seed \(seed)")
        }
    }

    @Test("the actor has the old colour first and the new one at the end")
    func recolouring() {
        for seed in UInt64(0)..<20 {
            let content = SceneContent.of([red, blue], .recolouring(.green, actor: 0))
            let frames = frames(content, seed: seed, count: 4)
            let (old, new) = (regions(.red, frames), regions(.green, frames))
            #expect(old[0].count > 200 && new[0].count == 0)
            #expect(old[3].count == 0 && new[3].count > 200, "seed \(seed)")
        }
    }
}
