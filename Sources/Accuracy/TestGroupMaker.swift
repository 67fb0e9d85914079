import RewardModeling
import SyntheticScenes

/// Draws the groups of one task and writes the payloads about them, from combinations of colour,
/// texture and shape that occur in no training data.
struct TestGroupMaker: Sendable {
    /// Frames of a clip.
    static let frames = 4

    let task: JudgingTask
    private let dataset: SceneDataset
    private let listGenerator: SceneGenerator

    /// - Parameter candidates: How many each list has.
    init(
        plan: AccuracyPlan,
        task: JudgingTask,
        candidates: Int = AccuracyPlan.candidatesPerList
    ) {
        self.task = task
        var options = SceneDatasetOptions(groups: plan.groups, seed: plan.seed, split: .test)
        options.tasks = [task.sceneTask]
        options.frames = Self.frames
        options.points = plan.perGroup
        options.pairs = plan.perGroup
        options.conversations = 0
        dataset = SceneDataset(options)
        // A seed of its own, or the lists would show the scenes of the pairs again.
        var random = SeededRandom(path: [plan.seed, 0x1157])
        listGenerator = SceneGenerator(
            seed: random.next(),
            split: .test,
            variantCount: candidates
        )
    }

    // MARK: - Pairs and points

    /// The group of this index with its pairs and points, as a dataset would sample them.
    func group(_ index: Int) throws -> TestGroup {
        let batch = dataset[index]
        let name = "\(task.rawValue)/\(index)"
        var result = TestGroup(media: try SceneMedia(name: name, frames: batch.media))
        for record in batch.records { append(record.body, of: batch.group, name, to: &result) }
        return result
    }

    private func append(
        _ body: SceneRecord.Body,
        of group: SceneGroup,
        _ name: String,
        to result: inout TestGroup
    ) {
        switch body {
        case .scoredMedia(let caption, let variant, let grade):
            let payload = [
                "caption": .string(caption), medium: reference(name, variant),
            ]
            result.points.append(
                PointCase(payload: text(payload), grade: grade, labels: labels(group))
            )
        case .comparedMedia(let caption, let first, let second, let verdict, let margin):
            let payload = [
                "caption": .string(caption), "first": reference(name, first),
                "second": reference(name, second),
            ]
            var labels = labels(group)
            let isFirst = verdict == .first
            labels.causes = causes(
                caption,
                better: isFirst ? first : second,
                worse: isFirst ? second : first,
                in: group
            )
            result.pairs.append(
                PairCase(
                    payload: text(payload),
                    verdict: isFirst ? .first : .second,
                    margin: margin,
                    labels: labels
                )
            )
        case .scoredAnswer(let question, let variant, let answer, let grade):
            let payload = [
                "question": .string(question), medium: reference(name, variant),
                "response": .string(answer),
            ]
            let labels = labels(group, question: question, variant: variant)
            result.points.append(PointCase(payload: text(payload), grade: grade, labels: labels))
        case .comparedAnswers(
            let question,
            let variant,
            let one,
            let other,
            let verdict,
            let margin
        ):
            let payload = [
                "question": .string(question), medium: reference(name, variant),
                "first": .string(one), "second": .string(other),
            ]
            result.pairs.append(
                PairCase(
                    payload: text(payload),
                    verdict: verdict == .first ? .first : .second,
                    margin: margin,
                    labels: labels(group, question: question, variant: variant)
                )
            )
        case .conversation: break
        }
    }

    private func labels(
        _ group: SceneGroup,
        question: String? = nil,
        variant: Int = 0
    ) -> CaseLabels {
        let kind = group.questions[variant].first { $0.text == question }?.kind.rawValue
        return CaseLabels(composition: group.composition.rawValue, question: kind)
    }

    /// What is wrong with the worse of two variants for a caption and not, or not as often, with the
    /// better.
    private func causes(
        _ text: String,
        better: Int,
        worse: Int,
        in group: SceneGroup
    ) -> [String] {
        guard let caption = group.captions.joined().first(where: { $0.text == text }) else {
            return []
        }
        var known = reasons(caption, better, in: group)
        let causes = reasons(caption, worse, in: group).filter { reason in
            guard let place = known.firstIndex(of: reason) else { return true }
            known.remove(at: place)
            return false
        }
        return Set(causes).sorted()
    }

    private func reasons(_ caption: SceneCaption, _ variant: Int, in group: SceneGroup) -> [String]
    {
        let grade = group.grade(caption, ofPicture: variant)
        return grade.differences.map(\.reason) + [grade.quality.reason].compactMap { $0 }
    }

    // MARK: - Lists

    /// The `build_pairs` item of this index; none when the group has no question with enough
    /// answers.
    func list(_ index: Int) throws -> TestGroup {
        let group = listGenerator.group(index, ofClips: task.medium == .video)
        let name = "\(task.rawValue)/list-\(index)"
        var random = SeededRandom(path: [listGenerator.seed, UInt64(index), 0x0DE2])
        return task.judgesMedia
            ? try mediaList(group, name, using: &random)
            : try answerList(group, name, using: &random)
    }

    /// All variants in random order, for a caption of one of them.
    private func mediaList(
        _ group: SceneGroup,
        _ name: String,
        using random: inout SeededRandom
    ) throws -> TestGroup {
        let caption = random.pick(random.pick(group.captions))
        let order = random.shuffled(Array(group.variants.indices))
        let payload: [String: PayloadValue] = [
            "caption": .string(caption.text),
            "candidates": .array(order.map { reference(name, $0) }),
        ]
        let frames = group.variants.indices.map { group.frames(of: $0, count: Self.frames) }
        return TestGroup(
            media: try SceneMedia(name: name, frames: frames),
            list: ListCase(
                payload: text(payload),
                grades: order.map { group.grade(caption, ofPicture: $0).value },
                labels: labels(group)
            )
        )
    }

    /// Answers to one question about one variant without a severe fault.
    private func answerList(
        _ group: SceneGroup,
        _ name: String,
        using random: inout SeededRandom
    ) throws -> TestGroup {
        let count = listGenerator.variantCount
        let open = group.variants.indices.filter { group.variants[$0].quality.severity < 2 }
            .flatMap { variant in group.questions[variant].map { (variant, $0) } }
            .filter { $0.1.answers.count >= count }
        guard !open.isEmpty else { return TestGroup(media: try SceneMedia(name: name, frames: [])) }
        let (variant, question) = random.pick(open)
        let answers = Array(random.shuffled(question.answers).prefix(count))
        let payload: [String: PayloadValue] = [
            "question": .string(question.text), medium: reference(name, variant),
            "candidates": .array(answers.map { .string($0.text) }),
        ]
        let frames = group.variants.indices.map {
            $0 == variant ? group.frames(of: $0, count: Self.frames) : nil
        }
        return TestGroup(
            media: try SceneMedia(name: name, frames: frames),
            list: ListCase(
                payload: text(payload),
                grades: answers.map(\.grade),
                labels: labels(group, question: question.text, variant: variant)
            )
        )
    }

    // MARK: - Payloads

    private var medium: String { task.medium.rawValue }

    private func reference(_ name: String, _ variant: Int) -> PayloadValue {
        SceneMedia.reference(
            name,
            variant: variant,
            frames: task.medium == .video ? Self.frames : nil
        )
    }

    private func text(_ fields: [String: PayloadValue]) -> String {
        PayloadValue.object(fields).json
    }
}
