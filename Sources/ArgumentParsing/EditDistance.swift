/// The number of single-character edits between two words, for "did you mean".
package enum EditDistance {
    /// Insertions, deletions, substitutions and swaps of neighbours that turn `first` into `second`.
    ///
    /// Optimal string alignment distance: three rolling rows of Wagner and Fischer's table (Journal
    /// of the ACM 21, 1974) with Damerau's transposition.
    package static func between(_ first: String, _ second: String) -> Int {
        let first = Array(first)
        let second = Array(second)
        if first.isEmpty || second.isEmpty { return max(first.count, second.count) }
        var beforePrevious = [Int](repeating: 0, count: second.count + 1)
        var previous = Array(0...second.count)
        for row in 1...first.count {
            var current = [row] + [Int](repeating: 0, count: second.count)
            for column in 1...second.count {
                let differs = first[row - 1] == second[column - 1] ? 0 : 1
                current[column] = min(
                    previous[column] + 1,
                    current[column - 1] + 1,
                    previous[column - 1] + differs
                )
                if row > 1, column > 1, first[row - 1] == second[column - 2],
                    first[row - 2] == second[column - 1]
                {
                    current[column] = min(current[column], beforePrevious[column - 2] + 1)
                }
            }
            beforePrevious = previous
            previous = current
        }
        return previous[second.count]
    }

    /// The candidate nearest to `word`, or nil when none is near enough to be what was meant.
    ///
    /// Near enough is fewer than four edits and fewer than half of the word, so that `-x` suggests
    /// nothing and `--quue` suggests `--queue`. Of equally near candidates the first one wins.
    package static func nearest(to word: String, in candidates: [String]) -> String? {
        var best: (candidate: String, distance: Int)?
        for candidate in candidates {
            let distance = between(word.lowercased(), candidate.lowercased())
            let limit = min(4, (max(word.count, candidate.count) + 1) / 2)
            guard distance < limit, distance < best?.distance ?? .max else { continue }
            best = (candidate, distance)
        }
        return best?.candidate
    }
}
