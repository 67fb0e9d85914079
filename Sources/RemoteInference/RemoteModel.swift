import Hashing
package import Inference
package import Logging

/// A model of the configuration that a server answers for: gives engines of it, and looks after it.
package actor RemoteModel {
    /// How long what the server said about itself is taken as true.
    private static let trust: Duration = .seconds(60)
    /// A server that nobody asked for so long is asked whether it is there.
    private static let probePeriod: Duration = .seconds(15)

    /// How it is asked.
    package nonisolated let options: RemoteEngineOptions
    private nonisolated let server: RemoteServer
    private let pictures = PictureCache()
    private let logger: Logger
    private var known: (model: ServedModel, engine: RemoteEngine, at: ContinuousClock.Instant)?

    /// Nothing is asked yet. Throws `RemoteFault` where curl is not installed.
    package init(options: RemoteEngineOptions, logger: Logger) throws(RemoteFault) {
        guard let client = CurlClient.installed() else {
            throw RemoteFault(.host, Self.missingProgram)
        }
        self.options = options
        self.logger = logger
        server = RemoteServer(options: options, client: client, logger: logger)
    }

    /// The sentence about what this machine lacks.
    package static let missingProgram = "curl is not installed. Install the package curl."

    /// Whether this machine can ask servers.
    package static var canAsk: Bool { CurlClient.installed() != nil }

    /// How the server did so far.
    package nonisolated var status: RemoteStatus { server.status }

    /// Whether work is taken for it: not while its server gives no answers.
    package nonisolated var takesWork: Bool { server.takesWork }

    /// The name that the server knows the model by; nil until it has said so, where nobody else did.
    package var servedModel: String? { known?.model.id ?? options.servedModel }

    /// An engine of the model as the server serves it now.
    ///
    /// Throws `RemoteFault` when the server cannot say, and `CancellationError`.
    package func engine() async throws -> any AnswerEngine {
        if let known, known.at.duration(to: .now) < Self.trust { return known.engine }
        let path = "/models"
        let (document, _) = try await server.ask(path)
        let model = try ServedModel(
            document,
            named: options.servedModel,
            engine: options.name,
            url: options.url.description + path
        )
        // What it cannot do is looked at again: it may have failed for another reason.
        if let known, known.model == model, !known.engine.isLimited {
            self.known = (model, known.engine, .now)
            return known.engine
        }
        let probe = ServerProbe(server: server, model: model.id)
        let continues = try await ability(options.prefill) { try await probe.continuesAnswers() }
        let shows = try await ability(options.pictures) { try await probe.showsPictures() }
        let engine = try RemoteEngine(
            model,
            on: server,
            pictures: pictures,
            continuesAnswers: continues,
            showsPictures: shows
        )
        known = (model, engine, .now)
        logger.info(
            "remote engine known",
            [
                "engine": LogValue(options.name), "engine.url": LogValue("\(options.url)"),
                "model.served": LogValue(model.id),
                "model.digest": LogValue(engine.modelDigest.hex),
                "engine.choices": LogValue(continues), "engine.pictures": LogValue(shows),
                "engine.reuse": LogValue(engine.answersAreShared),
            ]
        )
        return engine
    }

    private func ability(
        _ option: RemoteEngineOptions.Ability,
        _ probe: () async throws -> Bool
    ) async throws -> Bool {
        switch option {
        case .yes: true
        case .no: false
        case .auto: try await probe()
        }
    }

    /// Asks whether the server is there, when nobody else did lately, or when it was out and it is time to
    /// look again. Never throws: the answer is in ``status`` and ``takesWork``.
    package func probe() async {
        if server.takesWork {
            if let last = status.lastContact, last.duration(to: .now) < Self.probePeriod { return }
        } else if !server.isLookDue {
            return
        }
        _ = try? await server.ask("/models", retries: 0)
    }
}
