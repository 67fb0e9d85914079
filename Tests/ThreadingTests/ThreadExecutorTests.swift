import Glibc
import Synchronization
import Testing
import Threading

@Suite("Thread executor")
struct ThreadExecutorTests {
    /// Counts on a thread of its own.
    private actor Counter {
        private nonisolated let executor: ThreadExecutor
        private var count = 0

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            executor.asUnownedSerialExecutor()
        }

        init(name: String) { executor = ThreadExecutor(name: name) }

        func threadID() -> pid_t {
            count += 1
            return gettid()
        }

        func threadIDAfterSuspension() async -> pid_t {
            await Task.yield()
            return gettid()
        }

        func threadName() -> String {
            preconditionIsolated()
            return currentThreadName()
        }

        func total() -> Int { count }
    }

    @Test("an actor runs on one thread, whoever calls and after every suspension")
    func oneThread() async {
        let counter = Counter(name: "pg-test")
        let threads = await withTaskGroup(of: Set<pid_t>.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var seen: Set<pid_t> = []
                    for _ in 0..<200 {
                        seen.insert(await counter.threadID())
                        seen.insert(await counter.threadIDAfterSuspension())
                    }
                    return seen
                }
            }
            return await group.reduce(into: Set<pid_t>()) { $0.formUnion($1) }
        }
        #expect(threads.count == 1)
        #expect(await counter.total() == 1600)
        #expect(await counter.threadName() == "pg-test")
    }

    @Test("two actors on two executors do not share a thread")
    func twoThreads() async {
        let first = Counter(name: "one")
        let second = Counter(name: "two")
        #expect(await first.threadID() != second.threadID())
    }

    @Test("the thread ends with its executor")
    func ends() async {
        var names: [String] = []
        for round in 0..<50 {
            let counter = Counter(name: "end-\(round)")
            names.append(await counter.threadName())
        }
        #expect(names.count == 50)
        // The last threads may still be on their way out; most are gone.
        #expect(threadNames().filter { $0.hasPrefix("end-") }.count < 25)
    }
}

@Suite("Named thread")
struct NamedThreadTests {
    @Test("has its name, cut to what the kernel keeps")
    func name() {
        let found = Mutex("")
        let thread = NamedThread(name: "a-very-long-thread-name") {
            found.withLock { $0 = currentThreadName() }
        }
        thread.join()
        #expect(found.withLock { $0 } == "a-very-long-thr")
    }

    @Test("blocks the signals sent from outside and leaves the creator's mask alone")
    func signals() {
        @Sendable func blocked() -> [Int32] {
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            return [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGSEGV].filter {
                sigismember(&mask, $0) == 1
            }
        }
        let before = blocked()
        let found = Mutex<[Int32]>([])
        let thread = NamedThread(name: "mask") { found.withLock { $0 = blocked() } }
        thread.join()
        #expect(found.withLock { $0 } == [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE])
        #expect(blocked() == before)
    }

    @Test("join may be repeated, also by several threads at once")
    func joins() {
        let thread = NamedThread(name: "target") {}
        let joiners = (0..<4).map { number in
            NamedThread(name: "join-\(number)") { thread.join() }
        }
        for joiner in joiners { joiner.join() }
        thread.join()
        #expect(!thread.isCurrent)
    }

    @Test("a thread nobody keeps still runs to its end")
    func detached() async {
        await withCheckedContinuation { continuation in
            _ = NamedThread(name: "loose") { continuation.resume() }
        }
    }
}

/// The kernel's number of the calling thread.
private func gettid() -> pid_t {
    // "pid (name) state …": the number before the first blank.
    pid_t(readFile("/proc/thread-self/stat").prefix { $0 != " " }) ?? -1
}

private func currentThreadName() -> String { readFile("/proc/thread-self/comm") }

private func threadNames() -> [String] {
    guard let directory = opendir("/proc/self/task") else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
        let task = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        names.append(readFile("/proc/self/task/\(task)/comm"))
    }
    return names
}

private func readFile(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)).prefix { $0 != 10 }, as: UTF8.self)
}
