import HandshakeRecord
import PacketWire

/// Does a piece of work for each number below a count, in any order or at the same time, and returns when all is done.
package typealias Apportionment = (_ count: Int, _ work: (Int) -> Void) -> Void

/// Attempts of a shard that wait for an answer or for the final ACK when the capture ends.
struct Silences {
    /// SYNs without answer of which there is nothing more to say.
    var unanswered = 0
    var pending = 0
    /// The others.
    var others: [UInt32] = []
}

// Attempts that are open at the end, where they are only counted. After a flood nearly all are SYNs without an answer,
// and millions. Their counts are kept in their shard, so that two threads can work on different shards.
extension HandshakeTracker {
    /// Open attempts from which on it is worth while to wake another thread.
    private static let many = 1 << 16

    /// Counts what is open as the end of the capture leaves it.
    mutating func countOpen(_ apportion: Apportionment?) {
        if let apportion, shards.count > 1, openAttempts >= HandshakeTracker.many {
            apportion(2) { countSilences(ofPartsFrom: $0, by: 2) }
        } else {
            countSilences(ofPartsFrom: 0, by: 1)
        }
        for place in 0..<UInt8(shards.count) {
            select(place)
            let silences = shards.current.silences
            shards.current.silences = Silences()
            counts.countSilences(unanswered: silences.unanswered, pending: silences.pending, .captureEnd)
            for slot in silences.others { report(slot, .captureEnd) }
            var slot = queues[.settling].head
            while slot != 0 {
                let next = attempts.entries[slot].queueNext
                attempts.entries.prefetch(next)
                report(slot, .captureEnd)
                slot = next
            }
        }
    }

    /// One of each shard in turn: they lie beside each other in memory, while the next of a shard has to be waited for.
    private func countSilences(ofPartsFrom first: Int, by step: Int) {
        var slots = InlineArray<16, UInt32>(repeating: 0)
        for place in stride(from: first, to: shards.count, by: step) {
            slots[place] = shards[UInt8(place)].queues[.unfinished].head
        }
        let now = clock.now ?? time
        var isAnyLeft = true
        while isAnyLeft {
            isAnyLeft = false
            var place = first
            while place < shards.count {
                let slot = slots[place]
                if slot != 0 {
                    slots[place] = attempts.entries[slot].queueNext
                    attempts.entries.prefetch(slots[place])
                    count(slot, inShard: UInt8(truncatingIfNeeded: place), now)
                    isAnyLeft = true
                }
                place &+= step
            }
        }
    }

    @inline(__always)
    private func count(_ slot: UInt32, inShard place: UInt8, _ now: Int64) {
        guard isSilence(slot, inShard: place) else { return shards[place].silences.others.append(slot) }
        if now &- attempts.entries[slot].firstTime >= Judge.patience {
            shards[place].silences.unanswered &+= 1
        } else {
            shards[place].silences.pending &+= 1
        }
        countPattern(slot, inShard: place)
    }

    /// Counts what a SYN without answer may be part of: a flood, a scan.
    @inline(__always)
    private func countPattern(_ slot: UInt32, inShard place: UInt8) {
        let time = attempts.entries[slot].firstTime
        if attempts.entries[slot].isV6 {
            let (client, server) = attempts.ends(of: slot)
            shards[place].patterns.unanswered(client, server, at: time)
        } else {
            let (addresses, port) = attempts.target(of: slot)
            shards[place].patterns.unanswered(v4: addresses, port, at: time)
        }
    }

    /// Counts a SYN of the current shard that time has ended, where there is nothing to say but that it had no answer;
    /// false if there may be more.
    mutating func countSilence(_ slot: UInt32, _ cause: Ending) -> Bool {
        guard isSilence(slot, inShard: shards.place) else { return false }
        let age = (clock.now ?? time) &- attempts.entries[slot].firstTime
        let isOldEnough = cause == .timeout || age >= Judge.patience
        counts.countSilences(unanswered: isOldEnough ? 1 : 0, pending: isOldEnough ? 0 : 1, cause)
        countPattern(slot, inShard: shards.place)
        return true
    }

    /// Whether an attempt is one usual SYN that had no answer.
    @inline(__always)
    private func isSilence(_ slot: UInt32, inShard place: UInt8) -> Bool {
        let (ports, profile) = (attempts.entries[slot].ports, attempts.entries[slot].profile)
        guard attempts.entries[slot].stage == .synSent, attempts.entries[slot].clientISN != 0, ports >> 16 != 0,
            ports & 0xffff != 0
        else { return false }
        return shards[place].profiles[profile].isPlainOpening
    }
}
