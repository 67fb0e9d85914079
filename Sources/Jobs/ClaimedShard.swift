import Postgres

/// The right to write to one shard: worthless once the shard has gone to another daemon.
package struct ShardLease: Sendable, Hashable {
    package let shardID: Int64
    package let token: Int64

    package init(shardID: Int64, token: Int64) {
        self.shardID = shardID
        self.token = token
    }
}

/// One input of a job.
package struct ClaimedItem: Sendable, Equatable {
    /// Its place in the job, from 0.
    package let index: Int
    /// The payload, a JSON object as UTF-8 text.
    package let payload: [UInt8]

    package init(index: Int, payload: [UInt8]) {
        self.index = index
        self.payload = payload
    }
}

/// A shard under lease, with its items that have no result yet.
package struct ClaimedShard: Sendable, Equatable {
    package let lease: ShardLease
    package let jobID: Int64
    /// `point_score`, `pair_rank`, `build_pairs` or `train`.
    package let kind: String
    /// What is judged, such as `image_generation`; empty for `train`, which covers every task.
    package let task: String
    /// The model that judges; for `train` the base that training starts from.
    package let model: String
    /// The job's options, a JSON object as UTF-8 text.
    package let options: [UInt8]
    /// Which attempt this is, from 1.
    package let attempt: Int
    /// The job's priority; the highest goes first, here and in the engine.
    package let priority: Int
    /// The shard's first item in the job, and how many items it has with and without results.
    package let firstItem: Int
    package let itemCount: Int
    package let items: [ClaimedItem]

    package init(
        lease: ShardLease,
        jobID: Int64,
        kind: String,
        task: String,
        model: String,
        options: [UInt8],
        attempt: Int,
        priority: Int = 0,
        firstItem: Int,
        itemCount: Int,
        items: [ClaimedItem]
    ) {
        self.lease = lease
        self.jobID = jobID
        self.kind = kind
        self.task = task
        self.model = model
        self.options = options
        self.attempt = attempt
        self.priority = priority
        self.firstItem = firstItem
        self.itemCount = itemCount
        self.items = items
    }

    /// What a daemon claims for, in a call of its own, to train from this base.
    package static func trainingLabel(base: String) -> String { "\(trainingPrefix)\(base)" }

    /// What a daemon claims for to sample candidates from one model and have another judge them. No daemon's model
    /// has an equals sign in its name.
    package static func samplingLabel(policy: String, model: String) -> String {
        "\(samplingPrefix)\(policy)=\(model)"
    }

    /// How every such label starts; no model may be named so.
    package static let samplingPrefix = "sample/"

    /// How every training label starts; no model may be named so.
    package static let trainingPrefix = "train/"

    /// Takes the items apart on the server, so that each payload arrives as the text it is.
    static func claimQuery(
        daemonID: Int64,
        models: [String],
        queues: [String],
        maximum: Int
    ) -> Query {
        """
        SELECT c.shard_id, c.job_id, c.lease_token, c.kind, c.task, c.model, c.options, c.attempts,
            c.priority, c.first_item, c.item_count,
            ARRAY(SELECT (e.item ->> 'index')::bigint
                FROM jsonb_array_elements(c.items) WITH ORDINALITY AS e (item, place)
                ORDER BY e.place) AS item_indices,
            ARRAY(SELECT (e.item -> 'payload')::text
                FROM jsonb_array_elements(c.items) WITH ORDINALITY AS e (item, place)
                ORDER BY e.place) AS item_payloads
        FROM rewardd.claim_shards(daemon_id => \(daemonID), models => \(models),
            queues => \(queues), max_shards => \(maximum)) AS c
        """
    }

    /// Reads a row of `claimQuery`.
    init(_ row: Row) throws {
        lease = ShardLease(
            shardID: try row.int64("shard_id"),
            token: try row.int64("lease_token")
        )
        jobID = try row.int64("job_id")
        kind = try row.text("kind")
        task = try row.textIfPresent("task") ?? ""
        model = try row.text("model")
        options = try row.json("options")
        attempt = try row.int("attempts")
        priority = try row.int("priority")
        firstItem = try row.int("first_item")
        itemCount = try row.int("item_count")
        items = zip(try row.int64Array("item_indices"), try row.textArray("item_payloads"))
            .map { ClaimedItem(index: Int($0), payload: Array($1.utf8)) }
    }
}
