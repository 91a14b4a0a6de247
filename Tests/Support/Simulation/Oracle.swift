package import HandshakeAnalysis
import HandshakeScenario
import PacketWire

/// Compares a record with what is known to have happened. What "observable" means, and what is compared, is written in
/// docs/correctness.md.
public struct Oracle {
    public let world: World
    public let kind: CaptureKind
    /// What the capture has: the world's sightings, or some of them.
    public let sightings: [Sighting]

    public init(_ world: World, _ sightings: [Sighting]? = nil, kind: CaptureKind = .whole) {
        self.world = world
        self.kind = kind
        self.sightings = sightings ?? kind.sightings(of: world)
    }

    // MARK: Contradictions

    /// What the analyzer says that did not happen, or does not say although it was to be seen; empty if all is well.
    public func contradictions() -> [String] { judged().contradictions }

    /// The same, and the count of the findings that were said, wrong, and missed.
    public func judged() -> (contradictions: [String], findings: FindingTally) {
        var configuration = HandshakeTracker.Configuration()
        configuration.maximumAttempts = 64
        configuration.hashSeed = world.seed
        var attempts = scenario().analysed(configuration).attempts
        let shared = Set(attempts.map(\.uid)).count < attempts.count ? ["two attempts share a uid"] : []
        // Those that the forger made of nothing.
        if kind == .forged { attempts.removeAll { $0.has(.oneWayTunnel) } }
        let (tally, wrong) = judge(attempts)
        if kind == .translated { attempts.removeAll { $0.copyOf != nil } }
        // Of a capture that leaves segments out by rule the outcomes are what is left open; the findings are judged.
        return (shared + (kind.comparesOutcomes ? contradictions(of: attempts) + wrong : wrong), tally)
    }

    /// The same of given records.
    package func contradictions(of attempts: [AttemptRecord]) -> [String] {
        var found: [String] = []
        for isn in world.attempts {
            // A SYN after the end that may be a copy is an attempt of its own, which says so.
            let records = attempts.filter { record in
                record.clientISN == isn && record.startsAtSYN
                    && !record.findings.contains { $0.code == .tupleReused && !$0.alternatives.isEmpty }
            }
            let syns = captured(isn) { $0.meaning == .syn && $0.fromClient }
            // Of a simultaneous open either end is the client, if the capture missed the other's SYN or has it later.
            let isMirrored =
                (world.serverKind == .simultaneous || world.trait == .reverseSYN)
                && attempts.contains { $0.client == Oracle.server }
            // A SYN captured only after its attempt was closed is late; the attempt then begins at the SYN-ACK.
            let isLate = (syns.first?.time ?? 0) > closing(isn)
            // Of translated SYNs one may be captured on one side only, and another on the other.
            let most = (1 + world.reboots.count) * (kind == .translated && !world.reboots.isEmpty ? 2 : 1)
            // Late copies say so: of a client that rebooted, or that a RST had ended, they are another attempt.
            let isAnew = attempts.contains { $0.clientISN == isn && $0.startsAtSYN && $0.has(.tupleReused) }
            if !isMirrored, !isLate, !(records.isEmpty && isAnew),
                syns.isEmpty != records.isEmpty || records.count > most
            {
                found.append("x \(isn): \(syns.count) SYNs were captured, \(records.count) attempts are reported")
            }
            if let reboot = world.reboots.first {
                // What is known of both lives is another attempt; the rest is about two at once.
                let count = attempts.count { $0.clientISN == isn && $0.startsAtSYN }
                if count < 2, livesAreSeen(isn, reboot) {
                    found.append("x \(isn): the client rebooted, and one attempt is reported")
                }
            } else if let record = records.first {
                found += contradictions(record, isn, among: attempts).map { "x \(isn): \($0)" }
            }
        }
        if let isn = world.attempts.first, world.attempts.count == 1, world.reboots.isEmpty,
            world.serverKind != .simultaneous, let record = attempts.first(where: { $0.clientISN == isn }),
            record.outcome == .established,
            record.completedBy == .inferred,
            captured(isn, { $0.meaning == .synAck && $0.seq == record.serverISN }).contains(where: {
                $0.time < closing(isn)
            }),
            captured(isn, { $0.meaning == .finalAck && $0.copy == 0 }).contains(where: {
                $0.packet.ack == (record.serverISN ?? 0) &+ 1 && $0.time < closing(isn)
                    && $0.time > opening(isn)
            })
        {
            found.append("x \(isn): the final ACK was captured while the attempt was open, and is said not to be")
        }
        for record in attempts where record.server == Oracle.elsewhere && record.outcome != .partial {
            found.append("x \(record.clientISN): what nobody called is reported as \(record.outcome.rawValue)")
        }
        for record in attempts
        where !world.attempts.contains(record.clientISN) && world.serverKind != .simultaneous && !isReverse(record) {
            found.append("x \(record.clientISN) was never sent, and is reported as \(record.outcome.rawValue)")
        }
        return found
    }

    /// Whether the capture has a whole handshake before a reboot, and the SYN after it.
    private func livesAreSeen(_ isn: UInt32, _ reboot: Int64) -> Bool {
        let before = captured(isn) { $0.sentAt < reboot }
        let answer = before.first { $0.packet.meaning == .synAck }?.time
        let completing = before.first { $0.packet.meaning == .finalAck || $0.packet.meaning == .fromEstablishedClient }
        guard kind == .whole, world.serverKind != .simultaneous, let answer, let completing, completing.time > answer,
            completing.time < reboot
        else { return false }
        return captured(isn) { $0.meaning == .syn && $0.fromClient && $0.sentAt >= reboot }.isEmpty == false
            && before.first?.packet.meaning == .syn
            && (before.last?.time ?? 0) + 4_000_000_000 < reboot
            && captured(isn) { $0.meaning == .syn && $0.fromClient && $0.sentAt < reboot }.allSatisfy {
                $0.time < completing.time
            }
    }

    /// Whether a record is of a SYN in the server's direction, before which no handshake of its connection was
    /// captured, or its end.
    private func isReverse(_ record: AttemptRecord) -> Bool {
        guard let syn = world.packets.first(where: { $0.meaning == .reverseSYN && $0.seq == record.clientISN }),
            let seen = sightings.first(where: { $0.packet == syn.index })
        else { return false }
        let before = sightings.filter {
            $0.time < seen.time && world.packets[$0.packet].attempt == syn.attempt
                && ($0.carriage == .translated) == (seen.carriage == .translated)
        }.map { world.packets[$0.packet].letters }
        // Nor is an attempt known that the tuple's other SYNs, or a RST, took the place of.
        return !before.contains("S") || before.contains { $0.contains("F") || $0.contains("R") }
            || sightings.contains { world.packets[$0.packet].meaning == .reverseSYN && $0.time < seen.time }
    }

    /// Captured packets of an attempt on its own tuple, each once, at its first sighting.
    func captured(_ isn: UInt32, _ matches: (Sent) -> Bool) -> [(time: Int64, packet: Sent, mss: UInt16?)] {
        var seen: Set<Int> = []
        return sightings.compactMap {
            let packet = world.packets[$0.packet]
            guard packet.attempt == isn, !packet.isElsewhere, matches(packet), seen.insert($0.packet).inserted else {
                return nil
            }
            return ($0.time, packet, $0.mss)
        }
    }

    private func contradictions(
        _ record: AttemptRecord, _ isn: UInt32, among attempts: [AttemptRecord]
    ) -> [String] {
        let syns = captured(isn) { $0.meaning == .syn && $0.fromClient }
        let answers = captured(isn) { $0.meaning == .synAck && !$0.fromClient }
        let acks = captured(isn) { $0.meaning == .finalAck || $0.meaning == .fromEstablishedClient }
        guard let firstSYN = syns.first else { return [] }
        var found: [String] = []
        // What answers a SYN that was not captured, or not yet, may be taken for a wrong answer to another one.
        let isObserved =
            world.attempts.count == 1
            || world.attempts.allSatisfy { other in
                let syn = captured(other) { $0.meaning == .syn && $0.fromClient }.first?.time
                let answer = captured(other) { !$0.fromClient }.first?.time
                return syn.map { $0 <= answer ?? .max } ?? false
            }
        guard isObserved else { return [] }
        // Of several y, one may be missing in a range that was not captured.
        let ys = Set(world.packets.filter { $0.meaning == .synAck && !$0.fromClient && $0.attempt == isn }.map(\.seq))
        if kind == .burstLoss || !world.capturesAll, ys.count > 1 { return [] }
        let allowed = openOutcomes(isn)
        if !allowed.contains(record.outcome) {
            found.append(
                "outcome \(record.outcome.rawValue), and it was \(allowed.map(\.rawValue).sorted().joined(separator: " or "))"
            )
        }
        // A SYN, or a SYN-ACK, may be counted as half of the other side's open.
        let mayOpenFromServer = world.trait == .reverseSYN || world.serverKind == .simultaneous
        if !mayOpenFromServer || !attempts.contains(where: { $0.client == Oracle.server }) {
            found += counts(record, isn)
        }
        if let ok = record.ackAck.ok, !ok, record.outcome == .established {
            found.append("the final ACK is called wrong")
        }
        if record.synAckAck.ok == false { found.append("the SYN-ACK is called wrong") }

        // MSS, as the packets say it that passed.
        let offered = Set(syns.map(\.mss))
        // What is cut is unknown, and neither absent nor another.
        func isKnown(_ mss: UInt16?, as truth: UInt16?) -> Bool {
            mss == truth || kind.cutsOptions && mss == nil
        }
        if offered.count == 1, world.serverKind != .simultaneous, !isKnown(record.clientMSS, as: firstSYN.mss) {
            found.append("client MSS \(text(record.clientMSS)), and it was \(text(firstSYN.mss))")
        }
        let announced = Set(answers.map(\.mss))
        if announced.count == 1, answers[0].packet.seq == record.serverISN, answers[0].time < closing(isn),
            record.outcome == .established, world.serverKind != .simultaneous,
            !isKnown(record.serverMSS, as: answers[0].mss)
        {
            found.append("server MSS \(text(record.serverMSS)), and it was \(text(answers[0].mss))")
        }

        // Round trips.
        // After a refusal, the next SYN's answer is its own: unless the refusal was a middlebox's.
        let isRefusedByBox = !captured(isn) { $0.meaning == .forgedReset }.isEmpty
        if world.serverKind != .simultaneous, !isRefusedByBox,
            record.synToSynAck != nil || record.synAckToAck != nil
        {
            let ofY = answers.filter { $0.packet.seq == record.serverISN }
            if let first = ofY.first, first.packet.copy == 0,
                let trigger = syns.first(where: { $0.packet.index == first.packet.answers }),
                trigger.time <= first.time
            {
                // A stateless server answers each copy of a SYN that the network makes.
                let answers = ofY.map(\.packet).filter {
                    world.serverKind == .cookies || $0.answers == trigger.packet.index
                }
                found += compare(
                    "SYN to SYN-ACK", record.synToSynAck, answers.flatMap { spans(trigger.packet, $0) })
            }
            if let ack = acks.first, ack.packet.copy == 0, ack.packet.meaning == .finalAck,
                let trigger = ofY.first(where: { $0.packet.index == ack.packet.answers }), trigger.time <= ack.time
            {
                // Copies without an identification look like the one that was answered.
                let alike = ofY.map(\.packet).filter {
                    $0.index == trigger.packet.index
                        || $0.identification == 0 && $0.timestamps?.value == trigger.packet.timestamps?.value
                }
                found += compare("SYN-ACK to ACK", record.synAckToAck, alike.flatMap { spans($0, ack.packet) })
            }
        }
        for leg in [record.synToSynAck, record.synAckToAck, record.total] {
            if let leg, leg.low < 0 || leg.high < leg.low || (leg.nanoseconds ?? leg.low) < 0 {
                found.append("a round trip of \(leg)")
            }
        }
        found += losses(record)
        return found
    }

    private func text(_ value: (some BinaryInteger)?) -> String { value.map { "\($0)" } ?? "absent" }

    /// Times from one packet's passing to another's: by their first sightings, and at each of the two places that a
    /// capture with second sightings has (the second of a client's packet is nearer to the server, and the other way
    /// round).
    private func spans(_ trigger: Sent, _ answer: Sent) -> [Int64] {
        func time(_ packet: Sent, isSecond: Bool?) -> Int64? {
            sightings.first { $0.packet == packet.index && (isSecond == nil || $0.isCaptureDuplicate == isSecond) }?
                .time
        }
        func span(_ start: Int64?, _ end: Int64?) -> Int64? { start.flatMap { start in end.map { $0 - start } } }
        return [
            span(time(trigger, isSecond: nil), time(answer, isSecond: nil)),
            span(time(trigger, isSecond: !trigger.fromClient), time(answer, isSecond: !answer.fromClient)),
            span(time(trigger, isSecond: trigger.fromClient), time(answer, isSecond: answer.fromClient)),
        ].compactMap { $0 }
    }

    private func compare(_ name: String, _ leg: Interval?, _ truths: [Int64]) -> [String] {
        guard let leg else { return [] }
        let truth = truths.map { "\($0)" }.joined(separator: " or ")
        if let known = leg.nanoseconds {
            return truths.contains(known)
                ? [] : ["\(name) \(known) ns (\(leg.provenance.rawValue)), and it was \(truth) ns"]
        }
        return truths.contains { (leg.low...leg.high).contains($0) }
            ? [] : ["\(name) between \(leg.low) and \(leg.high) ns, and it was \(truth) ns"]
    }

    /// When an attempt was opened by the first frame that has its x.
    private func opening(_ isn: UInt32) -> Int64 {
        captured(isn) { $0.meaning == .syn || $0.meaning == .synAck }.map(\.time).min() ?? .max
    }

    /// When an attempt may have been closed: what comes later is counted in the summary only.
    func closing(_ isn: UInt32) -> Int64 {
        // A challenge to another SYN of the tuple acknowledges it too.
        let challenged = sightings.first {
            let packet = world.packets[$0.packet]
            return packet.meaning == .challenge && !packet.isElsewhere && (1...200).contains(packet.ack &- isn &- 1)
        }?.time
        let ended =
            captured(isn) {
                $0.meaning == .fromEstablishedServer || $0.meaning == .laterReset || $0.letters.contains("F")
                    || !$0.fromClient && $0.letters == "R"
            }.first?.time ?? .max
        // One that was completed, or that an end was said of, stays open for ten seconds.
        let settling =
            captured(isn) {
                switch $0.meaning {
                case .finalAck, .fromEstablishedClient, .refusal, .clientReset, .serverReset, .icmp, .forgedReset: true
                default: false
                }
            }.first?.time
        return min(ended, challenged ?? .max, settling.map { $0 + 10_000_000_000 } ?? .max)
    }

    private func counts(_ record: AttemptRecord, _ isn: UInt32) -> [String] {
        var found: [String] = []
        for (name, count, matches) in [
            ("SYNs", record.synCount, { (p: Sent) in p.meaning == .syn && p.fromClient }),
            ("SYN-ACKs", record.synAckCount, { (p: Sent) in p.meaning == .synAck && !p.fromClient }),
        ] {
            let sent = captured(isn, matches)
            let closed = closing(isn)
            let isTold = sent.allSatisfy { $0.packet.identification != 0 }
            let before = sent.count { $0.time < closed }
            // A simultaneous open may have completed with SYN-ACKs, and been closed since.
            let least = world.serverKind == .simultaneous ? 0 : isTold ? before : min(before, 1)
            // Copies that carry no identification, or that the network kept for long, cannot be told from
            // retransmissions; but what the link repeated can.
            let seen = sightings.filter {
                let packet = world.packets[$0.packet]
                return !packet.isElsewhere && packet.attempt == isn && matches(packet)
            }
            let most = kind == .linkRetries ? Set(seen.map(\.linkSequence)).count : seen.count
            if count < least || count > (isTold ? sent.count : most) {
                found.append("\(count) \(name), and \(sent.count) were captured (\(most) sightings)")
            }
        }
        return found
    }

    /// A loss that the record places after the capture point must not have arrived and been taken.
    private func losses(_ record: AttemptRecord) -> [String] {
        var found: [String] = []
        // A claim names what else would look the same: then it is no contradiction.
        for finding in record.findings
        where finding.location == .afterCapture
            && !finding.alternatives.contains(where: { name in
                ["crossed", "copy of the SYN"].contains { name.contains($0) }
            })
        {
            let frames = finding.frames.compactMap { index(ofFrame: $0).map { sightings[$0] } }
            guard let lost = frames.first else { continue }
            let packet = world.packets[lost.packet]
            let next = frames.dropFirst().first.map { world.packets[$0.packet].sentAt } ?? .max
            // Taken, before its sender sent again.
            if packet.wasAccepted, let arrival = packet.arrivedAt, arrival < next, finding.code != .synLost {
                found.append("\(finding.code.rawValue) after the capture point, and frame \(finding.frames[0]) arrived")
            }
            if finding.code == .synLost, packet.wasAccepted, world.serverKind != .cookies,
                world.serverKind != .rejecting, world.serverKind != .closed
            {
                found.append("syn-lost after the capture point, and frame \(finding.frames[0]) was taken")
            }
        }
        return found
    }
}

extension Oracle {
    /// The words of a contradiction without its numbers.
    public static func sort(of contradiction: String) -> String {
        contradiction.split(separator: " ").filter { $0.allSatisfy { $0.isLetter || $0 == "-" } }.joined(separator: " ")
    }

    /// The smallest capture found that still shows a contradiction: sightings are left out as long as one of its sort
    /// remains.
    public func shrunk() -> Oracle {
        var smallest = self
        guard let sort = contradictions().first.map(Oracle.sort(of:)) else { return self }
        var size = max(1, sightings.count / 2)
        while size >= 1 {
            var start = 0
            while start < smallest.sightings.count {
                var fewer = smallest.sightings
                fewer.removeSubrange(start..<min(start + size, fewer.count))
                let candidate = Oracle(world, fewer, kind: kind)
                if candidate.contradictions().contains(where: { Oracle.sort(of: $0) == sort }) {
                    smallest = candidate
                } else {
                    start += size
                }
            }
            size /= 2
        }
        return smallest
    }

    /// What to commit: the scenario, with what should have been said in comments and as an expectation.
    public func report() -> String {
        var text =
            "# Seed \(world.seed): \(world.serverKind) server, \(world.clientKind) client, captured \(kind.rawValue).\n"
        for contradiction in contradictions() { text += "# \(contradiction)\n" }
        var scenario = scenario()
        for (index, isn) in world.attempts.enumerated()
        where !captured(isn, { $0.meaning == .syn && $0.fromClient }).isEmpty {
            let allowed = openOutcomes(isn)
            if allowed.count == 1, let only = allowed.first {
                scenario.expectations.append(
                    Expectation(.attempt(flow: index, occurrence: 1), .field(path: "outcome", values: [only.rawValue])))
            }
        }
        return text + "\n" + scenario.text
    }
}
