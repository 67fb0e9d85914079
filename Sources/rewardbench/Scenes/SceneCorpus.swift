import RewardModeling
import SyntheticScenes
import Tokenization

/// Every text that a model of drawn scenes reads or writes, as a tokenizer is trained on them.
struct SceneCorpus: Sendable {
    /// Groups of pictures, and as many of clips, that are drawn from each split.
    var groups: Int
    /// Where the random numbers begin.
    var seed: UInt64 = 1
    /// The words around captions, questions and answers.
    let pack: PromptPack

    /// A vocabulary of at most so many tokens; fewer when every piece of every text is one token.
    func vocabulary(ofAtMost count: Int) -> TrainedVocabulary {
        var trainer = BytePairTrainer()
        for (text, times) in texts() { trainer.add(text, count: times) }
        return trainer.vocabulary(ofAtMost: count)
    }

    /// Captions, questions and answers of all splits, the pack's prompts and answers, and the words
    /// of the chat template, each with how often it counts.
    ///
    /// Only texts are made; nothing is drawn.
    func texts() -> [(text: String, count: Int)] {
        var texts: [(text: String, count: Int)] = []
        var groupCount = 0
        for split in SceneSplit.allCases {
            let generator = SceneGenerator(seed: seed, split: split)
            for index in 0..<groups {
                for ofClips in [false, true] {
                    let group = generator.group(index, ofClips: ofClips)
                    texts += Self.texts(of: group).map { ($0, 1) }
                    groupCount += 1
                }
            }
        }
        // Each group is shown with every template many times.
        for template in pack.templates {
            texts.append((template.text.filled(with: [:]), groupCount))
            texts += template.choices.texts.map { (template.answerPrefix + $0, groupCount) }
        }
        // What the chat template of the llava_onevision family writes between its special tokens.
        texts += ["user ", "\n", "assistant\n", "system\n"].map { ($0, groupCount) }
        return texts + Self.words.map { ($0, 1) }
    }

    private static func texts(of group: SceneGroup) -> [String] {
        let captions = group.captions.joined().map(\.text)
        let questions = group.questions.joined().flatMap { question in
            question.answers.flatMap { [question.text, $0.text] }
        }
        let noun = group.composition.isClip ? "video" : "picture"
        return captions + questions + group.conversationTexts()
            + ["Describe the \(noun).", "What does the \(noun) show?"]
    }

    /// Every name that a scene can use, in the two places of a sentence, however rare.
    private static let words: [String] = {
        let names =
            SceneShape.allCases.map(\.rawValue) + SceneColour.allCases.map(\.rawValue)
            + SceneSize.allCases.map(\.rawValue) + SceneTexture.allCases.map(\.rawValue)
            + SceneBackground.allCases.map(\.rawValue)
        let begins = names.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return names.flatMap { [" \($0)", " \($0)s"] } + begins
    }()
}
