/// The probabilities of given answers, from what a server tells about single tokens.
///
/// An answer's probability is the product of its tokens' where answers part, each brought to a sum of 1 over
/// the tokens that allowed answers have there: what an engine here computes. The server decides what a token is,
/// so answers are followed as bytes: a token belongs to every answer that goes on with it.
///
/// The server writes greedily and tells the most probable tokens of each place; places on its way come with one
/// request. What parts from its way is asked for by itself, with the answer's beginning given.
///
/// Nothing is made up. A token that is not told has at most the probability of the least one told, and of all
/// that is left to 1. Where that could be a share above ``tolerance``, the question is refused; below it, it
/// counts as 0, and so does what hangs on a beginning less probable than that.
struct ChoiceWalk {
    /// The most that a probability may be wrong by at each place where answers part.
    static let tolerance = 0.001

    /// Why answers cannot be weighed, as the end of a sentence.
    struct Refusal: Error, Equatable {
        let reason: String
    }

    /// A beginning after which several answers are open.
    private struct Point {
        /// Of each of its answers.
        var written: [UInt8]
        var live: [Int]
        /// Probability of the beginning.
        var share: Double
    }

    /// What to ask next.
    struct Question: Equatable {
        /// The beginning of the answer, with the fixed prefix, that the server is given.
        let prefill: String
        /// Tokens to write: answers part within so many, or a little later. A token more costs less than a
        /// request more.
        let tokens: Int
    }

    private let prefix: String
    private let answers: [[UInt8]]
    private var open: [Point] = []
    private var shares: [Double]

    /// - Parameters:
    ///   - prefix: Text that every answer starts with. White space at its end is moved to the answers: models
    ///     read it as the beginning of the next token, and some servers cut it off.
    ///   - choices: The answers after the prefix.
    init(prefix: String, choices: [String]) throws(Refusal) {
        var kept = prefix[...]
        while let last = kept.unicodeScalars.last, last.properties.isWhitespace {
            kept.unicodeScalars.removeLast()
        }
        let space = prefix[kept.endIndex...]
        self.prefix = String(kept)
        answers = choices.map { Array((space + $0).utf8) }
        shares = [Double](repeating: 0, count: choices.count)
        guard choices.count >= 2 else {
            throw Refusal(reason: "expected at least 2 answers, got \(choices.count)")
        }
        for (index, answer) in answers.enumerated() {
            for (other, candidate) in answers.enumerated()
            where other != index && candidate.starts(with: answer) {
                // The end of a turn has no text by which all servers would tell it.
                throw Refusal(
                    reason: "expected answers of which none begins another, got "
                        + "\"\(choices[index])\" and \"\(choices[other])\""
                )
            }
        }
        open = [Point(written: [], live: Array(answers.indices), share: 1)]
    }

    /// The most probable beginning that is still open; nil when every answer has its share.
    var next: Question? {
        guard let point = open.last else { return nil }
        // The last place where two of them part; a token has at least one byte.
        var last = point.written.count
        for (place, index) in point.live.enumerated() {
            for other in point.live[..<place] {
                last = max(last, zip(answers[index], answers[other]).prefix { $0 == $1 }.count)
            }
        }
        return Question(
            prefill: prefix + String(decoding: point.written, as: UTF8.self),
            tokens: min(last - point.written.count + 1, 4)
        )
    }

    /// Takes the answer to ``next``.
    mutating func take(_ tokens: [WrittenToken]) throws(Refusal) {
        guard var point = open.popLast() else { return }
        guard !tokens.isEmpty else {
            throw Refusal(reason: "expected the probabilities of tokens, got none")
        }
        for token in tokens {
            var onward: Point?
            for branch in try branches(at: point, token) {
                if branch.live.count == 1 {
                    shares[branch.live[0]] += branch.share
                } else if branch.written.count == point.written.count + token.bytes.count,
                    branch.written.ends(with: token.bytes)
                {
                    onward = branch
                } else if branch.share > Self.tolerance {
                    insert(branch)
                }
            }
            guard let next = onward else { return }
            point = next
        }
        insert(point)
    }

    /// In the order of the choices; sums to 1.
    ///
    /// - Precondition: ``next`` is nil.
    var probabilities: [Double] {
        precondition(open.isEmpty, "every beginning has been asked about")
        let sum = shares.reduce(0, +)
        return shares.map { $0 / sum }
    }

    /// What may follow a beginning: tokens that some answer goes on with, as beginnings of their own.
    private func branches(at point: Point, _ token: WrittenToken) throws(Refusal) -> [Point] {
        var found: [Point] = []
        var sum = 0.0
        for offer in token.offers where !offer.bytes.isEmpty {
            let written = point.written + offer.bytes
            let live = point.live.filter { answers[$0].starts(with: written) }
            guard !live.isEmpty else { continue }
            // Two tokens of the same bytes lead to the same place.
            if let same = found.firstIndex(where: { $0.written == written }) {
                found[same].share += offer.probability
            } else {
                found.append(Point(written: written, live: live, share: offer.probability))
            }
            sum += offer.probability
        }
        let told = token.offers.reduce(0) { $0 + $1.probability }
        let untold = max(min(token.offers.last?.probability ?? 1, 1 - told), 0)
        guard sum > 0, untold / (sum + untold) <= Self.tolerance else {
            throw Refusal(
                reason: "expected allowed answers among the \(token.offers.count) tokens told, far "
                    + "more probable than any that is not; got a probability of \(Self.rounded(sum)) "
                    + "for the allowed ones and perhaps \(Self.rounded(untold)) for one not told"
            )
        }
        return found.map {
            Point(written: $0.written, live: $0.live, share: point.share * $0.share / sum)
        }
    }

    /// Keeps the most probable last.
    private mutating func insert(_ point: Point) {
        let place = open.firstIndex { $0.share > point.share } ?? open.endIndex
        open.insert(point, at: place)
    }

    private static func rounded(_ probability: Double) -> Double {
        (probability * 1e6).rounded() / 1e6
    }
}

extension Array where Element == UInt8 {
    fileprivate func ends(with other: [UInt8]) -> Bool {
        suffix(other.count).elementsEqual(other)
    }
}
