/// Gives the objects of a clip their places in every frame.
struct ClipPlacer {
    /// The least way that a moving object goes, as a share of the picture's side.
    static let leastWay = 0.36

    private var placer: ScenePlacer

    init(random: SeededRandom) {
        placer = ScenePlacer(random: random)
    }

    /// The frames of a clip of the content; at least two, and three for two appearances.
    mutating func frames(of content: SceneContent, count: Int) -> [Scene] {
        precondition(count >= 3, "at least three frames")
        let backdrop = placer.backdrop(content.background)
        var objects = content.objects.map { placer.object($0, isAlone: false) }
        let frames: [[SceneObject]]
        switch content.arrangement {
        case .motion(let direction, let actor):
            frames = moving(&objects, direction, actor, count: count)
        case .appearance(let actor):
            place(&objects)
            frames = appearing(objects, first: actor, count: count)
        case .recolouring(let colour, let actor):
            place(&objects)
            frames = recolouring(objects, to: colour, actor, count: count)
        default:
            frames = Array(repeating: objects, count: count)
        }
        return frames.map { Scene(backdrop: backdrop, objects: $0) }
    }

    /// Anywhere, none over another; one above the other when chance finds no place.
    private mutating func place(_ objects: inout [SceneObject]) {
        for _ in 0..<200 {
            for index in objects.indices {
                objects[index].x = placer.coordinate(reach: objects[index].reach)
                objects[index].y = placer.coordinate(reach: objects[index].reach)
            }
            if ScenePlacer.areApart(objects) { return }
        }
        for (index, y) in zip(objects.indices, [0.26, 0.74]) {
            (objects[index].x, objects[index].y) = (0.5, y)
        }
    }

    /// The actor goes along one axis at an even pace; whatever stands still lies beside its way.
    private mutating func moving(
        _ objects: inout [SceneObject],
        _ direction: SceneDirection,
        _ actor: Int,
        count: Int
    ) -> [[SceneObject]] {
        let reach = objects[actor].reach + ScenePlacer.margin
        let way = placer.random.between(Self.leastWay, 1 - 2 * reach)
        let start = placer.random.between(reach, 1 - reach - way)
        let isAcross = direction == .left || direction == .right
        let isForward = direction == .right || direction == .down
        placeBeside(&objects, actor, movesAcross: isAcross)
        return (0..<count).map { frame in
            let share = Double(frame) / Double(count - 1)
            let along = start + way * (isForward ? share : 1 - share)
            var moved = objects
            if isAcross { moved[actor].x = along } else { moved[actor].y = along }
            return moved
        }
    }

    /// Sets the coordinates across the way so far apart that the objects never touch.
    private mutating func placeBeside(
        _ objects: inout [SceneObject],
        _ actor: Int,
        movesAcross: Bool
    ) {
        let across: WritableKeyPath<SceneObject, Double> = movesAcross ? \.y : \.x
        let along: WritableKeyPath<SceneObject, Double> = movesAcross ? \.x : \.y
        for index in objects.indices {
            objects[index][keyPath: along] = placer.coordinate(reach: objects[index].reach)
        }
        for _ in 0..<100 {
            for index in objects.indices {
                objects[index][keyPath: across] = placer.coordinate(reach: objects[index].reach)
            }
            guard objects.count == 2 else { return }
            let distance = objects[0][keyPath: across] - objects[1][keyPath: across]
            if distance.magnitude >= objects[0].reach + objects[1].reach + ScenePlacer.gap {
                return
            }
        }
        let isFirstNear = placer.random.chance(0.5)
        for (index, isNear) in [(0, isFirstNear), (1, !isFirstNear)] {
            objects[index][keyPath: across] = isNear ? 0.25 : 0.75
        }
    }

    /// Nothing, then one object, then both.
    private mutating func appearing(
        _ objects: [SceneObject],
        first: Int,
        count: Int
    ) -> [[SceneObject]] {
        let begin = 1 + placer.random.below(count - 2)
        let second = begin + 1 + placer.random.below(count - 1 - begin)
        return (0..<count).map { frame in
            objects.enumerated().filter { index, _ in
                frame >= (index == first ? begin : second)
            }.map(\.element)
        }
    }

    private mutating func recolouring(
        _ objects: [SceneObject],
        to colour: SceneColour,
        _ actor: Int,
        count: Int
    ) -> [[SceneObject]] {
        let change = 1 + placer.random.below(count - 1)
        return (0..<count).map { frame in
            var objects = objects
            if frame >= change { objects[actor].traits.colour = colour }
            return objects
        }
    }
}
