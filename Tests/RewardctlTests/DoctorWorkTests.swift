import JSONReading
import Postgres
import TestSupport
import Testing

@Suite("rewardctl doctor, on daemons and their work")
struct DoctorWorkTests {
    private let database: TemporaryDatabase
    private let connection: Connection

    init() throws {
        database = try TemporaryDatabase.migrated()
        connection = try database.connect(options: .patient)
    }

    @Test("a dead daemon is a problem when it holds shards, a warning when not")
    func deadDaemon() throws {
        let worker = try ScriptedWorker(database)
        _ = try enqueue()
        try worker.work([], finishing: false)
        try connection.execute(
            """
            UPDATE rewardd.daemon SET beat_at = now() - interval '10 min',
                lease_until = now() - interval '9 min'
            """
        )
        let name = "daemon \(worker.daemonID) on testhost (pid 42)"
        let found = try DoctorRun(database.url)
        #expect(found.status == 1)
        #expect(found.subjects.first == "problem daemons: \(name)")
        let text = found.texts("found")[0]
        #expect(text.hasPrefix("none for 10m"))
        #expect(text.hasSuffix(": dead, and nobody took over the 1 shard it held"))
        #expect(found.subjects.last?.hasPrefix("problem shards: shard 1 of job ") == true)
        try connection.execute("UPDATE rewardd.shard SET state = 'ready'")
        try connection.execute("SELECT rewardd.cancel(job_id) FROM rewardd.job")
        #expect(try DoctorRun(database.url).subjects == ["warning daemons: \(name)"])
    }

    @Test("a daemon is told that misses its beats, or beats in the future")
    func oddBeats() throws {
        let worker = try ScriptedWorker(database)
        try connection.execute(
            """
            UPDATE rewardd.daemon SET beat_at = now() - interval '12 s',
                lease_until = now() + interval '1 h'
            """
        )
        let silent = try DoctorRun(database.url)
        #expect(silent.status == 1)
        #expect(silent.texts("severity") == ["warning"])
        #expect(silent.texts("found")[0].hasSuffix(", holding 0 shards"))
        try connection.execute(
            """
            UPDATE rewardd.daemon SET beat_at = now() + interval '2 h',
                lease_until = now() + interval '2 h'
            """
        )
        let future = try DoctorRun(database.url)
        #expect(future.texts("severity") == ["problem"])
        #expect(future.texts("statement") == ["SELECT rewardd.stop_daemon(\(worker.daemonID))"])
        try connection.executeScript(future.texts("statement")[0])
        #expect(try DoctorRun(database.url).items == [])
    }

    @Test("work that no daemon will take is a problem, in a paused queue a note")
    func queues() throws {
        _ = try enqueue()
        let unserved = try DoctorRun(database.url)
        #expect(unserved.status == 1)
        #expect(unserved.subjects == ["problem queues: queue 'default', model 'scenes'"])
        #expect(unserved.texts("found")[0].hasPrefix("none; 1 shard waiting, the oldest for "))
        try connection.execute("SELECT rewardd.pause_queue('default')")
        let paused = try DoctorRun(database.url)
        #expect(paused.status == 0)
        #expect(paused.subjects == ["note queues: queue 'default', model 'scenes'"])
        #expect(paused.texts("remedy") == ["'rewardctl queue resume default' opens it."])
    }

    @Test("a shard without progress is told when the patience given is over")
    func silentShard() throws {
        let worker = try ScriptedWorker(database)
        let job = try enqueue()
        try worker.work([], finishing: false)
        try connection.execute("UPDATE rewardd.shard SET progress_at = now() - interval '20 min'")
        try beat()
        #expect(try DoctorRun(database.url).items == [])
        try beat()
        let found = try DoctorRun(database.url, ["--shard-patience", "10m"])
        #expect(found.status == 1)
        #expect(found.subjects == ["warning shards: shard 1 of job \(job)"])
        #expect(found.texts("expected") == ["progress within 10m"])
        let text = found.texts("found")[0]
        #expect(text.hasPrefix("none for 20m"))
        #expect(text.hasSuffix(", although daemon \(worker.daemonID) is alive"))
    }

    @Test("a job that cannot end ends by the remedy given")
    func unsettled() throws {
        let job = try enqueue()
        try connection.execute("UPDATE rewardd.shard SET state = 'done'")
        let found = try DoctorRun(database.url)
        #expect(found.subjects == ["problem shards: job \(job)"])
        #expect(found.texts("remedy")[0].hasPrefix("'rewardctl cancel \(job)' ends it"))
        let cancel = try RewardctlProcess.run(["cancel", "\(job)"], url: database.url)
        #expect(cancel.status == 0, "\(cancel.messages)")
        #expect(try DoctorRun(database.url).items == [])
    }

    /// A heartbeat good for longer than a slow machine takes for the next step.
    private func beat() throws {
        try connection.execute(
            """
            UPDATE rewardd.daemon SET beat_at = clock_timestamp(),
                lease_until = clock_timestamp() + interval '1 h'
            """
        )
    }

    private func enqueue() throws -> Int64 {
        try connection.execute(
            """
            SELECT rewardd.enqueue('point_score', '[{"caption": "c", "image": "i.png"}]',
                'image_generation', 'scenes') AS id
            """
        ).only().int64("id")
    }
}
