import Postgres

/// Uploaded media.
extension SQLAPI {
    /// The bytes of an upload by its SHA-256 in hexadecimal.
    ///
    /// - Throws: `PostgresError`, not found for one this role did not upload and may not read.
    func downloadMedia(_ digest: String) throws(PostgresError) -> [UInt8] {
        try connection.execute(
            "SELECT rewardd.download_media(decode(\(digest), 'hex')) AS bytes"
        ).only().bytes("bytes")
    }
}
