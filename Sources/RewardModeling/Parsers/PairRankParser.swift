/// Reads the verdict out of a free answer to a comparison.
///
/// The last statement counts, and behind a last `Overall Judgment` the first, since what follows it only gives
/// reasons. A statement is `<noun> 1 is better`, `the second <noun> is better`, or `equally good`, the noun being
/// image, video, answer or response in any case. One about a single point ("Image 2 is better in colour", "Image
/// 2 is better lit") counts only where none is about the whole, and only where all of them say the same; one
/// that grants a point ("while Image 2 is better") is passed over. One that is taken back, put in doubt ("I do
/// not think that Image 1 is better") or one of two that are offered ("Image 1 is better or Image 2 is better")
/// makes the answer `unparsed`, and so does the lack of any: asking again costs less than a wrong verdict. The
/// reference's scripts look for one sentence and let the first candidate win otherwise, which makes winners of
/// ties, empty answers and noise alike.
package enum PairRankParser {
    /// The verdict about the candidates as they were presented.
    package static func parse(_ response: String) -> Verdict {
        guard let answer = AnswerSection.of(response) else { return .unparsed }
        let words = AnswerWords(answer)
        if let judgment = lastJudgment(words) {
            return firstVerdict(words, in: judgment..<words.tokens.endIndex, sparesPoints: false)
        }
        return firstVerdict(words, in: words.tokens.indices.reversed(), sparesPoints: true)
    }

    /// The verdict of the first position that has one.
    ///
    /// - Parameter sparesPoints: Whether statements about single points wait for one about the whole.
    private static func firstVerdict(
        _ words: AnswerWords,
        in positions: some Sequence<Int>,
        sparesPoints: Bool
    ) -> Verdict {
        var points: Set<Verdict> = []
        for index in positions {
            guard let (verdict, end) = statement(words, at: index) else { continue }
            switch standing(words, before: index) {
            case .stated where sparesPoints && isPoint(words, from: end): points.insert(verdict)
            case .stated: return verdict
            case .doubted: return .unparsed
            case .granted: continue
            }
        }
        return points.count == 1 ? points.first ?? .unparsed : .unparsed
    }

    /// The position behind the last `Overall Judgment` that something follows.
    private static func lastJudgment(_ words: AnswerWords) -> Int? {
        words.tokens.indices.reversed().first { index in
            guard words.word(at: index) == "overall", let noun = words.word(at: index + 1),
                noun == "judgment" || noun == "judgement"
            else { return false }
            return words.tokens[(index + 2)...].contains { $0 != .mark }
        }.map { $0 + 2 }
    }

    /// The verdict of the statement whose first word stands at a position, `unparsed` when it says
    /// the contrary ("Image 1 is not better"), and the position behind it; nil when none stands there.
    private static func statement(
        _ words: AnswerWords,
        at index: Int
    ) -> (verdict: Verdict, end: Int)? {
        if words.word(at: index) == "equally", let second = words.word(at: index + 1) {
            return ["good", "bad", "poor", "well"].contains(second) ? (.tie, index + 2) : nil
        }
        guard let (verdict, next) = side(words, at: index), let verb = words.word(at: next),
            verb == "is" || verb == "isn't"
        else { return nil }
        var end = next + 1
        var isDenied = verb == "isn't"
        if let word = words.word(at: end), adverbs.contains(word) || negations.contains(word) {
            isDenied = isDenied || negations.contains(word)
            end += 1
        }
        guard words.word(at: end) == "better" else { return nil }
        // "Image 1 is better than Image 1" says nothing.
        end += 1
        var comparesWithItself = false
        if words.word(at: end) == "than" {
            let other = words.word(at: end + 1) == "the" ? end + 2 : end + 1
            if let side = side(words, at: other) {
                comparesWithItself = side.verdict == verdict
                end = side.next
            }
        }
        return (isDenied || comparesWithItself ? .unparsed : verdict, end)
    }

    /// Whether what follows a statement makes it one about a single point: "in colour", "at hands", "lit", but not
    /// "in every respect", and not a new clause.
    private static func isPoint(_ words: AnswerWords, from end: Int) -> Bool {
        guard let next = words.word(at: end), !conjunctions.contains(next) else { return false }
        for position in end..<end + 5 {
            guard let word = words.word(at: position) else { return true }
            if wholes.contains(word) { return false }
        }
        return true
    }

    /// The candidate that is named at a position, `image 1` or `first image`, and the position behind it.
    private static func side(
        _ words: AnswerWords,
        at index: Int
    ) -> (verdict: Verdict, next: Int)? {
        guard let first = words.word(at: index), let second = words.word(at: index + 1) else {
            return nil
        }
        if nouns.contains(first) { return sides[second].map { ($0, index + 2) } }
        return nouns.contains(second) ? ordinals[first].map { ($0, index + 2) } : nil
    }

    /// What the words before a statement make of it.
    private enum Standing {
        case stated
        /// Taken back, put in doubt, or one of several that are offered.
        case doubted
        /// One point, granted on the way to another verdict.
        case granted
    }

    /// Looks at the four words before, in the same clause: "I don't think Image 1 is better", "if Image 1
    /// is better, say so", "although Image 1 is better in colour".
    private static func standing(_ words: AnswerWords, before index: Int) -> Standing {
        for position in stride(from: index - 1, through: max(0, index - 4), by: -1) {
            guard let word = words.word(at: position) else { return .stated }
            if negations.contains(word) || offers.contains(word) || word.hasSuffix("n't") {
                return .doubted
            }
            if concessions.contains(word) { return .granted }
        }
        return .stated
    }

    private static let nouns: Set<String> = ["image", "video", "answer", "response"]
    private static let sides: [String: Verdict] = ["1": .first, "2": .second]
    private static let ordinals: [String: Verdict] = ["first": .first, "second": .second]
    private static let adverbs: Set<String> = [
        "slightly", "marginally", "somewhat", "clearly", "much", "far", "significantly",
        "considerably", "overall", "definitely", "noticeably", "substantially", "generally",
        "ultimately", "still", "therefore", "thus", "indeed", "actually",
    ]
    private static let conjunctions: Set<String> = [
        "than", "because", "since", "as", "due", "and", "but", "so", "while", "although", "though",
        "whereas", "however", "or", "which", "is",
    ]
    private static let wholes: Set<String> = [
        "overall", "general", "every", "all", "both", "total",
    ]
    private static let negations: Set<String> = [
        "not", "neither", "nor", "never", "hardly", "cannot", "whether", "if", "unless", "no",
    ]
    private static let offers: Set<String> = ["or", "either"]
    private static let concessions: Set<String> = ["although", "though", "while", "whereas"]
}
