/// Reads the score out of a free answer to a point question.
///
/// The number right after the last `Final Score:` counts, with its sign and decimals. No marker, no
/// number there, `nan`, a number off the scale, or one that goes on in a way that changes its
/// meaning (`3-4`, `3,7`, `8/10` on a scale to 5) is nil: unparsed, never 0 and never a number from
/// elsewhere in the text, as the reference's scripts would have it.
package enum PointScoreParser {
    /// Nil when the answer holds no score on the scale.
    package static func parse(_ response: String, scale: Scale) -> Score? {
        guard let answer = AnswerSection.of(response) else { return nil }
        let scanner = AnswerScanner(answer)
        guard let marker = scanner.lastMarker(["final", "score"]),
            let value = scanner.score(from: marker.end, scale: scale)
        else { return nil }
        return Score(value, on: scale)
    }
}
