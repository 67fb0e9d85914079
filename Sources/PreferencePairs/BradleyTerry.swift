import Glibc

/// How strong each candidate of a round robin is, by the Bradley–Terry model: candidate i beats j with
/// probability `1 / (1 + exp(sⱼ - sᵢ))`.
///
/// Found by the minorisation–maximisation algorithm of Hunter, "MM algorithms for generalized
/// Bradley–Terry models" (Annals of Statistics 32, 2004), eq. (3): `πᵢ ← Wᵢ / Σⱼ nᵢⱼ / (πᵢ + πⱼ)`. A tie
/// is half a win for either side. Every candidate also meets one thought opponent of strength 0, once,
/// and ties: without it a candidate that was never beaten would be infinitely strong, and two groups
/// that never met could not be put on one scale. With it the likelihood has one finite maximum, to
/// which the iteration always climbs.
package enum BradleyTerry {
    /// One decided or tied meeting.
    package struct Meeting: Sendable, Equatable {
        /// A candidate's place in the item.
        package let first: Int
        /// The other's.
        package let second: Int
        /// What the first side gets of one win: 1, ½ or 0.
        package let share: Double

        /// - Parameter share: 1 when the first side wins, 0 when the second does, ½ for a tie.
        package init(first: Int, second: Int, share: Double) {
            self.first = first
            self.second = second
            self.share = share
        }
    }

    /// The iteration ends when no strength moves by more.
    static let tolerance = 1e-10
    /// Or after so many rounds, so that no item can hold a daemon up.
    static let maximumRounds = 20_000

    /// Strengths in natural logarithms, 0 being the thought opponent's. Meetings are summed in their
    /// order, so equal meetings give equal bits.
    package static func strengths(candidates count: Int, meetings: [Meeting]) -> [Double] {
        // The thought opponent's tie.
        var wins = [Double](repeating: 0.5, count: count)
        var opponents = [[(index: Int, meetings: Double)]](repeating: [], count: count)
        var places: [Pair: Double] = [:]
        var order: [Pair] = []
        for meeting in meetings {
            wins[meeting.first] += meeting.share
            wins[meeting.second] += 1 - meeting.share
            let pair = Pair(
                low: min(meeting.first, meeting.second),
                high: max(meeting.first, meeting.second)
            )
            if places[pair] == nil { order.append(pair) }
            places[pair, default: 0] += 1
        }
        for pair in order {
            let number = places[pair] ?? 0
            opponents[pair.low].append((pair.high, number))
            opponents[pair.high].append((pair.low, number))
        }
        var worths = [Double](repeating: 1, count: count)
        for _ in 0..<maximumRounds {
            var movement = 0.0
            // Each worth is used as soon as it is known (eq. (3), cyclic): the likelihood still never
            // falls, and it takes fewer rounds.
            for index in 0..<count {
                var denominator = 1 / (worths[index] + 1)
                for opponent in opponents[index] {
                    denominator += opponent.meetings / (worths[index] + worths[opponent.index])
                }
                let worth = wins[index] / denominator
                movement = max(movement, abs(log(worth / worths[index])))
                worths[index] = worth
            }
            if movement < tolerance { break }
        }
        return worths.map { log($0) }
    }

    private struct Pair: Hashable {
        let low: Int
        let high: Int
    }
}
