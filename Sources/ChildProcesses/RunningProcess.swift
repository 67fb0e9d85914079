import CLimitedProcess
import Glibc

/// A started child of `LimitedProcess`: its descriptors, and the waiting, reading and reaping.
struct RunningProcess {
    let pid: pid_t
    /// Readable when the process has ended.
    private let processDescriptor: Int32
    private let isFiltered: Bool
    private(set) var output: CappedPipe
    private var error: CappedPipe
    /// The process has ended and can be reaped.
    private(set) var hasEnded = false
    private var scratch: [UInt8]

    init(
        pid: pid_t,
        processDescriptor: Int32,
        isFiltered: Bool,
        output: CappedPipe,
        error: CappedPipe
    ) {
        self.pid = pid
        self.processDescriptor = processDescriptor
        self.isFiltered = isFiltered
        self.output = output
        self.error = error
        scratch = [UInt8](repeating: 0, count: 1 << 18)
    }

    /// Waits until something can be read or the process has ended, or for the time given.
    mutating func wait(milliseconds: Int) {
        var waits = [
            pollfd(fd: processDescriptor, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is passed over.
            pollfd(fd: output.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: error.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let ready = poll(&waits, nfds_t(waits.count), Int32(clamping: milliseconds))
        // EINTR and a time-out are the caller's loop again.
        if ready > 0, waits[0].revents != 0 { hasEnded = true }
    }

    /// Reads what is in both pipes.
    mutating func drain() {
        scratch.withUnsafeMutableBytes { scratch in
            output.drain(stopsAtLimit: true, scratch: scratch)
            error.drain(stopsAtLimit: false, scratch: scratch)
        }
    }

    /// Closes everything and collects the process, which has ended or been killed.
    ///
    /// `ending` is given when this side ended it.
    consuming func reap(ending: ProcessOutcome.Ending?) -> ProcessOutcome {
        let graceMilliseconds = 2000
        let deadline = LimitedProcess.milliseconds() + graceMilliseconds
        while !hasEnded, LimitedProcess.milliseconds() < deadline {
            output.close()
            error.close()
            wait(milliseconds: max(deadline - LimitedProcess.milliseconds(), 0))
        }
        output.close()
        error.close()
        close(processDescriptor)

        var status: Int32 = 0
        var usage = rusage()
        var reaped = pid_t(0)
        if hasEnded {
            repeat { reaped = wait4(pid, &status, 0, &usage) } while reaped < 0 && errno == EINTR
        } else {
            LimitedProcess.abandon(pid)
        }
        let signal = status & 0x7F
        // Somebody else reaped it (SIGCHLD ignored): how it ended is not known, so not well.
        let own: ProcessOutcome.Ending =
            reaped != pid
            ? .signalled(0) : signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
        return ProcessOutcome(
            ending: ending ?? own,
            processID: pid,
            output: output.bytes,
            errorText: String(decoding: error.bytes, as: UTF8.self),
            isFiltered: isFiltered,
            residentBytes: usage.ru_maxrss * 1024,
            processorSeconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
        )
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}
