import CMigrations

/// Every migration this build carries, in order.
///
/// The SQL is embedded (`Sources/CMigrations`), so `rewardctl migrate` and the version check of the daemon
/// always match the binary they are in.
package enum MigrationCatalog {
    /// All migrations, ascending from 1 without gaps.
    package static let all: [Migration] = (0..<rewardd_migration_count()).map { place in
        let embedded = rewardd_migration(place)
        return Migration(
            file: String(cString: embedded.file),
            bytes: UnsafeBufferPointer(start: embedded.bytes, count: embedded.size)
        )
    }

    /// The newest version this build knows: what `rewardctl migrate` brings a database to.
    package static var latest: Int { all.count }

    /// The oldest database version the statements of this build work with.
    ///
    /// An older database is refused with the advice to migrate, one newer than ``latest`` with the
    /// advice to upgrade.
    package static let oldestUnderstood = 43
}
