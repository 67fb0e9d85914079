import Postgres
import TestSupport

/// Train jobs for the suites about them.
extension QueueFixture {
    /// Enqueues a train job and returns its number.
    @discardableResult
    func enqueueTraining(
        name: String = "scenes-2",
        base: String = "m",
        options: String = "{}",
        priority: Int? = nil
    ) throws -> Int {
        let items = #"[{"dataset": "/d/train.jsonl", "name": "\#(name)"}]"#
        return try number(
            """
            SELECT rewardd.enqueue('train', \(items)::jsonb, NULL, \(base), \(options)::jsonb,
                priority => \(priority)::int) AS value
            """
        )
    }

    /// Claims for training from the base `m`.
    func claimTraining(_ daemon: Int) throws -> Lease? {
        try claim(daemon, models: ["train/m"]).first
    }

    func report(_ lease: Lease, step: Int) throws -> String {
        try report(lease, #"{"step": \#(step), "steps": 1000, "loss": 0.5}"#)
    }

    func report(_ lease: Lease, _ data: String) throws -> String {
        try text(
            """
            SELECT rewardd.report_progress(\(lease.shard), \(lease.token), \(data)::jsonb) AS value
            """
        )
    }

    /// Registers a model whose digest repeats one byte.
    func registerModel(_ lease: Lease, digest byte: UInt8, host: String = "h") throws -> String {
        let digest = [UInt8](repeating: byte, count: 32)
        return try text(
            """
            SELECT rewardd.register_model(
                \(lease.shard), \(lease.token), \(digest), '/models/scenes-2', \(host)) AS value
            """
        )
    }
}
