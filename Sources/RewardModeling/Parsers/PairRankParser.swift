/// Reads the verdict out of a free answer to a comparison.
///
/// The last statement counts. A statement is `<noun> 1 is better`, `<noun> 2 is better`, or
/// `equally good`, the noun being image, video, answer or response in any case. One that is taken
/// back or put in doubt ("I do not think that Image 1 is better") makes the answer `unparsed`, and
/// so does the lack of any: asking again costs less than a wrong verdict. The reference's scripts
/// look for one sentence and let the first candidate win otherwise, which makes winners of ties,
/// empty answers and noise alike.
package enum PairRankParser {
    /// The verdict about the candidates as they were presented.
    package static func parse(_ response: String) -> Verdict {
        guard let answer = AnswerSection.of(response) else { return .unparsed }
        let words = AnswerWords(answer)
        for index in words.tokens.indices.reversed() {
            guard let verdict = statement(words, at: index) else { continue }
            return isDoubted(words, before: index) ? .unparsed : verdict
        }
        return .unparsed
    }

    /// The verdict of the statement whose first word stands at a position, `unparsed` when it says
    /// the contrary ("Image 1 is not better"); nil when none stands there.
    private static func statement(_ words: AnswerWords, at index: Int) -> Verdict? {
        guard let first = words.word(at: index) else { return nil }
        if first == "equally", let second = words.word(at: index + 1) {
            return ["good", "bad", "poor", "well"].contains(second) ? .tie : nil
        }
        guard nouns.contains(first), let number = words.word(at: index + 1),
            let verdict = sides[number], let verb = words.word(at: index + 2),
            verb == "is" || verb == "isn't"
        else { return nil }
        var end = index + 3
        var isDenied = verb == "isn't"
        if let word = words.word(at: end), adverbs.contains(word) || negations.contains(word) {
            isDenied = isDenied || negations.contains(word)
            end += 1
        }
        guard words.word(at: end) == "better" else { return nil }
        // "Image 1 is better than Image 1" says nothing.
        let comparesWithItself =
            words.word(at: end + 1) == "than" && nouns.contains(words.word(at: end + 2) ?? "")
            && words.word(at: end + 3) == number
        return isDenied || comparesWithItself ? .unparsed : verdict
    }

    /// Whether one of the four words before, in the same clause, takes the statement back or puts
    /// it in doubt: "I don't think Image 1 is better", "if Image 1 is better, say so".
    private static func isDoubted(_ words: AnswerWords, before index: Int) -> Bool {
        for position in stride(from: index - 1, through: max(0, index - 4), by: -1) {
            guard let word = words.word(at: position) else { return false }
            if negations.contains(word) || word.hasSuffix("n't") { return true }
        }
        return false
    }

    private static let nouns: Set<String> = ["image", "video", "answer", "response"]
    private static let sides: [String: Verdict] = ["1": .first, "2": .second]
    private static let adverbs: Set<String> = [
        "slightly", "marginally", "somewhat", "clearly", "much", "far", "significantly",
        "considerably", "overall",
    ]
    private static let negations: Set<String> = [
        "not", "neither", "nor", "never", "hardly", "cannot", "whether", "if", "unless", "no",
    ]
}
