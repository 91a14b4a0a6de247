import PacketWire

/// The relation of an attempt to another by address translation (RFC 3022).
struct AttemptTranslation {
    enum Role {
        /// The client's own: the other is its copy behind the translator.
        case original
        /// The copy.
        case copy
        /// A SYN-ACK of an address that the client did not call; the other attempt called.
        case answer
    }

    /// Nil where only an answer is known.
    var role: Role?
    /// The frames that relate the two.
    var shown: Translation
    /// The first SYN-ACK that acknowledges this attempt's SYN on another tuple.
    var answer: Translation?
}

extension HandshakeTracker {
    /// Notes what a frame shows of a translation, with those of its attempts that are this tracker's. Leaves another
    /// shard the current one.
    @inline(never)
    mutating func relate(_ translation: Translation) {
        let (original, other) = (translation.original, translation.other)
        if let slot = undecidedAttempt(original, translation.isn) {
            switch translation.kind {
            case .copy:
                let answer = translations[slot]?.answer
                translations[slot] = AttemptTranslation(role: .original, shown: translation, answer: answer)
            case .answer:
                var known = translations[slot] ?? AttemptTranslation(role: nil, shown: translation)
                if known.answer == nil { known.answer = translation }
                translations[slot] = known
            }
        }
        if let slot = undecidedAttempt(other, translation.isn), translations[slot] == nil {
            translations[slot] = AttemptTranslation(
                role: translation.kind == .copy ? .copy : .answer, shown: translation)
        }
    }

    /// The attempt of this tracker on a tuple that has an x and is not decided.
    private mutating func undecidedAttempt(_ side: Translation.Side, _ x: UInt32) -> UInt32? {
        let key = ConnectionKey(side.source, side.destination)
        guard selectShard(of: key.tuple) else { return nil }
        var slot = find(key, key.tuple.hash(seed: seed))
        guard slot != 0, attempts.entries[slot].stage != .closed else { return nil }
        giveDetail(slot)
        while slot != 0 {
            if attempts[slot].clientISN == x, attempts[slot].client == side.source {
                return attempts[slot].isReported ? nil : slot
            }
            slot = attempts[slot].older
        }
        return nil
    }
}
