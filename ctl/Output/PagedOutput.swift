import ArgumentParsing
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
    ///   - page: The rows after an item index, in order; an empty page ends.
    func write(
        job: Int64,
        _ api: SQLAPI,
        _ context: CommandContext,
        page: (_ after: Int64) throws(PostgresError) -> [JSONNode]
    ) throws -> ExitCode {
        guard try api.job(job) != nil else {
            throw CommandFailure(.notFound, "job \(job): not found.")
        }
        let format = context.arguments.text("format")
        let headers = !context.arguments.flag("no-headers")
        if format == "csv", headers { try context.output.line(CSVLine.text(csvNames)) }
        var item: Int64 = -1
        var isFirst = true
        while true {
            let rows = try page(item)
            guard let last = rows.last?["item_index"].flatMap({ Int64($0.cell) }) else { break }
            switch format {
            case "csv":
                for row in rows { try context.output.line(CSVLine.text(csvCells(row))) }
            case "table":
                try writeTable(rows, headers: headers && isFirst, context)
            default:
                for row in rows { try context.output.line(row.json) }
            }
            isFirst = false
            item = last
            if rows.count < SQLAPI.pageSize { break }
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
