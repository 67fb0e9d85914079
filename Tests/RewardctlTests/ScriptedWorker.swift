import Postgres
import TestSupport

/// A daemon by hand: claims shards and stores results through the worker functions.
struct ScriptedWorker {
    private let connection: Connection
    /// Its number in `rewardd.daemon_status`.
    let daemonID: Int64

    /// Registers a daemon that offers `model` on queue `default`.
    init(_ database: TemporaryDatabase, model: String = "scenes") throws {
        connection = try database.connect()
        daemonID = try connection.execute(
            """
            SELECT rewardd.register_daemon(
                'testhost', 42, '0.1.0', \([model]), \(["default"])) AS id
            """
        ).only().int64("id")
    }

    /// Claims the next shard and stores `results`, the elements of the checkpoint's array; ends the
    /// shard when `finishing`.
    func work(_ results: [String], finishing: Bool = true, model: String = "scenes") throws {
        let claim = try connection.execute(
            """
            SELECT shard_id, lease_token FROM rewardd.claim_shards(
                \(daemonID), \([model]), \(["default"]), 1)
            """
        ).only()
        let shard = try claim.int64("shard_id")
        let token = try claim.int64("lease_token")
        let document = "[" + results.joined(separator: ",") + "]"
        try connection.execute(
            "SELECT rewardd.checkpoint(\(shard), \(token), '[]'::jsonb, \(json: document)::jsonb)"
        )
        if finishing {
            try connection.execute("SELECT rewardd.finish_shard(\(shard), \(token), 'done')")
        }
    }

    /// A result of an item that was scored.
    static func score(_ index: Int, _ score: Double) -> String {
        """
        {"item_index":\(index),"state":"completed","error_code":null,"error":null,"judgements":[],\
        "pair":null,"result":{"score":\(score),"scale":[1,5],"spread":0.5,"reused":false}}
        """
    }

    /// A result of an item that failed.
    static func failure(_ index: Int, _ code: String, _ message: String) -> String {
        """
        {"item_index":\(index),"state":"failed","error_code":"\(code)","error":"\(message)",\
        "judgements":[],"pair":null,"result":null}
        """
    }

    /// A result with a preference pair: candidate 1 over candidate 0.
    static func pair(_ index: Int, margin: Double) -> String {
        """
        {"item_index":\(index),"state":"completed","error_code":null,"error":null,"judgements":[],\
        "result":{"pair":{"chosen_index":1,"rejected_index":0,"margin":\(margin)},"reason":null},\
        "pair":{"chosen_index":1,"rejected_index":0,"chosen":"/b.png","rejected":{"path":"/a.png"},\
        "chosen_score":4.5,"rejected_score":3.25,"margin":\(margin),"evidence":{}}}
        """
    }
}
