public import HandshakeRecord

extension SituationCode {
    /// Other causes that would look the same from this capture.
    public var alternatives: [String] { words.alternatives }

    /// The observation that would show that the situation is another one.
    public var refutedBy: String { words.refutedBy }

    /// The text of `synscope explain`.
    public var explanation: Explanation { words.explanation }

    /// A situation in words.
    private struct Words {
        var explanation: Explanation
        var alternatives: [String]
        var refutedBy: String

        init(
            _ title: String, meaning: String, recognition: String, reference: String, causes: String, next: String,
            alternatives: [String], refutedBy: String
        ) {
            explanation = Explanation(
                title: title, meaning: meaning, recognition: recognition, reference: reference, causes: causes,
                next: next)
            self.alternatives = alternatives
            self.refutedBy = refutedBy
        }
    }

    private var words: Words {
        switch self {
        case .scan:
            Words(
                "A client tries many servers or ports and uses next to none",
                meaning: "Its failures say nothing about the servers: they count in no other situation.",
                recognition:
                    "At least 20 servers and ports without a connection, at most a tenth as many with one, and "
                    + "most of them asked by nobody else.",
                reference: "RFC 9293 3.10.7.1 (a closed port refuses)",
                causes: "A port scanner, an inventory tool, a worm, a peer-to-peer client with an old list.",
                next: "Ask whose address it is. If it is not yours, block it.",
                alternatives: ["a client whose list of servers is out of date"],
                refutedBy: "connections of this client to most of these servers at another time")
        case .flood:
            Words(
                "Many handshakes are left open at one server",
                meaning: "The server's memory for half-open connections may run out; other clients may be turned away.",
                recognition:
                    "At least 100 SYNs of at least 20 clients left open, more than half of all, sent once each, "
                    + "most within a short time.",
                reference: "RFC 4987",
                causes: "A SYN flood, often with forged sources.",
                next: "On the server: nstat -az TcpExtSyncookiesSent TcpExtListenDrops; enable SYN cookies.",
                alternatives: ["a server that fell silent before its clients' second SYN was due"],
                refutedBy: "the same clients sending their SYNs again after a second")
        case .backscatter:
            Words(
                "A host answers packets that nobody here sent",
                meaning: "Somebody floods that host with forged sources; its answers come here.",
                recognition: "SYN-ACKs of one host to at least 20 addresses of which no segment is in the capture.",
                reference: "RFC 4987",
                causes: "A flood elsewhere with these addresses as forged sources.",
                next: "Nothing: it is harmless here.",
                alternatives: ["a capture that holds the servers' direction only"],
                refutedBy: "a SYN to that host from one of these addresses")
        case .answerFromElsewhere:
            Words(
                "Answers come from an address that the clients did not call",
                meaning: "The server got the SYN; its SYN-ACK lost the translation on the way back.",
                recognition: "A SYN-ACK to the client's port that acknowledges x+1, from another address.",
                reference: "RFC 3022; RFC 9293 3.10.7.3",
                causes:
                    "Destination translation whose return path passes by the translator, a server with two addresses.",
                next: "On the translator: conntrack -L -d the server's address; send the return path through it.",
                alternatives: ["a server that answers from another of its addresses"],
                refutedBy: "the translated answer, captured at the client")
        case .portReuseCollision:
            Words(
                "SYNs meet connections that the server still has",
                meaning: "The server answers with a challenge ACK, or not at all, and the client gets no connection.",
                recognition:
                    "The only answer is an ACK without SYN, or the tuple was in use shortly before (RFC 5961 4, "
                    + "RFC 6191).",
                reference: "RFC 5961 section 4; RFC 6191",
                causes:
                    "An address translator with few ports, a client with fixed ports, connections that one side lost.",
                next:
                    "On the translator: conntrack -S, more ports or addresses; on the server: ss -tan state time-wait.",
                alternatives: ["a middlebox that answers for a connection of its own"],
                refutedBy: "a RST of the client that clears the old connection, and a handshake behind it")
        case .sequenceRewritten:
            Words(
                "Numbers do not fit together",
                meaning: "SYN-ACKs or ACKs acknowledge numbers that nobody sent: the peer rejects them.",
                recognition: "ACK outside [x+1, x+1+L] or not y+1, on several attempts.",
                reference: "RFC 9293 3.10.7.3",
                causes:
                    "A firewall that randomises sequence numbers in one direction only, two devices that answer "
                    + "for one.",
                next: "Capture on both sides of the firewall and compare the ISNs.",
                alternatives: ["answers to older connections of the same ports", "segments that somebody forged"],
                refutedBy: "the same numbers on both sides of every device")
        case .resetByMiddlebox:
            Words(
                "RSTs do not come from the peer that they name",
                meaning: "Something on the way ends connections in the peer's name.",
                recognition: "Hop limit, IP identification or payload of the RSTs unlike the peer's other segments.",
                reference: "RFC 3360",
                causes: "A firewall or an intrusion prevention system that resets, a censor.",
                next: "Capture at the server: a RST that it did not send is proof.",
                alternatives: ["a load balancer that answers for its servers", "a path that changed"],
                refutedBy: "the same RST, captured where the server sends it")
        case .hostSilent:
            Words(
                "A host does not answer",
                meaning: "SYNs go there, and nothing comes back.",
                recognition: "No attempt at it was answered, of any client, on any port that was tried.",
                reference: "RFC 9293 3.10.7.3; RFC 6298 section 2",
                causes: "The host is down, its address is wrong, a filter drops, or the way to it is broken.",
                next: "Capture at the host: if its SYNs arrive there, look at its filter; else along the way.",
                alternatives: [
                    "a filter that drops all of these ports", "answers that take a way without a capture point",
                    "an address that no host has",
                ],
                refutedBy: "any answer of the host in this time, captured elsewhere")
        case .hostUnreachable:
            Words(
                "A router says that a host cannot be reached",
                meaning: "SYNs were answered by ICMP errors: network, host or protocol unreachable, or time exceeded.",
                recognition: "ICMP errors that quote the SYNs.",
                reference: "RFC 792; RFC 1812 5.2.7.1; RFC 4443 section 3",
                causes: "The host is down and its router's ARP failed, a route is missing, packets go in a circle.",
                next: "On the router that reports: ip route get, ip neigh show.",
                alternatives: ["an error that somebody forged"],
                refutedBy: "an answer of the host itself in this time")
        case .clientsBlocked:
            Words(
                "Some clients get no connection where others do",
                meaning: "The server is there; what differs is who asks.",
                recognition:
                    "Attempts of one network of clients, or of one client, fail alike at the same time as those "
                    + "of others succeed; Fisher's exact test.",
                reference: "RFC 1812 5.3.9 (filtering)",
                causes:
                    "A filter by source address, a blocked or banned client, a route that is missing on the way back.",
                next:
                    "Compare the rules for both networks; capture at the server for a SYN of a client that is blocked.",
                alternatives: ["answers that are lost on the way to these clients", "clients that cannot route back"],
                refutedBy: "one of these clients with a connection to this server and port in this time")
        case .portFiltered:
            Words(
                "A port does not answer while its host does",
                meaning: "A filter stops SYNs to it, silently or with an ICMP error.",
                recognition:
                    "No attempt at the port was answered while other ports of the host answered, or an ICMP "
                    + "error says so.",
                reference: "RFC 1812 5.2.7.1; RFC 9293 3.10.7.1 (a closed port would refuse)",
                causes: "A rule of a firewall, a security group, a server whose accept queue stays full.",
                next: "On the server: ss -ltn, nft list ruleset, nstat -az TcpExtListenDrops.",
                alternatives: ["a server whose accept queue is full"],
                refutedBy: "a SYN to the port that is captured behind the filter")
        case .portRefused:
            Words(
                "A port refuses",
                meaning: "The host answers SYNs with RST: nothing listens there, or a filter answers so.",
                recognition: "RST+ACK that acknowledges the SYN.",
                reference: "RFC 9293 3.10.7.1",
                causes: "The service is stopped, starts anew, or listens on another address or port.",
                next: "On the server: ss -ltn, then the service's log at the time of the first refusal.",
                alternatives: ["a filter that rejects with RST"],
                refutedBy: "a listening socket on that address and port in this time")
        case .acceptQueueFull:
            Words(
                "A server does not accept fast enough",
                meaning:
                    "Its accept queue is full: final ACKs are dropped, SYN-ACKs come again, then SYNs go unanswered.",
                recognition:
                    "SYN-ACKs again after the final ACK, and SYNs without answer at one port, while other "
                    + "servers lose less (Fisher's exact test).",
                reference: "listen(2); RFC 9293 3.10.7.4",
                causes: "The application hangs, or calls accept() too rarely; a backlog that is too small.",
                next: "On the server: ss -ltn (Recv-Q at Send-Q), nstat -az TcpExtListenOverflows TcpExtListenDrops.",
                alternatives: ["loss on the way to this server alone", "deferred accept (TCP_DEFER_ACCEPT)"],
                refutedBy: "TcpExtListenOverflows of the server that does not grow")
        case .answersLost:
            Words(
                "SYN-ACKs pass here and do not reach the clients",
                meaning: "The servers answer; the clients send their SYNs again.",
                recognition: "Half-open attempts in which the SYN comes again after the SYN-ACK.",
                reference: "RFC 9293 3.8.1",
                causes:
                    "A filter or a broken way from here to the clients, asymmetric routing through a stateful "
                    + "firewall.",
                next: "Capture at a client: if the SYN-ACK is not there, look between.",
                alternatives: ["clients that drop the SYN-ACK (checksum, filter)"],
                refutedBy: "the SYN-ACK, captured at the client")
        case .finalAcksLost:
            Words(
                "Clients do not finish their handshakes",
                meaning: "A SYN-ACK passed, and no ACK followed.",
                recognition: "Half-open attempts without a repeated SYN.",
                reference: "RFC 9293 3.5",
                causes: "The way from the clients carries SYNs only, clients that vanished, forged sources.",
                next: "Capture at a client: if it sends the ACK, look between.",
                alternatives: ["a capture without the clients' later segments", "forged sources"],
                refutedBy: "data of these connections")
        case .serverResets:
            Words(
                "A server resets connections as soon as they are made",
                meaning: "It answers SYNs, then sends RST.",
                recognition: "RST of the server after its SYN-ACK, before data of its own.",
                reference: "RFC 9293 3.10.7.4",
                causes:
                    "A proxy or load balancer without a server behind it, a full accept queue with "
                    + "tcp_abort_on_overflow, an application that closes at once.",
                next: "On the server: nstat -az TcpExtListenOverflows TcpExtTCPAbortOnClose; the application's log.",
                alternatives: ["a middlebox that resets with the server's hop limit"],
                refutedBy: "the RST missing in a capture at the server")
        case .loadBalancerChecks:
            Words(
                "One client checks a server's health",
                meaning: "Handshakes that it resets, at regular times: harmless.",
                recognition: "At least five by one client, four of five gaps within a fifth of their median.",
                reference: "RFC 9293 3.10.7.3",
                causes: "A load balancer's or a monitor's TCP check.",
                next: "Nothing. Leave them out: -Y 'not ip.src == the client'.",
                alternatives: ["a slow SYN scan of one port"],
                refutedBy: "a client that is no load balancer and no monitor")
        case .clientResets:
            Words(
                "Clients reset handshakes",
                meaning: "They answer the SYN-ACK with RST, or send one as soon as there is a connection.",
                recognition: "RST of the client with SEQ x+1, before completion or before any data.",
                reference: "RFC 9293 3.10.7.3",
                causes: "A SYN scan, an application that gave up, a client that lost its state, a check of health.",
                next: "Look at one: synscope draw FILE --attempt ID.",
                alternatives: ["a middlebox that resets in the client's name"],
                refutedBy: "the RST missing in a capture at the client")
        case .fastOpenBlackholed:
            Words(
                "SYNs with Fast Open are not answered",
                meaning: "Something drops them; the same SYN without data and cookie is answered.",
                recognition: "A SYN with the option went unanswered, one without it was answered.",
                reference: "RFC 7413 section 4.1.3 and 7.3",
                causes: "A middlebox that drops SYNs with data or unknown options.",
                next: "On the client: sysctl net.ipv4.tcp_fastopen=0 as a way out; find the middlebox.",
                alternatives: ["the first SYN lost by chance"],
                refutedBy: "an answer to a SYN with Fast Open from the same client")
        case .pathLoss:
            Words(
                "Segments of handshakes are lost on the way",
                meaning: "Most attempts come to a connection, some only after one or more retransmissions.",
                recognition:
                    "SYNs, SYN-ACKs or ACKs were lost in at least five attempts, and in 1 % of them at the least "
                    + "(Wilson's interval).",
                reference: "RFC 6298 section 2; RFC 9293 3.8.1",
                causes: "A full link, a bad cable or radio, a policer.",
                next: "synscope explain syn-lost synack-lost; ip -s link on the way; capture at a second point.",
                alternatives: ["servers that drop SYNs under load", "a round trip longer than the first timeout"],
                refutedBy: "the segments that are said to be lost, captured at their destination")
        case .serverSlow:
            Words(
                "Answers of a server take longer since a moment",
                meaning: "The time from SYN to SYN-ACK stepped up.",
                recognition:
                    "A change in the order of the round trips (Pettitt's test), to at least twice the median and "
                    + "1 ms more.",
                reference: "Pettitt, Applied Statistics 28 (1979)",
                causes: "A queue on the way, another path, a host without processor time.",
                next: "Compare with a capture at the server: there the SYN-ACK follows the SYN at once, or not.",
                alternatives: ["a longer way to the server", "a full queue on the way"],
                refutedBy: "the same delays to servers on other ways")
        case .clientSlow:
            Words(
                "Final ACKs of some clients take longer since a moment",
                meaning: "The time from SYN-ACK to ACK stepped up.",
                recognition: "As server-slow, of the other leg, for each network of clients.",
                reference: "Pettitt, Applied Statistics 28 (1979)",
                causes: "A queue on the way to the clients, another path, a radio link.",
                next: "Compare with other networks of clients.",
                alternatives: ["a longer way to the clients"],
                refutedBy: "the same delays of all clients")
        case .asymmetricRouting:
            Words(
                "One direction of some connections is not here",
                meaning: "They take another way, past the capture point; what is said of them is inferred.",
                recognition: "One-sided attempts beside whole ones.",
                reference: "RFC 3449 section 2",
                causes: "Two ways, a bond of which one link is mirrored, a capture filter.",
                next: "Capture where both directions pass.",
                alternatives: ["frames that the capture lost"],
                refutedBy: "both directions on this link in another capture")
        case .optionsStripped:
            Words(
                "Options are changed on the way",
                meaning: "Answers have options that were not offered, or lost those that were.",
                recognition: "An option that disappears between SYN and ACK, or answers what was not offered.",
                reference: "RFC 8684 section 3.1; RFC 7323 section 1.3",
                causes: "A middlebox that removes what it does not know.",
                next: "Capture on both sides and compare the options.",
                alternatives: ["a peer that does not keep to the standard"],
                refutedBy: "the same options on both sides of every device")
        case .synProxy:
            Words(
                "A proxy answers SYNs in a server's name",
                meaning:
                    "Whoever answers opens no window yet: it finishes the handshake, and then calls the server. Round "
                    + "trips are those to the proxy, and a connection here may fail behind it.",
                recognition: "SYN-ACKs with a window of 0.",
                reference: "RFC 4987 section 3.6; RFC 9293 section 3.8.6",
                causes: "A firewall or load balancer that takes SYN floods off a server: usually meant.",
                next: "Capture behind it for what the server says; its own counters tell whether a flood is on.",
                alternatives: ["a tarpit", "a server that has no memory for what clients send"],
                refutedBy: "the same SYN-ACK captured at the server")
        case .mssClamped:
            Words(
                "The MSS is lowered on the way",
                meaning: "Two sightings of one packet have different MSS values.",
                recognition: "The packet on both sides of what changes it.",
                reference: "RFC 9293 3.7.1",
                causes: "A router of a tunnel or of PPPoE that clamps: usually meant.",
                next: "Nothing, if packets of the lower size pass.",
                alternatives: ["two packets of one sender that look like one"],
                refutedBy: "equal values on both sides")
        }
    }
}
