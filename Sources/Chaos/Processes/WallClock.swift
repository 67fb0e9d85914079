import Glibc

/// The clock of the world, which the database on the same machine reads too.
enum WallClock {
    /// Seconds since 1970.
    static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
