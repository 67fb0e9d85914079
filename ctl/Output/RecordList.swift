import ArgumentParsing
import JSONReading

/// Rows of a list in the format that `--output` asks for.
///
/// Members whose name starts with `_` are for tables only, such as ages, and stay out of the
/// formats for programs, whose members are part of the interface.
struct RecordList {
    /// The version of the JSON documents' shape.
    static let apiVersion = "rewardctl/v1"

    let rows: [JSONNode]
    /// The member that identifies a row.
    let idMember: String
    let columns: [Table.Column]
    let cells: (JSONNode) -> [String]

    /// Writes all rows to standard output.
    func write(_ context: CommandContext) throws {
        let headers = !context.arguments.flag("no-headers")
        let output = context.output
        switch context.arguments.text("output") {
        case "json":
            try output.line(
                JSONNode.object([
                    "apiVersion": .string(Self.apiVersion), "items": .array(rows.map(Self.visible)),
                ]).json
            )
        case "jsonl":
            for row in rows { try output.line(Self.visible(row).json) }
        case "csv":
            try writeCSV(headers: headers, output)
        case "name":
            for row in rows { try output.line(row[idMember]?.cell ?? "") }
        default:
            var table = Table(columns)
            for row in rows { table.append(cells(row)) }
            let stateColumn = columns.firstIndex { $0.title == "STATE" }
            let lines = table.lines(
                width: context.terminal.outputColumns,
                headers: headers && !rows.isEmpty
            ) { $0 == stateColumn ? context.terminal.coloured(state: $1) : $1 }
            for line in lines { try output.line(line) }
            if rows.isEmpty { context.say("Nothing found.") }
        }
    }

    /// Says which of the `wanted` ids are not among the rows.
    ///
    /// - Returns: Success, or not found.
    func reportMissing(
        _ wanted: [String],
        _ noun: String,
        _ context: CommandContext
    ) throws -> ExitCode {
        try context.output.flush()
        let found = Set(rows.compactMap { $0[idMember]?.cell })
        let missing = wanted.filter { !found.contains($0) }
        for id in missing { context.say("Error: \(noun) \(id): not found.") }
        return missing.isEmpty ? .success : .notFound
    }

    /// A row without its members for tables.
    static func visible(_ row: JSONNode) -> JSONNode {
        guard case .object(let members) = row else { return row }
        return .object(members.filter { !$0.name.hasPrefix("_") })
    }

    /// The elements of an array that are to be shown, separated by commas.
    static func joined(
        _ value: JSONNode?,
        where isShown: (String) -> Bool = { _ in true }
    ) -> String {
        guard case .array(let elements) = value else { return value?.cell ?? "" }
        return elements.map(\.cell).filter(isShown).joined(separator: ",")
    }

    private func writeCSV(headers: Bool, _ output: StandardOutput) throws {
        guard case .object(let first) = rows.first.map(Self.visible) else { return }
        let names = first.map(\.name)
        if headers { try output.line(CSVLine.text(names)) }
        for row in rows {
            try output.line(CSVLine.text(names.map { row[$0]?.cell ?? "" }))
        }
    }
}
