public import HandshakeAnalysis
import HandshakeScenario

/// What the simulated truth makes of findings: whether each that was said was right to say, and whether each that was
/// observable was said.
public struct FindingTally: Sendable {
    public struct Row: Sendable {
        public var said = 0
        public var wrong = 0
        public var observable = 0
        public var missed = 0
    }
    public internal(set) var rows: [FindingCode: Row] = [:]

    public init() {}

    public mutating func add(_ other: FindingTally) {
        for (code, row) in other.rows {
            rows[code, default: Row()].said += row.said
            rows[code, default: Row()].wrong += row.wrong
            rows[code, default: Row()].observable += row.observable
            rows[code, default: Row()].missed += row.missed
        }
    }

    /// A line a code: said, right, wrong; of the observable those that were missed, and the recall.
    public var table: String {
        var text = "finding                        said      right  wrong  observable  missed   recall\n"
        for code in FindingCode.allCases {
            guard let row = rows[code] else { continue }
            let recall =
                row.observable == 0 ? "-" : "\(Double((row.observable - row.missed) * 1000 / row.observable) / 10) %"
            func cell(_ value: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - value.count)) + value
            }
            text += code.rawValue + String(repeating: " ", count: max(1, 26 - code.rawValue.count))
            text += cell("\(row.said)", 9) + cell("\(row.said - row.wrong)", 11) + cell("\(row.wrong)", 7)
            text += cell("\(row.observable)", 12) + cell("\(row.missed)", 8) + cell(recall, 9) + "\n"
        }
        return text
    }

    public var wrong: Int { rows.values.reduce(0) { $0 + $1.wrong } }
}

extension Oracle {
    /// Judges the findings of records of this world.
    /// - Returns: the counts, and what is wrong in words.
    package func judge(_ attempts: [AttemptRecord]) -> (tally: FindingTally, wrong: [String]) {
        var tally = FindingTally()
        var wrong: [String] = []
        for record in attempts {
            for finding in record.findings {
                tally.rows[finding.code, default: .init()].said += 1
                if let reason = fault(finding, record) {
                    tally.rows[finding.code, default: .init()].wrong += 1
                    wrong.append("x \(record.clientISN): \(finding.code.rawValue) \(finding.frames): \(reason)")
                }
            }
            for code in observable(record) {
                tally.rows[code, default: .init()].observable += 1
                if !record.has(code) { tally.rows[code, default: .init()].missed += 1 }
            }
        }
        return (tally, wrong)
    }

    /// The sightings of a finding's frames.
    private func seen(_ finding: Finding) -> [Sighting] {
        finding.frames.compactMap { index(ofFrame: $0).map { sightings[$0] } }
    }

    private func packets(_ finding: Finding) -> [Sent] { seen(finding).map { world.packets[$0.packet] } }

    /// Whether it names two capture points whose clocks are apart, or the clock itself jumped.
    private func namesPlaces(_ finding: Finding) -> Bool {
        kind == .steppedClock || kind == .setBack || finding.alternatives.contains { $0.contains("clocks are apart") }
    }

    private func areDistinct(_ packets: [Sent]) -> Bool { Set(packets.map(\.index)).count == packets.count }

    /// Whether the network, not the capture, shows a packet more than once.
    private func wasDoubledByNetwork(_ packets: [Sent]) -> Bool {
        packets.contains { packet in
            [true, false].contains { isAgain in
                sightings.count { $0.packet == packet.index && $0.isCaptureDuplicate == isAgain } > 1
            }
        }
    }

    /// Why it was wrong to say so; nil where it was right, or one of the alternatives that it names happened.
    private func fault(_ finding: Finding, _ record: AttemptRecord) -> String? {
        let (seen, packets) = (seen(finding), packets(finding))
        let all = world.packets
        func when(_ isRight: Bool, _ reason: String) -> String? { isRight ? nil : reason }
        // Findings about the numbers of forged segments are right: the forger chose those numbers.
        if kind == .forged, [.rstUnacceptable, .rstInexact, .ackWrongAck, .ackWrongSeq].contains(finding.code),
            seen.isEmpty
        {
            return nil
        }
        let isSimultaneous = world.serverKind == .simultaneous
        switch finding.code {
        case .captureDuplicate:
            return when(
                finding.frames.compactMap(index(ofFrame:)).allSatisfy { position in
                    let packet = all[sightings[position].packet]
                    return sightings.indices.contains { other in
                        other != position && sightings[other].packet == sightings[position].packet
                    }
                        || sightings.prefix(position).contains {
                            $0.packet == sightings[position].packet
                                || !finding.alternatives.isEmpty && all[$0.packet].seq == packet.seq
                                    && all[$0.packet].letters == packet.letters
                        }
                }, "a packet that was captured once")
        case .synRetransmitted:
            return when(
                packets.allSatisfy { $0.meaning == .syn || $0.meaning == .reverseSYN }
                    && (areDistinct(packets) || wasDoubledByNetwork(packets) || namesPlaces(finding)),
                "not all of them are SYNs of their own")
        case .synAfterRefusal:
            return when(
                packets.allSatisfy { syn in
                    all.contains {
                        ($0.meaning == .refusal || $0.meaning == .forgedReset) && $0.attempt == syn.attempt
                            && $0.sentAt < syn.sentAt
                    }
                } || namesPlaces(finding) || finding.alternatives.contains { $0.contains("crossed") },
                "no refusal was sent before")
        case .synLost: return faultOfLostSYN(finding, packets)
        // What a client sends in a tunnel that nobody vouches for, to an answer whose SYN was not captured, is named
        // instead.
        case .synackLost, .ackLost:
            if kind == .directReturn, record.has(.foreignTunnel) || !record.startsAtSYN { return nil }
            return finding.code == .synackLost
                ? faultOfLostSYNACK(finding, packets) : faultOfLostACK(finding, packets)
        case .synackRetransmitted:
            return when(
                packets.allSatisfy { $0.meaning == .synAck }
                    && (areDistinct(packets) || wasDoubledByNetwork(packets) || !finding.alternatives.isEmpty
                        || kind == .steppedClock),
                "not all of them are SYN-ACKs of their own")
        case .synackIsnChanged:
            return when(Set(packets.map(\.seq)).count > 1, "the SYN-ACKs have one y")
        case .tupleReused, .synIsnChanged:
            return when(
                world.attempts.count > 1 || isSimultaneous || finding.alternatives.contains { $0.contains("copy") },
                "there was one attempt on the tuple")
        case .synOnEstablished:
            return when(
                !world.established.isEmpty || isSimultaneous || world.serverKind == .abortsOnOverflow,
                "no connection was ever up")
        case .mssChanged: return when(Set(seen.map(\.mss)).count > 1 && areDistinct(packets), "the copies have one MSS")
        case .mssClamped:
            return when(Set(seen.map(\.mss)).count > 1 && !areDistinct(packets), "both sightings have one MSS")
        case .mssAbsent:
            if kind.cutsOptions, packets.contains(where: { $0.timestamps != nil }) {
                return "its options are cut"
            }
            return when(seen.allSatisfy { $0.mss == nil }, "it has an MSS")
        case .mssTiny: return when(seen.allSatisfy { ($0.mss ?? 536) < 536 }, "its MSS is large enough")
        case .synackWrongAck:
            return when(packets.allSatisfy { $0.ack != record.clientISN &+ 1 }, "it acknowledges x+1")
        case .ackWrongAck:
            return when(
                packets.allSatisfy { ack in
                    // A RST with SEQ = that ACK, the server's or in its name, says that the ACK is wrong.
                    ack.attempt != record.clientISN
                        || all.contains {
                            ($0.meaning == .forgedReset || $0.meaning == .strayReset) && !$0.fromClient
                                && $0.seq == ack.ack
                        }
                        || !finding.alternatives.isEmpty && answers(to: ack.attempt).contains { !isCaptured($0) }
                        || !all.contains { $0.meaning == .synAck && !$0.fromClient && $0.seq &+ 1 == ack.ack }
                }, "it acknowledges a y of this server")
        case .halfOpenDiscovered, .syncookieSuspect:
            return when(
                finding.code == .syncookieSuspect
                    ? world.serverKind == .cookies || isSimultaneous
                    : all.contains { $0.meaning == .challenge || $0.meaning == .fromEstablishedServer },
                "the server had neither")
        case .rstUnacceptable, .rstInexact, .rstBeforeSynack, .resetAfterEstablished:
            return when(all.contains { $0.letters.contains("R") }, "no RST was sent")
        case .oneSided:
            let isOutside = record.client == Oracle.translator
            return when(
                !sightings.contains {
                    let packet = all[$0.packet]
                    if kind == .translated, ($0.carriage == .translated) != isOutside { return false }
                    // Ten seconds after it completed the attempt was decided.
                    return !packet.fromClient && packet.attempt == record.clientISN && packet.meaning != .icmp
                        && !packet.isElsewhere
                        && $0.time < (seen.first?.time ?? 0) + 10_000_000_000
                        && $0.time > record.firstTime - Scenario.epoch
                } || isSimultaneous || world.attempts.count > 1 || !world.reboots.isEmpty || kind == .steppedClock
                    // A plain RST without ACK, or an old connection's answer, is not known to be for a tunnelled SYN.
                    || kind == .directReturn && (world.serverKind != .listening || world.trait == .forgesResets),
                "segments of the server are there")
        case .reorderedCapture: return nil
        case .icmpError: return when(world.serverKind == .rejecting, "no router rejects")
        case .isnZero:
            return when(
                record.clientISN == 0 || record.serverISN == 0 || packets.allSatisfy { $0.seq == 0 },
                "neither x nor y is 0")
        case .synackNoWindow:
            return when(packets.allSatisfy { $0.window == 0 }, "the SYN-ACK opens a window")
        case .synackUnsolicited:
            return when(
                !finding.alternatives.isEmpty
                    && (world.attempts.count > 1 || !world.reboots.isEmpty || kind == .steppedClock)
                    || !sightings.contains {
                        let packet = all[$0.packet]
                        return packet.attempt == record.clientISN
                            && (packet.meaning == .fromEstablishedServer && packet.length > 0
                                || packet.meaning == .finalAck)
                    }, "what was captured proves a client")
        case .checksumBad:
            return when(packets.allSatisfy { kind.hasBadChecksum($0) }, "the checksum is good")
        case .synackWrongDirection:
            return when(isSimultaneous || world.trait == .reverseSYN, "nobody opened from the other side")
        case .clockStepped:
            let kinds: [CaptureKind] = [
                .twoPlaces, .mirrored, .twoEnds, .steppedClock, .setBack, .overlay, .mirrorCopies,
            ]
            return when(kinds.contains(kind), "the clock ran evenly")
        case .foreignTunnel:
            return when(kind == .forged || kind == .directReturn, "nobody forged a segment, and all came plain too")
        case .oneWayTunnel:
            // One end of the tunnel only was heard: of the two the client's, where the server answers directly.
            let sides = record.sides
            return when(
                kind == .tunnelled && !(sides.client && sides.server)
                    || kind == .directReturn && (!sides.server || record.synAckCount == 0 || isSimultaneous)
                    || kind == .overlay && !(sides.client && sides.server), "both ends were heard")
        case .ackWrongSeq: return when(world.attempts.count > 1, "there was one connection on the tuple")
        case .rstFromMiddlebox:
            return when(
                packets.contains { $0.meaning == .forgedReset }
                    || world.trait == .proxied && finding.alternatives.contains { $0.contains("proxy") }
                    || world.attempts.count > 1 && !finding.alternatives.isEmpty, "no middlebox sent it")
        case .possibleForgery:
            return when(
                sightings.contains { all[$0.packet].meaning == .forgedReset } || world.trait == .proxied,
                "nobody sent in another's name")
        case .snaplenCut: return when(kind.keptOctets != nil, "the frames are whole")
        case .checksumOffload:
            return when(kind == .offloaded && packets.allSatisfy(\.fromClient), "the sender is not the capturing host")
        case .nat:
            let isForeignAnswer = packets.contains { $0.meaning == .synAck && $0.isElsewhere }
            return when(kind == .translated || isForeignAnswer, "nobody translates addresses")
        case .dataBeforeEstablished:
            return when(!finding.alternatives.isEmpty && !world.reboots.isEmpty, "nothing of the kind happens here")
        case .synOptionsChanged, .synackBadTsecr, .selfConnect,
            .fragmented, .fragmentsOverlap, .reservedFlags, .wscaleOver14,
            .optionMalformed, .optionRepeated, .optionNotOffered, .fastOpenDataIgnored, .mptcpStripped, .synOddFlags,
            .portZero, .synFlood, .portScan, .backscatter:
            return "nothing of the kind happens here"
        }
    }

    /// Answers to SYNs of an attempt: what the server sent, and whether the capture has it.
    private func answers(to isn: UInt32) -> [Sent] {
        world.packets.filter { !$0.fromClient && $0.attempt == isn && $0.meaning == .synAck }
    }

    private func isCaptured(_ packet: Sent) -> Bool { sightings.contains { $0.packet == packet.index } }

    private func faultOfLostSYN(_ finding: Finding, _ packets: [Sent]) -> String? {
        guard let isn = packets.first?.attempt else { return nil }
        let answers = world.packets.filter { !$0.fromClient && $0.attempt == isn }
        // Named beside it: an answer that was lost, or came later than the client's timer, or was not captured.
        let isAnswerMissing = answers.contains { !isCaptured($0) || $0.arrivedAt == nil }
        // A clock that jumps takes a packet that the network doubled for two.
        if kind == .steppedClock, wasDoubledByNetwork(packets) { return nil }
        let wasTaken = packets.allSatisfy(\.wasAccepted)
        // An answer from an address that the client did not call shows that a SYN was not lost. With a bad checksum
        // either proves nothing. One that stands before its SYN, or comes hours apart by a clock that was set, is not
        // looked for.
        let isClockSet = kind == .steppedClock || kind == .setBack
        func place(_ packet: Sent) -> Int { sightings.firstIndex { $0.packet == packet.index } ?? .max }
        let isAnsweredElsewhere = answers.contains { answer in
            answer.isElsewhere && answer.meaning == .synAck && isCaptured(answer) && !kind.hasBadChecksum(answer)
                && !isClockSet
                && packets.contains {
                    $0.index == answer.answers && !kind.hasBadChecksum($0) && place($0) < place(answer)
                }
        }
        if isAnsweredElsewhere { return "an answer to one of them came from elsewhere" }
        if finding.location == .afterCapture {
            return wasTaken && !isAnswerMissing ? "each was taken, and each answer passed" : nil
        }
        // A client that rebooted sends its SYN sooner than a timer would.
        let slow: Int64 = world.reboots.isEmpty ? 900_000_000 : 100_000_000
        let isSlow = answers.contains { answer in
            answer.arrivedAt.map { time in packets.contains { $0.sentAt < time && time - $0.sentAt > slow } }
                ?? false
        }
        return wasTaken && !isAnswerMissing && !isSlow ? "each was taken, and each answer passed" : nil
    }

    private func faultOfLostSYNACK(_ finding: Finding, _ packets: [Sent]) -> String? {
        // A clock that jumps puts sightings of one packet hours apart.
        if kind == .steppedClock { return nil }
        guard let isn = packets.first?.attempt, world.serverKind != .simultaneous,
            !finding.alternatives.contains(where: { $0.contains("crossed") })
        else { return nil }
        if finding.location == .beforeCapture {
            let isMissing = answers(to: isn).contains { !isCaptured($0) }
            let slow: Int64 = world.reboots.isEmpty ? 900_000_000 - kind.tick : 100_000_000
            let isSlow = answers(to: isn).contains { answer in
                guard let cause = answer.answers, let seen = sightings.first(where: { $0.packet == answer.index })
                else {
                    return false
                }
                return seen.time - world.packets[cause].sentAt > slow
            }
            return isMissing || isSlow ? nil : "each answer passed here in time"
        }
        // The network made two of it: what became of each is not known by the packet.
        if wasDoubledByNetwork(packets) { return nil }
        // A RST may as well answer a challenge to another SYN.
        let challenges = world.packets.filter { $0.meaning == .challenge && $0.ack == isn &+ 1 }
        if !challenges.isEmpty, world.attempts.count > 1 { return nil }
        // Lost, refused or crossed behind the capture point; or the client's ACK was, or was not captured.
        let first = packets.first?.index
        let passed = sightings.first { $0.packet == first }?.time ?? 0
        let wasAnswered = world.packets.contains {
            let packet = $0
            return packet.attempt == isn && packet.fromClient && packet.meaning != .syn && packet.answers == first
                && sightings.contains { $0.packet == packet.index && $0.time > passed }
        }
        return wasAnswered && packets.count == 1 ? "the client's answer to it passed here" : nil
    }

    private func faultOfLostACK(_ finding: Finding, _ packets: [Sent]) -> String? {
        if kind == .steppedClock { return nil }
        guard let ack = packets.first else { return nil }
        if finding.location == .beforeCapture {
            let acks = world.packets.filter { $0.attempt == ack.attempt && $0.meaning == .finalAck }
            let isMissing = acks.contains { !isCaptured($0) }
            let mayCross = finding.alternatives.contains { $0.contains("crossed") }
            return isMissing || acks.count > 1 || mayCross ? nil : "each ACK passed here"
        }
        let repeated =
            answers(to: ack.attempt).contains { $0.copy > 0 && isCaptured($0) }
            || finding.alternatives.contains { $0.contains("copy of the SYN") }
                && (world.serverKind == .cookies
                    || world.packets.count { $0.meaning == .syn && $0.attempt == ack.attempt } > 1)
        return repeated ? nil : "the server did not repeat its SYN-ACK"
    }

    /// What must be said of an attempt, since it was there to be seen.
    private func observable(_ record: AttemptRecord) -> [FindingCode] {
        guard record.startsAtSYN, record.server != Oracle.elsewhere, world.attempts.count == 1,
            world.serverKind != .simultaneous, world.attempts.contains(record.clientISN)
        else { return [] }
        // A device with a fixed ISN that reboots has several attempts of one x: whose its SYNs are is not told here.
        if kind == .translated || !world.reboots.isEmpty { return [] }
        var codes: [FindingCode] = []
        let syns = sightings.filter { world.packets[$0.packet].meaning == .syn && world.packets[$0.packet].fromClient }
        let first = syns.first?.time ?? 0
        let distinct = Set(syns.map(\.packet))
        let ended = sightings.first {
            let packet = world.packets[$0.packet]
            return packet.meaning != .syn && packet.meaning != .synAck && !packet.isElsewhere
        }
        let before = syns.filter { $0.time < ended?.time ?? .max }
        if Set(before.map(\.packet)).count > 1 { codes.append(.synRetransmitted) }
        if before.contains(where: { sighting in
            sighting.isCaptureDuplicate
                && before.contains { $0.packet == sighting.packet && !$0.isCaptureDuplicate }
        }) {
            codes.append(.captureDuplicate)
        }
        if syns.first?.mss == nil, kind.keptOctets == nil, distinct.count == 1, syns.count == 1 {
            codes.append(.mssAbsent)
        }
        if record.clientISN == 0 { codes.append(.isnZero) }
        // Where it was not translated back, an answer within a second of the first SYN names where it came from. One
        // with a bad sum says nothing.
        let foreign = sightings.first {
            world.packets[$0.packet].meaning == .synAck && world.packets[$0.packet].isElsewhere
        }
        if kind != .badServerSums, record.server == Oracle.server, let foreign, foreign.time > first,
            foreign.time < first + 1_000_000_000
        {
            codes.append(.nat)
        }
        // The ports that an ICMP error quotes end behind octet 66 of its frame.
        let errors = sightings.first { world.packets[$0.packet].meaning == .icmp }
        if let errors, errors.time >= first, kind.keptOctets ?? .max >= 66 { codes.append(.icmpError) }
        return codes
    }
}
