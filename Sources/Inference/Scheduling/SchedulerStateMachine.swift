import TensorKernels

/// Decides what an engine does next: which requests run, which rows go into a pass, which blocks they get.
///
/// A pure struct without clock, lock or thread: it is told what was asked and what was done, and answers
/// with an ``Action``. The engine's thread does what it says.
///
/// Sequences run in the order of priority, then arrival. A sequence is admitted when there are blocks for
/// all its rows, those the prefix tree already holds taken from there; if the first in line does not fit,
/// nobody overtakes it. An answer that grows may run out of blocks: then the last in order is put back and
/// computed again later, to the same bits. What one sequence is about to compute and the next needs too, the
/// next one waits for.
struct SchedulerStateMachine {
    /// What there is to share out.
    struct Limits: Equatable {
        /// Rows of one pass.
        var rows: Int
        /// Sequences that run at a time.
        var sequences: Int
        /// Blocks of keys and values.
        var blocks: Int
        /// Whether requests may use each other's rows.
        var sharesPrefixes: Bool
    }

    /// What to do next.
    enum Action: Equatable {
        /// Compute rows.
        case step(DecoderStep)
        /// Encode an image or clip of a request, or find it in the cache.
        case encode(request: Int, visual: Int)
        /// Nothing, until there is something new.
        case wait
    }

    private struct Request {
        var awaited: [AwaitedVisual]
        var sequences: Int
        let namespace: Int
    }

    let limits: Limits
    /// In order.
    private(set) var running: [ScheduledSequence] = []
    /// In order; without blocks.
    private(set) var waiting: [ScheduledSequence] = []
    private(set) var ledger: BlockLedger
    private(set) var tree = PrefixTree()

    private var requests: [Int: Request] = [:]
    private var lastID = 0
    /// Made by the next step, whatever becomes of the sequences they were made for: a later copy into the
    /// same block comes later in the list.
    private var copies: [DecoderStep.Copy] = []
    /// Sequences that write an answer, token by token.
    private var writing: Set<Int> = []

    /// A scheduler without requests.
    init(limits: Limits) {
        precondition(limits.rows > 0 && limits.sequences > 0, "something can run")
        self.limits = limits
        ledger = BlockLedger(count: limits.blocks)
    }

    /// Whether there is nothing to do until something new is asked.
    var isIdle: Bool { requests.isEmpty }

    /// Blocks a sequence of so many rows may need at once: its own, and one it copies from.
    static func blocksNeeded(rows: Int) -> Int { KeyValueLayout.blockCount(positions: rows) + 1 }

    // MARK: - What is told

    /// Takes a request in; its sequences begin with the same prompt.
    ///
    /// - Precondition: `request` is new, and each sequence alone fits in the blocks with all it may write.
    /// - Returns: the sequences' ids, in their order.
    mutating func submit(
        request: Int,
        priority: Int,
        sequences: [SequenceDemand],
        awaited: [AwaitedVisual]
    ) -> [Int] {
        precondition(requests[request] == nil && !sequences.isEmpty, "a new request with sequences")
        let namespace = limits.sharesPrefixes ? 0 : request
        requests[request] = Request(
            awaited: awaited,
            sequences: sequences.count,
            namespace: namespace
        )
        return sequences.map { demand in
            precondition(!demand.wanted.isEmpty, "logits are wanted of a sequence")
            precondition(
                Self.blocksNeeded(rows: demand.keys.count) <= limits.blocks,
                "a sequence fits in the blocks when it is alone"
            )
            lastID += 1
            waiting.insertInOrder(
                ScheduledSequence(
                    id: lastID,
                    request: request,
                    priority: priority,
                    namespace: namespace,
                    keys: demand.keys,
                    wanted: demand.wanted
                )
            )
            return lastID
        }
    }

    /// Drops a request, wherever it is.
    mutating func cancel(request: Int) {
        for sequence in running where sequence.request == request { end(sequence: sequence.id) }
        for sequence in waiting where sequence.request == request { end(sequence: sequence.id) }
    }

    /// The rows of a visual can now be computed.
    mutating func encoded(request: Int, visual: Int) {
        requests[request]?.awaited.removeAll { $0.visual == visual }
    }

    /// A step was made. Sequences that were dropped meanwhile are passed over.
    mutating func completed(_ step: DecoderStep) {
        for part in step.parts {
            guard let index = running.firstIndex(where: { $0.id == part.sequence }) else {
                continue
            }
            // One that was put back during the step starts again.
            guard running[index].filled == part.rows.lowerBound, running[index].table == part.table
            else { continue }
            running[index].filled = part.rows.upperBound
            running[index].wanted.removeAll { $0 < part.rows.upperBound }
            let sequence = running[index]
            tree.record(
                sequence.keys,
                filled: sequence.filled,
                table: sequence.table,
                path: &running[index].path,
                namespace: sequence.namespace,
                ledger: &ledger
            )
        }
    }

    /// A sequence goes on by one row, whose logits are wanted.
    mutating func append(key: UInt64, to sequence: Int) {
        guard let index = running.firstIndex(where: { $0.id == sequence }) else { return }
        running[index].wanted.append(running[index].keys.count)
        running[index].keys.append(key)
        writing.insert(sequence)
    }

    /// A sequence has given what was wanted of it.
    mutating func end(sequence id: Int) {
        let ended: ScheduledSequence
        if let index = running.firstIndex(where: { $0.id == id }) {
            ended = release(running.remove(at: index))
        } else if let index = waiting.firstIndex(where: { $0.id == id }) {
            ended = waiting.remove(at: index)
        } else {
            return
        }
        writing.remove(id)
        requests[ended.request]?.sequences -= 1
        guard let request = requests[ended.request], request.sequences == 0 else { return }
        requests[ended.request] = nil
        if !limits.sharesPrefixes { tree.purge(namespace: request.namespace, ledger: &ledger) }
    }

    // MARK: - What to do

    /// The next thing to do. A step it answers with is reported by ``completed(_:)``, or not at all when it
    /// was broken off.
    ///
    /// Images are encoded until a pass is full: a pass of few rows costs almost what a full one does.
    mutating func next() -> Action {
        admit()
        let ready = running.reduce(0) { $0 + availableEnd($1) - $1.filled }
        if ready < limits.rows, let (request, visual) = firstAwaited() {
            return .encode(request: request, visual: visual)
        }
        return makeStep(answersOnly: false).map { .step($0) } ?? .wait
    }

    /// A step for the answers that are being written, between two layers of an image that is being encoded.
    mutating func nextWhileEncoding() -> DecoderStep? { makeStep(answersOnly: true) }

    /// Where the rows end that can be computed now.
    private func availableEnd(_ sequence: ScheduledSequence) -> Int {
        for awaited in requests[sequence.request]?.awaited ?? []
        where awaited.rows.upperBound > sequence.filled {
            return max(awaited.rows.lowerBound, sequence.filled)
        }
        return sequence.keys.count
    }

    private func firstAwaited() -> (request: Int, visual: Int)? {
        for sequence in running {
            for awaited in requests[sequence.request]?.awaited ?? []
            where awaited.rows.upperBound > sequence.filled {
                return (sequence.request, awaited.visual)
            }
        }
        return nil
    }

    /// One row of every answer that is being written, then rows of prompts, in order.
    private mutating func makeStep(answersOnly: Bool) -> DecoderStep? {
        var left = limits.rows
        var parts: [DecoderStep.Part] = []
        for sequence in running where writing.contains(sequence.id) {
            guard left > 0 else { break }
            // Those before it may have put it back.
            guard let index = running.firstIndex(where: { $0.id == sequence.id }),
                running[index].keys.count - running[index].filled == 1,
                secureBlocks(&left, index)
            else { continue }
            parts.append(part(running[index], rows: 1))
        }
        if !answersOnly {
            for sequence in running where !parts.contains(where: { $0.sequence == sequence.id }) {
                let rows = min(availableEnd(sequence) - sequence.filled, left)
                guard rows > 0 else { continue }
                left -= rows
                parts.append(part(sequence, rows: rows))
            }
        }
        guard !parts.isEmpty else { return nil }
        defer { copies.removeAll(keepingCapacity: true) }
        return DecoderStep(copies: copies, parts: parts)
    }

    /// Gets a block for the next row of an answer, and takes the row from `left`. Puts back those last in
    /// order until there is one; false when that was the sequence itself.
    private mutating func secureBlocks(_ left: inout Int, _ index: Int) -> Bool {
        let id = running[index].id
        let needed = KeyValueLayout.blockCount(positions: running[index].keys.count)
        while running[index].table.count < needed {
            if let block = takeBlocks(1)?.first {
                running[index].table.append(block)
            } else {
                let last = running[running.count - 1]
                putBack(last)
                if last.id == id { return false }
            }
        }
        left -= 1
        return true
    }

    private func part(_ sequence: ScheduledSequence, rows: Int) -> DecoderStep.Part {
        let range = sequence.filled..<(sequence.filled + rows)
        return DecoderStep.Part(
            sequence: sequence.id,
            request: sequence.request,
            rows: range,
            wanted: sequence.wanted.filter(range.contains),
            table: sequence.table
        )
    }

    // MARK: - Admission

    /// Lets in whoever is next and fits.
    private mutating func admit() {
        var index = 0
        while index < waiting.count {
            let candidate = waiting[index]
            if isAboutToBeShared(candidate) {
                index += 1
                continue
            }
            if running.count < limits.sequences, let admitted = place(candidate) {
                waiting.remove(at: index)
                running.insertInOrder(admitted)
                continue
            }
            // Only a higher priority takes the place of what runs; it comes back behind the candidate.
            guard let last = running.last, last.priority < candidate.priority else {
                precondition(!running.isEmpty, "a sequence fits in the blocks when it is alone")
                return
            }
            putBack(last)
        }
    }

    /// Rows that are worth waiting for.
    private static let sharedRowsMinimum = 16

    /// Whether a sequence before this one is computing rows that both begin with.
    private func isAboutToBeShared(_ candidate: ScheduledSequence) -> Bool {
        let limit = candidate.shareableCount
        var known: Int?
        for leader in running
        where leader.namespace == candidate.namespace && leader.precedes(candidate)
            && leader.filled < min(leader.keys.count, limit)
        {
            let shared = commonPrefixCount(leader.keys[...], candidate.keys[..<limit])
            guard leader.filled < shared else { continue }
            let found =
                known
                ?? tree.matchCount(candidate.keys, limit: limit, namespace: candidate.namespace)
            known = found
            if shared - found >= Self.sharedRowsMinimum { return true }
        }
        return false
    }

    /// The sequence with blocks for all its rows, as many of them filled as the tree knows; nil when there
    /// are too few.
    private mutating func place(_ candidate: ScheduledSequence) -> ScheduledSequence? {
        var sequence = candidate
        let match = tree.match(
            sequence.keys,
            limit: sequence.shareableCount,
            namespace: sequence.namespace
        )
        let used = match.nodes + (match.partial.map { [$0] } ?? [])
        for node in used {
            tree.pin(node)
            ledger.retain(tree.block(of: node))
        }
        defer {
            if let partial = match.partial {
                tree.unpin(partial)
                ledger.release(tree.block(of: partial))
            }
        }
        let needed = KeyValueLayout.blockCount(positions: sequence.keys.count) - match.nodes.count
        guard let taken = takeBlocks(needed) else {
            for node in match.nodes {
                tree.unpin(node)
                ledger.release(tree.block(of: node))
            }
            return nil
        }
        if let partial = match.partial, let target = taken.first {
            copies.append(DecoderStep.Copy(source: tree.block(of: partial), target: target))
        }
        sequence.filled = match.rows
        sequence.path = match.nodes
        sequence.table = match.nodes.map(tree.block) + taken
        return sequence
    }

    /// Free blocks, of the tree's idle ones where there are none; nil, and nothing forgotten, when there
    /// are too few.
    private mutating func takeBlocks(_ count: Int) -> [Int32]? {
        guard ledger.freeCount + tree.idleCount >= count else { return nil }
        if ledger.freeCount < count {
            tree.evict(count - ledger.freeCount, ledger: &ledger)
        }
        return (0..<count).compactMap { _ in ledger.take() }
    }

    /// A running sequence gives its blocks back and waits again; the tree keeps its rows while it can.
    private mutating func putBack(_ sequence: ScheduledSequence) {
        running.removeAll { $0.id == sequence.id }
        waiting.insertInOrder(release(sequence))
    }

    private mutating func release(_ sequence: ScheduledSequence) -> ScheduledSequence {
        var released = sequence
        for node in sequence.path { tree.unpin(node) }
        for block in sequence.table { ledger.release(block) }
        released.path = []
        released.table = []
        released.filled = 0
        return released
    }
}

extension [ScheduledSequence] {
    /// Inserts a sequence before the first that it precedes.
    fileprivate mutating func insertInOrder(_ sequence: ScheduledSequence) {
        insert(sequence, at: firstIndex { sequence.precedes($0) } ?? endIndex)
    }
}
