import Hashing
import TensorKernels
import Tokenization
package import Transformer

/// A checkpoint opened and understood, its weights not yet packed.
///
/// Cheap to make: headers and small files only. Says what the model will take before it is taken.
package struct EngineBlueprint: Sendable {
    /// Where the checkpoint lies.
    package let directory: String
    /// How the engine will be built.
    package let options: EngineOptions
    /// Dimensions and family.
    package let config: ModelConfig
    /// Longest prompt with its answer: the options' limit or the model's, whichever is less.
    package let contextLimit: Int
    /// Memory of weights, keys and values, and activations.
    package let memory: ModelMemory
    /// Blocks of keys and values that all requests of the engine share.
    let blockCount: Int

    let checkpoint: Checkpoint
    let tokenizer: Tokenizer
    let template: ChatTemplate
    /// How it is shown images and clips.
    package let family: any VisualFamily

    /// Opens a checkpoint directory.
    ///
    /// - Throws: ``InferenceError/modelUnusable(_:)`` with the sentence of the module that refused.
    package init(directory: String, options: EngineOptions) throws(InferenceError) {
        self.directory = directory
        self.options = options
        do {
            config = try ModelConfig(directory: directory)
            checkpoint = try Checkpoint(directory: directory)
            tokenizer = try Tokenizer(directory: directory)
            template = try ChatTemplate.read(
                directory: directory,
                modelType: config.modelType
            )
            family = try visualFamily(of: config, directory: directory, options: options)
        } catch let error as InferenceError {
            throw error
        } catch {
            throw .modelUnusable("\(error)")
        }
        contextLimit = min(options.contextLimit, config.contextLength)
        let blockBytes = KeyValueLayout(config.text).blockByteCount
        let least = SchedulerStateMachine.blocksNeeded(rows: contextLimit)
        let most = least * options.sequenceLimit
        blockCount = min(max(options.keyValueBytes / blockBytes, least), most)
        memory = ModelMemory(
            config: config,
            checkpoint: checkpoint,
            positions: contextLimit,
            keyValueBytes: blockCount * blockBytes,
            rowCapacity: options.prefillRows,
            patchLimit: family.patchLimit,
            precision: options.precision
        )
    }

    /// Bytes an engine built from this will take, the image cache included.
    package var byteCount: Int { memory.total + options.visionCacheBytes }

    /// Names everything beside the model's files that decides the numbers of an engine.
    ///
    /// Part of the fingerprint of every judgement: a change here makes old judgements unequal to new ones.
    package var identity: String {
        let parts = [
            "family=\(config.family.rawValue)",
            "template=\(template.name):\(templateDigest)",
            family.identity(template: template),
            "decoding=greedy",
            "numerics=\(EngineBlueprint.numericsVersion)",
        ]
        return (parts + [wordsIdentity, precisionIdentity].compactMap { $0 }).joined(separator: " ")
    }

    /// Names that words among the added tokens are tokens in any text; nil where there are none, as in judgements
    /// that were made before it was so.
    private var wordsIdentity: String? {
        tokenizer.addedWordCount > 0 ? "words=\(tokenizer.addedWordCount)" : nil
    }

    /// Names the arithmetic; nil for weights as stored, whose judgements were made before there was a choice.
    private var precisionIdentity: String? {
        switch options.precision {
        case .stored: nil
        case .float32, .bfloat16: "weights=\(options.precision.rawValue)"
        case .int8, .int4:
            "weights=\(options.precision.rawValue):\(EngineBlueprint.quantizationVersion)"
        }
    }

    /// Names the template by what it does to a sample: two files of one name may render differently.
    private var templateDigest: String {
        let sample = template.render([.text("a"), .image(0), .image(1), .text("b")])
        return String(SHA256.digest("\(sample)".utf8).hex.prefix(16))
    }

    /// Raised whenever the same model and prompt would give other bits than before.
    package static let numericsVersion = 1

    /// Raised whenever weights or rows would be quantised otherwise than before.
    package static let quantizationVersion = 1

    /// Packs the weights and allocates the state of one engine. Takes seconds to minutes.
    ///
    /// - Throws: ``InferenceError/modelUnusable(_:)`` for a tensor that is missing or does not fit.
    package func makeSession() throws(InferenceError) -> EngineSession {
        let pool = ComputeThreadPool(threads: options.threads, name: "engine")
        let model: VisionLanguageModel
        do {
            model = try VisionLanguageModel(
                config: config,
                checkpoint: checkpoint,
                positions: contextLimit,
                precision: options.precision,
                pool: pool
            )
        } catch {
            throw .modelUnusable("\(error)")
        }
        let builder = inputBuilder(vocabularySize: model.decoder.vocabularySize)
        let (endTokens, endOfTurn) = try turnTokens()
        return EngineSession(
            model: model,
            builder: builder,
            pool: pool,
            options: options,
            contextLimit: contextLimit,
            endTokens: endTokens,
            endOfTurn: endOfTurn
        )
    }

    /// What turns a prompt into tokens and tiles, for a model with so many token embeddings.
    package func inputBuilder(vocabularySize: Int) -> InputBuilder {
        InputBuilder(
            tokenizer: tokenizer,
            template: template,
            family: family,
            vocabularySize: vocabularySize
        )
    }

    /// The tokens that end a turn: the checkpoint's own, and the one the template closes a turn with.
    ///
    /// - Throws: ``InferenceError/modelUnusable(_:)`` when there is none.
    package func turnTokens() throws(InferenceError) -> (all: Set<Int32>, endOfTurn: Int32) {
        let closing = tokenizer.id(ofAddedToken: "<|im_end|>")
        var all = Set(config.endOfSequenceIDs)
        if let closing { all.insert(closing) }
        guard let endOfTurn = closing ?? config.endOfSequenceIDs.first else {
            throw .modelUnusable(
                "generation_config.json: expected an eos_token_id or an added token "
                    + "\"<|im_end|>\", got neither. Copy the file from the published checkpoint."
            )
        }
        return (all, endOfTurn)
    }
}
