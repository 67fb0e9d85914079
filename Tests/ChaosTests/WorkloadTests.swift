import Foundation
import Testing

@testable import Chaos

@Suite("The jobs of a run")
struct WorkloadTests {
    private let workload = Workload(seed: 3, media: MediaSet(directory: "/media"))

    @Test("the same seed gives the same jobs, another seed others")
    func deterministic() {
        let same = Workload(seed: 3, media: MediaSet(directory: "/media"))
        let other = Workload(seed: 4, media: MediaSet(directory: "/media"))
        for number in 0..<50 {
            #expect(workload.submission(number) == same.submission(number))
        }
        #expect((0..<10).contains { workload.submission($0) != other.submission($0) })
    }

    @Test("items and options are JSON, every question is asked once, everything that can vary does")
    func shape() throws {
        var captions: Set<String> = []
        var kinds: Set<String> = []
        var queues: Set<String> = []
        var poisoned = 0
        var items = 0
        let submissions = (0..<200).map(workload.submission)
        for submission in submissions {
            let list = try #require(
                JSONSerialization.jsonObject(with: Data(submission.items.utf8)) as? [[String: Any]]
            )
            #expect(list.count == submission.itemCount)
            _ = try JSONSerialization.jsonObject(with: Data(submission.options.utf8))
            for item in list {
                items += 1
                captions.insert(try #require(item["caption"] as? String))
                let text = "\(item)"
                let isPoisoned = text.contains("missing.ppm") || text.contains("damaged.ppm")
                #expect((item["id"] as? String)?.hasPrefix("poison-") == isPoisoned)
                if isPoisoned { poisoned += 1 }
            }
            kinds.insert(submission.kind)
            queues.insert(submission.queue)
        }
        #expect(captions.count == items)
        #expect(kinds == ["point_score", "pair_rank", "build_pairs"])
        #expect(queues == Set(Workload.queues))
        #expect((items / 50...items / 15).contains(poisoned))
        #expect(submissions.contains { $0.idempotencyKey == nil })
        #expect(submissions.contains { $0.delay > 0 })
        // A deadline before the job may start would be refused.
        #expect(submissions.contains { $0.deadline != nil })
        for submission in submissions {
            if let deadline = submission.deadline { #expect(deadline > submission.delay) }
        }
        #expect(Set(submissions.map(\.priority)).count > 5)
    }
}
