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
        let failure = FailurePolicy.itemFailure(of: fault, attempt: 3, attempts: 3)
        #expect((failure != nil) == isItems)
        if isItems {
            #expect(failure?.code == "remote_failed")
            #expect(
                failure?.message
                    == "gave up after 3 attempts: http://gpu/v1: expected an answer, got none"
            )
        }
        #expect(FailurePolicy.itemFailure(of: fault, attempt: 2, attempts: 3) == nil)
        #expect(FailurePolicy.itemFailure(of: CancellationError(), attempt: 3, attempts: 3) == nil)
    }

    @Test("a server that took no question costs no attempt, one that failed over it does")
    func outages() {
        let outage = FailurePolicy.outcome(of: RemoteFault(.unreachable, "gone"), attempt: 1)
        #expect(outage == .release(reason: "gone"))
        let failure = FailurePolicy.outcome(of: RemoteFault(.serverError, "500"), attempt: 2)
        #expect(failure == .retry(reason: "500", after: .seconds(4)))
    }
}
