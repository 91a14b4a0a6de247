import HandshakeAnalysis

// The outcomes that a capture leaves open.
extension Oracle {
    /// The outcomes that what was captured leaves open. What stands in the capture before the SYN may be taken for its
    /// answer, or not.
    func openOutcomes(_ isn: UInt32) -> Set<Outcome> {
        let first = captured(isn) { $0.meaning == .syn && $0.fromClient }.first?.time ?? 0
        var open = outcomes(isn, from: 0).union(outcomes(isn, from: first))
        // A bare SYN of the server's host may be half of a split handshake, and what follows be about its y.
        if sightings.contains(where: { world.packets[$0.packet].meaning == .reverseSYN }) {
            open.formUnion([.halfOpen, .pending, .resetByClient, .resetByServer, .stale])
        }
        // A middlebox made the client give up: by which of the two resets, the order of the packets says.
        return captured(isn) { $0.meaning == .forgedReset }.isEmpty
            ? open : open.union([.refused, .resetByClient, .resetByServer])
    }

    /// The same, of what was captured from a time on, by why the packets were sent.
    private func outcomes(_ isn: UInt32, from start: Int64) -> Set<Outcome> {
        func first(_ matches: (Sent) -> Bool) -> Int64? { captured(isn, matches).first { $0.time >= start }?.time }
        func last(_ matches: (Sent) -> Bool) -> Int64? { captured(isn, matches).last { $0.time >= start }?.time }
        let silence: Set<Outcome> = [.unanswered, .pending, .superseded, .stale]
        let answer = first { $0.meaning == .synAck && !$0.fromClient }
        let isEstablished = world.established.contains(isn)
        let completing = last { $0.meaning == .finalAck || $0.meaning == .fromEstablishedClient }
        // A FIN acknowledges the server's, which may not have been captured: an ACK of what was not seen looks wrong.
        let plain = last {
            ($0.meaning == .finalAck || $0.meaning == .fromEstablishedClient) && !$0.letters.contains("F")
        }
        // It acknowledges the client's data, or has data.
        let serverProof = last {
            ($0.meaning == .fromEstablishedServer || $0.meaning == .challenge)
                && ((1...200).contains($0.ack &- isn &- 1) || $0.length > 0)
        }

        // Several attempts on a tuple: what ended one may belong to another. Only completion is compared.
        // The last segment of either side of a simultaneous open may be the one that is lost: V cannot tell.
        if world.serverKind == .simultaneous { return Set(Outcome.allCases).subtracting([.invalid]) }
        if world.attempts.count > 1 {
            if let answer, let plain, plain > answer { return [.established] }
            return isEstablished ? Set(Outcome.allCases) : Set(Outcome.allCases).subtracting([.established, .invalid])
        }
        if isEstablished {
            if let answer, let plain, plain >= answer {
                let reset = first { $0.meaning == .laterReset && $0.fromClient } ?? .max
                // A final ACK that comes behind the client's RST completes nothing.
                return reset < plain ? [.established, .resetByClient] : [.established]
            }
            if let answer, let serverProof, serverProof > answer {
                return first { $0.meaning == .laterReset && $0.fromClient } == nil
                    ? [.established] : [.established, .resetByClient]
            }
            // The copy that was accepted, or its answer, was not captured.
            if first({ $0.meaning == .refusal }) != nil { return Set(Outcome.allCases) }
            // Seen in part.
            if completing != nil || serverProof != nil {
                return Set(Outcome.allCases).subtracting([.refused])
            }
            if first({ $0.meaning == .laterReset && $0.fromClient }) != nil { return [.resetByClient] }
            return answer != nil
                ? [.halfOpen, .pending, .resetByServer] : silence.union([.resetByServer, .challenged])
        }
        if first({ $0.meaning == .clientReset }) != nil { return [.resetByClient, .stale] }
        if let reset = first({ $0.meaning == .serverReset }) {
            guard let answer else { return silence }
            return reset > answer ? [.resetByServer] : [.resetByServer, .halfOpen, .pending]
        }
        if first({ $0.meaning == .refusal }) != nil { return [.refused] }
        // The ports that it quotes are 62 octets into the frame.
        if first({ $0.meaning == .icmp }) != nil, !kind.cutsOptions { return [.unreachable] }
        if answer != nil { return [.halfOpen, .pending] }
        if first({ $0.meaning == .challenge }) != nil { return [.challenged] }
        return silence
    }
}
