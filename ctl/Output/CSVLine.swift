/// One line of comma-separated values (RFC 4180).
enum CSVLine {
    /// The cells joined by commas, quoted where a cell holds a comma, a quote or a line break.
    static func text(_ cells: [String]) -> String {
        cells.map(quote).joined(separator: ",")
    }

    private static func quote(_ cell: String) -> String {
        let special: Set<Unicode.Scalar> = [",", "\"", "\n", "\r"]
        guard cell.unicodeScalars.contains(where: special.contains) else { return cell }
        return "\"" + cell.replacing("\"", with: "\"\"") + "\""
    }
}
