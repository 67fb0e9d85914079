import Jobs
import Logging
import Training

/// Sends a training's reports to the database without ever letting the training wait for it, and
/// passes on what the database answers.
///
/// One call is under way at most; meanwhile only the newest plain report is kept. Reports with a
/// validation or a checkpoint are all sent, plain ones at most once in `interval`: a small model
/// makes thousands of steps a second.
actor TrainingReporter {
    private let interval: Duration
    private let send: @Sendable (TrainingProgressRow) async throws -> CheckpointReply
    private let onStop: @Sendable (StopReason) -> Void
    private let logger: Logger

    private var pending: [TrainingProgressRow] = []
    private var sentAt: ContinuousClock.Instant?
    private var isSending = false
    private var isClosed = false
    private var waiters: [CheckedContinuation<Void, Never>] = []

    /// - Parameters:
    ///   - send: `JobQueue.reportProgress` for the shard's lease.
    ///   - onStop: called when the database answers `cancel` or `lost`.
    init(
        interval: Duration,
        logger: Logger,
        send: @escaping @Sendable (TrainingProgressRow) async throws -> CheckpointReply,
        onStop: @escaping @Sendable (StopReason) -> Void
    ) {
        self.interval = interval
        self.logger = logger
        self.send = send
        self.onStop = onStop
    }

    /// Takes a report; returns without waiting for the database.
    func add(_ row: TrainingProgressRow) {
        guard !isClosed else { return }
        if let last = pending.last, Self.isPlain(last) { pending.removeLast() }
        pending.append(row)
        let isDue = sentAt.map { ContinuousClock.now - $0 >= interval } ?? true
        if isDue || !Self.isPlain(row) { start() }
    }

    /// Sends what is left and waits until the database has it.
    func settle() async {
        start()
        while isSending {
            await withCheckedContinuation { waiters.append($0) }
        }
    }

    /// Drops what is left and takes nothing more.
    func close() {
        isClosed = true
        pending = []
    }

    private static func isPlain(_ row: TrainingProgressRow) -> Bool {
        row.validation.isEmpty && !row.isCheckpoint
    }

    private func start() {
        guard !isSending, !isClosed, !pending.isEmpty else { return }
        isSending = true
        sentAt = ContinuousClock.now
        // Not a child of the training's task: the last report goes out although that is cancelled.
        Task { await sendAll() }
    }

    private func sendAll() async {
        while !pending.isEmpty, !isClosed {
            let row = pending.removeFirst()
            do {
                switch try await send(row) {
                case .ok: break
                case .cancel: onStop(.cancelled)
                case .lost:
                    onStop(.leaseLost)
                    close()
                }
            } catch {
                // Progress is for people: the training goes on without it.
                logger.warning("progress not recorded", ["error": LogValue(error)])
            }
        }
        isSending = false
        for waiter in waiters { waiter.resume() }
        waiters = []
    }
}

extension TrainingProgressRow {
    /// The row of a runner's report.
    init(_ report: TrainingProgress) {
        self.init(
            phase: report.phase.rawValue,
            step: report.step,
            steps: report.steps,
            loss: report.loss,
            learningRate: report.learningRate,
            examplesPerSecond: report.examplesPerSecond,
            secondsLeft: report.secondsLeft,
            validation: report.validation,
            isCheckpoint: report.isCheckpoint
        )
    }
}
