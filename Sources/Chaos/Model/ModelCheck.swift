package import Postgres
import SyntheticScenes

/// Random operations on a database and on ``QueueModel``, compared after each; the first sequence on which they
/// part is shrunk to one from which nothing can be left out.
package struct ModelCheck: Sendable {
    /// Operations on one emptied queue before the next.
    package static let sequenceLength = 150

    /// A sequence on which database and model part.
    package struct Failure: Error, Sendable {
        /// What all was drawn from.
        package let seed: UInt64
        /// The operation, counted over all sequences, at which it showed first.
        package let operation: Int
        /// The shortest sequence that was found, in full.
        package let story: [String]
        /// What the model says after its last operation.
        package let expected: [String]
        /// What the database says.
        package let found: [String]

        /// What is printed.
        package var text: String {
            let steps = story.enumerated().map { "    \($0 + 1). \($1)\n" }.joined()
            return "after operation \(operation) of seed \(seed) database and model differ; "
                + "\(story.count) operations suffice:\n" + steps
                + expected.map { "  expected \($0)\n" }.joined()
                + found.map { "  found    \($0)\n" }.joined()
        }
    }

    /// What the operations are drawn from.
    package let seed: UInt64
    /// How many operations.
    package let operations: Int

    /// A check.
    package init(seed: UInt64, operations: Int) {
        self.seed = seed
        self.operations = operations
    }

    /// Plays all operations on a migrated database that is there to be tested: it is emptied again and
    /// again. Throws ``Failure`` when database and model part, `CancellationError` when `progress` says stop.
    ///
    /// - Parameter progress: Hears before each sequence how many operations are done; false ends the check.
    package func run(_ connection: Connection, progress: (Int) -> Bool = { _ in true }) throws {
        var done = 0
        var sequence: UInt64 = 0
        while done < operations {
            guard progress(done) else { throw CancellationError() }
            var random = SeededRandom(path: [seed, 6, sequence])
            let count = min(Self.sequenceLength, operations - done)
            let steps = (0..<count).map { _ in ModelOperation.draw(&random) }
            if let parting = try Self.play(steps, on: connection) {
                throw try failure(steps, parting, after: done, connection)
            }
            done += count
            sequence += 1
        }
    }

    // MARK: - Shrinking

    /// The operations up to and with the one after which database and model differ, and how.
    private struct Parting {
        let steps: [ModelOperation]
        let story: [String]
        let difference: ModelPlayer.Difference
    }

    /// Plays a sequence on an emptied queue; nil when all is well to its end.
    private static func play(
        _ steps: [ModelOperation],
        on connection: Connection
    ) throws -> Parting? {
        var player = try ModelPlayer(connection)
        var story: [String] = []
        for (place, step) in steps.enumerated() {
            do {
                try player.play(step)
                story.append(player.operation)
            } catch let difference as ModelPlayer.Difference {
                return Parting(
                    steps: Array(steps[...place]),
                    story: story + [difference.operation],
                    difference: difference
                )
            }
        }
        return nil
    }

    private func failure(
        _ steps: [ModelOperation],
        _ first: Parting,
        after done: Int,
        _ connection: Connection
    ) throws -> Failure {
        var least = first
        var size = max(1, least.steps.count / 2)
        while true {
            var hasShrunk = false
            var start = 0
            while start < least.steps.count {
                var rest = least.steps
                rest.removeSubrange(start..<min(start + size, rest.count))
                if let smaller = try Self.play(rest, on: connection) {
                    least = smaller
                    hasShrunk = true
                } else {
                    start += size
                }
            }
            if size == 1, !hasShrunk { break }
            size = max(1, size / 2)
        }
        return Failure(
            seed: seed,
            operation: done + first.steps.count,
            story: least.story,
            expected: least.difference.expected,
            found: least.difference.found
        )
    }
}
