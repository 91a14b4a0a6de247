import CLinux
import Glibc
import Synchronization

/// Slots that go round between threads, in order, from stage to stage: the first fills them, each thread of the next
/// takes every one of them once it is filled, and so on; when the last stage has passed a slot it is the first one's
/// again.
///
/// Whoever finds none waits until there are several, so that threads of about one speed do not wait for each other at
/// every slot.
///
/// The first stage may have no thread of its own (`nextOrUnfilled`): those of the second that have not much to go
/// through fill slots too, one thread at a time. So all of them are busy, whatever a slot takes to fill and each of
/// them to go through it.
package final class StageRing<Slot: Sendable>: Sendable {
    private let slots: [Slot]
    private let turns: Turns

    /// Nil where the system has no descriptor left.
    /// - Parameter stages: how many threads each has. Where the first has none, the second's are given slots to fill
    ///   once `begin` is called.
    package init?(_ slots: [Slot], stages: [Int]) {
        precondition(stages.count > 1 && slots.count >= stages.count && stages.dropFirst().allSatisfy { $0 > 0 })
        guard let turns = Turns(slots.count, stages: stages) else { return nil }
        self.slots = slots
        self.turns = turns
    }

    /// The number of the last stage.
    package var last: Int { turns.stageCount - 1 }

    /// The next slot of a thread, waited for; nil once there are no more.
    /// - Parameters:
    ///   - isInterrupted: whether the user has had enough.
    ///   - giveUp: called if nothing comes for a second then, and again soon: whoever fills the slots would have ended.
    package func next(
        _ stage: Int, _ member: Int = 0, isInterrupted: (() -> Bool)? = nil, orElse giveUp: () -> Void = {}
    ) -> Slot? {
        turns.next(stage, member, isInterrupted, giveUp).map { slots[$0] }
    }

    /// A slot for a thread of the second stage where that fills them too.
    package enum Turn {
        /// Its next one.
        case filled(Slot)
        /// One that it is to fill, and to pass as the first stage's.
        case unfilled(Slot)
    }

    /// The next piece for a thread of the second stage, waited for; nil once there is no more. It is given slots to
    /// fill as long as it has not many to go through, and nobody else fills one.
    package func nextOrUnfilled(_ member: Int) -> Turn? {
        switch turns.nextOrUnfilled(member) {
        case nil: nil
        case .filled(let slot): .filled(slots[slot])
        case .unfilled(let slot): .unfilled(slots[slot])
        }
    }

    /// Lets slots be filled, where the first stage has no thread.
    package func begin() { turns.begin() }

    /// Passes on the slot that `next` gave.
    /// - Parameter isLast: of the first stage: there will be no more.
    package func pass(_ stage: Int, _ member: Int = 0, isLast: Bool = false) { turns.pass(stage, member, isLast) }

    /// Does not wait for the first stage any longer: ends where those between it and this one have nothing to do. Else
    /// whoever waits for more slots than there are is to take those.
    package func abandonFirst(before stage: Int) { turns.abandonFirst(before: stage) }

    /// The first stage has passed its last slot.
    package func end() { turns.end() }

    /// Nobody is given a slot any more.
    package func stop() { turns.stop() }

    /// Whether `stop` was called.
    package var isStopped: Bool { turns.isStopped }
}

/// Whose turn it is with which slot of a ring. By itself, so that it is the same code for all slots: what is generic is
/// not made special across modules.
private final class Turns: Sendable {
    private struct Member {
        /// How many slots it has passed.
        var passed = 0
        var isWaiting = false
    }

    private struct State {
        var stages: [[Member]]
        /// How many slots there will have been.
        var end: Int?
        var isStopped = false
        /// Whether the second stage fills the slots, and whether one of it does now, or none may yet.
        let fillsItself: Bool
        var isFilling = true

        init(_ stages: [Int]) {
            // Where it has no thread, the first stage is whoever fills slots for it.
            self.stages = stages.map { [Member](repeating: Member(), count: max($0, 1)) }
            fillsItself = stages[0] == 0
        }

        /// How many slots could be filled.
        func room(_ size: Int) -> Int { limit(0, size) - stages[0][0].passed }

        /// Whether there is no slot any more for who has passed so many.
        func isOver(_ passed: Int) -> Bool { isStopped || end.map { passed >= $0 } ?? false }

        /// Who of those that have nothing to do is to be woken, to fill slots: one, if there is anybody.
        mutating func idlers(_ size: Int, least: Int) -> [(stage: Int, member: Int)] {
            guard fillsItself, !isFilling, end == nil, room(size) >= least,
                let idler = stages[1].firstIndex(where: { $0.isWaiting })
            else { return [] }
            stages[1][idler].isWaiting = false
            return [(1, idler)]
        }

        /// How many slots a member may have passed before it has to wait.
        func limit(_ stage: Int, _ size: Int) -> Int {
            let before = stages[stage == 0 ? stages.count - 1 : stage - 1]
            let least = before.reduce(Int.max) { min($0, $1.passed) }
            return stage == 0 ? least + size : least
        }

        /// - Returns: who is to be woken: everyone.
        mutating func end(at count: Int) -> [(stage: Int, member: Int)] {
            if end == nil { end = count }
            return stages.indices.flatMap { stage in
                stages[stage].indices.map { member in
                    stages[stage][member].isWaiting = false
                    return (stage, member)
                }
            }
        }
    }

    private let count: Int
    private let state: Mutex<State>
    private let wakes: [[Int32]]
    /// Slots that someone who waits is woken for. All stages cannot be waiting for so many at once.
    private let enough: Int

    init?(_ count: Int, stages: [Int]) {
        self.count = count
        enough = count / stages.count
        state = Mutex(State(stages))
        wakes = stages.map { (0..<max($0, 1)).map { _ in clinux_wake_descriptor() } }
        if wakes.joined().contains(where: { $0 < 0 }) { return nil }
    }

    deinit { for descriptor in wakes.joined() where descriptor >= 0 { close(descriptor) } }

    var stageCount: Int { wakes.count }
    var isStopped: Bool { state.withLock { $0.isStopped } }

    private enum Turn {
        case slot(Int), over, wait
    }

    /// The number of a thread's next slot; nil once there are no more.
    func next(_ stage: Int, _ member: Int, _ isInterrupted: (() -> Bool)?, _ giveUp: () -> Void) -> Int? {
        var patience: Int32 = 1000
        while true {
            let turn = state.withLock { state -> Turn in
                // A signal may have ended the wait.
                state.stages[stage][member].isWaiting = false
                let passed = state.stages[stage][member].passed
                if state.isOver(passed) { return .over }
                if passed < state.limit(stage, count) { return .slot(passed % count) }
                state.stages[stage][member].isWaiting = true
                return .wait
            }
            switch turn {
            case .slot(let slot): return slot
            case .over: return nil
            case .wait: break
            }
            guard let isInterrupted else {
                waitForWake(wakes[stage][member])
                continue
            }
            // A signal may come just before the wait: it is never a long one.
            let isImpatient = isInterrupted()
            if !waitForWake(wakes[stage][member], milliseconds: patience), isImpatient {
                giveUp()
                patience = 50
            }
        }
    }

    enum Chance {
        case filled(Int), unfilled(Int)
    }

    func nextOrUnfilled(_ member: Int) -> Chance? {
        while true {
            let (chance, isOver, idlers) = state.withLock {
                state -> (Chance?, Bool, [(stage: Int, member: Int)]) in
                state.stages[1][member].isWaiting = false
                let (filled, passed) = (state.stages[0][0].passed, state.stages[1][member].passed)
                if state.isOver(passed) { return (nil, true, []) }
                if !state.isFilling, state.end == nil, filled - passed < count / 2, state.room(count) > 0 {
                    state.isFilling = true
                    return (.unfilled(filled % count), false, [])
                }
                // With much to go through it leaves the filling to who has nothing.
                if passed < filled { return (.filled(passed % count), false, state.idlers(count, least: enough / 2)) }
                state.stages[1][member].isWaiting = true
                return (nil, false, [])
            }
            wake(idlers)
            if isOver { return nil }
            if let chance { return chance }
            waitForWake(wakes[1][member])
        }
    }

    func begin() {
        wake(
            state.withLock { state in
                state.isFilling = false
                return state.idlers(count, least: 1)
            })
    }

    func abandonFirst(before stage: Int) {
        let woken = state.withLock { state -> [(stage: Int, member: Int)] in
            let filled = state.stages[0][0].passed
            var idle = true
            var woken: [(stage: Int, member: Int)] = []
            for other in 1..<stage {
                let limit = state.limit(other, count)
                for member in state.stages[other].indices {
                    let passed = state.stages[other][member].passed
                    if passed < filled { idle = false }
                    guard state.stages[other][member].isWaiting, passed < limit else { continue }
                    state.stages[other][member].isWaiting = false
                    woken.append((other, member))
                }
            }
            return idle ? state.end(at: filled) : woken
        }
        wake(woken)
    }

    func pass(_ stage: Int, _ member: Int, _ isLast: Bool) {
        precondition(stage == 0 || !isLast)
        let next = (stage + 1) % wakes.count
        wake(
            state.withLock { state in
                state.stages[stage][member].passed += 1
                if stage == 0 { state.isFilling = false }
                // In one step: nobody begins to fill another in between.
                if isLast { return state.end(at: state.stages[0][0].passed) }
                let limit = state.limit(next, count)
                var woken: [(stage: Int, member: Int)] = []
                for other in state.stages[next].indices where state.stages[next][other].isWaiting {
                    guard limit - state.stages[next][other].passed >= enough || limit >= state.end ?? .max else {
                        continue
                    }
                    state.stages[next][other].isWaiting = false
                    woken.append((next, other))
                }
                return next == 0 ? woken + state.idlers(count, least: enough / 2) : woken
            })
    }

    private func wake(_ woken: [(stage: Int, member: Int)]) {
        for (stage, member) in woken { clinux_wake(wakes[stage][member]) }
    }

    func end() {
        wake(state.withLock { $0.end(at: $0.stages[0][0].passed) })
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        end()
    }
}
