import Foundation
import Glibc
import Postgres
import Staging
import Testing

@testable import Chaos

/// Faults of the machine under a daemon or under the server.
@Suite("Faults of the machine", .serialized)
struct MachineFaultTests {
    @Test(
        "a full disk stops the work until there is room again, and costs no result",
        .enabled(if: SmallDisk.isPermitted, "needs the right to mount a small tmpfs (root)")
    )
    func fullDisk() async throws {
        let disk = try SmallDisk(megabytes: 150)
        let bench = try FaultBench(daemons: 2, directory: disk.path + "/run")
        try bench.submit(jobs: 60, items: 8)
        try await bench.playUntilAtWork()
        try disk.fill()
        try await bench.play(until: "a server without room") { connection in
            do {
                // A megabyte of noise is more than fits into pages that exist, and no work for anybody.
                _ = try connection.execute(
                    """
                    SELECT rewardd.put_media(string_agg(decode(md5(random()::text), 'hex'), ''))
                    FROM generate_series(1, 65536)
                    """
                )
                return false
            } catch let error as PostgresError {
                return error.sqlState?.rawValue == "53100" || error.isConnectionLost
            }
        }
        try await bench.play(seconds: 2)
        disk.empty()
        // Without room for its log the server gives up, perhaps for good.
        var isUp = false
        for _ in 0..<50 where !isUp {
            isUp = (try? bench.connect()) != nil
            usleep(100_000)
        }
        if !isUp { try bench.stage.cluster.start() }
        try await bench.expectAllWell()
    }

    @Test(
        "a daemon whose clock jumps by an hour, either way, starts nothing early and is not missed",
        .enabled(if: ShiftedClock.isAvailable, "needs a C compiler, to build what shifts the clock")
    )
    func clock() async throws {
        let clock = try ShiftedClock()
        let bench = try FaultBench(daemons: 2, environment: clock.environment)
        try bench.submit(jobs: 60, items: 8)
        try await bench.playUntilAtWork()
        try bench.submit(jobs: 5, items: 2, delay: 4)
        for seconds in [3600, -3600, 300, -300, 86_400, 0] {
            clock.shift(seconds: seconds)
            try await bench.play(seconds: 0.6)
        }
        // The daemons did see the jumps.
        let hours = Set(
            bench.stage.fleet.log(0).split(separator: "\n").compactMap { line in
                line.firstRange(of: "T").map { line[$0.upperBound...].prefix(2) }
            }
        )
        #expect(hours.count >= 3, "\(hours)")
        try await bench.expectAllWell()
        #expect(try bench.deaths() == 0)
        #expect(
            try bench.number(
                "SELECT count(*) AS n FROM rewardd.job WHERE started_at < run_at",
                bench.connect()
            ) == 0
        )
    }
}

/// A file system of a few megabytes in memory.
private final class SmallDisk {
    let path: String

    /// Whether this process may mount one.
    static let isPermitted: Bool = (try? SmallDisk(megabytes: 1)) != nil

    struct Refused: Error {}

    init(megabytes: Int) throws {
        path = "/tmp/rewardd-disk-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let options = "size=\(megabytes)m,mode=755"
        guard geteuid() == 0, Self.run("mount", "-t", "tmpfs", "-o", options, "tmpfs", path) else {
            rmdir(path)
            throw Refused()
        }
    }

    deinit {
        _ = Self.run("umount", "--lazy", path)
        rmdir(path)
    }

    private static func run(_ words: String...) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// Takes all room that is left.
    func fill() throws {
        let file = open(path + "/filler", O_WRONLY | O_CREAT, 0o600)
        guard file >= 0 else { throw Refused() }
        defer { close(file) }
        let block = [UInt8](repeating: 1, count: 65_536)
        while write(file, block, block.count) > 0 {}
        while write(file, block, 512) > 0 {}
    }

    /// Gives it back.
    func empty() { unlink(path + "/filler") }
}

/// A library that shifts the clock of the world for the processes that load it, by what a file says now.
private final class ShiftedClock {
    private let directory: String

    /// Whether it can be built.
    static let isAvailable: Bool = (try? ShiftedClock()) != nil

    struct Unavailable: Error {}

    /// For the processes.
    var environment: [String: String] {
        ["LD_PRELOAD": directory + "/clock.so", "CLOCK_SHIFT": directory + "/seconds"]
    }

    init() throws {
        directory = "/tmp/rewardd-clock-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        shift(seconds: 0)
        let source = directory + "/clock.c"
        try Self.source.write(toFile: source, atomically: false, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "cc", "-shared", "-fPIC", "-O1", "-o", directory + "/clock.so", source,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Unavailable() }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Sets the clock of all processes that have loaded the library, from now on.
    func shift(seconds: Int) {
        guard let file = fopen(directory + "/seconds", "r+") ?? fopen(directory + "/seconds", "w")
        else { return }
        var value = Int64(seconds)
        fwrite(&value, 8, 1, file)
        fclose(file)
    }

    /// The kernel's clock through a system call of its own, so that nothing has to be looked up.
    private static let source = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <sys/mman.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        static volatile int64_t *shift;
        __attribute__((constructor)) static void begin(void) {
            const char *path = getenv("CLOCK_SHIFT");
            int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
            if (file < 0) return;
            void *page = mmap(0, 8, PROT_READ, MAP_SHARED, file, 0);
            if (page != MAP_FAILED) shift = page;
            close(file);
        }
        int clock_gettime(clockid_t id, struct timespec *time) {
            int status = syscall(SYS_clock_gettime, id, time);
            if (status == 0 && id == CLOCK_REALTIME && shift) time->tv_sec += *shift;
            return status;
        }
        int gettimeofday(struct timeval *restrict time, void *restrict zone) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            time->tv_sec = now.tv_sec;
            time->tv_usec = now.tv_nsec / 1000;
            return 0;
        }
        time_t time(time_t *result) {
            struct timespec now;
            clock_gettime(CLOCK_REALTIME, &now);
            if (result) *result = now.tv_sec;
            return now.tv_sec;
        }
        """
}
