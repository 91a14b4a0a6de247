package import HandshakeRecord
import PacketWire

extension HandshakeTracker {
    /// Looks at the attempts that are open: at those without an end yet from the one that was not heard of for the
    /// longest on; and from the latest on at those that were refused or rejected, which stand among complete ones.
    /// - Parameters:
    ///   - now: nanoseconds since the epoch.
    ///   - limit: of each shard's attempts so many at most, eight times as many among complete ones.
    package mutating func waiting(now: Int64, limit: Int = 1024) -> WaitingAttempts {
        var waiting = WaitingAttempts()
        var servers: [Endpoint: WaitingAttempts.Server] = [:]
        for place in 0..<UInt8(shards.count) {
            var slot = shards[place].queues[.unfinished].head
            var left = limit
            while slot != 0, left > 0 {
                add(slot, now, &servers, &waiting)
                slot = attempts.entries[slot].queueNext
                left -= 1
            }
            if slot != 0 { waiting.isPartial = true }
            slot = shards[place].queues[.settling].tail
            left = limit * 8
            while slot != 0, left > 0 {
                if isRejected(slot) { add(slot, now, &servers, &waiting) }
                slot = attempts.entries[slot].queuePrevious
                left -= 1
            }
            if slot != 0 { waiting.isPartial = true }
        }
        waiting.servers = servers.values.sorted { a, b in
            a.attempts == b.attempts ? a.server < b.server : a.attempts > b.attempts
        }
        return waiting
    }

    /// Whether an open attempt was refused, reset by the server or ended by an ICMP error, as far as it came.
    private func isRejected(_ slot: UInt32) -> Bool {
        guard attempts.entries[slot].stage == .detailed, !attempts[slot].machine.state.isEstablished else {
            return false
        }
        let events = attempts[slot].events
        return attempts[slot].refusalCount > 0 || events.has(.serverReset) || events.has(.icmpHard)
            || events.has(.icmpAdmin)
    }

    private mutating func add(
        _ slot: UInt32, _ now: Int64, _ servers: inout [Endpoint: WaitingAttempts.Server],
        _ waiting: inout WaitingAttempts
    ) {
        let isDetailed = attempts.entries[slot].stage == .detailed
        let age = now &- (isDetailed ? attempts[slot].firstTime : attempts.entries[slot].firstTime)
        let server = isDetailed ? attempts[slot].server : attempts.ends(of: slot).server
        let isRejected = isRejected(slot)
        let isAnswered =
            isDetailed ? attempts[slot].synAckCount > 0 : attempts.entries[slot].stage == .synReceived
        guard isRejected || age >= WaitingAttempts.leastAge, isDetailed || attempts.entries[slot].stage != .closed
        else { return }
        var known = servers[server] ?? WaitingAttempts.Server(server: server)
        known.attempts += 1
        known.syns += isDetailed ? Int(attempts[slot].synCount) : 1
        if isDetailed, attempts[slot].refusalCount > 0 {
            known.refused += 1
        } else if isRejected {
            known.rejected += 1
        } else if isAnswered {
            known.answered += 1
        }
        known.oldest = max(known.oldest, age)
        servers[server] = known
        if let place = WaitingAttempts.ages.lastIndex(where: { age >= $0 * 1_000_000_000 }) {
            waiting.byAge[place] += 1
        }
    }
}
