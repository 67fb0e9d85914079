/// A table for people: columns aligned, cut to the terminal's width.
struct Table {
    /// One column.
    struct Column: Sendable {
        let title: String
        /// Numbers are set flush right.
        let isNumeric: Bool
        /// Whether cells may be cut when the table is wider than the terminal.
        let mayShrink: Bool

        init(_ title: String, numeric: Bool = false, mayShrink: Bool = false) {
            self.title = title
            self.isNumeric = numeric
            self.mayShrink = mayShrink
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row with one cell per column. Line breaks and control characters become spaces, so
    /// that data cannot move the cursor.
    mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count, "\(cells.count) cells, \(columns.count) columns")
        rows.append(cells.map(Self.printable))
    }

    /// The lines of the table, without trailing spaces.
    ///
    /// - Parameters:
    ///   - width: The terminal's columns; nil never cuts.
    ///   - headers: Whether the first line names the columns.
    ///   - decorate: Adds colour to a cell that has been padded: (column, cell) → cell.
    func lines(
        width: Int?,
        headers: Bool = true,
        decorate: (Int, String) -> String = { $1 }
    ) -> [String] {
        let widths = self.widths(limit: width, headers: headers)
        let all = headers ? [columns.map(\.title)] + rows : rows
        return all.enumerated().map { number, row in
            var line = ""
            for (index, cell) in row.enumerated() {
                let text = DisplayWidth.truncate(cell, to: widths[index])
                let gap = String(repeating: " ", count: widths[index] - DisplayWidth.of(text))
                let isHeader = headers && number == 0
                let shown = isHeader ? text : decorate(index, text)
                let isLast = index == columns.count - 1
                line += columns[index].isNumeric ? gap + shown : isLast ? shown : shown + gap
                if !isLast { line += "  " }
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private func widths(limit: Int?, headers: Bool) -> [Int] {
        var widths = columns.indices.map { index in
            rows.reduce(headers ? DisplayWidth.of(columns[index].title) : 0) {
                max($0, DisplayWidth.of($1[index]))
            }
        }
        guard let limit else { return widths }
        var excess = widths.reduce(0, +) + 2 * (columns.count - 1) - limit
        while excess > 0 {
            let candidates = columns.indices.filter { columns[$0].mayShrink && widths[$0] > 8 }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    /// `text` without control characters.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return text }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control ? " " : $0
                }
            )
        )
    }
}
