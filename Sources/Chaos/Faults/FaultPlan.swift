import SyntheticScenes

/// Which faults happen when: a pure function of the seed and the number of daemons.
///
/// Every kind comes once before any comes a second time as a main fault, three of them in each round, so
/// that ``cycle`` rounds have met all; more are drawn freely, so that a round has four to six.
package struct FaultPlan: Sendable {
    /// What all is drawn from.
    package let seed: UInt64
    /// The number of daemons.
    package let daemons: Int
    /// Seconds of a round.
    package let roundSeconds: Double

    private static let mainFaults = 3
    /// How many rounds it takes to meet every kind.
    package static let cycle = (FaultKind.allCases.count + mainFaults - 1) / mainFaults

    /// A plan for a run.
    package init(seed: UInt64, daemons: Int, roundSeconds: Double = 10) {
        precondition(daemons > 0, "faults need a daemon")
        self.seed = seed
        self.daemons = daemons
        self.roundSeconds = roundSeconds
    }

    /// The faults of one round, in the order of time.
    package func faults(round: Int) -> [Fault] {
        var random = SeededRandom(path: [seed, 1, UInt64(round)])
        let kinds = FaultKind.allCases
        let main = order(ofCycle: (round - 1) / Self.cycle)
        let first = (round - 1) % Self.cycle * Self.mainFaults
        var chosen = Array(main[first..<min(first + Self.mainFaults, main.count)])
        let count = Self.mainFaults + 1 + random.below(3)
        while chosen.count < count { chosen.append(kinds[random.below(kinds.count)]) }
        let faults = chosen.map { kind in
            Fault(
                kind: kind,
                round: round,
                offset: random.between(0.2, roundSeconds * 0.8),
                target: target(of: kind, &random),
                seconds: seconds(of: kind, &random)
            )
        }
        return faults.sorted { $0.offset < $1.offset }
    }

    /// All kinds in a random order, another one for every pass through them.
    private func order(ofCycle cycle: Int) -> [FaultKind] {
        var random = SeededRandom(path: [seed, 2, UInt64(cycle)])
        var kinds = FaultKind.allCases
        for index in stride(from: kinds.count - 1, to: 0, by: -1) {
            kinds.swapAt(index, random.below(index + 1))
        }
        return kinds
    }

    private func target(of kind: FaultKind, _ random: inout SeededRandom) -> Int {
        switch kind {
        case .kill, .freeze, .drain, .trap, .reply, .silence: random.below(daemons)
        case .cut, .crash, .cancel, .pause, .retry, .hold, .force: random.below(1 << 16)
        }
    }

    private func seconds(of kind: FaultKind, _ random: inout SeededRandom) -> Double {
        switch kind {
        case .kill, .drain, .trap: random.between(0.1, 2.5)
        // The lease is 15 s.
        case .freeze, .silence: random.between(16.5, 19)
        case .crash: random.between(0.1, 2)
        case .pause, .hold: random.between(0.5, 3)
        case .cut, .cancel, .retry, .force, .reply: 0
        }
    }
}
