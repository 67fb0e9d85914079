import Hashing
import Inference
import JSONReading
import Tokenization

/// A model on an OpenAI-compatible server, as it was when a shard began: answers what an engine here would
/// answer, by `/chat/completions`.
struct RemoteEngine: AnswerEngine {
    let modelDigest: Digest
    let identity: String
    let answersAreShared: Bool
    /// Of what was published beside the weights.
    let modelDirectory: String?
    let repetitionPenalty: Double
    private let server: RemoteServer
    private let model: String
    private let pictures: PictureCache
    private let continuesAnswers: Bool
    private let showsPictures: Bool

    /// Whether there are questions that the server cannot be asked.
    var isLimited: Bool { !continuesAnswers || !showsPictures }

    /// How many tokens servers are asked to tell of each place: the most that OpenAI's interface allows.
    static let tokenOffers = 20

    /// - Parameters:
    ///   - continuesAnswers: Whether the server goes on with a message of the assistant's.
    ///   - showsPictures: Whether it shows the model pictures.
    ///
    /// Throws `RemoteFault` when the files beside the weights cannot be used.
    init(
        _ model: ServedModel,
        on server: RemoteServer,
        pictures: PictureCache,
        continuesAnswers: Bool,
        showsPictures: Bool
    ) throws(RemoteFault) {
        modelDirectory = server.options.files
        repetitionPenalty = try PublishedPenalty.read(directory: server.options.files)
        self.server = server
        self.model = model.id
        self.pictures = pictures
        self.continuesAnswers = continuesAnswers
        self.showsPictures = showsPictures
        modelDigest = model.digest(revision: server.options.revision)
        answersAreShared = server.options.revision != nil
        identity =
            "remote=chat-completions:1 pictures=png clips=frames decoding=greedy "
            + "choices=top\(Self.tokenOffers):1"
    }

    /// Writes an answer. Throws `RemoteFault`, `RemoteRefusal`, `InferenceError` and `CancellationError`.
    func generate(_ request: GenerateRequest) async throws -> GenerateResponse {
        if !request.answerPrefix.isEmpty { try checkContinues() }
        try request.decoding.check()
        try checkPenalty(request.decoding)
        let (answer, seconds) = try await ask(
            request.prompt,
            prefill: request.answerPrefix,
            maximumTokens: max(request.maximumTokens, 1),
            decoding: request.decoding
        )
        return GenerateResponse(
            text: answer.text,
            promptTokens: answer.promptTokens ?? 0,
            generatedTokens: answer.generatedTokens ?? 0,
            finishReason: answer.finish,
            seconds: seconds
        )
    }

    /// Weighs answers by a ``ChoiceWalk``. Throws as ``generate(_:)`` does.
    func choose(_ request: ChooseRequest) async throws -> ChooseResponse {
        try checkContinues()
        do {
            var walk = try ChoiceWalk(prefix: request.answerPrefix, choices: request.choices)
            var promptTokens = 0
            var seconds = 0.0
            while let question = walk.next {
                let (answer, spent) = try await ask(
                    request.prompt,
                    prefill: question.prefill,
                    maximumTokens: question.tokens,
                    tokenOffers: Self.tokenOffers
                )
                promptTokens = max(promptTokens, answer.promptTokens ?? 0)
                seconds += spent
                try walk.take(answer.tokens ?? [])
            }
            return ChooseResponse(
                probabilities: walk.probabilities,
                promptTokens: promptTokens,
                seconds: seconds
            )
        } catch let refusal as ChoiceWalk.Refusal {
            throw choicesRefused(refusal.reason)
        }
    }

    /// Servers penalise the tokens of prompt and answer alike, and cannot be told otherwise.
    private func checkPenalty(_ decoding: Decoding) throws {
        guard decoding.repetitionPenalty != 1, !decoding.penalizesPrompt else { return }
        throw RemoteRefusal(
            code: "remote_refused",
            message: "\(server.options.url): expected a prompt pack that penalizes "
                + "prompt_and_answer or nothing, got one that penalizes the answer alone, which no "
                + "server can be told. Change the pack, or submit with --option answer=choices."
        )
    }

    private func ask(
        _ prompt: EnginePrompt,
        prefill: String,
        maximumTokens: Int,
        tokenOffers: Int = 0,
        decoding: Decoding = .greedy
    ) async throws -> (ChatAnswer, seconds: Double) {
        try prompt.checkReferences()
        guard showsPictures || prompt.images.isEmpty && prompt.clips.isEmpty else {
            throw RemoteRefusal(
                code: "remote_refused",
                message: "\(server.options.url): expected a server that shows the model pictures, "
                    + "got one that fails over them, leaves them out or shows them as text. Serve a "
                    + "vision-language model."
            )
        }
        let request = ChatRequest(
            model: model,
            prompt: prompt,
            prefill: prefill,
            maximumTokens: maximumTokens,
            tokenOffers: tokenOffers,
            decoding: decoding
        )
        let (document, seconds) = try await server.chat(request, uri: pictures.uri)
        let url = server.options.url.description + RemoteServer.chatPath
        return (try ChatAnswer(document, from: url), seconds)
    }

    private func checkContinues() throws(RemoteRefusal) {
        guard !continuesAnswers else { return }
        throw choicesRefused(
            "expected a server that goes on with the assistant's last message, got one that begins a "
                + "new one"
        )
    }

    private func choicesRefused(_ reason: String) -> RemoteRefusal {
        RemoteRefusal(
            code: "remote_choices",
            message: "\(server.options.url): choices: \(reason). Submit with --option "
                + "answer=generate, or serve the model by vLLM, SGLang or llama-server."
        )
    }
}
