import Testing

@testable import SyntheticScenes

@Suite("Groups of scenes")
struct SceneGroupTests {
    static let groups: [SceneGroup] = (0..<120).map { index in
        SceneGenerator(seed: 5, split: SceneSplit.allCases[index % 3])
            .group(index, ofClips: index.isMultiple(of: 2))
    }

    @Test("the first variant is whole, and every caption is true of its own variant")
    func captions() {
        for group in Self.groups {
            #expect(group.variants[0].quality == .whole)
            for (variant, captions) in group.captions.enumerated() {
                let severity = group.variants[variant].quality.severity
                for caption in captions {
                    let grade = group.grade(caption, ofPicture: variant)
                    #expect(grade.value == 5 - severity, "\(group.index): \(caption.text)")
                    #expect(grade.differences.isEmpty)
                }
                #expect(group.variants[variant].content.isClear)
            }
        }
    }

    @Test("a full caption mentions every slot, so any change shows in it")
    func fullCaptions() {
        var random = SeededRandom(seed: 1)
        for group in Self.groups {
            let content = group.variants[0].content
            for slot in SceneSlot.slots(of: content) {
                guard let changed = content.changing(slot, in: group.split, using: &random) else {
                    continue
                }
                let grade = SceneGrade(
                    group.fullCaptions[0].statement,
                    shownBy: changed,
                    quality: .whole
                )
                #expect(grade.value == (slot == .presence ? 3 : 4), "\(content) \(slot)")
            }
        }
    }

    @Test("all compositions, faults and grades occur")
    func variety() {
        #expect(Set(Self.groups.map(\.composition)) == Set(SceneComposition.allCases))
        let faults = Self.groups.flatMap { $0.variants.compactMap(\.quality.fault) }
        #expect(Set(faults) == Set(QualityFault.allCases))
        for group in Self.groups where !group.composition.isClip {
            #expect(!group.variants.contains { $0.quality.fault == .flicker })
        }
        var counts: [Int: Int] = [:]
        for group in Self.groups {
            for caption in group.captions.joined() {
                for variant in group.variants.indices {
                    counts[group.grade(caption, ofPicture: variant).value, default: 0] += 1
                }
            }
        }
        let total = counts.values.reduce(0, +)
        for grade in 1...5 {
            #expect((counts[grade] ?? 0) * 40 > total, "grade \(grade): \(counts)")
        }
    }

    @Test("objects stay inside the picture, apart, and of an extent that tells their size")
    func places() {
        for group in Self.groups {
            for variant in group.variants.indices {
                for scene in group.scenes(of: variant) {
                    #expect(ScenePlacer.areApart(scene.objects), "\(group.composition)")
                    for object in scene.objects {
                        #expect(min(object.x, object.y) - object.reach >= 0)
                        #expect(max(object.x, object.y) + object.reach <= 1)
                        let expected: ClosedRange =
                            object.traits.size == .small ? 0.25...0.28 : 0.37...0.43
                        #expect(expected.contains(object.extent))
                    }
                }
            }
        }
    }

    @Test("a group is the same whenever and wherever it is made")
    func deterministic() {
        for index in [0, 1, 99] {
            let one = SceneGenerator(seed: 8, split: .test).group(index, ofClips: index == 1)
            let other = SceneGenerator(seed: 8, split: .test).group(index, ofClips: index == 1)
            #expect(one.variants == other.variants)
            #expect(one.captions == other.captions)
            #expect(one.questions == other.questions)
            #expect(one.frames(of: 3) == other.frames(of: 3))
        }
    }
}
