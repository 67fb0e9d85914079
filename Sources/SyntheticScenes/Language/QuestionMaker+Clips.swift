extension QuestionMaker {
    /// Questions about what happens in a clip.
    mutating func clipQuestions() -> [SceneQuestion] {
        switch content.arrangement {
        case .motion(let direction, let actor):
            motionQuestions(direction, actor)
        case .appearance(let actor):
            appearanceQuestions(actor)
        case .recolouring(let colour, let actor):
            recolouringQuestions(colour, actor)
        default: []
        }
    }

    private mutating func motionQuestions(
        _ direction: SceneDirection,
        _ actor: Int
    ) -> [SceneQuestion] {
        let object = content.objects[actor]
        let name = NounPhrase.definite(object)
        var question = SceneQuestion(.direction, "Where does \(name) move?")
        for place in SceneDirection.allCases {
            let isRight = [place == direction]
            var wording = SceneWording(random: random)
            question.add("it moves \(wording.words(for: place)).", asked: isRight)
            question.add("\(name) moves \(wording.words(for: place)).", asked: isRight)
            for (other, isTrue) in bystanders(besides: actor) {
                question.add(
                    "it moves \(wording.words(for: place)) while \(other) stands still.",
                    asked: isRight,
                    extra: [isTrue]
                )
            }
            random = wording.random
        }
        return [question, identity(of: object, .object, "What moves?") { ["\($0) moves."] }]
    }

    private mutating func appearanceQuestions(_ actor: Int) -> [SceneQuestion] {
        let first = identity(of: content.objects[actor], .order, "What appears first?") {
            ["\($0) appears first.", "first \($0) appears."]
        }
        let last = identity(of: content.objects[1 - actor], .order, "What appears last?") {
            ["\($0) appears last.", "last \($0) appears."]
        }
        return [first, last]
    }

    /// The changing object is named by its shape alone, so it must be the only one of it.
    private mutating func recolouringQuestions(
        _ colour: SceneColour,
        _ actor: Int
    ) -> [SceneQuestion] {
        let object = content.objects[actor]
        let noun = object.shape.rawValue
        guard content.objects.filter({ $0.shape == object.shape }).count == 1 else { return [] }
        var changed = object
        changed.colour = colour
        var change = SceneQuestion(.change, "How does the colour of the \(noun) change?")
        var end = SceneQuestion(.colour, "What colour is the \(noun) at the end?")
        var start = SceneQuestion(.colour, "What colour is the \(noun) at the start?")
        // The colour that the other question asks for is the likeliest mistake.
        let begins = [colour] + colours(for: object).filter { $0 != colour }
        let ends = [object.colour] + colours(for: changed).filter { $0 != object.colour }
        for begin in begins {
            let isRight = [begin == object.colour]
            start.add("the \(noun) is \(begin.rawValue) at the start.", asked: isRight)
            start.add("it is \(begin.rawValue).", asked: isRight)
        }
        for final in ends {
            let isRight = [final == colour]
            end.add("the \(noun) is \(final.rawValue) at the end.", asked: isRight)
            end.add("it is \(final.rawValue).", asked: isRight)
        }
        for begin in begins {
            for final in ends where final != begin {
                let words = "from \(begin.rawValue) to \(final.rawValue)."
                let asked = [begin == object.colour, final == colour]
                change.add("it changes \(words)", asked: asked)
                change.add("the \(noun) changes \(words)", asked: asked)
            }
        }
        return [change, end, start]
    }

    /// The object that stands still and others that are not there, with their articles.
    private mutating func bystanders(besides actor: Int) -> [(String, Bool)] {
        guard content.objects.count == 2 else { return [] }
        let other = content.objects[1 - actor]
        let strangers = lookalikes(of: other).filter {
            $0.combination != content.objects[actor].combination
        }
        return [(NounPhrase.definite(other), true)]
            + strangers.map { (NounPhrase.definite($0), false) }
    }
}
