/// A query laid out for PQsendQueryParams: one buffer with the statement and every value, each
/// ended by NUL.
struct StatementArguments {
    private let sql: String
    private var buffer: [CChar] = []
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    private var types: [UInt32] = []
    private var formats: [Int32] = []

    /// Refuses what libpq would cut short: NUL bytes in text, and values and lists over the
    /// protocol's limits.
    init(_ query: Query) throws(PostgresError) {
        guard !query.sql.utf8.contains(0) else {
            throw PostgresError(
                .invalidInput,
                "statement: expected text without NUL bytes, got one"
            )
        }
        guard query.parameters.count <= 65_535 else {
            throw PostgresError(
                .invalidInput,
                "statement: expected at most 65535 values, got \(query.parameters.count)",
                statement: query.sql
            )
        }
        sql = query.sql
        for (index, parameter) in query.parameters.enumerated() {
            types.append(parameter.typeOID)
            switch parameter {
            case .null:
                append(nil, format: 0)
            case .text(let bytes):
                guard !bytes.contains(0) else {
                    throw PostgresError(
                        .invalidInput,
                        "value $\(index + 1): expected text without NUL bytes, got one at byte "
                            + "\(bytes.firstIndex(of: 0) ?? 0). Text in PostgreSQL cannot hold it.",
                        statement: query.sql
                    )
                }
                append(bytes, format: 0)
            case .bytea(let bytes):
                append(bytes, format: 1)
            }
        }
        guard buffer.count <= 1 << 30 else {
            throw PostgresError(
                .invalidInput,
                "statement: expected at most \(1 << 30) bytes of values, got \(buffer.count)",
                statement: query.sql
            )
        }
    }

    /// Calls `body` with the arrays of PQsendQueryParams; the pointers are valid during the call.
    func withPointers<Result>(
        _ body: (
            _ sql: UnsafePointer<CChar>, _ types: UnsafePointer<UInt32>?,
            _ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?,
            _ formats: UnsafePointer<Int32>?
        ) -> Result
    ) -> Result {
        buffer.withUnsafeBufferPointer { bytes in
            let pointers = offsets.map { offset in
                offset.flatMap { offset in bytes.baseAddress.map { $0 + offset } }
            }
            return sql.withCString { sql in
                types.withUnsafeBufferPointer { types in
                    pointers.withUnsafeBufferPointer { pointers in
                        lengths.withUnsafeBufferPointer { lengths in
                            formats.withUnsafeBufferPointer { formats in
                                body(
                                    sql,
                                    types.baseAddress,
                                    pointers.baseAddress,
                                    lengths.baseAddress,
                                    formats.baseAddress
                                )
                            }
                        }
                    }
                }
            }
        }
    }

    private mutating func append(_ bytes: [UInt8]?, format: Int32) {
        formats.append(format)
        guard let bytes else {
            offsets.append(nil)
            lengths.append(0)
            return
        }
        offsets.append(buffer.count)
        lengths.append(Int32(clamping: bytes.count))
        bytes.withUnsafeBytes { buffer.append(contentsOf: $0.bindMemory(to: CChar.self)) }
        buffer.append(0)
    }
}
