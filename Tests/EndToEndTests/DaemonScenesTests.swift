import Foundation
import Postgres
import TestSupport
import Testing

/// The demo's job, judged by the bundled model, against what is true of its pictures.
@Suite("The bundled model in a daemon")
struct DaemonScenesTests {
    /// What is true of the candidates of one item, read by nobody but this test and the demo.
    private struct Truth: Decodable {
        let id: String
        let grades: [Int]
    }

    private static let folder = Repository.root.appending(path: "deploy/demo")

    private static func lines(_ name: String) throws -> [String] {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    @Test("chooses pictures that are better than those it rejects, and names the damaged one")
    func demo() throws {
        let bench = try Workbench()
        let daemon = try bench.daemon(
            settings: "model.scenes = \(Repository.root.path)/deploy/models/scenes",
            mediaRoot: Self.folder.path
        )
        let items = try Self.lines("items.jsonl").map {
            $0.replacing("\"scenes/", with: "\"\(Self.folder.path)/scenes/")
        }
        let job = try bench.enqueue(
            kind: "build_pairs",
            model: "scenes",
            items: "[\(items.joined(separator: ","))]"
        )
        #expect(try bench.end(of: job, daemon: daemon) == "completed")

        let truths = try Self.lines("truth.jsonl").map {
            try JSONDecoder().decode(Truth.self, from: Data($0.utf8))
        }
        let grades = Dictionary(uniqueKeysWithValues: truths.map { ($0.id, $0.grades) })
        let pairs = try bench.connection.execute(
            """
            SELECT item_id, chosen_index::bigint AS chosen, rejected_index::bigint AS rejected
            FROM rewardd.pair WHERE job_id = \(job)
            """
        )
        #expect(pairs.count >= 5, "\(daemon.log)")
        for pair in pairs {
            let id = try pair.text("item_id")
            let known = try #require(grades[id])
            let chosen = known[Int(try pair.int64("chosen"))]
            let rejected = known[Int(try pair.int64("rejected"))]
            #expect(chosen > rejected, "\(id): chosen \(chosen), rejected \(rejected)")
        }
        let failed = try bench.text(
            """
            SELECT (i.payload ->> 'id') || ' ' || r.error_code AS t
            FROM rewardd.item_result r JOIN rewardd.item i USING (job_id, item_index)
            WHERE r.job_id = \(job) AND r.error_code IS NOT NULL
            """
        )
        #expect(failed == "damaged media_unreadable")
    }
}
