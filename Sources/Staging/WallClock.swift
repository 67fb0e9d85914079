import Glibc

/// The clock of the world, which the database on the same machine reads too.
package enum WallClock {
    /// Seconds since 1970.
    package static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
