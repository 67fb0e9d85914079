import Glibc
import Synchronization

/// One request waiting for, or holding, the engine thread.
final class EngineJob: Sendable {
    /// Computes and answers; called once, on the engine thread.
    let run: @Sendable (EngineSession) -> Void
    /// Answers with an error; called once, instead of `run`.
    let reject: @Sendable (InferenceError) -> Void
    /// Shared with the task that asked.
    let cancellation: CancellationFlag

    init(
        cancellation: CancellationFlag,
        run: @escaping @Sendable (EngineSession) -> Void,
        reject: @escaping @Sendable (InferenceError) -> Void
    ) {
        self.cancellation = cancellation
        self.run = run
        self.reject = reject
    }
}

/// Set by the task that asked, read between the steps of the computation.
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
/// A request whose task is cancelled while it waits is answered at once and never reaches the thread.
// @unchecked Sendable because `jobs` and `isClosed` are read and written only with `mutex` held.
final class RequestQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [EngineJob] = []
    private var isClosed = false

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

    /// Takes a request in, or rejects it when it is already cancelled or the queue is closed.
    func submit(_ job: EngineJob) {
        let refusal: InferenceError? = locked {
            if isClosed { return .shuttingDown }
            if job.cancellation.isSet { return .cancelled }
            jobs.append(job)
            pthread_cond_signal(condition)
            return nil
        }
        if let refusal { job.reject(refusal) }
    }

    /// Cancels the request with this flag, waiting or running.
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

    /// The next request; waits for one. Nil once closed.
    func next() -> EngineJob? {
        locked {
            while jobs.isEmpty {
                if isClosed { return nil }
                pthread_cond_wait(condition, mutex)
            }
            return jobs.removeFirst()
        }
    }

    /// Rejects what waits and everything after; the running request is asked to stop.
    func close() {
        let waiting: [EngineJob] = locked {
            isClosed = true
            pthread_cond_broadcast(condition)
            defer { jobs = [] }
            return jobs
        }
        for job in waiting { job.reject(.shuttingDown) }
    }

    /// Requests that wait.
    var waitingCount: Int { locked { jobs.count } }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }
}
