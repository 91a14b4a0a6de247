// The client: when it sends what, and what it makes of what comes.
extension World {
    mutating func connect() {
        clientState = .synSent
        (dataSent, dataAcknowledged) = (false, false)
        synCopies = 0
        sendSYN(copy: 0)
        if serverKind == .simultaneous, attempts.count == 1 {
            // The other end opens as well.
            serverState = .synSent
            send(.syn, fromClient: false, "S", seq: y, attempt: x)
            schedule(.answerTimer(x, 1), at: now + 1_000_000_000)
        }
    }

    mutating func sendSYN(copy: Int) {
        if !attempts.contains(x) { attempts.append(x) }
        send(.syn, fromClient: true, "S", seq: x, attempt: x, copy: copy)
        if copy < synGaps.count { schedule(.sendSYN(x, copy + 1), at: now + synGaps[copy]) }
    }

    mutating func retransmitSYN(_ isn: UInt32, _ copy: Int) {
        guard isn == x else { return }
        if clientState == .synReceived { return }
        guard clientState == .synSent else { return }
        sendSYN(copy: copy)
    }

    /// A refused client tries again with the same x, twice.
    mutating func retryRefused(_ isn: UInt32) {
        guard isn == x, clientState == .closed else { return }
        clientState = .synSent
        synCopies += 1
        send(.syn, fromClient: true, "S", seq: x, attempt: x, copy: synCopies)
    }

    /// The client knows of nothing, and does again what it did before.
    mutating func reboot() {
        guard clientState == .established, reboots.count < 2 else { return }
        reboots.append(now)
        acceptedISN = 0
        connect()
    }

    mutating func sendStaleSYN(_ old: UInt32) {
        attempts.append(old)
        send(.syn, fromClient: true, "S", seq: old, attempt: old)
    }

    mutating func startOver() {
        guard clientState == .synSent || clientState == .closed else { return }
        // RFC 9293 3.4.1 lets ISNs run on; some stacks draw them.
        x &+= draw.chance(0.7) ? UInt32(draw.int(1_000_000...100_000_000)) : draw.number() | 1 << 20
        connect()
    }

    mutating func atClient(_ packet: Sent) {
        let isSYN = packet.letters.contains("S")
        let isACK = packet.letters.contains(".")
        let isRST = packet.letters.contains("R")
        if packet.meaning == .icmp {
            // Linux gives up in SYN-SENT; others go on: half and half, by the seed.
            if clientState == .synSent, seed % 2 == 0, packet.attempt == x { clientState = .closed }
            return
        }
        // RFC 9293 3.10.7.1: of a connection to that address the client knows nothing.
        if packet.isElsewhere {
            if isACK, !isRST { reject(packet) }
            return
        }
        switch clientState {
        case .synSent:
            // RFC 9293 3.10.7.3
            if isACK, packet.ack != x &+ 1 {
                if !isRST { reject(packet) }
                return
            }
            if isRST {
                if isACK { clientState = .closed }
                if isACK, trait == .retriesRefused, synCopies < 2 { schedule(.retryRefused(x), at: now + 500_000_000) }
                return
            }
            guard isSYN else { return }
            tsRecentOfClient = packet.timestamps?.value ?? 0
            if isACK {
                packets[packet.index].wasAccepted = true
                if clientKind == .scanner {
                    clientState = .closed
                    send(.clientReset, fromClient: true, "R", seq: x &+ 1, attempt: x, answers: packet.index)
                    return
                }
                clientState = .established
                established.insert(x)
                acceptedISN = packet.seq
                receivedByClient = 0
                acknowledge(packet)
                if trait == .reboots { schedule(.reboot, at: now + draw.nanoseconds(4000...9000)) }
                if clientKind == .sendsData { sendData(copy: 0) }
            } else {
                clientState = .synReceived
                acceptedISN = packet.seq
                send(
                    .synAck, fromClient: true, "S.", seq: x, ack: packet.seq &+ 1, attempt: x, answers: packet.index,
                    echo: tsRecentOfClient)
            }
        case .synReceived:
            if isACK, packet.ack == x &+ 1 {
                clientState = .established
                established.insert(x)
                if isSYN { acknowledge(packet) }
            } else if isSYN {
                send(
                    .synAck, fromClient: true, "S.", seq: x, ack: packet.seq &+ 1, attempt: x, answers: packet.index,
                    copy: 1, echo: tsRecentOfClient)
            }
        case .established:
            if isRST {
                if packet.seq == acceptedISN &+ 1 &+ receivedByClient { clientState = .closed }
                return
            }
            if packet.letters.contains("F") {
                send(
                    .fromEstablishedClient, fromClient: true, "F.", seq: x &+ 101,
                    ack: acceptedISN &+ 2 &+ receivedByClient, attempt: x,
                    answers: packet.index, copy: 1, echo: packet.timestamps?.value ?? 0)
                clientState = .closed
                if attempts.count < 3 { schedule(.secondAttempt, at: now + draw.nanoseconds(200...20_000)) }
                return
            }
            // RFC 9293 3.10.7.4: what is not acceptable is answered with an ACK of what is.
            if isSYN {
                acknowledge(packet)
                return
            }
            if packet.length > 0, packet.seq == acceptedISN &+ 1 {
                receivedByClient = packet.length
                send(
                    .fromEstablishedClient, fromClient: true, ".", seq: x &+ 1 &+ (dataSent ? 100 : 0),
                    ack: acceptedISN &+ 1 &+ receivedByClient, attempt: x, answers: packet.index, copy: 1,
                    echo: packet.timestamps?.value ?? 0)
            }
            if packet.meaning == .fromEstablishedServer, packet.ack == x &+ 101, !dataAcknowledged {
                dataAcknowledged = true
                if trait == .halfCloses { close(packet) }
            }
        case .closed, .listen, .timeWait, .dead:
            if isRST { return }
            // RFC 9293 3.10.7.1
            if isACK { reject(packet) }
        }
    }

    /// FIN; and sooner or later, the tuple is used again.
    private mutating func close(_ packet: Sent) {
        send(
            .fromEstablishedClient, fromClient: true, "F.", seq: x &+ 101, ack: acceptedISN &+ 1 &+ receivedByClient,
            attempt: x, answers: packet.index, copy: 1, echo: packet.timestamps?.value ?? 0)
        clientState = .closed
        if attempts.count < 3 { schedule(.secondAttempt, at: now + draw.nanoseconds(200...20_000)) }
    }

    /// RST, SEQ = SEG.ACK.
    private mutating func reject(_ packet: Sent) {
        let rejectsAnswer = !packet.isElsewhere && packet.meaning == .synAck && packet.ack == packet.attempt &+ 1
        send(
            rejectsAnswer ? (established.contains(packet.attempt) ? .laterReset : .clientReset) : .strayReset,
            fromClient: true, "R", seq: packet.ack, attempt: packet.attempt, answers: packet.index)
    }

    private mutating func acknowledge(_ packet: Sent) {
        send(
            .finalAck, fromClient: true, ".", seq: x &+ 1 &+ (dataSent ? 100 : 0),
            ack: acceptedISN &+ 1 &+ receivedByClient,
            attempt: x, answers: packet.index,
            copy: packets.count { $0.meaning == .finalAck && $0.attempt == x }, echo: tsRecentOfClient)
    }

    private mutating func sendData(copy: Int) {
        send(
            .fromEstablishedClient, fromClient: true, "P.", seq: x &+ 1, ack: acceptedISN &+ 1 &+ receivedByClient,
            length: 100, attempt: x, copy: copy,
            echo: tsRecentOfClient)
        dataSent = true
        if copy < 4 { schedule(.dataTimer(x, copy + 1), at: now + Int64(1 << copy) * 1_000_000_000) }
    }

    mutating func retransmitData(_ isn: UInt32, _ copy: Int) {
        guard isn == x, clientState == .established, !dataAcknowledged else { return }
        sendData(copy: copy)
    }
}
