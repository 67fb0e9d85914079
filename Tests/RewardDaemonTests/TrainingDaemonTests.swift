import Foundation
import Logging
import Postgres
import RewardModeling
import Synchronization
import TestSupport
import Testing
import Training

@testable import RewardDaemon

/// A whole daemon with a scripted trainer, against a real database.
@Suite("A daemon that trains", .serialized)
struct TrainingDaemonTests {
    typealias Runner = ScriptedTrainingRunner

    @Test("a training reports, ends with a registered model, and jobs can name it at once")
    func success() async throws {
        let bench = try TrainingBench()
        let runner = Runner { assignment, report in
            for step in 1...3 { _ = await report(Runner.progress(step)) }
            return try Runner.finish(assignment)
        }
        try await bench.start(runner, settings: "training.threads = 3")
        let job = try bench.train(options: #"{"epochs": 2}"#)
        #expect(try await bench.end(of: job) == "completed")
        let assignment = try #require(runner.assignments.first)
        #expect(assignment.baseName == "tiny" && assignment.datasetPath == bench.dataset)
        #expect(assignment.name == "scenes-2" && assignment.options.epochs == 2)
        #expect(assignment.threads == 3 && assignment.memoryLimit == nil)
        #expect(assignment.baseDirectory == TrainingBench.tinyCheckpoint)
        #expect(try bench.events(job, "training_progress") == 3)
        let row = try bench.connection.execute(
            """
            SELECT r.result ->> 'model' AS model, r.result ->> 'directory' AS directory,
                r.result ->> 'steps' AS steps, r.result ->> 'digest' = m.digest AS same, m.daemons
            FROM rewardd.result r JOIN rewardd.model_status m ON m.job_id = r.job_id
            WHERE r.job_id = \(job)
            """
        ).only()
        #expect(try row.text("model") == "scenes-2" && row.text("steps") == "100")
        #expect(try row.text("directory") == "\(bench.models)/scenes-2")
        #expect(try row.bool("same") && row.int("daemons") == 1)
        #expect(try await bench.end(of: bench.judge(model: "scenes-2")) == "completed")
        try await bench.wait("the work directory's removal") { !bench.hasWork(job) }
        await bench.stop()
    }

    @Test("judging goes on while a training runs, with the only slot for judging")
    func beside() async throws {
        let bench = try TrainingBench()
        let gate = Gate()
        let runner = Runner { assignment, report in
            _ = await report(Runner.progress(1))
            await gate.wait()
            return try Runner.finish(assignment)
        }
        try await bench.start(runner)
        let training = try bench.train()
        try await bench.wait("the training") { try bench.state(training) == "running" }
        let second = try bench.train(name: "scenes-3")
        #expect(try await bench.end(of: bench.judge()) == "completed")
        #expect(try bench.state(training) == "running")
        // One training at a time.
        #expect(try bench.state(second) == "ready")
        gate.open()
        #expect(try await bench.end(of: training) == "completed")
        #expect(try await bench.end(of: second) == "completed")
        await bench.stop()
    }

    @Test("a cancelled job stops its training and leaves nothing behind")
    func cancel() async throws {
        let bench = try TrainingBench()
        let reasons = Mutex<[StopReason?]>([])
        let runner = Runner { _, report in
            let reason = await Runner.workUntilStopped(report)
            reasons.withLock { $0.append(reason) }
            throw CancellationError()
        }
        try await bench.start(runner)
        let job = try bench.train()
        try await bench.wait("progress") { try bench.events(job, "training_progress") > 2 }
        try bench.connection.execute("SELECT rewardd.cancel(\(job))")
        #expect(try await bench.end(of: job) == "cancelled")
        try await bench.wait("the work directory's removal") { !bench.hasWork(job) }
        #expect(reasons.withLock { $0.count } == 1)
        #expect(reasons.withLock { $0 }.allSatisfy { $0 == nil || $0 == .cancelled })
        await bench.stop()
    }

    @Test("a drain gives the training back without an attempt, and the next daemon goes on with it")
    func drain() async throws {
        let bench = try TrainingBench()
        let (stopped, stoppedSignal) = AsyncStream.makeStream(of: Void.self)
        let reasons = Mutex<[StopReason?]>([])
        let first = Runner { assignment, report in
            try Data("step 7".utf8).write(to: URL(filePath: assignment.workDirectory + "/state"))
            let reason = await Runner.workUntilStopped(report)
            reasons.withLock { $0.append(reason) }
            throw CancellationError()
        }
        let daemon = try await bench.start(first) { event in
            if event == .workEnded { stoppedSignal.finish() }
        }
        let job = try bench.train()
        try await bench.wait("progress") { try bench.events(job, "training_progress") > 0 }
        await daemon.worker.drain()
        for await _ in stopped {}
        #expect(reasons.withLock { $0 } == [.drain])
        #expect(bench.hasWork(job))
        let shard = try bench.connection.execute(
            "SELECT state::text AS state, attempts FROM rewardd.shard WHERE job_id = \(job)"
        ).only()
        #expect(try shard.text("state") == "ready" && shard.int("attempts") == 0)
        await bench.stop()
        let second = Runner { assignment, _ in
            let state = try String(
                contentsOfFile: assignment.workDirectory + "/state",
                encoding: .utf8
            )
            #expect(state == "step 7")
            return try Runner.finish(assignment)
        }
        try await bench.start(second)
        #expect(try await bench.end(of: job) == "completed")
        #expect(first.assignments == second.assignments)
        await bench.stop()
    }

    @Test("a lost lease stops the training at once, and the next attempt finds its state")
    func leaseLost() async throws {
        let bench = try TrainingBench()
        let runs = Mutex(0)
        let runner = Runner { assignment, report in
            let path = assignment.workDirectory + "/state"
            if runs.withLock({
                $0 += 1; return $0
            }) > 1 {
                #expect(FileManager.default.fileExists(atPath: path))
                return try Runner.finish(assignment)
            }
            try Data("state".utf8).write(to: URL(filePath: path))
            _ = await Runner.workUntilStopped(report)
            throw CancellationError()
        }
        try await bench.start(runner)
        let job = try bench.train()
        try await bench.wait("progress") { try bench.events(job, "training_progress") > 0 }
        // As if the daemon had been frozen past its lease: another one buries it.
        try bench.connection.execute("UPDATE rewardd.daemon SET lease_until = '-infinity'")
        try bench.connection.execute("SELECT rewardd.rescue()")
        #expect(try await bench.end(of: job) == "completed")
        #expect(runner.assignments.count == 2)
        #expect(try bench.events(job, "rescued") == 1)
        await bench.stop()
    }

    private struct Refused: CodedError {
        let code = "dataset_invalid"
        let message = "train.jsonl:3: expected \"task\", got none"
    }

    private struct Passing: Error {}

    @Test(
        "an error with a code fails the job by name and keeps the state; any other is tried again"
    )
    func errors() async throws {
        let bench = try TrainingBench()
        let runs = Mutex(0)
        let runner = Runner { assignment, _ in
            if assignment.name == "refused" { throw Refused() }
            if runs.withLock({
                $0 += 1; return $0
            }) == 1 {
                throw Passing()
            }
            return try Runner.finish(assignment)
        }
        try await bench.start(runner)
        let refused = try bench.train(name: "refused")
        #expect(try await bench.end(of: refused) == "failed")
        let failure = try bench.failure(refused)
        #expect(failure.code == "dataset_invalid" && failure.sentence.hasPrefix("train.jsonl:3"))
        #expect(bench.hasWork(refused))
        let passing = try bench.train(name: "passing")
        try await bench.wait("the retry") { try bench.events(passing, "retried") == 1 }
        try bench.connection.execute("UPDATE rewardd.shard SET run_at = now()")
        #expect(try await bench.end(of: passing) == "completed")
        await bench.stop()
    }

    @Test("what cannot end well is refused before the training begins")
    func refusals() async throws {
        let bench = try TrainingBench()
        let runner = Runner { assignment, _ in
            try Runner.finish(assignment, digest: assignment.options.seed == 0 ? 1 : 2)
        }
        try await bench.start(runner)
        #expect(try await bench.end(of: bench.train()) == "completed")
        for (name, dataset, options, code) in [
            ("x", "/etc/passwd", "{}", "dataset_outside_roots"),
            ("x", bench.dataset + ".none", "{}", "dataset_not_found"),
            ("tiny", bench.dataset, #"{"replace": true}"#, "model_exists"),
            ("scenes-2", bench.dataset, #"{"seed": 1}"#, "model_exists"),
        ] {
            let job = try bench.train(name: name, dataset: dataset, options: options)
            #expect(try await bench.end(of: job) == "failed", "\(code)")
            #expect(try bench.failure(job).code == code)
        }
        #expect(runner.assignments.count == 1)
        // The same request comes to the same model; another one takes its place when it may.
        #expect(try await bench.end(of: bench.train()) == "completed")
        let replacing = try bench.train(options: #"{"seed": 1, "replace": true}"#)
        #expect(try await bench.end(of: replacing) == "completed")
        let digests = try bench.connection.execute(
            "SELECT left(digest, 2) AS d, replaced FROM rewardd.model_status ORDER BY digest"
        ).map { "\(try $0.text("d")) \(try $0.bool("replaced"))" }
        #expect(digests == ["01 true", "02 false"])
        await bench.stop()
    }

    @Test(
        "whole models of the training directory are offered from the start, others with a warning"
    )
    func startWithModels() async throws {
        let bench = try TrainingBench()
        for name in ["kept", "tiny", "damaged"] {
            try FileManager.default.copyItem(
                atPath: TrainingBench.tinyCheckpoint,
                toPath: "\(bench.models)/\(name)"
            )
        }
        try Data("{".utf8).write(to: URL(filePath: bench.models + "/damaged/config.json"))
        try await bench.start(Runner { assignment, _ in try Runner.finish(assignment) })
        _ = try await bench.log.line(
            "trained model not offered: the configuration has another of its name"
        )
        let warning = try await bench.log.line("trained model not offered")
        #expect(warning.metadata.contains { $0.value == .string("damaged") })
        try await bench.wait("the registration") {
            try bench.number("SELECT count(*) AS n FROM rewardd.daemon_status") == 1
        }
        let models = try bench.connection.execute("SELECT models FROM rewardd.daemon_status")
            .only().textArray("models")
        #expect(
            models == [
                "tiny", "kept", "sample/tiny=kept", "sample/kept=tiny", "train/tiny", "train/kept",
            ]
        )
        #expect(try await bench.end(of: bench.judge(model: "kept")) == "completed")
        await bench.stop()
    }

    @Test("what cancelled jobs left behind is removed when a daemon starts")
    func sweep() async throws {
        let bench = try TrainingBench()
        let gone = try bench.train()
        let waiting = try bench.train(name: "later", options: "{}")
        for job in [gone, waiting] {
            try FileManager.default.createDirectory(
                atPath: "\(bench.models)/.work/job-\(job)",
                withIntermediateDirectories: true
            )
        }
        try bench.connection.execute("SELECT rewardd.cancel(\(gone))")
        try bench.connection.execute("SELECT rewardd.pause_queue('default')")
        try await bench.start(Runner { assignment, _ in try Runner.finish(assignment) })
        try await bench.wait("the removal") { !bench.hasWork(gone) }
        #expect(bench.hasWork(waiting))
        await bench.stop()
    }
}
