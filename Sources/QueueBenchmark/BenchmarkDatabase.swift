import Jobs
import Logging
import Postgres
import Staging

/// One part's database, and the ways into it.
struct BenchmarkDatabase {
    let name: String
    let stage: BenchmarkStage

    /// Its address for a login.
    func url(_ login: String) -> String { stage.cluster.url(user: login, database: name) }

    /// A connection for a login, without limits of time.
    func connect(_ login: String) throws -> Connection {
        try Connection(
            url: url(login),
            applicationName: "rewardbench queue",
            options: .patient
        )
    }

    /// A connection as superuser, without limits of time.
    func superuser() throws -> Connection { try stage.superuser(name) }

    /// The queue as a daemon sees it.
    func queue() -> JobQueue {
        JobQueue(
            session: Session(
                url: url(BenchmarkStage.worker),
                applicationName: "rewardbench queue",
                name: "pg-bench",
                logger: Logger(level: .error)
            )
        )
    }

    /// Announces a daemon that is none, to claim for.
    func registerDaemon() throws -> Int64 {
        try LivenessStatements.register(
            connect(BenchmarkStage.worker),
            DaemonRegistration(
                host: "bench",
                processID: 1,
                version: "bench",
                models: [BenchmarkStage.model],
                queues: ["default"]
            )
        )
    }

    /// Submits one job of `point_score` and returns its number.
    @discardableResult
    func enqueue(
        _ connection: Connection,
        items: String,
        shardSize: Int = 16,
        delay: Int = 0
    ) throws -> Int64 {
        try connection.execute(
            """
            SELECT rewardd.enqueue(kind => 'point_score', items => \(json: items),
                task => 'image_generation', model => \(BenchmarkStage.model),
                options => jsonb_build_object('shard_size', \(shardSize)::int),
                run_at => now() + make_interval(hours => \(delay)::int)) AS job_id
            """
        ).only().int64("job_id")
    }

    /// Items of `point_score` with captions of their own, as JSON.
    func items(_ count: Int, from first: Int = 0) -> String {
        let items = (first..<first + count).map { number in
            #"{"caption":"item \#(number): a red circle above a blue square","image":"\#(stage.picture)"}"#
        }
        return "[" + items.joined(separator: ",") + "]"
    }
}
