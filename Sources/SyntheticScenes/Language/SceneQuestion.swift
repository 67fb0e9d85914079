/// What a question about a picture or clip asks for.
package enum SceneQuestionKind: String, CaseIterable, Sendable {
    case colour, shape, size, texture, count, place, object, background, description
    case direction, order, change
}

/// An answer and how good it is.
package struct SceneAnswer: Sendable, Hashable {
    /// A short sentence.
    package let text: String
    /// 1…5.
    package let grade: Int

    var wordCount: Int { text.utf8.count { $0 == UInt8(ascii: " ") } + 1 }
}

/// A question about one picture or clip that has one right answer, and answers to it of several
/// grades.
///
/// Grades: a description gets 5 less one for each difference from the picture, as a picture does
/// from a caption. Any other answer gets 5 when all it says is right, 1 when nothing of what was
/// asked is right, and 3 when part of what was asked, or of what it adds, is wrong. Answers of all
/// grades are drawn from the same patterns, so that neither length nor wording gives a grade away.
package struct SceneQuestion: Sendable, Hashable {
    package let kind: SceneQuestionKind
    package let text: String
    /// No text stands twice.
    package private(set) var answers: [SceneAnswer] = []

    /// A question without answers so far.
    init(_ kind: SceneQuestionKind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    /// Adds an answer by what it says: whether each thing that was asked, and each that the answer
    /// adds, is right.
    mutating func add(_ text: String, asked: [Bool], extra: [Bool] = []) {
        add(text, grade: Self.grade(asked: asked, extra: extra))
    }

    /// Adds an answer of a known grade, unless its text is there already.
    mutating func add(_ text: String, grade: Int) {
        let text = NounPhrase.capitalised(text)
        if answers.contains(where: { $0.text == text }) { return }
        answers.append(SceneAnswer(text: text, grade: grade))
    }

    /// The grade of an answer that is not a description.
    static func grade(asked: [Bool], extra: [Bool]) -> Int {
        if !asked.contains(true) { return 1 }
        return (asked + extra).contains(false) ? 3 : 5
    }
}
