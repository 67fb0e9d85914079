import Testing

@testable import SyntheticScenes

@Suite("Grades by construction")
struct SceneGradeTests {
    private static let red = ObjectTraits.of(.red, .circle)
    private static let blue = ObjectTraits.of(.blue, .square, .small)
    private static let green = ObjectTraits.of(.green, .cross)

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let said: SceneContent
        let mentions: TraitSet
        var background = false
        let shown: SceneContent
        let grade: Int
        let reason: String
    }

    private static let single = SceneContent.of([red], .single)
    private static let pair = SceneContent.of([red, blue], .relation(.leftOf))
    private static let list = SceneContent.of([red, blue, green], .list)
    private static let motion = SceneContent.of([red, blue], .motion(.left, actor: 0))

    static let cases: [Case] = [
        Case(
            testDescription: "the same",
            said: single,
            mentions: .all,
            background: true,
            shown: single,
            grade: 5,
            reason: "all right"
        ),
        Case(
            testDescription: "colour",
            said: single,
            mentions: .all,
            shown: .of([.of(.cyan, .circle)], .single),
            grade: 4,
            reason: "wrong colour"
        ),
        Case(
            testDescription: "a trait that is not mentioned",
            said: single,
            mentions: .shape,
            shown: .of([.of(.cyan, .circle, .small, .striped)], .single),
            grade: 5,
            reason: "all right"
        ),
        Case(
            testDescription: "all four traits",
            said: single,
            mentions: .all,
            shown: .of([.of(.cyan, .cross, .small, .striped)], .single),
            grade: 1,
            reason: "wrong shape, wrong colour, wrong size, wrong texture"
        ),
        Case(
            testDescription: "background",
            said: single,
            mentions: .look,
            background: true,
            shown: .of([red], .single, on: .black),
            grade: 4,
            reason: "wrong background"
        ),
        Case(
            testDescription: "a background that is not mentioned",
            said: single,
            mentions: .look,
            shown: .of([red], .single, on: .black),
            grade: 5,
            reason: "all right"
        ),
        Case(
            testDescription: "swapped places",
            said: pair,
            mentions: .look,
            shown: .of([red, blue], .relation(.rightOf)),
            grade: 4,
            reason: "wrong place"
        ),
        Case(
            testDescription: "the same from the other side",
            said: pair,
            mentions: .look,
            shown: .of([blue, red], .relation(.rightOf)),
            grade: 5,
            reason: "all right"
        ),
        Case(
            testDescription: "swapped objects are a swapped place",
            said: pair,
            mentions: .look,
            shown: .of([blue, red], .relation(.leftOf)),
            grade: 4,
            reason: "wrong place"
        ),
        Case(
            testDescription: "one object of a pair",
            said: pair,
            mentions: .look,
            shown: single,
            grade: 3,
            reason: "object missing"
        ),
        Case(
            testDescription: "one object more than said",
            said: single,
            mentions: .look,
            shown: pair,
            grade: 3,
            reason: "one object too many"
        ),
        Case(
            testDescription: "a list in another order",
            said: list,
            mentions: .all,
            shown: .of([green, red, blue], .list),
            grade: 5,
            reason: "all right"
        ),
        Case(
            testDescription: "a list without one",
            said: list,
            mentions: .all,
            shown: .of([green, blue], .list),
            grade: 3,
            reason: "object missing"
        ),
        Case(
            testDescription: "number",
            said: .of([red], .count(3)),
            mentions: .look,
            shown: .of([red], .count(2)),
            grade: 4,
            reason: "wrong number"
        ),
        Case(
            testDescription: "direction",
            said: motion,
            mentions: .look,
            shown: .of([red, blue], .motion(.up, actor: 0)),
            grade: 4,
            reason: "wrong direction"
        ),
        Case(
            testDescription: "the other one moves",
            said: motion,
            mentions: .look,
            shown: .of([red, blue], .motion(.left, actor: 1)),
            grade: 4,
            reason: "wrong object acts"
        ),
        Case(
            testDescription: "order",
            said: .of([red, blue], .appearance(actor: 0)),
            mentions: .look,
            shown: .of([blue, red], .appearance(actor: 0)),
            grade: 4,
            reason: "wrong object acts"
        ),
        Case(
            testDescription: "new colour",
            said: .of([red], .recolouring(.blue, actor: 0)),
            mentions: .look,
            shown: .of([red], .recolouring(.green, actor: 0)),
            grade: 4,
            reason: "wrong new colour"
        ),
    ]

    @Test("each difference in what is mentioned costs what it should", arguments: cases)
    func grades(_ example: Case) {
        let statement = SceneStatement(
            example.said,
            mentions: example.said.objects.map { _ in example.mentions },
            background: example.background
        )
        let grade = SceneGrade(statement, shownBy: example.shown, quality: .whole)
        #expect(grade.value == example.grade)
        #expect(grade.reason == example.reason)
        for severity in 1...2 {
            let spoilt = SceneGrade(
                statement,
                shownBy: example.shown,
                quality: SceneQuality(.blur, severity: severity)
            )
            #expect(spoilt.value == max(1, example.grade - severity))
            #expect(spoilt.reason.hasSuffix(severity == 1 ? "mild blur" : "severe blur"))
        }
    }

    @Test("an object that the text leaves out may be anything, or absent")
    func leftOut() {
        let statement = SceneStatement(Self.motion, mentions: [.look, []], background: false)
        for other in [[], [ObjectTraits.of(.yellow, .ring)], [Self.blue]] {
            let shown = SceneContent.of([Self.red] + other, .motion(.left, actor: 0))
            #expect(SceneGrade(statement, shownBy: shown, quality: .whole).value == 5)
        }
    }

    @Test("an answer is graded by what was asked and what it adds")
    func answers() {
        #expect(SceneQuestion.grade(asked: [true], extra: []) == 5)
        #expect(SceneQuestion.grade(asked: [true], extra: [false]) == 3)
        #expect(SceneQuestion.grade(asked: [true, false], extra: []) == 3)
        #expect(SceneQuestion.grade(asked: [false], extra: [true]) == 1)
        #expect(SceneQuestion.grade(asked: [false, false], extra: []) == 1)
    }
}
