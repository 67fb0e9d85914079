package import Hashing
package import RewardModeling
import Synchronization

/// Judgements kept in memory for as long as a run takes.
package final class MemoryLedger: JudgementLedger {
    private let judgements = Mutex<[Digest: RecordedJudgement]>([:])

    /// Knows nothing.
    package init() {}

    /// Those of the fingerprints that were recorded.
    package func recall(_ fingerprints: [Digest]) async throws -> [Digest: RecordedJudgement] {
        judgements.withLock { known in
            var found: [Digest: RecordedJudgement] = [:]
            for fingerprint in fingerprints { found[fingerprint] = known[fingerprint] }
            return found
        }
    }

    /// Keeps a judgement; of two under one fingerprint the first.
    package func record(_ judgement: RecordedJudgement) async throws {
        judgements.withLock { known in
            if known[judgement.fingerprint] == nil { known[judgement.fingerprint] = judgement }
        }
    }

    /// One judgement; nil when it was not recorded.
    package func judgement(_ fingerprint: Digest) -> RecordedJudgement? {
        judgements.withLock { $0[fingerprint] }
    }

    /// Whether this ledger holds the same answers as another, to the last bit; how long they took may differ.
    package func hasAnswers(of other: MemoryLedger) -> Bool {
        let (mine, theirs) = (judgements.withLock { $0 }, other.judgements.withLock { $0 })
        return mine.count == theirs.count
            && mine.allSatisfy { fingerprint, judgement in
                guard let twin = theirs[fingerprint] else { return false }
                return judgement.probabilities == twin.probabilities
                    && judgement.verdict == twin.verdict && judgement.score == twin.score
                    && judgement.rawResponse == twin.rawResponse
                    && judgement.promptTokens == twin.promptTokens
            }
    }

    /// How many there are.
    package var count: Int { judgements.withLock { $0.count } }
}
