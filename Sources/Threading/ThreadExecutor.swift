import Glibc

/// A serial executor that owns one thread. An actor whose `unownedExecutor` is this one runs all of
/// its methods on that thread, so they may block in C calls without holding a thread of the
/// cooperative pool.
///
/// The thread lives as long as the executor: the last release ends it after the jobs already queued
/// have run.
package final class ThreadExecutor: SerialExecutor {
    private let queue: JobQueueOfThread
    private let thread: NamedThread

    /// Starts the thread, named for what it does (15 bytes are kept), for example `pg-beat`.
    package init(name: String) {
        let queue = JobQueueOfThread()
        self.queue = queue
        thread = NamedThread(name: name) { queue.runUntilStopped() }
    }

    deinit {
        queue.stop()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        queue.append(UnownedJob(job), executor: self)
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Called by the runtime for `assumeIsolated` and `preconditionIsolated`.
    package func checkIsolated() {
        precondition(thread.isCurrent, "expected to run on thread '\(thread.name)'")
    }
}

/// The jobs of one executor and the condition its thread waits on.
// @unchecked Sendable because `jobs` and `isStopped` are read and written only with `mutex` held.
private final class JobQueueOfThread: @unchecked Sendable {
    private struct Entry {
        let job: UnownedJob
        /// Keeps the executor alive until its job has run: the job may release the actor that owns
        /// it.
        let executor: ThreadExecutor
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [Entry] = []
    private var isStopped = false

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

    func append(_ job: UnownedJob, executor: ThreadExecutor) {
        pthread_mutex_lock(mutex)
        jobs.append(Entry(job: job, executor: executor))
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    func runUntilStopped() {
        while let batch = waitForJobs() {
            for entry in batch {
                entry.job.runSynchronously(on: entry.executor.asUnownedSerialExecutor())
            }
        }
    }

    /// All the jobs queued, in order; waits for the first. Nil once stopped and empty.
    private func waitForJobs() -> [Entry]? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while jobs.isEmpty {
            if isStopped { return nil }
            pthread_cond_wait(condition, mutex)
        }
        let batch = jobs
        jobs = []
        return batch
    }
}
