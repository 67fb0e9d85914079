import JSONReading

/// Results as a person reads them in one table cell.
enum ResultText {
    /// What an item came to: a score with its scale, a verdict with its confidence, a pair, a model,
    /// or the error.
    static func summary(_ row: JSONNode) -> String {
        if row["state"]?.text == "failed" {
            return "\(row["error_code"]?.cell ?? "unknown"): \(row["error"]?.cell ?? "")"
        }
        guard let result = row["result"] else { return "" }
        if let score = result["score"]?.double {
            return self.score(score, result)
        }
        if let model = result["model"]?.text {
            return "model \(model), \(result["steps"]?.cell ?? "?") steps, loss "
                + number(result["loss"])
        }
        if let verdict = result["verdict"]?.text {
            var text = verdict
            if let confidence = result["confidence"]?.double {
                text += ", confidence \(NumberText.brief(confidence))"
            }
            if result["order_sensitive"] == .bool(true) { text += ", order sensitive" }
            return text
        }
        if let pair = result["pair"], case .object = pair {
            return "chosen \(pair["chosen_index"]?.cell ?? "?"), "
                + "rejected \(pair["rejected_index"]?.cell ?? "?"), "
                + "margin \(number(pair["margin"]))"
        }
        if let reason = result["reason"]?.text { return "no pair: \(reason)" }
        return result.json
    }

    /// A media reference or a text, without its JSON wrapping.
    static func candidate(_ node: JSONNode?) -> String {
        guard let node else { return "" }
        return node["path"]?.text ?? node["media"]?.text ?? node.cell
    }

    /// A number with at most three decimals, or nothing.
    static func number(_ node: JSONNode?) -> String {
        node?.double.map(NumberText.brief) ?? ""
    }

    private static func score(_ score: Double, _ result: JSONNode) -> String {
        var text = NumberText.brief(score)
        if case .array(let scale) = result["scale"], let low = scale.first?.double,
            let high = scale.last?.double
        {
            text += " of \(NumberText.brief(low))–\(NumberText.brief(high))"
        }
        if let spread = result["spread"]?.double { text += ", spread \(NumberText.brief(spread))" }
        return text
    }
}
