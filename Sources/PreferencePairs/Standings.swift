package import RewardModeling

/// Where each candidate of a round robin stands after its comparisons.
package struct Standings: Sendable, Equatable {
    /// One candidate's.
    package struct Standing: Sendable, Equatable {
        package var wins = 0
        package var losses = 0
        package var ties = 0
        /// In natural logarithms; see `BradleyTerry`.
        package var strength = 0.0
    }

    /// In the item's order.
    package let standings: [Standing]

    /// Counts the comparisons that have a verdict; those that failed say nothing.
    package init(candidates count: Int, outcomes: [ComparisonOutcome]) {
        var standings = [Standing](repeating: Standing(), count: count)
        var meetings: [BradleyTerry.Meeting] = []
        for outcome in outcomes where outcome.failure == nil {
            let first = outcome.comparison.first
            let second = outcome.comparison.second
            var share = 0.5
            if let decision = outcome.decision {
                standings[decision.chosen].wins += 1
                standings[decision.rejected].losses += 1
                share = decision.chosen == first ? 1 : 0
            } else {
                standings[first].ties += 1
                standings[second].ties += 1
            }
            meetings.append(BradleyTerry.Meeting(first: first, second: second, share: share))
        }
        let strengths = BradleyTerry.strengths(candidates: count, meetings: meetings)
        for index in standings.indices { standings[index].strength = strengths[index] }
        self.standings = standings
    }

    /// `[{"index": 0, "strength": 1.1, "wins": 3, "losses": 1, "ties": 0}, …]`.
    package var json: PayloadValue {
        .array(
            standings.enumerated().map { index, standing in
                .object([
                    "index": .number(Double(index)), "strength": .number(standing.strength),
                    "wins": .number(Double(standing.wins)),
                    "losses": .number(Double(standing.losses)),
                    "ties": .number(Double(standing.ties)),
                ])
            }
        )
    }
}
