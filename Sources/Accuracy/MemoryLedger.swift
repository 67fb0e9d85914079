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

    /// How many there are.
    package var count: Int { judgements.withLock { $0.count } }
}
