/// How the pictures of a dataset are stored; the raw values are the files' suffixes.
package enum SceneFileFormat: String, CaseIterable, Sendable {
    case png, ppm
}

/// How many records of which sort a dataset has.
package struct SceneDatasetOptions: Sendable {
    package var tasks: Set<SceneTask> = [.imageGeneration, .imageUnderstanding]
    /// With tasks of pictures and of clips, every how many-th group is of clips; at least two.
    package var clipEvery = 3
    /// Which faults and mentions are frequent.
    package var mix = SceneMix.usual
    /// Groups in all.
    package var groups: Int
    package var seed: UInt64
    package var split: SceneSplit
    /// Width and height of pictures in pixels.
    package var side = 128
    /// Frames of a clip, at least three.
    package var frames = 4
    /// Variants of a group, at least two.
    package var variants = 6
    /// Records of each sort for each task of a group, at the most: a group may offer fewer.
    package var points = 6
    package var pairs = 6
    /// Sets of two pictures or clips that a group's pairs show at the most; nil for no limit.
    package var couples: Int?
    /// Descriptions of a group, as conversations.
    package var conversations = 2
    /// Questions of a group with a right answer, as conversations.
    package var answers = 0
    /// Inventories of a group, as conversations: everything about a picture in fixed words.
    package var inventories = 0
    /// Pictures or clips of a group with maps, two conversations each: what lies where.
    package var maps = 0
    /// Conversations of a group about where an object lies, and in a clip goes.
    package var paths = 0
    /// Conversations of each task of a group that give the reasons of a grade, of pictures alone and of
    /// pictures and answers side by side.
    package var reasons = 0
    /// How pictures are stored: PNG is small, PPM (48 KiB at the usual side) is read without a decoder.
    package var fileFormat = SceneFileFormat.png
    /// Pairs as "chosen" and "rejected", which a trainer shows in both orders, instead of "first",
    /// "second" and "verdict".
    package var writesChosen = false

    /// The default numbers of records for so many groups.
    package init(groups: Int, seed: UInt64, split: SceneSplit) {
        self.groups = groups
        self.seed = seed
        self.split = split
    }
}

/// The records of one group with the pictures that they show.
package struct SceneBatch: Sendable {
    /// The group that the records are about.
    package let group: SceneGroup
    /// Frames by the number of the variant: one for a picture; nil for a variant no record shows.
    package let media: [[ScenePicture]?]
    /// The records in random order.
    package let records: [SceneRecord]
}

/// A dataset of drawn scenes, made group by group as it is read: nothing is kept in memory, and
/// groups may be made in any order and by several threads.
package struct SceneDataset: RandomAccessCollection, Sendable {
    /// What the dataset consists of.
    package let options: SceneDatasetOptions
    private let generator: SceneGenerator

    /// A dataset; nothing is drawn yet.
    package init(_ options: SceneDatasetOptions) {
        self.options = options
        generator = SceneGenerator(
            seed: options.seed,
            split: options.split,
            variantCount: options.variants,
            mix: options.mix
        )
    }

    package var startIndex: Int { 0 }
    package var endIndex: Int { options.groups }

    /// The batch of one group, drawn anew at each call.
    package subscript(position: Int) -> SceneBatch { batch(position, isDrawn: true) }

    /// The records of one group without the pictures: for counting and reading.
    package func records(ofGroup position: Int) -> [SceneRecord] {
        batch(position, isDrawn: false).records
    }

    private func batch(_ position: Int, isDrawn: Bool) -> SceneBatch {
        let ofClips = isOfClips(position)
        let group = generator.group(position, ofClips: ofClips)
        var random = SeededRandom(
            path: generator.seedPath(position, ofClips: ofClips) + [0xDA7A]
        )
        var sampler = RecordSampler(group: group, random: SeededRandom(seed: random.next()))
        let found = random.shuffled(bodies(from: &sampler, ofClips: ofClips))
        let records = found.enumerated().map { number, found in
            SceneRecord(
                id: "\(options.split.rawValue)-\(options.seed)-\(position)-\(number)",
                task: found.task,
                body: found.body
            )
        }
        let shown = Set(records.flatMap(\.variants))
        let media = group.variants.indices.map { variant in
            isDrawn && shown.contains(variant)
                ? group.frames(of: variant, count: options.frames, side: options.side) : nil
        }
        return SceneBatch(group: group, media: media, records: records)
    }

    private func isOfClips(_ position: Int) -> Bool {
        let hasClips = options.tasks.contains(where: \.isOfClips)
        let hasPictures = options.tasks.contains { !$0.isOfClips }
        return hasClips && (!hasPictures || position % options.clipEvery == options.clipEvery - 1)
    }

    private func bodies(
        from sampler: inout RecordSampler,
        ofClips: Bool
    ) -> [(task: SceneTask, body: SceneRecord.Body)] {
        var found: [(task: SceneTask, body: SceneRecord.Body)] = []
        let answering: SceneTask = ofClips ? .videoUnderstanding : .imageUnderstanding
        for task in SceneTask.allCases
        where options.tasks.contains(task) && task.isOfClips == ofClips {
            let points =
                task.isGeneration
                ? sampler.scoredMedia(count: options.points)
                : sampler.scoredAnswers(count: options.points)
            let pairs =
                task.isGeneration
                ? sampler.comparedMedia(count: options.pairs, together: options.couples)
                : sampler.comparedAnswers(count: options.pairs)
            found += (points + pairs).map { (task, $0) }
            found += reasons(task, from: &sampler).map { (task, $0) }
        }
        found += sampler.conversations(count: options.conversations).map { (answering, $0) }
        found += sampler.answeredQuestions(count: options.answers).map { (answering, $0) }
        found += sampler.inventories(count: options.inventories).map { (answering, $0) }
        found += sampler.maps(count: options.maps, frames: options.frames).map { (answering, $0) }
        found += sampler.paths(count: options.paths, frames: options.frames).map { (answering, $0) }
        return found
    }

    private func reasons(_ task: SceneTask, from sampler: inout RecordSampler) -> [SceneRecord.Body]
    {
        guard options.reasons > 0 else { return [] }
        return task.isGeneration
            ? sampler.explainedMedia(count: options.reasons)
                + sampler.explainedComparisons(count: options.reasons, together: options.couples)
            : sampler.gradedComparisons(count: options.reasons)
    }
}
