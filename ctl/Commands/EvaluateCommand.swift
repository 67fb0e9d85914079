import ArgumentParsing
import JSONReading
import Postgres

/// `rewardctl evaluate`.
enum EvaluateCommand: Command {
    static let spec = CommandSpec(
        "evaluate",
        overview: "Compare a job's answers with the labels of its items.",
        discussion: """
            Items of pair_rank and pair_score may hold a "label" (first, second or tie), those of \
            point_score a number, and all a "group". Works on what is judged so far, and again at any \
            time: labels are never shown to the model.
            """,
        arguments: [CommonArguments.job],
        options: [
            .option(
                "format",
                value: "format",
                "json is complete, table shows the main figures.",
                default: "table",
                values: ["json", "table"]
            )
        ],
        examples: ["rewardctl evaluate 4711"]
    )

    static func run(_ context: CommandContext) throws -> ExitCode {
        let id = try context.jobID()
        let found = try context.connect().evaluate(job: id)
        if context.arguments.text("format") == "json" {
            try context.output.line(found.json)
            return .success
        }
        guard (found["labelled"]?.integer ?? 0) > 0 else {
            context.say("job \(id): expected items with a \"label\", got none.")
            return .failure
        }
        for line in lines(found) { try context.output.line(line) }
        return .success
    }

    private static func lines(_ found: JSONNode) -> [String] {
        func count(_ name: String) -> String { found[name]?.cell ?? "" }
        let head =
            "\(count("judged")) of \(count("labelled")) labelled items judged, "
            + "\(count("failed")) failed"
        return [head, ""] + (found["kind"]?.text == "point_score" ? scores(found) : pairs(found))
    }

    private static func pairs(_ found: JSONNode) -> [String] {
        var table = Table([
            .init("OF"), .init("PAIRS", numeric: true), .init("WITH TIES", numeric: true),
            .init("WITHOUT TIES", numeric: true),
        ])
        func row(_ name: String, _ node: JSONNode, _ pairs: String) {
            table.append([
                name, node[pairs]?.cell ?? "", percent(node["accuracy_with_ties"]),
                percent(node["accuracy_without_ties"]),
            ])
        }
        row("all", found, "judged")
        for group in elements(found["groups"]) {
            row("group \(group["group"]?.cell ?? "")", group, "pairs")
        }
        if !elements(found["groups"]).isEmpty {
            table.append([
                "mean of groups", "", percent(found["macro_with_ties"]),
                percent(found["macro_without_ties"]),
            ])
        }
        for criterion in elements(found["criteria"]) {
            row("criterion \(criterion["name"]?.cell ?? "")", criterion, "pairs")
        }
        var confusion = Table([
            .init("LABEL"), .init("FIRST", numeric: true), .init("SECOND", numeric: true),
            .init("TIE", numeric: true), .init("FAILED", numeric: true),
        ])
        for label in ["first", "second", "tie"] {
            let cells = found["confusion"]?[label] ?? .null
            confusion.append(
                [label] + ["first", "second", "tie", "failed"].map { cells[$0]?.cell ?? "" }
            )
        }
        let orders = found["orders"] ?? .null
        return table.lines(width: nil, headers: true) { $1 } + [""]
            + confusion.lines(width: nil, headers: true) { $1 } + [
                "",
                "Order sensitive: \(orders["sensitive"]?.cell ?? "0") of "
                    + "\(orders["both"]?.cell ?? "0") asked both ways round; the one shown first won "
                    + "\(percent(orders["shown_first_share"])) of decided answers.",
            ]
    }

    private static func scores(_ found: JSONNode) -> [String] {
        var table = Table([
            .init("OF"), .init("PEARSON", numeric: true), .init("SPEARMAN", numeric: true),
            .init("MEAN ERROR", numeric: true),
        ])
        func row(_ name: String, _ node: JSONNode) {
            table.append(
                [name]
                    + ["pearson", "spearman", "mean_absolute_error"].map {
                        ResultText.number(node[$0])
                    }
            )
        }
        row("all", found)
        for criterion in elements(found["criteria"]) {
            row("criterion \(criterion["name"]?.cell ?? "")", criterion)
        }
        return table.lines(width: nil, headers: true) { $1 }
    }

    private static func elements(_ node: JSONNode?) -> [JSONNode] {
        if case .array(let elements) = node { return elements }
        return []
    }

    private static func percent(_ node: JSONNode?) -> String {
        guard let share = node?.double else { return "-" }
        return NumberText.brief((share * 1000).rounded() / 10) + " %"
    }
}
