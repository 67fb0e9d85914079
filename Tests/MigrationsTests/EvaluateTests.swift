import Foundation
import Postgres
import TestSupport
import Testing

/// The expected figures are worked by hand from the definitions in the comment of `rewardd.evaluate`.
@Suite("evaluate")
struct EvaluateTests {
    private let queue: QueueFixture

    init() throws {
        queue = try QueueFixture()
    }

    private struct Pair {
        let label: String
        let verdict: String?
        let group: String
        var sensitive = false
    }

    @Test("accuracies with and without ties, per group and as their mean")
    func accuracies() throws {
        let found = try evaluate([
            Pair(label: "first", verdict: "first", group: "a"),
            Pair(label: "first", verdict: "first", group: "a"),
            Pair(label: "second", verdict: "first", group: "a"),
            Pair(label: "tie", verdict: "tie", group: "a"),
            Pair(label: "tie", verdict: "first", group: "b"),
            Pair(label: "second", verdict: "tie", group: "b", sensitive: true),
            Pair(label: "second", verdict: "second", group: "b"),
            Pair(label: "first", verdict: nil, group: "b"),
        ])
        #expect(found["labelled"] as? Int == 8)
        #expect(found["judged"] as? Int == 8)
        #expect(found["failed"] as? Int == 1)
        #expect(found["ties"] as? Int == 2)
        // Right: 2 + tie in a, 1 in b: 4 of 8; of the 6 without a tie as label 3.
        #expect(found["accuracy_with_ties"] as? Double == 0.5)
        #expect(found["accuracy_without_ties"] as? Double == 0.5)
        // Groups: a 3/4 and 2/3, b 1/4 and 1/3.
        #expect(found["macro_with_ties"] as? Double == 0.5)
        #expect(abs((found["macro_without_ties"] as? Double ?? 0) - 0.5) < 1e-12)
        let groups = try #require(found["groups"] as? [[String: Any]])
        #expect(groups.map { $0["group"] as? String } == ["a", "b"])
        #expect(groups.map { $0["accuracy_with_ties"] as? Double } == [0.75, 0.25])
        #expect(groups.map { $0["pairs"] as? Int } == [4, 4])
        let confusion = try #require(found["confusion"] as? [String: [String: Int]])
        #expect(confusion["first"] == ["first": 2, "second": 0, "tie": 0, "failed": 1])
        #expect(confusion["second"] == ["first": 1, "second": 1, "tie": 1, "failed": 0])
        #expect(confusion["tie"] == ["first": 1, "second": 0, "tie": 1, "failed": 0])
        let orders = try #require(found["orders"] as? [String: Any])
        #expect(orders["both"] as? Int == 7)
        #expect(orders["sensitive"] as? Int == 1)
        // Each decided pair is won once by the one shown first; the sensitive one twice.
        #expect(abs((orders["shown_first_share"] as? Double ?? 0) - 7.0 / 12) < 1e-12)
    }

    @Test("an answer that failed is wrong even where the label is a tie")
    func failedTie() throws {
        let found = try evaluate([Pair(label: "tie", verdict: nil, group: "a")])
        #expect(found["accuracy_with_ties"] as? Double == 0)
        #expect(found["accuracy_without_ties"] is NSNull)
    }

    @Test("criteria are compared with their own labels, or with the item's")
    func criteria() throws {
        let job = try queue.number(
            """
            SELECT rewardd.enqueue('pair_score', '[
                {"caption": "c", "first": "a", "second": "b", "label": "first",
                 "labels": {"style": "second"}},
                {"caption": "c", "first": "a", "second": "b", "label": "second"}]',
                'image_generation', 'm') AS value
            """
        )
        let lease = try #require(try queue.claim(queue.register()).first)
        let criteria = """
            "criteria": [{"name": "alignment", "first": 0.7, "second": 0.3, "scale": [0, 1]},
            {"name": "style", "first": 0.2, "second": 0.8, "scale": [0, 1]},
            {"name": "tied", "first": 0.5000000001, "second": 0.4999999999, "scale": [0, 1]}]
            """
        let results = (0...1).map {
            """
            {"item_index": \($0), "state": "completed", "result": {"verdict": "first", \(criteria)}}
            """
        }
        _ = try queue.checkpoint(
            lease,
            judgements: "[]",
            results: "[\(results.joined(separator: ","))]"
        )
        let found = try evaluation(of: job)
        let rows = try #require(found["criteria"] as? [[String: Any]])
        #expect(rows.map { $0["name"] as? String } == ["alignment", "style", "tied"])
        #expect(rows.map { $0["accuracy_without_ties"] as? Double } == [0.5, 1, 0])
    }

    @Test("scores are correlated with labels by value and by rank, ties sharing their rank")
    func scores() throws {
        let labels = [1.0, 2, 2, 5]
        let job = try queue.number(
            """
            SELECT rewardd.enqueue('point_score', (
                SELECT jsonb_agg(jsonb_build_object('caption', 'c', 'image', 'i', 'label', l))
                FROM unnest(ARRAY[1, 2, 2, 5]) AS l), 'image_generation', 'm') AS value
            """
        )
        let lease = try #require(try queue.claim(queue.register()).first)
        let scores = [1.0, 3, 2, 4]
        let results = scores.enumerated().map {
            """
            {"item_index": \($0), "state": "completed", "result": {"score": \($1), "scale": [1, 5]}}
            """
        }
        _ = try queue.checkpoint(
            lease,
            judgements: "[]",
            results: "[\(results.joined(separator: ","))]"
        )
        let found = try evaluation(of: job)
        #expect(
            abs((found["pearson"] as? Double ?? 0) - correlation(scores, labels)) < 1e-12
        )
        #expect(
            abs(
                (found["spearman"] as? Double ?? 0)
                    - correlation([1, 3, 2, 4], [1, 2.5, 2.5, 4])
            ) < 1e-12
        )
        #expect(found["mean_absolute_error"] as? Double == 0.5)
    }

    @Test("a submitter evaluates its own jobs only, and build_pairs has no labels")
    func rights() throws {
        let alice = try queue.login("rewardd_submit")
        let job = try alice.enqueue()
        let bob = try queue.login("rewardd_submit")
        #expect(try alice.text("SELECT rewardd.evaluate(\(job)) ->> 'labelled' AS value") == "0")
        let refused = try bob.refusal {
            _ = try bob.text("SELECT rewardd.evaluate(\(job))::text AS value")
        }
        #expect(refused?.sqlState == .noDataFound)
        let pairs = try alice.number(
            """
            SELECT rewardd.enqueue('build_pairs', '[{"caption": "c", "candidates": ["a", "b"]}]',
                'image_generation', 'm') AS value
            """
        )
        let wrong = try alice.refusal {
            _ = try alice.text("SELECT rewardd.evaluate(\(pairs))::text AS value")
        }
        #expect(wrong?.sqlState == .wrongState)
    }

    @Test(
        "a label that is none is refused by its path",
        arguments: [
            (#""label": "1""#, #"items[0].label: expected "first", "second" or "tie", got "1""#),
            (#""label": 1"#, #"items[0].label: expected "first", "second" or "tie", got 1"#),
            (
                #""labels": {"style": "x"}"#,
                #"items[0].labels: expected "first", "second" or "tie" for each criterion, "#
                    + #"got {"style": "x"}"#
            ),
            (#""group": """#, #"items[0].group: expected a string of 1 to 200 characters, got """#),
        ]
    )
    func refusedLabel(member: String, message: String) throws {
        let item = #"[{"caption": "c", "first": "a", "second": "b", \#(member)}]"#
        let refused = try queue.refusal {
            _ = try queue.number(
                """
                SELECT rewardd.enqueue('pair_rank', \(item)::jsonb, 'image_generation', 'm') AS value
                """
            )
        }
        #expect(refused?.message == message)
    }

    @Test("media come back to who uploaded them and to readers, to nobody else")
    func download() throws {
        let alice = try queue.login("rewardd_submit")
        let bob = try queue.login("rewardd_submit")
        let reader = try queue.login("rewardd_read")
        let digest = try alice.text("SELECT rewardd.put_media('\\x0102') AS value")
        let query: Query =
            "SELECT encode(rewardd.download_media(decode(\(digest), 'hex')), 'hex') AS value"
        #expect(try alice.text(query) == "0102")
        #expect(try reader.text(query) == "0102")
        #expect(try bob.refusal { _ = try bob.text(query) }?.sqlState == .noDataFound)
    }

    // MARK: - Support

    private func evaluate(_ pairs: [Pair]) throws -> [String: Any] {
        let items = pairs.map {
            #"{"caption":"c","first":"a","second":"b","label":"\#($0.label)","group":"\#($0.group)"}"#
        }
        let job = try queue.number(
            """
            SELECT rewardd.enqueue('pair_rank', \("[\(items.joined(separator: ","))]")::jsonb,
                'image_generation', 'm') AS value
            """
        )
        let lease = try #require(try queue.claim(queue.register()).first)
        let results = pairs.enumerated().map { index, pair in
            guard let verdict = pair.verdict else {
                return #"{"item_index":\#(index),"state":"failed","error_code":"unparsed"}"#
            }
            let other = verdict == "tie" ? "tie" : verdict
            let orders =
                pair.sensitive
                ? [("first_second", "first"), ("second_first", "second")]
                : [("first_second", verdict), ("second_first", other)]
            let list = orders.map { #"{"order":"\#($0)","verdict":"\#($1)"}"# }
            return
                #"{"item_index":\#(index),"state":"completed","result":{"verdict":"\#(verdict)","#
                + #""order_sensitive":\#(pair.sensitive),"orders":[\#(list.joined(separator: ","))]}}"#
        }
        _ = try queue.checkpoint(
            lease,
            judgements: "[]",
            results: "[\(results.joined(separator: ","))]"
        )
        return try evaluation(of: job)
    }

    private func evaluation(of job: Int) throws -> [String: Any] {
        let text = try queue.text("SELECT rewardd.evaluate(\(job))::text AS value")
        let value = try JSONSerialization.jsonObject(with: Data(text.utf8))
        return try #require(value as? [String: Any])
    }

    private func correlation(_ left: [Double], _ right: [Double]) -> Double {
        let count = Double(left.count)
        let means = (left.reduce(0, +) / count, right.reduce(0, +) / count)
        var sums = (cross: 0.0, left: 0.0, right: 0.0)
        for (one, other) in zip(left, right) {
            sums.cross += (one - means.0) * (other - means.1)
            sums.left += (one - means.0) * (one - means.0)
            sums.right += (other - means.1) * (other - means.1)
        }
        return sums.cross / (sums.left * sums.right).squareRoot()
    }
}
