/// Asks questions about a scene and answers them rightly and wrongly. Never asks what has no one
/// right answer, and never names a look that the split does not allow.
struct QuestionMaker {
    let content: SceneContent
    let split: SceneSplit
    var random: SeededRandom

    /// All questions that the scene allows, one wording each.
    mutating func questions() -> [SceneQuestion] {
        let own =
            content.arrangement.composition.isClip ? clipQuestions() : pictureQuestions()
        return (own + [description()]).filter { question in
            Set(question.answers.map(\.grade)).count > 1
        }
    }

    // MARK: - Pictures

    private mutating func pictureQuestions() -> [SceneQuestion] {
        var questions = [background(), count()]
        // "The circle" must mean one object; of several equal ones none.
        if content.objectCount == content.objects.count {
            for object in content.objects {
                questions += [colour(of: object), shape(of: object)].compactMap { $0 }
                questions += [size(of: object), texture(of: object)].compactMap { $0 }
            }
        }
        if case .relation(let relation) = content.arrangement {
            questions += places(relation) + ends(relation)
        }
        return questions
    }

    private func others(than object: ObjectTraits) -> [ObjectTraits] {
        content.objects.filter { $0 != object }
    }

    private mutating func colour(of object: ObjectTraits) -> SceneQuestion? {
        let shape = object.shape
        if others(than: object).contains(where: { $0.shape == shape }) { return nil }
        let noun = shape.rawValue
        var question = SceneQuestion(.colour, "What colour is the \(noun)?")
        for colour in colours(for: object) {
            let isRight = [colour == object.colour]
            let name = colour.rawValue
            question.add("the \(noun) is \(name).", asked: isRight)
            question.add("it is \(name).", asked: isRight)
            for (word, isTrue) in extras(of: object, as: SceneCombination(colour, shape)) {
                question.add("the \(noun) is \(name) and \(word).", asked: isRight, extra: [isTrue])
                question.add("it is a \(word) \(name) \(noun).", asked: isRight, extra: [isTrue])
            }
        }
        return question
    }

    private mutating func shape(of object: ObjectTraits) -> SceneQuestion? {
        let colour = object.colour
        if others(than: object).contains(where: { $0.colour == colour }) { return nil }
        let name = colour.rawValue
        var question = SceneQuestion(.shape, "What shape is the \(name) object?")
        for shape in shapes(for: object) {
            let isRight = [shape == object.shape]
            question.add("it is a \(shape.rawValue).", asked: isRight)
            question.add("the \(name) object is a \(shape.rawValue).", asked: isRight)
            for (word, isTrue) in extras(of: object, as: SceneCombination(colour, shape)) {
                question.add("it is a \(word) \(shape.rawValue).", asked: isRight, extra: [isTrue])
                question.add(
                    "it is a \(word) \(name) \(shape.rawValue).",
                    asked: isRight,
                    extra: [isTrue]
                )
            }
        }
        return question
    }

    private func size(of object: ObjectTraits) -> SceneQuestion {
        let name = NounPhrase.definite(object)
        var question = SceneQuestion(.size, "Is \(name) small or large?")
        for size in SceneSize.allCases {
            let isRight = [size == object.size]
            question.add("\(name) is \(size.rawValue).", asked: isRight)
            question.add("it is \(size.rawValue).", asked: isRight)
            for texture in textures(of: object.combination) {
                question.add(
                    "it is \(size.rawValue) and \(texture.rawValue).",
                    asked: isRight,
                    extra: [texture == object.texture]
                )
            }
        }
        return question
    }

    /// None when the split does not allow the wrong answer.
    private func texture(of object: ObjectTraits) -> SceneQuestion? {
        guard textures(of: object.combination).count > 1 else { return nil }
        let name = NounPhrase.definite(object)
        var question = SceneQuestion(.texture, "Is \(name) plain or striped?")
        for texture in SceneTexture.allCases {
            let isRight = [texture == object.texture]
            question.add("\(name) is \(texture.rawValue).", asked: isRight)
            question.add("it is \(texture.rawValue).", asked: isRight)
            for size in SceneSize.allCases {
                question.add(
                    "it is \(texture.rawValue) and \(size.rawValue).",
                    asked: isRight,
                    extra: [size == object.size]
                )
            }
        }
        return question
    }

    private func background() -> SceneQuestion {
        var question = SceneQuestion(.background, "What colour is the background?")
        for background in SceneBackground.allCases {
            let isRight = [background == content.background]
            question.add("the background is \(background.rawValue).", asked: isRight)
            question.add("it is \(background.rawValue).", asked: isRight)
        }
        return question
    }

    /// Counts all objects; of equal ones, the answer may add their colour.
    private mutating func count() -> SceneQuestion {
        let object = content.objects[0]
        let isOfEqual = content.arrangement.composition == .count
        let asksShape = isOfEqual && random.chance(0.7)
        let noun = asksShape ? object.shape.rawValue : "object"
        var question = SceneQuestion(.count, "How many \(NounPhrase.plural(noun)) are there?")
        for count in 1...4 {
            let isRight = [count == content.objectCount]
            let number = NounPhrase.number(count)
            let begin = count == 1 ? "there is" : "there are"
            let nouns = count == 1 ? noun : NounPhrase.plural(noun)
            question.add("\(begin) \(number) \(nouns).", asked: isRight)
            question.add("\(number) \(nouns).", asked: isRight)
            guard isOfEqual else { continue }
            for colour in asksShape ? colours(for: object) : SceneColour.allCases {
                question.add(
                    "\(begin) \(number) \(colour.rawValue) \(nouns).",
                    asked: isRight,
                    extra: [colour == object.colour]
                )
            }
        }
        return question
    }

    private mutating func places(_ relation: SceneRelation) -> [SceneQuestion] {
        [(0, 1, relation), (1, 0, relation.inverse)].map { one, other, relation in
            let subject = NounPhrase.definite(content.objects[one])
            let reference = content.objects[other]
            var question = SceneQuestion(
                .place,
                "Where is \(subject), seen from \(NounPhrase.definite(reference))?"
            )
            let strangers = lookalikes(of: reference).filter { !content.objects.contains($0) }
            for place in SceneRelation.allCases {
                let isRight = [place == relation]
                for (object, isTrue) in [(reference, true)] + strangers.map({ ($0, false) }) {
                    let words = NounPhrase.words(for: place, using: &random)
                    let end = "is \(words) \(NounPhrase.definite(object))."
                    question.add("it \(end)", asked: isRight, extra: [isTrue])
                    question.add("\(subject) \(end)", asked: isRight, extra: [isTrue])
                }
            }
            return question
        }
    }

    /// "What is on the left?" and its like: the two ends of the pair.
    private mutating func ends(_ relation: SceneRelation) -> [SceneQuestion] {
        [(content.objects[0], relation), (content.objects[1], relation.inverse)].map {
            let (object, relation) = $0
            let place =
                switch relation {
                case .leftOf: "on the left"
                case .rightOf: "on the right"
                case .above: "at the top"
                case .below: "at the bottom"
                }
            return identity(of: object, .object, "What is \(place)?") { phrase in
                ["\(phrase).", "there is \(phrase) \(place)."]
            }
        }
    }

    // MARK: - Parts shared with clips

    /// A question that asks for colour and shape of one object. The other object is a wrong answer
    /// even when it shares one of the two, so it is given only when it shares neither.
    mutating func identity(
        of object: ObjectTraits,
        _ kind: SceneQuestionKind,
        _ text: String,
        _ sentences: (String) -> [String]
    ) -> SceneQuestion {
        var question = SceneQuestion(kind, text)
        let taken = others(than: object).map(\.combination)
        for named in [object] + lookalikes(of: object) + strangers(to: object) {
            let isHalfOther =
                taken.contains(named.combination)
                && (named.shape == object.shape || named.colour == object.colour)
            if isHalfOther { continue }
            let asked = [named.colour == object.colour, named.shape == object.shape]
            let phrase = "a \(named.colour.rawValue) \(named.shape.rawValue)"
            for sentence in sentences(phrase) { question.add(sentence, asked: asked) }
        }
        return question
    }

    /// Three wrong colours and the right one.
    mutating func colours(for object: ObjectTraits) -> [SceneColour] {
        let wrong = SceneColour.allCases.filter { $0 != object.colour }
        return random.shuffled([object.colour] + random.shuffled(wrong).prefix(3))
    }

    /// Three wrong shapes and the right one.
    mutating func shapes(for object: ObjectTraits) -> [SceneShape] {
        let wrong = SceneShape.allCases.filter { $0 != object.shape }
        return random.shuffled([object.shape] + random.shuffled(wrong).prefix(3))
    }

    /// The object with one of colour and shape changed, two of each.
    mutating func lookalikes(of object: ObjectTraits) -> [ObjectTraits] {
        let recoloured = colours(for: object).filter { $0 != object.colour }.prefix(2).map {
            ObjectTraits(shape: object.shape, colour: $0, size: object.size, texture: .plain)
        }
        let reshaped = shapes(for: object).filter { $0 != object.shape }.prefix(2).map {
            ObjectTraits(shape: $0, colour: object.colour, size: object.size, texture: .plain)
        }
        return recoloured + reshaped
    }

    /// Objects that share neither colour nor shape: the others of the scene, and two at random.
    private mutating func strangers(to object: ObjectTraits) -> [ObjectTraits] {
        var found = others(than: object)
        for _ in 0..<2 {
            found.append(
                ObjectTraits(
                    shape: random.pick(SceneShape.allCases),
                    colour: random.pick(SceneColour.allCases),
                    size: object.size,
                    texture: .plain
                )
            )
        }
        return found.filter {
            $0.shape != object.shape && $0.colour != object.colour
        }
    }

    /// Size and texture words, true and false ones, for the object under a right or wrong name.
    private func extras(
        of object: ObjectTraits,
        as name: SceneCombination
    ) -> [(String, Bool)] {
        SceneSize.allCases.map { ($0.rawValue, $0 == object.size) }
            + textures(of: name).map { ($0.rawValue, $0 == object.texture) }
    }

    /// The textures that the split allows with a colour and shape.
    private func textures(of name: SceneCombination) -> [SceneTexture] {
        SceneTexture.allCases.filter { split.allows(SceneLook(name.colour, $0, name.shape)) }
    }

    // MARK: - Descriptions

    /// Whole descriptions with no, one, two… differences, the right ones in several wordings.
    private mutating func description() -> SceneQuestion {
        let noun = content.arrangement.composition.isClip ? "video" : "picture"
        let texts = ["Describe the \(noun).", "What does the \(noun) show?"]
        var question = SceneQuestion(.description, random.pick(texts))
        for changes in [0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4] {
            var statement = SceneStatement.drawn(of: content, isThorough: true, using: &random)
            let slots = random.shuffled(
                SceneSlot.slots(of: content).filter { $0.isMentioned(in: statement) }
            )
            for slot in slots.prefix(changes) where slot != .presence || changes > 2 {
                guard
                    let changed = statement.content.changing(slot, in: split, using: &random)
                else { continue }
                let mentions = statement.mentions.prefix(changed.objects.count)
                statement = SceneStatement(
                    changed,
                    mentions: Array(mentions),
                    background: statement.mentionsBackground
                )
                if slot == .presence { break }
            }
            let grade = SceneGrade(statement, shownBy: content, quality: .whole)
            var wording = SceneWording(random: random)
            question.add(wording.sentence(statement), grade: grade.value)
            random = wording.random
        }
        return question
    }
}
