import CLibPQ

/// The rows a statement returned. Owns libpq's result and clears it; stays on the connection's
/// thread.
package final class ResultSet {
    /// Column names in order.
    package let columns: [String]
    /// The number of rows.
    package let count: Int

    private let result: OpaquePointer
    private let positions: [String: Int32]

    /// Takes the result over.
    init(owning result: OpaquePointer) {
        self.result = result
        count = Int(PQntuples(result))
        columns = (0..<PQnfields(result)).map { column in
            PQfname(result, column).map { String(cString: $0) } ?? ""
        }
        positions = Dictionary(
            columns.enumerated().map { ($0.element, Int32($0.offset)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    deinit {
        PQclear(result)
    }

    package var isEmpty: Bool { count == 0 }

    /// Rows a statement without RETURNING changed, when the server counted them.
    package var affectedRows: Int? {
        PQcmdTuples(result).flatMap { Int(String(cString: $0)) }
    }

    /// The command tag, for example `SELECT 3` or `COMMIT`.
    var commandTag: String {
        PQcmdStatus(result).map { String(cString: $0) } ?? ""
    }

    /// The single row of a statement that always returns exactly one.
    package func only() throws(PostgresError) -> Row {
        guard count == 1 else {
            throw PostgresError(.unexpectedResult, "result: expected 1 row, got \(count)")
        }
        return Row(of: self, index: 0)
    }

    /// Where a column stands.
    func position(of column: String) throws(PostgresError) -> Int32 {
        guard let position = positions[column] else {
            throw PostgresError(
                .unexpectedResult,
                "column \"\(column)\": expected in the result, got columns "
                    + columns.map { "\"\($0)\"" }.joined(separator: ", ")
            )
        }
        return position
    }

    /// The bytes of one value, nil for NULL; valid while `self` lives. Indices come from `Row` and
    /// `position(of:)`.
    func bytes(row: Int, column: Int32) -> UnsafeRawBufferPointer? {
        guard PQgetisnull(result, Int32(row), column) == 0,
            let start = PQgetvalue(result, Int32(row), column)
        else { return nil }
        return UnsafeRawBufferPointer(
            start: start,
            count: Int(PQgetlength(result, Int32(row), column))
        )
    }
}

// MARK: - RandomAccessCollection

extension ResultSet: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { count }

    package subscript(index: Int) -> Row {
        precondition(index >= 0 && index < count, "row \(index) of \(count)")
        return Row(of: self, index: index)
    }
}
