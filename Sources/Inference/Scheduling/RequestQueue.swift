import Glibc
import Synchronization

/// One thing to do on the engine's thread.
final class EngineJob: Sendable {
    /// What is to be done.
    enum Work: Sendable {
        /// A request, computed beside others.
        case request(EngineRequest)
        /// Something that has the session to itself.
        case exclusive(@Sendable (EngineSession) -> Void)
    }

    let work: Work
    /// Answers with an error in place of the work.
    let reject: @Sendable (InferenceError) -> Void
    /// Shared with the task that asked.
    let cancellation: CancellationFlag

    init(
        cancellation: CancellationFlag,
        work: Work,
        reject: @escaping @Sendable (InferenceError) -> Void
    ) {
        self.cancellation = cancellation
        self.work = work
        self.reject = reject
    }
}

/// Set by the task that asked, read between the layers of the computation.
final class CancellationFlag: Sendable {
    private let flag = Atomic<Bool>(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }

    /// The `interrupt` of a forward pass.
    func check() throws(InferenceError) {
        if isSet { throw .cancelled }
    }
}

/// Requests in order of arrival, between the callers' tasks and the engine thread.
///
/// A request whose task is cancelled while it waits here never reaches the thread.
// @unchecked Sendable because `jobs` and `isClosed` are read and written only with `mutex` held.
final class RequestQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [EngineJob] = []
    private var closed = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Takes a job in, or rejects it when it is already cancelled or the queue is closed.
    func submit(_ job: EngineJob) {
        let refusal: InferenceError? = locked {
            if closed { return .shuttingDown }
            if job.cancellation.isSet { return .cancelled }
            jobs.append(job)
            pthread_cond_signal(condition)
            return nil
        }
        if let refusal { job.reject(refusal) }
    }

    /// Cancels the job with this flag, waiting or running.
    func cancel(_ cancellation: CancellationFlag) {
        let waiting: EngineJob? = locked {
            cancellation.set()
            guard let index = jobs.firstIndex(where: { $0.cancellation === cancellation }) else {
                return nil
            }
            return jobs.remove(at: index)
        }
        waiting?.reject(.cancelled)
    }

    /// The next job, nil when there is none. With `waiting` it waits for one, and nil means closed.
    func next(waiting: Bool) -> EngineJob? {
        locked {
            while jobs.isEmpty {
                if closed || !waiting { return nil }
                pthread_cond_wait(condition, mutex)
            }
            return jobs.removeFirst()
        }
    }

    /// Rejects what waits and everything after; what runs goes on.
    func close() {
        let waiting: [EngineJob] = locked {
            closed = true
            pthread_cond_broadcast(condition)
            defer { jobs = [] }
            return jobs
        }
        for job in waiting { job.reject(.shuttingDown) }
    }

    /// Whether nothing will come any more.
    var isClosed: Bool { locked { closed } }

    /// Jobs that wait.
    var waitingCount: Int { locked { jobs.count } }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
