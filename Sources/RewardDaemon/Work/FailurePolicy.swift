import Inference
import Jobs
import Postgres
import RemoteInference
import RewardModeling

/// What becomes of a shard whose judging threw: the one table from error to outcome.
///
/// Failures of single items never come here: they are results with a code.
enum FailurePolicy {
    /// The failure of an item whose question a server fails over in a shard's last attempt; nil where the
    /// error is not about the question, or the shard has attempts left.
    ///
    /// The shard would end with this attempt, and its other items with it, for which the server may well have
    /// answers.
    ///
    /// - Parameters:
    ///   - attempts: How many the shard has.
    ///   - streak: How many of its items the server failed over in a row; grows.
    static func itemFailure(
        of error: any Error,
        attempt: Int,
        attempts: Int,
        streak: FailureStreak
    ) -> ItemFailure? {
        guard attempt >= attempts, let fault = error as? RemoteFault, fault.mayBeTheQuestion,
            streak.grow()
        else { return nil }
        return ItemFailure(
            code: "remote_failed",
            message: "gave up after \(attempt) attempts: \(fault)"
        )
    }

    /// The outcome to finish the shard with.
    ///
    /// - Parameter attempt: which attempt failed, from 1; the wait doubles from 2 s to 5 minutes.
    static func outcome(of error: any Error, attempt: Int) -> FinishOutcome {
        switch error {
        case is CancellationError:
            return .release(reason: nil)
        case let error as InferenceError:
            switch error {
            case .cancelled, .shuttingDown: return .release(reason: nil)
            case .modelUnusable, .modelTooLarge, .unknownModel, .notFinite, .promptTooLong,
                .invalidRequest:
                return .fail(reason: "\(error)")
            }
        case let fault as RemoteFault where fault.isOutage:
            // No question was taken. Nothing is claimed for the model until its server answers, so the
            // shard can wait as it was.
            return .release(reason: "\(fault)")
        case let fault as RemoteFault:
            // Perhaps about an item, or the server is not the one that was meant.
            let asked = min(fault.retryAfter ?? .zero, longestAsked)
            return .retry(reason: "\(fault)", after: max(delay(attempt), asked))
        case let error as RewardModelingError:
            return .fail(reason: "\(error)")
        default:
            return .retry(reason: "\(error)", after: delay(attempt))
        }
    }

    /// The longest wait that a server's Retry-After can ask for.
    private static let longestAsked: Duration = .seconds(3600)

    private static func delay(_ attempt: Int) -> Duration {
        .seconds(min(300, 1 << min(max(attempt, 1), 9)))
    }
}
