import TensorKernels
import Testing

@testable import Inference

/// Does what a scheduler says on memory that holds the names of rows instead of their keys and values.
///
/// Every row of a step finds the rows before it in its blocks, or the test fails: sharing, copying, evicting
/// and putting back are then right whatever the numbers are.
final class SimulatedEngine {
    /// One request as the simulation drives it.
    struct Request {
        var sequences: [Int: [UInt64]]
        /// Tokens still to be written.
        var toWrite: Int
        /// Rows whose logits were handed out, by sequence.
        var given: [Int: [Int]] = [:]
    }

    private(set) var scheduler: SchedulerStateMachine
    private(set) var requests: [Int: Request] = [:]
    /// In the order they ended.
    private(set) var finished: [Int] = []
    private(set) var computedRows = 0
    /// Rows of each step.
    private(set) var stepRows: [Int] = []
    private(set) var encoded: [(request: Int, visual: Int)] = []
    private var memory: [[UInt64?]]
    private var lastRequest = 0

    init(_ limits: SchedulerStateMachine.Limits) {
        scheduler = SchedulerStateMachine(limits: limits)
        memory = Array(
            repeating: Array(repeating: nil, count: KeyValueLayout.blockPositions),
            count: limits.blocks
        )
    }

    /// Asks for one sequence of `keys` and `toWrite` tokens after it.
    @discardableResult
    func submit(
        _ keys: [UInt64],
        toWrite: Int = 0,
        priority: Int = 0,
        awaited: [AwaitedVisual] = []
    ) -> Int {
        submit(
            [SequenceDemand(keys: keys, wanted: [keys.count - 1])],
            toWrite: toWrite,
            priority: priority,
            awaited: awaited
        )
    }

    /// Asks for several sequences.
    @discardableResult
    func submit(
        _ demands: [SequenceDemand],
        toWrite: Int = 0,
        priority: Int = 0,
        awaited: [AwaitedVisual] = []
    ) -> Int {
        lastRequest += 1
        let ids = scheduler.submit(
            request: lastRequest,
            priority: priority,
            sequences: demands,
            awaited: awaited
        )
        requests[lastRequest] = Request(
            sequences: Dictionary(uniqueKeysWithValues: zip(ids, demands.map(\.keys))),
            toWrite: toWrite
        )
        return lastRequest
    }

    func cancel(_ request: Int) {
        scheduler.cancel(request: request)
        requests[request] = nil
    }

    /// One action; false when there is nothing to do.
    @discardableResult
    func advance() -> Bool {
        switch scheduler.next() {
        case .step(let step):
            perform(step)
        case .encode(let request, let visual):
            encoded.append((request, visual))
            scheduler.encoded(request: request, visual: visual)
        case .wait:
            return false
        }
        return true
    }

    /// Until nothing is left to do; fails when that takes longer than it can.
    func drain(limit: Int = 100_000) {
        for _ in 0..<limit where !advance() {
            #expect(scheduler.isIdle, "waits although something is left")
            return
        }
        Issue.record("not done after \(limit) actions")
    }

    /// A step while an image is encoded; false when no answer is being written.
    func advanceWhileEncoding() -> Bool {
        guard let step = scheduler.nextWhileEncoding() else { return false }
        perform(step)
        return true
    }

    /// When nothing runs, every block is free or remembered by the tree.
    func expectNoLeak() {
        #expect(scheduler.isIdle)
        #expect(
            scheduler.ledger.freeCount + scheduler.tree.nodeCount == scheduler.limits.blocks
        )
        #expect(scheduler.tree.idleCount == scheduler.tree.nodeCount)
    }

    private func perform(_ step: DecoderStep) {
        #expect(step.rowCount <= scheduler.limits.rows && step.rowCount > 0)
        #expect(Set(step.parts.map(\.sequence)).count == step.parts.count)
        for copy in step.copies { memory[Int(copy.target)] = memory[Int(copy.source)] }
        for part in step.parts {
            guard let keys = requests[part.request]?.sequences[part.sequence] else {
                Issue.record("a step for a request that is gone")
                continue
            }
            for row in part.rows { write(keys[row], row, part.table) }
        }
        for part in step.parts {
            guard let keys = requests[part.request]?.sequences[part.sequence] else { continue }
            for row in 0..<part.rows.upperBound where read(row, part.table) != keys[row] {
                Issue.record("sequence \(part.sequence) does not find its row \(row)")
                break
            }
        }
        computedRows += step.rowCount
        stepRows.append(step.rowCount)
        scheduler.completed(step)
        for part in step.parts { for row in part.wanted { give(row, part) } }
    }

    private func give(_ row: Int, _ part: DecoderStep.Part) {
        guard var request = requests[part.request] else { return }
        request.given[part.sequence, default: []].append(row)
        if request.toWrite > 0 {
            request.toWrite -= 1
            // Every sequence writes something of its own.
            let key = UInt64(1_000_000 + part.request * 10_000 + request.toWrite)
            request.sequences[part.sequence]?.append(key)
            scheduler.append(key: key, to: part.sequence)
            requests[part.request] = request
            return
        }
        requests[part.request] = request
        let stillRuns = (scheduler.running + scheduler.waiting).contains {
            $0.id == part.sequence && !$0.wanted.isEmpty
        }
        if !stillRuns { scheduler.end(sequence: part.sequence) }
        let isOver = !(scheduler.running + scheduler.waiting).contains {
            $0.request == part.request
        }
        if isOver { finished.append(part.request) }
    }

    private func write(_ key: UInt64, _ row: Int, _ table: [Int32]) {
        let size = KeyValueLayout.blockPositions
        memory[Int(table[row / size])][row % size] = key
    }

    private func read(_ row: Int, _ table: [Int32]) -> UInt64? {
        let size = KeyValueLayout.blockPositions
        return memory[Int(table[row / size])][row % size]
    }
}
