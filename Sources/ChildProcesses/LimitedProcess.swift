import CLimitedProcess
import Glibc
import Synchronization

/// Runs one program on bytes in memory and returns what it wrote, whatever the program does.
///
/// The program gets a sealed memory file as standard input, pipes as output and error, nothing else of
/// this process, and the limits and filter of `limited_process.h`. The caller waits at most the
/// wall-clock limit, and a tenth of a second after its task is cancelled; the process group is always
/// killed and the process always reaped. Safe to
/// call from many threads at once. Costs about a millisecond more than the program itself.
package struct LimitedProcess: Sendable {
    /// Why no process ran; a fault of this host.
    package struct StartError: Error, Sendable {
        /// The whole sentence.
        package let message: String
    }

    /// Absolute path of the program.
    private let path: String
    private let arguments: [String]
    private let limits: ProcessLimits

    /// Says what to run; nothing is looked at yet.
    package init(path: String, arguments: [String], limits: ProcessLimits) {
        self.path = path
        self.arguments = arguments
        self.limits = limits
    }

    /// Runs to the end, or to the limit that is met first.
    ///
    /// - Parameters:
    ///   - input: Standard input.
    ///   - extra: What the program reads as `/dev/fd/3`; nothing when nil.
    ///   - isCancelled: Whether to give up, asked ten times a second: by default whether the task is
    ///     cancelled, which code on a thread of its own cannot know.
    package func run(
        input: SealedFile,
        extra: SealedFile? = nil,
        isCancelled: () -> Bool = { Task.isCancelled }
    ) throws(StartError) -> ProcessOutcome {
        Self.reapLeftovers()
        var child = try start(input: input, extra: extra)
        let deadline = Self.milliseconds() + limits.milliseconds
        var ending: ProcessOutcome.Ending?
        while ending == nil, !child.hasEnded {
            let left = deadline - Self.milliseconds()
            if left <= 0 {
                ending = .timedOut
            } else if isCancelled() {
                ending = .cancelled
            } else {
                child.wait(milliseconds: min(left, 100))
                child.drain()
                if child.output.isOver { ending = .outputLimit }
            }
        }
        // The child is not yet reaped, so its id and its group's id cannot name anything else.
        limited_process_kill(child.pid)
        if ending == nil {
            // What it wrote before it ended lies in the pipes; their end may never come, when
            // something else holds them open.
            child.drain()
            if child.output.isOver { ending = .outputLimit }
        }
        return child.reap(ending: ending)
    }

    /// Whether this system lets a child put the system-call filter on. Without it the limits still
    /// hold, but a decoder that has been taken over could open a socket.
    package static let isFilterAvailable: Bool = {
        var ends: [Int32] = [-1, -1]
        guard limited_process_pipe(&ends, 0) == 0 else { return false }
        defer { ends.forEach { close($0) } }
        // No program: the child takes the limits on and leaves.
        var plan = limited_process_plan()
        (plan.input, plan.output, plan.error) = (ends[0], ends[1], ends[1])
        plan.address_space = UInt64(ProcessLimits().memoryBytes)
        plan.cpu_seconds = 1
        plan.descriptors = 64
        plan.extra = -1
        var child = limited_process_child()
        guard limited_process_start(&plan, &child) == 0 else { return false }
        close(child.process_descriptor)
        while waitpid(child.pid, nil, 0) < 0, errno == EINTR {}
        return child.filtered
    }()

    private func start(
        input: SealedFile,
        extra: SealedFile?
    ) throws(StartError) -> RunningProcess {
        let output = try pipe(capacity: min(max(limits.outputBytes, 1 << 16), 1 << 20))
        defer { close(output.writing) }
        let error: (reading: Int32, writing: Int32)
        do {
            error = try pipe(capacity: 0)
        } catch {
            close(output.reading)
            throw error
        }
        defer { close(error.writing) }

        var plan = limited_process_plan()
        plan.input = input.descriptor
        plan.output = output.writing
        plan.error = error.writing
        plan.extra = extra?.descriptor ?? -1
        plan.network = limits.allowsNetwork
        plan.address_space = UInt64(limits.memoryBytes)
        plan.cpu_seconds = UInt32(limits.processorSeconds)
        plan.descriptors = UInt32(limits.descriptors)
        var child = limited_process_child()
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { words.forEach { free($0) } }
        let status = path.withCString { path in
            words.withUnsafeBufferPointer { words in
                plan.path = path
                plan.arguments = words.baseAddress
                return limited_process_start(&plan, &child)
            }
        }
        guard status == 0 else {
            close(output.reading)
            close(error.reading)
            throw failure(child.failed_step.map { String(cString: $0) } ?? "start", status)
        }
        return RunningProcess(
            pid: child.pid,
            processDescriptor: child.process_descriptor,
            isFiltered: child.filtered,
            output: CappedPipe(descriptor: output.reading, limit: limits.outputBytes),
            error: CappedPipe(descriptor: error.reading, limit: limits.errorBytes)
        )
    }

    private func pipe(
        capacity: Int
    ) throws(StartError) -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        let status = limited_process_pipe(&ends, Int32(capacity))
        guard status == 0 else { throw failure("pipe2", -status) }
        return (ends[0], ends[1])
    }

    private func failure(_ step: String, _ code: Int32) -> StartError {
        StartError(
            message: "\(path): cannot be started: \(step): \(String(cString: strerror(code)))."
        )
    }

    /// Processes that did not die within the grace after SIGKILL (stuck in the kernel).
    private static let leftovers = Mutex<[pid_t]>([])

    static func abandon(_ pid: pid_t) {
        leftovers.withLock { $0.append(pid) }
    }

    private static func reapLeftovers() {
        leftovers.withLock { pids in
            pids.removeAll { waitpid($0, nil, WNOHANG) != 0 }
        }
    }

    /// The monotonic clock.
    static func milliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return now.tv_sec * 1000 + now.tv_nsec / 1_000_000
    }
}
