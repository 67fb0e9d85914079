import Testing

@testable import SyntheticScenes

@Suite("Conversations about scenes")
struct SceneConversationTests {
    private static let seed: UInt64 = 11

    private static func groups(_ count: Int) -> [SceneGroup] {
        (0..<count).map {
            SceneGenerator(seed: seed, split: .train).group($0, ofClips: $0.isMultiple(of: 2))
        }
    }

    private func sampler(_ group: SceneGroup) -> RecordSampler {
        RecordSampler(group: group, random: SeededRandom(seed: UInt64(group.index)))
    }

    private func object(
        _ colour: SceneColour,
        _ shape: SceneShape,
        _ size: SceneSize = .small
    ) -> ObjectTraits {
        ObjectTraits(shape: shape, colour: colour, size: size, texture: .plain)
    }

    private func inventory(
        _ objects: [ObjectTraits],
        _ arrangement: SceneArrangement,
        _ quality: SceneQuality = .whole
    ) -> String {
        let content = SceneContent(objects: objects, arrangement: arrangement, background: .white)
        return SceneInventory(SceneVariant(content: content, quality: quality, seed: 1)).text
    }

    @Test("an inventory says everything in the order of colours and shapes")
    func inventories() {
        let cross = object(.blue, .cross)
        let circle = object(.red, .circle, .large)
        #expect(
            inventory([cross, circle], .list)
                == "Red circle large plain, blue cross small plain, white background, no fault."
        )
        #expect(
            inventory([cross, circle], .relation(.leftOf))
                == "Red circle large plain right of blue cross small plain, white background, no "
                + "fault."
        )
        #expect(
            inventory([cross], .count(3), SceneQuality(.jagged, severity: 2))
                == "Three blue cross small plain, white background, severe jagged edges."
        )
        #expect(
            inventory([cross, circle], .recolouring(.green, actor: 0))
                == "Red circle large plain stands still, blue cross small plain turns green, white "
                + "background, no fault."
        )
    }

    @Test("the order in which a scene names its objects leaves no trace in its inventory")
    func inventoryOrder() {
        for group in Self.groups(80) {
            for variant in group.variants where variant.content.objects.count == 2 {
                var turned = variant.content
                turned.objects.reverse()
                switch turned.arrangement {
                case .list: break
                case .relation(let relation): turned.arrangement = .relation(relation.inverse)
                default: continue
                }
                let other = SceneVariant(content: turned, quality: variant.quality, seed: 1)
                #expect(SceneInventory(variant).text == SceneInventory(other).text)
            }
        }
    }

    @Test("a map names what lies in each cell, row by row")
    func maps() {
        let traits = object(.red, .square, .large)
        let square = SceneObject(
            traits: traits,
            x: 0.25,
            y: 0.75,
            extent: 0.34,
            turn: 0,
            shade: PixelColour(0, 0, 0),
            stripePhase: 0,
            stripeDirection: 0
        )
        let backdrop = SceneBackdrop(
            background: .white,
            shade: PixelColour(0, 0, 0),
            pattern: .plain
        )
        let still = Scene(backdrop: backdrop, objects: [square])
        let empty = Scene(backdrop: backdrop, objects: [])
        let rows = [
            "No no no no no no", "no no no no no no", "no no no no no no",
            "red red red no no no", "red red red no no no", "red red red no no no",
        ]
        #expect(SceneMap(.colours, of: [still]).text == rows.joined(separator: " "))
        #expect(
            SceneMap(.shapes, of: [empty, still, empty]).text
                == "No no no no no no no no no no no no square no no square square no "
                + "no no no no no no no no no"
        )
    }

    @Test("maps have a word for each image token, and name nothing that is not there")
    func mapWords() {
        for group in Self.groups(40) {
            var sampler = sampler(group)
            let bodies = sampler.maps(count: 6, frames: 4)
            #expect(bodies.count == 12)
            for body in bodies {
                guard case .conversation(let variants, let prompt, let response) = body else {
                    Issue.record("not a conversation: \(body)")
                    continue
                }
                let words = response.lowercased().split(separator: " ")
                #expect(words.count == 36)
                guard prompt == SceneMap.Trait.shapes.prompt else { continue }
                let objects = group.variants[variants[0]].content.objects
                let shapes = Set(objects.map { Substring($0.shape.rawValue) })
                #expect(Set(words).subtracting(["no"]).isSubset(of: shapes), "seed \(Self.seed)")
            }
        }
    }

    @Test("a path names the ninth of the picture in each frame, and where an object is not there")
    func paths() {
        let places = [0.1, 0.5, 0.9].map { y in
            [0.1, 0.5, 0.9].map { ScenePath.place(x: $0, y: y) }
        }
        #expect(
            places == [
                ["left up", "up", "right up"], ["left", "middle", "right"],
                ["left down", "down", "right down"],
            ]
        )
        var placer = ScenePlacer(random: SeededRandom(seed: 3))
        let content = SceneContent(
            objects: [object(.red, .circle), object(.blue, .cross)],
            arrangement: .appearance(actor: 1),
            background: .white
        )
        let scene = placer.scene(of: content)
        var (alone, moved) = (scene, scene)
        (moved.objects[0].x, moved.objects[0].y) = (0.2, 0.5)
        (moved.objects[1].x, moved.objects[1].y) = (0.8, 0.9)
        // Of another colour, and yet the second object.
        moved.objects[1].traits.colour = .green
        alone.objects = [moved.objects[0]]
        #expect(ScenePath(of: 0, in: content, frames: [alone, moved]).text == "Left, left.")
        #expect(ScenePath(of: 1, in: content, frames: [alone, moved]).text == "No, right down.")
        #expect(ScenePath.prompt(for: content.objects[0]) == "Map the red circle.")
    }

    @Test("paths agree with the direction of what moves, and leave out equal objects")
    func movingPaths() {
        var moves = 0
        for group in Self.groups(120) {
            var sampler = sampler(group)
            for body in sampler.paths(count: 4, frames: 4) {
                guard case .conversation(let variants, let prompt, let response) = body else {
                    Issue.record("expected a conversation, got \(body)")
                    continue
                }
                let content = group.variants[variants[0]].content
                #expect(content.objectCount == content.objects.count)
                guard case .motion(let direction, let actor) = content.arrangement,
                    prompt == ScenePath.prompt(for: content.objects[actor])
                else { continue }
                let words = response.dropLast().lowercased().split(separator: ", ").map { place in
                    Set(place.split(separator: " ").map(String.init))
                }
                let (from, to) = (words[0], words[words.count - 1])
                // The least way is more than a third of the side, so the ninth changes.
                #expect(from != to, "\(direction): \(response)")
                #expect(!from.contains(direction.rawValue), "\(direction): \(response)")
                moves += 1
            }
        }
        #expect(moves > 10)
    }

    @Test("reasons are those of the grade, of the picture that is asked about")
    func reasons() {
        var asked: Set<String> = []
        for group in Self.groups(40) {
            var sampler = sampler(group)
            let noun = group.composition.isClip ? "video" : "image"
            for body in sampler.explainedMedia(count: 6) + sampler.explainedComparisons(count: 6) {
                guard case .conversation(let variants, let prompt, let response) = body else {
                    Issue.record("not a conversation: \(body)")
                    continue
                }
                let lines = prompt.split(separator: "\n").map(String.init)
                let question = lines[lines.count - 1]
                asked.insert("\(lines.count): \(question)")
                let place = question.hasSuffix(" 2?") ? 2 : 1
                // A reason follows the line of its picture, a grade the lines of both.
                let line = lines[lines.count == 3 ? place - 1 : 0]
                let grades = group.captions.joined().filter {
                    line == "\(NounPhrase.capitalised(noun)) \(place): \($0.text)"
                }.map { group.grade($0, ofPicture: variants[place - 1]) }
                let answers = grades.map {
                    lines.count == 3 ? "\($0.value)" : NounPhrase.capitalised($0.reason) + "."
                }
                #expect(answers.contains(response), "\(prompt)")
            }
        }
        let expected = ["image", "video"].flatMap { noun in
            [1, 2].flatMap {
                ["2: What is wrong with \(noun) \($0)?", "3: Score of \(noun) \($0)?"]
            }
        }
        #expect(asked == Set(expected))
    }

    @Test("a graded comparison gives the grade of the answer that is asked about")
    func gradedComparisons() {
        var grades: Set<String> = []
        for group in Self.groups(60) {
            var sampler = sampler(group)
            for case .conversation(let variants, let prompt, let response)
                in sampler.gradedComparisons(count: 6)
            {
                let lines = prompt.split(separator: "\n").map(String.init)
                let place = lines.last == "Score of answer 1?" ? 1 : 2
                let shown = lines[place].dropFirst("Answer 1: ".count)
                let question = group.questions[variants[0]].first { $0.text == lines[0] }
                let answer = question?.answers.first { $0.text == shown }
                #expect(answer.map { "\($0.grade)" } == response, "\(prompt)")
                grades.insert(response)
            }
        }
        #expect(grades == ["1", "2", "3", "4", "5"])
    }
}
