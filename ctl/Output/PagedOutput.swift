import ArgumentParsing
import JSONReading
import Postgres

/// Rows of a job that may be millions, written page by page as JSON lines, CSV or a table.
struct PagedOutput {
    let csvNames: [String]
    let csvCells: (JSONNode) -> [String]
    let columns: [Table.Column]
    let tableCells: (JSONNode) -> [String]

    /// Writes all pages.
    ///
    /// - Parameters:
    ///   - job: The job, which must exist.
    ///   - page: The rows of the page of items that starts at an index, in order.
    func write(
        job: Int64,
        _ api: SQLAPI,
        _ context: CommandContext,
        page: (_ from: Int64) throws(PostgresError) -> [JSONNode]
    ) throws -> ExitCode {
        guard let total = try api.job(job).map({ JobSummary($0).itemsTotal }) else {
            throw CommandFailure(.notFound, "job \(job): not found.")
        }
        let format = context.arguments.text("format")
        let headers = !context.arguments.flag("no-headers")
        if format == "csv", headers { try context.output.line(CSVLine.text(csvNames)) }
        var isFirst = true
        for item in stride(from: 0, to: total, by: Int(SQLAPI.pageSize)) {
            let rows = try page(item)
            if rows.isEmpty { continue }
            switch format {
            case "csv":
                for row in rows { try context.output.line(CSVLine.text(csvCells(row))) }
            case "table":
                try writeTable(rows, headers: headers && isFirst, context)
            default:
                for row in rows { try context.output.line(row.json) }
            }
            isFirst = false
        }
        if isFirst { context.say("Nothing found.") }
        return .success
    }

    private func writeTable(
        _ rows: [JSONNode],
        headers: Bool,
        _ context: CommandContext
    ) throws {
        var table = Table(columns)
        for row in rows { table.append(tableCells(row)) }
        let stateColumn = columns.firstIndex { $0.title == "STATE" }
        let lines = table.lines(width: context.terminal.outputColumns, headers: headers) {
            $0 == stateColumn ? context.terminal.coloured(state: $1) : $1
        }
        for line in lines { try context.output.line(line) }
    }
}
