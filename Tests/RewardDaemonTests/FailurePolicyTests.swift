import Inference
import Jobs
import RemoteInference
import RewardModeling
import Testing

@testable import RewardDaemon

@Suite("What an error comes to")
struct FailurePolicyTests {
    @Test(
        "what a server fails over in the last attempt fails its item, what is the server's own does not",
        arguments: [
            (RemoteFault.Kind.serverError, true), (.interrupted, true), (.timeout, true),
            (.malformed, true), (.unreachable, false), (.busy, false), (.refused, false),
            (.host, false),
        ]
    )
    func lastAttempt(kind: RemoteFault.Kind, isItems: Bool) {
        let fault = RemoteFault(kind, "http://gpu/v1: expected an answer, got none")
        func itemFailure(_ error: any Error, attempt: Int) -> ItemFailure? {
            FailurePolicy.itemFailure(
                of: error,
                attempt: attempt,
                attempts: 3,
                streak: FailureStreak()
            )
        }
        let failure = itemFailure(fault, attempt: 3)
        #expect((failure != nil) == isItems)
        if isItems {
            #expect(failure?.code == "remote_failed")
            #expect(
                failure?.message
                    == "gave up after 3 attempts: http://gpu/v1: expected an answer, got none"
            )
        }
        #expect(itemFailure(fault, attempt: 2) == nil)
        #expect(itemFailure(CancellationError(), attempt: 3) == nil)
    }

    @Test("a server that fails over one item after the other is given up")
    func streak() {
        let streak = FailureStreak()
        func isItems() -> Bool {
            FailurePolicy.itemFailure(
                of: RemoteFault(.timeout, "no answer"),
                attempt: 5,
                attempts: 5,
                streak: streak
            ) != nil
        }
        #expect([isItems(), isItems(), isItems(), isItems()] == [true, true, true, false])
        streak.end()
        #expect([isItems(), isItems()] == [true, true])
        streak.end()
        #expect([isItems(), isItems(), isItems(), isItems()] == [true, true, true, false])
    }

    @Test("a server that took no question costs no attempt, one that failed over it does")
    func outages() {
        let outage = FailurePolicy.outcome(of: RemoteFault(.unreachable, "gone"), attempt: 1)
        #expect(outage == .release(reason: "gone"))
        let failure = FailurePolicy.outcome(of: RemoteFault(.serverError, "500"), attempt: 2)
        #expect(failure == .retry(reason: "500", after: .seconds(4)))
    }
}
