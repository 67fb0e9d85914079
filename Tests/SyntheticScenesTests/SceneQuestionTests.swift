import Testing

@testable import SyntheticScenes

@Suite("Questions and answers")
struct SceneQuestionTests {
    private struct Asked {
        let content: SceneContent
        let question: SceneQuestion
    }

    private static let asked: [Asked] = SceneGroupTests.groups.flatMap { group in
        group.variants.indices.flatMap { variant in
            group.questions[variant].map {
                Asked(content: group.variants[variant].content, question: $0)
            }
        }
    }

    @Test("every question has a right and a less right answer, and no text twice")
    func grades() {
        for asked in Self.asked {
            let grades = asked.question.answers.map(\.grade)
            #expect(grades.contains(5), "\(asked.question.text)")
            #expect(grades.contains { $0 < 5 })
            #expect(grades.allSatisfy { (1...5).contains($0) })
            #expect(Set(asked.question.answers.map(\.text)).count == grades.count)
        }
        #expect(Set(Self.asked.map(\.question.kind)) == Set(SceneQuestionKind.allCases))
        #expect(Set(Self.asked.flatMap { $0.question.answers.map(\.grade) }) == [1, 2, 3, 4, 5])
    }

    @Test("what a question names is there exactly once")
    func unambiguous() {
        for asked in Self.asked where asked.question.kind != .description {
            let words = asked.question.text.split { !$0.isLetter }.map(String.init)
            let colour = words.compactMap(SceneColour.init(rawValue:)).first
            let shape = words.compactMap(SceneShape.init(rawValue:)).first
            if colour == nil, shape == nil { continue }
            let fitting = asked.content.objects.filter {
                (colour == nil || $0.colour == colour) && (shape == nil || $0.shape == shape)
            }
            #expect(fitting.count == 1, "\(asked.question.text) \(asked.content)")
            if case .count(let count) = asked.content.arrangement {
                #expect(count == 1, "\(asked.question.text)")
            }
        }
    }

    @Test("right answers about colours name the colour, wrong ones never do")
    func colours() {
        for asked in Self.asked where asked.question.kind == .colour {
            let shape = asked.question.text.split { !$0.isLetter }.map(String.init)
                .compactMap(SceneShape.init(rawValue:)).first
            guard let object = asked.content.objects.first(where: { $0.shape == shape }) else {
                Issue.record("\(asked.question.text)")
                continue
            }
            var truth = object.colour
            if asked.question.text.hasSuffix("at the end?"),
                case .recolouring(let colour, _) = asked.content.arrangement
            {
                truth = colour
            }
            for answer in asked.question.answers {
                #expect(answer.text.contains(truth.rawValue) == (answer.grade > 1), "\(answer)")
            }
        }
    }

    @Test("right answers give the number of objects, wrong ones another")
    func counts() {
        for asked in Self.asked where asked.question.kind == .count {
            let number = NounPhrase.number(asked.content.objectCount)
            for answer in asked.question.answers {
                let words = answer.text.lowercased().split { !$0.isLetter }.map(String.init)
                #expect(words.contains(number) == (answer.grade > 1), "\(answer)")
            }
        }
    }

    @Test("answers about places, directions and changes turn on the right words")
    func places() {
        for asked in Self.asked {
            let right: String
            switch (asked.question.kind, asked.content.arrangement) {
            case (.direction, .motion(let direction, _)): right = direction.rawValue
            case (.place, .relation(let relation)):
                let isTurned = !asked.question.text.hasPrefix(
                    "Where is \(NounPhrase.definite(asked.content.objects[0])),"
                )
                switch isTurned ? relation.inverse : relation {
                case .leftOf: right = "left"
                case .rightOf: right = "right"
                case .above: right = "above over"
                case .below: right = "below under"
                }
            default: continue
            }
            for answer in asked.question.answers where answer.text.contains(" ") {
                if asked.question.kind == .change, answer.text.contains("size") { continue }
                let words = Set(answer.text.split { !$0.isLetter }.map(String.init))
                let isRight = !words.isDisjoint(with: right.split(separator: " ").map(String.init))
                #expect(isRight == (answer.grade > 1), "\(asked.question.text) \(answer)")
            }
        }
    }

    @Test("a question whose answer might be either of two objects is not asked")
    func notAsked() {
        let twoCircles = SceneContent.of([.of(.red, .circle), .of(.blue, .circle)], .list)
        var maker = QuestionMaker(
            content: twoCircles,
            split: .train,
            random: SeededRandom(seed: 1)
        )
        let texts = maker.questions().map(\.text)
        #expect(!texts.contains("What colour is the circle?"))
        #expect(texts.contains("What shape is the red object?"))
    }
}
