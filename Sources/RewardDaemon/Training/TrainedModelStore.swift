import Foundation
import Glibc

/// The training directory: one directory for each finished model, and `.work` for what is under way.
///
///     NAME/                 a finished model, moved here in one step
///     .work/job-7/          the state of job 7
///     .work/job-7.model/    its model while it is written
///     .work/job-7.lock      held while job 7 is trained on this host
///
/// Blocking file operations of a few milliseconds; a model is moved, never copied.
struct TrainedModelStore: Sendable {
    /// Where a job keeps its files, and the lock that makes them its own.
    struct Workplace: Sendable {
        let jobID: Int64
        let state: String
        let output: String
        let lock: WorkDirectoryLock
    }

    /// The training directory, absolute.
    let directory: String
    /// Throws when the checkpoint in a directory cannot be used by an engine.
    private let check: @Sendable (String) throws -> Void

    init(directory: String, check: @escaping @Sendable (String) throws -> Void) {
        self.directory = directory
        self.check = check
    }

    /// Where a model of this name lies or will lie.
    func modelDirectory(_ name: String) -> String { "\(directory)/\(name)" }

    // MARK: - Finished models

    /// The models that are whole, by name, and those that cannot be used, with the reason.
    func discover() -> (models: [String], unusable: [(name: String, reason: String)]) {
        var models: [String] = []
        var unusable: [(name: String, reason: String)] = []
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in entries.sorted() where Self.isModelName(name) {
            let path = modelDirectory(name)
            guard Self.exists("\(path)/config.json") else { continue }
            do {
                try check(path)
                models.append(name)
            } catch {
                unusable.append((name, "\(error)"))
            }
        }
        return (models, unusable)
    }

    /// Refuses a training whose model could not take its name in the end: another model has it and
    /// may not be replaced. The same request again passes, since it should give the same model.
    func checkName(
        _ name: String,
        _ provenance: ModelProvenance,
        replacing: Bool
    ) throws(TrainingFailure) {
        let path = modelDirectory(name)
        guard !replacing, Self.exists(path) else { return }
        if let old = ModelProvenance.read(directory: path),
            old.jobID == provenance.jobID || old.hasSameRequest(as: provenance)
        {
            return
        }
        throw Self.taken(name, path)
    }

    /// Moves a finished model to its place, in one step.
    ///
    /// A model of the name with the same digest stays and the new one is dropped; one with another
    /// digest is replaced when that was asked for or when the same job had made it.
    ///
    /// - Throws: `TrainingFailure` when the name is taken or the model cannot be used,
    ///   `TrainingObstacle` when the system does not do what is asked.
    func publish(
        _ workplace: Workplace,
        name: String,
        provenance: ModelProvenance,
        replacing: Bool
    ) throws {
        do {
            try check(workplace.output)
        } catch {
            throw TrainingFailure(
                code: "model_unusable",
                message: "model \"\(name)\": expected a checkpoint an engine can use, got one it "
                    + "refuses: \(error)"
            )
        }
        let path = modelDirectory(name)
        do {
            try provenance.write(directory: workplace.output)
        } catch {
            throw TrainingObstacle("\(workplace.output): cannot be written: \(error)")
        }
        Self.synchronize(workplace.output)
        guard Self.exists(path) else { return try move(workplace.output, to: path) }
        let old = ModelProvenance.read(directory: path)
        if old?.digest == provenance.digest {
            Self.remove(workplace.output)
            return
        }
        guard replacing || old?.jobID == provenance.jobID else { throw Self.taken(name, path) }
        let failure = DirectoryExchange.swap(
            workplace.output,
            path,
            spare: workplace.output + ".old"
        )
        guard failure == 0 else { throw Self.obstacle("\(path): cannot be replaced", failure) }
        Self.synchronize(directory)
        // The exchange has put the old model where the new one was.
        Self.remove(workplace.output)
    }

    private func move(_ source: String, to path: String) throws(TrainingObstacle) {
        guard rename(source, path) == 0 else {
            throw Self.obstacle("\(path): cannot be made", errno)
        }
        Self.synchronize(directory)
    }

    // MARK: - Work

    /// Makes the files of a job its own. What an earlier attempt left in the state directory stays;
    /// a model it did not finish is removed.
    func open(jobID: Int64) throws(TrainingObstacle) -> Workplace {
        let state = "\(work)/job-\(jobID)"
        do {
            try FileManager.default.createDirectory(
                atPath: state,
                withIntermediateDirectories: true
            )
        } catch {
            throw TrainingObstacle(
                "\(state): expected a directory that can be made, got \(error). Check the rights "
                    + "and the space of training.directory."
            )
        }
        guard let lock = WorkDirectoryLock.take(path: state + ".lock") else {
            throw TrainingObstacle(
                "\(state): expected to work on it alone, got another training of the job. It will "
                    + "be tried again."
            )
        }
        let output = state + ".model"
        for leftover in [output, output + ".partial", output + ".old"] { Self.remove(leftover) }
        return Workplace(jobID: jobID, state: state, output: output, lock: lock)
    }

    /// Removes everything of a job but its model.
    func remove(_ workplace: Workplace) {
        for path in [workplace.state, workplace.output, workplace.output + ".partial"] {
            Self.remove(path)
        }
        // Last, and still held: nobody else begins in between.
        unlink(workplace.state + ".lock")
    }

    /// Jobs that have files here.
    func jobsWithWork() -> [Int64] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: work)) ?? []
        return entries.compactMap { name in
            name.hasPrefix("job-") ? Int64(name.dropFirst("job-".count)) : nil
        }.sorted()
    }

    private var work: String { "\(directory)/.work" }

    // MARK: - Parts

    /// Names that `rewardd.enqueue` accepts.
    static func isModelName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard let first = bytes.first, (97...122).contains(first), bytes.count <= 64 else {
            return false
        }
        return bytes.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
    }

    private static func taken(_ name: String, _ path: String) -> TrainingFailure {
        TrainingFailure(
            code: "model_exists",
            message:
                "name: expected one that no model has, got \"\(name)\", which is another model "
                + "in '\(path)'. Choose another name, remove that model, or give the option replace."
        )
    }

    private static func obstacle(_ subject: String, _ code: Int32) -> TrainingObstacle {
        TrainingObstacle("\(subject): \(String(cString: strerror(code))).")
    }

    private static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path)
    }

    private static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Brings the entries of a directory to disk.
    private static func synchronize(_ path: String) {
        let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }
}
