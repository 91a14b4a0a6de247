// The server, of every kind, and what ICMP says in its place.
extension World {
    // MARK: The server

    mutating func atServer(_ packet: Sent) {
        let isSYN = packet.letters.contains("S")
        let isACK = packet.letters.contains(".")
        let isRST = packet.letters.contains("R")
        switch serverKind {
        case .blackhole: return
        case .closed where trait == .retriesRefused && now >= queueOpensAt:
            if serverState == .dead { serverState = .listen }
        case .closed:
            if isSYN {
                packets[packet.index].wasAccepted = true
                send(
                    .refusal, fromClient: false, "R.", seq: 0, ack: packet.seq &+ 1, attempt: packet.attempt,
                    answers: packet.index)
            }
            return
        case .rejecting:
            if isSYN {
                packets[packet.index].wasAccepted = true
                send(
                    .icmp, fromClient: false, "", seq: packet.seq, attempt: packet.attempt, answers: packet.index,
                    quotes: packet.index)
            }
            return
        case .cookies:
            if isSYN, !isACK, serverState != .established {
                // Stateless: each SYN is answered as if it were the first, with a y that follows from it.
                packets[packet.index].wasAccepted = true
                answer(packet, isn: packet.seq &* 2_654_435_761 &+ 99, copy: 0)
                return
            }
            if serverState != .established, isACK, !isRST {
                let isn = packet.attempt &* 2_654_435_761 &+ 99
                if packet.ack == isn &+ 1 {
                    (serverState, y, peerISN) = (.established, isn, packet.attempt)
                    (receivedByServer, sentByServer) = (peerISN &+ 1, 0)
                    packets[packet.index].wasAccepted = true
                    if packet.length > 0 { takeData(packet) }
                }
                return
            }
        default: break
        }
        switch serverState {
        case .listen:
            if isRST { return }
            if isACK {
                send(
                    .strayReset, fromClient: false, "R", seq: packet.ack, attempt: packet.attempt, answers: packet.index
                )
                return
            }
            if serverKind == .fullQueue, seed % 3 == 0, now < queueOpensAt { return }
            accept(packet)
        case .timeWait:
            guard let old = oldConnection else { return }
            if isRST {
                // RFC 1337: it may end TIME-WAIT.
                if packet.seq == old.clientNext { (oldConnection, serverState) = (nil, .listen) }
                return
            }
            guard isSYN else { return }
            // RFC 6191 section 2
            let isLater = packet.seq &- old.clientNext &- 1 < 1 << 31
            let isLegal: Bool
            switch (packet.timestamps?.value, lastTSval) {
            case (let new?, let last?): isLegal = new &- last &- 1 < 1 << 31 || new == last && isLater
            case (_?, nil): isLegal = true
            case (nil, _): isLegal = isLater
            }
            if isLegal {
                oldConnection = nil
                accept(packet)
            } else {
                challenge(packet)
            }
        case .synSent:  // simultaneous open
            if isRST {
                if isACK, packet.ack == y &+ 1 { serverState = .dead }
                return
            }
            guard isSYN else { return }
            peerISN = packet.seq
            tsRecentOfServer = packet.timestamps?.value ?? 0
            if isACK {
                guard packet.ack == y &+ 1 else { return }
                serverState = .established
                receivedByServer = packet.seq &+ 1
                send(
                    .fromEstablishedServer, fromClient: false, ".", seq: y &+ 1, ack: packet.seq &+ 1,
                    attempt: packet.attempt,
                    answers: packet.index, echo: tsRecentOfServer)
            } else {
                serverState = .synReceived
                packets[packet.index].wasAccepted = true
                answer(packet, isn: y, copy: 0)
            }
        case .synReceived:
            if isRST {
                // RFC 5961 3.2
                if packet.seq == peerISN &+ 1 { serverState = serverKind == .simultaneous ? .dead : .listen }
                return
            }
            if isSYN, !isACK {
                if packet.seq == peerISN {
                    answerCopies += 1
                    answer(packet, isn: y, copy: answerCopies)
                } else {
                    challenge(packet)
                }
                return
            }
            guard packet.ack == y &+ 1 else {
                send(
                    .strayReset, fromClient: false, "R", seq: packet.ack, attempt: packet.attempt, answers: packet.index
                )
                return
            }
            if serverKind == .fullQueue, now < queueOpensAt { return }
            if serverKind == .abortsOnOverflow {
                serverState = .listen
                send(.laterReset, fromClient: false, "R", seq: y &+ 1, attempt: peerISN, answers: packet.index)
                return
            }
            serverState = .established
            packets[packet.index].wasAccepted = true
            (receivedByServer, sentByServer) = (peerISN &+ 1, 0)
            if trait == .greets { greet(packet) }
            if trait == .reverseSYN { schedule(.reverseSYN, at: now + draw.nanoseconds(10...3000)) }
            if packet.length > 0 { takeData(packet) }
        case .established:
            if isRST {
                if let old = oldConnection {
                    if packet.seq == old.clientNext {
                        oldConnection = nil
                        serverState = .listen
                    }
                } else if packet.seq == receivedByServer {
                    serverState = .listen
                }
                return
            }
            if isSYN { return challenge(packet) }
            if packet.letters.contains("F") {
                receivedByServer = packet.seq &+ 1
                let hasClosed = serverKind == .closesFirst
                if hasClosed {
                    serverState = .timeWait
                    oldConnection = (packet.seq &+ 1, y &+ 2 &+ sentByServer)
                    lastTSval = packet.timestamps?.value
                }
                send(
                    .fromEstablishedServer, fromClient: false, ".", seq: y &+ (hasClosed ? 2 : 1) &+ sentByServer,
                    ack: packet.seq &+ 1,
                    attempt: packet.attempt, answers: packet.index, echo: packet.timestamps?.value ?? 0)
                return
            }
            if packet.length > 0, oldConnection == nil { takeData(packet) }
        case .closed, .dead: return
        }
    }

    /// A SYN makes a connection.
    private mutating func accept(_ packet: Sent) {
        packets[packet.index].wasAccepted = true
        serverState = .synReceived
        peerISN = packet.seq
        if attempts.first != packet.attempt || packets.contains(where: { $0.meaning == .synAck && !$0.fromClient }) {
            y = draw.number()
        }
        tsRecentOfServer = packet.timestamps?.value ?? 0
        answerCopies = 0
        answer(packet, isn: y, copy: 0)
        schedule(.answerTimer(peerISN, 1), at: now + 1_000_000_000)
        if serverKind == .givesUp { schedule(.serverGivesUp(peerISN), at: now + draw.nanoseconds(1...3000)) }
    }

    private mutating func answer(_ packet: Sent, isn: UInt32, copy: Int) {
        // A stateful server echoes the first SYN that it accepted on every copy, a stateless one each copy's own.
        let echo = serverKind == .cookies ? packet.timestamps?.value ?? 0 : tsRecentOfServer
        send(
            .synAck, fromClient: false, "S.", seq: isn, ack: packet.seq &+ 1, attempt: packet.attempt,
            answers: packet.index, copy: copy, echo: echo)
    }

    private mutating func greet(_ packet: Sent) {
        sentByServer = 50
        send(
            .fromEstablishedServer, fromClient: false, "P.", seq: y &+ 1, ack: receivedByServer, length: sentByServer,
            attempt: packet.attempt, answers: packet.index, copy: 1, echo: packet.timestamps?.value ?? 0)
    }

    mutating func sendReverseSYN() {
        guard serverState == .established, oldConnection == nil else { return }
        send(.reverseSYN, fromClient: false, "S", seq: draw.number(), attempt: peerISN)
    }

    private mutating func takeData(_ packet: Sent) {
        receivedByServer = packet.seq &+ packet.length
        send(
            .fromEstablishedServer, fromClient: false, ".", seq: y &+ 1 &+ sentByServer,
            ack: packet.seq &+ packet.length,
            attempt: packet.attempt, answers: packet.index, echo: packet.timestamps?.value ?? 0)
        if serverKind == .closesFirst {
            send(
                .fromEstablishedServer, fromClient: false, "F.", seq: y &+ 1 &+ sentByServer,
                ack: packet.seq &+ packet.length,
                attempt: packet.attempt, answers: packet.index, copy: 1, echo: packet.timestamps?.value ?? 0)
        }
    }

    /// RFC 5961 section 4, at most every 500 ms.
    private mutating func challenge(_ packet: Sent) {
        guard now - lastChallenge >= 500_000_000 else { return }
        lastChallenge = now
        let (seq, ack) =
            oldConnection.map { ($0.serverNext, $0.clientNext) }
            ?? (serverState == .established ? (y &+ 1 &+ sentByServer, receivedByServer) : (y &+ 1, peerISN &+ 1))
        send(
            .challenge, fromClient: false, ".", seq: seq, ack: ack, attempt: packet.attempt, answers: packet.index,
            echo: tsRecentOfServer)
    }

    mutating func retransmitAnswer(_ isn: UInt32, _ copy: Int) {
        if serverState == .synSent {
            send(.syn, fromClient: false, "S", seq: y, attempt: isn, copy: copy)
        } else {
            guard serverState == .synReceived, isn == peerISN else { return }
            answerCopies += 1
            send(
                .synAck, fromClient: false, "S.", seq: y, ack: peerISN &+ 1, attempt: peerISN, copy: answerCopies,
                echo: tsRecentOfServer)
        }
        if copy < 5 { schedule(.answerTimer(isn, copy + 1), at: now + Int64(1 << copy) * 1_000_000_000) }
    }

    mutating func giveUp(_ isn: UInt32) {
        guard serverState == .synReceived, isn == peerISN else { return }
        serverState = .dead
        send(.serverReset, fromClient: false, "R", seq: y &+ 1, attempt: isn)
    }

    // MARK: For ICMP

    /// Type and code of the errors that this world's router sends.
    public var icmp: (type: UInt8, code: UInt8) { (3, icmpCode) }
}
