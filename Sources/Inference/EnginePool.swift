package import Logging
package import TensorKernels
import Threading

/// The models a daemon may use, loaded on demand within one budget of memory.
///
/// A model that is asked for while it loads is loaded once. A model nobody holds is kept until its memory
/// is wanted for another; the least recently used goes first. When the memory is held by models in use, the
/// caller waits for one to be given back.
package actor EnginePool {
    /// One registered model.
    private struct Entry {
        let directory: String
        let precision: WeightPrecision?
        var state: State = .unloaded
        /// The last load that failed: its number and its error.
        var failure: (attempt: Int, error: InferenceError)?
    }

    /// What a registered model is; who may become what:
    /// unloaded → loading → loaded → unloaded; a failed load goes back to unloaded.
    private enum State {
        case unloaded
        case loading(attempt: Int)
        case loaded(LoadedEngine)
    }

    /// Bytes all engines together may take.
    package let memoryBudget: Int

    private let options: EngineOptions
    private let logger: Logger
    private var entries: [String: Entry] = [:]
    private var bytesHeld = 0
    private var lastAttempt = 0
    private var useClock = 0
    private var isClosed = false
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var lastWaiter = 0

    /// A pool without models.
    package init(memoryBudget: Int, options: EngineOptions, logger: Logger) {
        self.memoryBudget = memoryBudget
        self.options = options
        self.logger = logger
    }

    /// Makes the checkpoint in `directory` known as `name`, in its own precision or that of the pool's options.
    /// Loads nothing.
    package func register(name: String, directory: String, precision: WeightPrecision? = nil) {
        guard entries[name] == nil else { return }
        entries[name] = Entry(directory: directory, precision: precision)
    }

    /// Makes the checkpoint in `directory` known as `name` in place of what had the name. An engine of the
    /// old one is forgotten, also while it loads, and ends with its last holder.
    package func replace(name: String, directory: String, precision: WeightPrecision? = nil) {
        unload(name, force: true)
        entries[name] = Entry(directory: directory, precision: precision)
        wakeWaiters()
    }

    /// Names of the registered models, sorted.
    package var names: [String] { entries.keys.sorted() }

    /// Bytes of the engines loaded or loading.
    package var bytesInUse: Int { bytesHeld }

    /// The engine of a model, loaded when it is not. It stays loaded while the answer is held.
    ///
    /// - Throws: ``InferenceError``: the name is unknown, the model alone is over the budget, it cannot
    ///   be used, or the task was cancelled.
    package func engine(named name: String) async throws -> any AnswerEngine {
        var awaited: Int?
        while true {
            guard !isClosed else { throw InferenceError.shuttingDown }
            guard !Task.isCancelled else { throw InferenceError.cancelled }
            guard let entry = entries[name] else {
                throw InferenceError.unknownModel(name: name, known: names)
            }
            if let awaited, let failure = entry.failure, failure.attempt == awaited {
                throw failure.error
            }
            switch entry.state {
            case .loaded(let loaded):
                useClock += 1
                loaded.lastUse = useClock
                return lend(loaded)
            case .loading(let attempt):
                awaited = attempt
                await change()
            case .unloaded:
                awaited = begin(name, entry)
            }
        }
    }

    /// Drops every idle engine and refuses from now on; engines in use end with their last holder.
    package func shutDown() {
        isClosed = true
        for name in names { unload(name, force: true) }
        wakeWaiters()
    }

    // MARK: - Loading

    /// Starts a load nobody else has started; returns its number.
    private func begin(_ name: String, _ entry: Entry) -> Int {
        lastAttempt += 1
        let attempt = lastAttempt
        entries[name]?.state = .loading(attempt: attempt)
        var options = options
        options.precision = entry.precision ?? options.precision
        let directory = entry.directory
        Task { await load(name, directory: directory, options: options, attempt: attempt) }
        return attempt
    }

    private func load(
        _ name: String,
        directory: String,
        options: EngineOptions,
        attempt: Int
    ) async {
        var reserved = 0
        do {
            let logger = logger.with(["model": .string(name)])
            let blueprint = try await onThread("model-open") { () throws(InferenceError) in
                try EngineBlueprint(directory: directory, options: options)
            }
            try await reserve(blueprint.byteCount)
            reserved = blueprint.byteCount
            let engine = try await onThread("model-load") { () throws(InferenceError) in
                try Engine(blueprint: blueprint, logger: logger)
            }
            guard isCurrent(attempt, of: name) else {
                // Replaced while it loaded: whoever waits for the name loads the new one.
                bytesHeld -= reserved
                await stop(engine)
                wakeWaiters()
                return
            }
            useClock += 1
            entries[name]?.state = .loaded(LoadedEngine(engine: engine, lastUse: useClock))
            if isClosed { unload(name, force: true) }
        } catch {
            bytesHeld -= reserved
            guard isCurrent(attempt, of: name) else {
                wakeWaiters()
                return
            }
            let failure = error as? InferenceError ?? .modelUnusable("\(error)")
            logger.error(
                "model not loaded",
                [
                    "model": .string(name), "error.code": .string(failure.code),
                    "error": .string("\(failure)"),
                ]
            )
            entries[name]?.failure = (attempt, failure)
            entries[name]?.state = .unloaded
        }
        wakeWaiters()
    }

    /// Whether the entry still waits for this load.
    private func isCurrent(_ attempt: Int, of name: String) -> Bool {
        guard case .loading(let current)? = entries[name]?.state else { return false }
        return current == attempt
    }

    /// Takes `needed` bytes from the budget, unloading idle models and waiting for busy ones.
    private func reserve(_ needed: Int) async throws(InferenceError) {
        guard needed <= memoryBudget else {
            throw .modelTooLarge(needed: needed, available: memoryBudget)
        }
        while bytesHeld + needed > memoryBudget {
            guard !isClosed else { throw .shuttingDown }
            if let idle = leastRecentlyUsedIdle() {
                if let evicted = unload(idle, force: false) { await stop(evicted) }
            } else {
                await change()
            }
        }
        bytesHeld += needed
    }

    private func leastRecentlyUsedIdle() -> String? {
        let idle = entries.compactMap { name, entry -> (name: String, lastUse: Int)? in
            guard case .loaded(let loaded) = entry.state, loaded.loans == 0 else { return nil }
            return (name, loaded.lastUse)
        }
        return idle.min { $0.lastUse < $1.lastUse }?.name
    }

    /// Forgets a loaded engine; `force` also one in use, whose holders keep it until they are done.
    @discardableResult
    private func unload(_ name: String, force: Bool) -> Engine? {
        guard case .loaded(let loaded)? = entries[name]?.state else { return nil }
        guard force || loaded.loans == 0 else { return nil }
        entries[name]?.state = .unloaded
        bytesHeld -= loaded.engine.byteCount
        logger.info(
            "model unloaded",
            ["model": .string(name), "model.bytes": .int(Int64(loaded.engine.byteCount))]
        )
        return loaded.engine
    }

    /// Ends an engine's thread, so that its memory is free before the next model takes any.
    private func stop(_ engine: Engine) async {
        engine.shutDown()
        await withCheckedContinuation { continuation in
            _ = NamedThread(name: "model-unload") {
                engine.join()
                continuation.resume()
            }
        }
    }

    // MARK: - Lending

    private func lend(_ loaded: LoadedEngine) -> EngineLoan {
        loaded.loans += 1
        return EngineLoan(engine: loaded.engine) { [weak self] in
            guard let self else { return }
            Task { await self.giveBack(loaded) }
        }
    }

    private func giveBack(_ loaded: LoadedEngine) {
        loaded.loans -= 1
        if loaded.loans == 0 { wakeWaiters() }
    }

    // MARK: - Waiting

    /// Waits until something changed, or the task is cancelled.
    private func change() async {
        lastWaiter += 1
        let waiter = lastWaiter
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume()
                } else {
                    waiters[waiter] = continuation
                }
            }
        } onCancel: {
            Task { await self.wake(waiter) }
        }
    }

    private func wake(_ waiter: Int) {
        waiters.removeValue(forKey: waiter)?.resume()
    }

    private func wakeWaiters() {
        let woken = waiters
        waiters = [:]
        for continuation in woken.values { continuation.resume() }
    }
}

/// A loaded engine and who holds it. Touched by the pool's actor only.
// @unchecked Sendable because the closure of a loan carries it back to the actor and touches nothing.
private final class LoadedEngine: @unchecked Sendable {
    let engine: Engine
    var lastUse: Int
    var loans = 0

    init(engine: Engine, lastUse: Int) {
        self.engine = engine
        self.lastUse = lastUse
    }
}

/// Runs a blocking body on a thread of its own.
private func onThread<Value: Sendable>(
    _ name: String,
    _ body: @escaping @Sendable () throws(InferenceError) -> Value
) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        _ = NamedThread(name: name) { continuation.resume(with: Result { try body() }) }
    }
}
