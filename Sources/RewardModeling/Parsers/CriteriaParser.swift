/// Reads the numbers of several criteria out of a free answer.
///
/// All of a template's criteria must be there, each with a number on the scale, or nothing is read: a
/// mean over those that happened to be written would compare candidates by different things.
package enum CriteriaParser {
    /// One number for each criterion: `Alignment Score (1-5): 2.6947`, the last of a label counts.
    /// Criteria may come in any order. Nil unless all are there.
    package static func scores(
        _ response: String,
        criteria: [Criterion],
        scale: Scale
    ) -> [CriterionReading]? {
        guard let answer = AnswerSection.of(response) else { return nil }
        let scanner = AnswerScanner(answer)
        var readings: [CriterionReading] = []
        for criterion in criteria {
            guard let marker = scanner.lastMarker(criterion.labelWords),
                let value = scanner.score(from: marker.end, scale: scale)
            else { return nil }
            readings.append(
                CriterionReading(name: criterion.name, value: .one(value), scale: scale)
            )
        }
        return readings
    }

    /// Two numbers for each criterion, under its label:
    ///
    ///     Alignment Score:
    ///      Image 1: 0.4357
    ///      Image 2: 0.5643
    ///
    /// A label's part of the answer ends where the next label stands. Nil unless all are there. The
    /// values are about the candidates as presented.
    package static func pairScores(
        _ response: String,
        criteria: [Criterion],
        scale: Scale
    ) -> [CriterionReading]? {
        guard let answer = AnswerSection.of(response) else { return nil }
        let scanner = AnswerScanner(answer)
        var markers: [AnswerScanner.Marker] = []
        for criterion in criteria {
            guard let marker = scanner.lastMarker(criterion.labelWords) else { return nil }
            markers.append(marker)
        }
        var readings: [CriterionReading] = []
        for (criterion, marker) in zip(criteria, markers) {
            let next = markers.map(\.start).filter { $0 > marker.start }.min()
            let part = marker.end..<max(marker.end, next ?? scanner.scalars.count)
            guard let first = side("1", scanner, part, scale),
                let second = side("2", scanner, part, scale)
            else { return nil }
            readings.append(
                CriterionReading(
                    name: criterion.name,
                    value: .pair(first: first, second: second),
                    scale: scale
                )
            )
        }
        return readings
    }

    /// Two numbers for one criterion: under `Image 1:` and `Image 2:`, or, where the answer holds
    /// exactly two numbers in all, these in their order, with their signs. Nil otherwise.
    package static func twoNumbers(
        _ response: String,
        criterion: Criterion,
        scale: Scale
    ) -> [CriterionReading]? {
        guard let answer = AnswerSection.of(response) else { return nil }
        let scanner = AnswerScanner(answer)
        let whole = scanner.scalars.indices
        var pair: (Double, Double)?
        if let first = side("1", scanner, whole, scale),
            let second = side("2", scanner, whole, scale)
        {
            pair = (first, second)
        } else if let (first, second) = onlyTwo(scanner, scale) {
            pair = (first, second)
        }
        guard let (first, second) = pair else { return nil }
        return [
            CriterionReading(
                name: criterion.name,
                value: .pair(first: first, second: second),
                scale: scale
            )
        ]
    }

    /// The numbers of the last `"score": [s1, s2]` or `score = [s1, s2]`, one for each criterion in order; the
    /// text around it may be JSON or nearly so. A list that is cut off, longer or shorter is nil.
    package static func scoreList(
        _ response: String,
        criteria: [Criterion],
        scale: Scale
    ) -> [CriterionReading]? {
        guard let answer = AnswerSection.of(response) else { return nil }
        // The quotation mark that closes a JSON key stands between the word and its colon, and the question
        // itself writes the list with a sign of equality.
        let plain = answer.replacing("\"", with: " ").replacing("'", with: " ")
        let scanner = AnswerScanner(plain.replacing("=", with: ":"))
        guard var position = startOfList(scanner) else { return nil }
        var readings: [CriterionReading] = []
        for (index, criterion) in criteria.enumerated() {
            position = scanner.skip(from: position, AnswerScanner.isSpaceOrEmphasis)
            guard let (value, end) = scanner.number(from: position),
                Score(value, on: scale) != nil
            else { return nil }
            position = scanner.skip(from: end, AnswerScanner.isSpaceOrEmphasis)
            guard let next = scanner.end(ofEntry: index == criteria.count - 1, at: position)
            else { return nil }
            position = next
            readings.append(
                CriterionReading(name: criterion.name, value: .one(value), scale: scale)
            )
        }
        return readings
    }

    /// The position behind the `[` of the last `score: [`. Words that follow a `score:` are part of the reasoning,
    /// which may stand behind the list; anything else there is a list that cannot be read.
    private static func startOfList(_ scanner: AnswerScanner) -> Int? {
        var part = scanner.scalars.indices
        while let marker = scanner.lastMarker(["score"], in: part) {
            let position = scanner.skip(from: marker.end, AnswerScanner.isSpaceOrEmphasis)
            guard position < scanner.scalars.count else { return nil }
            if scanner.scalars[position] == "[" { return position + 1 }
            let isProse =
                scanner.scalars[position].properties.isAlphabetic
                && !["nan", "none", "null"].contains { scanner.end(of: $0, from: position) != nil }
            guard isProse else { return nil }
            part = 0..<marker.start
        }
        return nil
    }

    /// The number after the last `Image 1:`, `Image 1 Score:`, `Video 1:` … of a part of the answer.
    private static func side(
        _ number: String,
        _ scanner: AnswerScanner,
        _ part: Range<Int>,
        _ scale: Scale
    ) -> Double? {
        let markers = ["image", "video", "answer", "response"].flatMap { noun in
            [[noun, number], [noun, number, "score"]].compactMap {
                scanner.lastMarker($0, in: part)
            }
        }
        guard let marker = markers.max(by: { $0.start < $1.start }) else { return nil }
        return scanner.score(from: marker.end, scale: scale, before: part.upperBound)
    }

    private static func onlyTwo(
        _ scanner: AnswerScanner,
        _ scale: Scale
    ) -> (Double, Double)? {
        var values: [Double] = []
        var position = 0
        while position < scanner.scalars.count {
            guard let (_, end) = scanner.number(from: position) else {
                position += 1
                continue
            }
            // A digit that is part of a word, such as `v2`, makes the answer something else.
            let isOwn = position == 0 || !scanner.scalars[position - 1].properties.isAlphabetic
            guard isOwn, values.count < 2,
                let value = scanner.score(from: position, scale: scale, mayBeFollowed: true)
            else { return nil }
            values.append(value)
            position = end
        }
        return values.count == 2 ? (values[0], values[1]) : nil
    }
}

extension AnswerScanner {
    /// The position behind the comma that follows an entry of a list, or behind the bracket that follows the last
    /// one, with or without a comma before it; nil where something else stands.
    fileprivate func end(ofEntry isLast: Bool, at start: Int) -> Int? {
        guard start < scalars.count else { return nil }
        var position = start
        if scalars[position] == "," {
            guard isLast else { return position + 1 }
            position = skip(from: position + 1, Self.isSpaceOrEmphasis)
        }
        guard isLast, position < scalars.count, scalars[position] == "]" else { return nil }
        return position + 1
    }
}
