extension Outcome {
    /// The text of `synscope explain`.
    public var explanation: Explanation {
        switch self {
        case .established:
            Explanation(
                title: "The handshake completed",
                meaning: "SYN, SYN-ACK and final ACK were seen and fit, or what followed shows that it completed.",
                recognition:
                    "A SYN-ACK with ACK in [x+1, x+1+L], then a client segment with SEQ in [x+1, "
                    + "x+1+window] and ACK in [y+1, what the server sent]. completed_by says how: ack (exact "
                    + "and empty), data (exact, with payload or FIN), inferred.",
                reference: "RFC 9293 3.5, Figures 6 and 7",
                causes: "This is what should happen.",
                next: "See findings for what went wrong on the way, and rtt.")
        case .resetByClient:
            Explanation(
                title: "The client reset it",
                meaning: "The client rejected its own handshake with a RST.",
                recognition: "Client RST with SEQ x+1.",
                reference: "RFC 9293 3.10.7; 3.10.4",
                causes:
                    "A SYN scan, a client that was closed while connecting, a SYN-ACK that the client did not accept.",
                next: "Many of these from one source are a scan: see port-scan.")
        case .stale:
            Explanation(
                title: "An old duplicate SYN",
                meaning:
                    "A SYN that was delayed on the way met a server that answered it; the client, which is "
                    + "busy with another x, rejects it.",
                recognition:
                    "Client RST with SEQ x+1 while another attempt on the tuple is alive; or an unanswered "
                    + "SYN older than the live connection.",
                reference: "RFC 9293 3.5, Figure 8",
                causes: "A late or duplicated SYN on a tuple that is used again.",
                next: "See the related attempt: that is the real one.")
        case .resetByServer:
            Explanation(
                title: "The server reset it before completion",
                meaning: "The server answered with SYN-ACK and then took it back.",
                recognition: "Server RST with SEQ y+1 before the final ACK.",
                reference: "RFC 9293 3.10.7.4",
                causes: "The service was closed in that moment, a SYN proxy gave up on its backend, resources.",
                next: "Look at the server's log at that time.")
        case .refused:
            Explanation(
                title: "The server refused it",
                meaning: "Nothing listens there, or a filter says so.",
                recognition: "RST with ACK in [x+1, x+1+L] to the SYN.",
                reference: "RFC 9293 3.5.2, 3.10.7.1",
                causes: "A closed port, a service that is down, REJECT --reject-with tcp-reset.",
                next: "Is the service up, on this address and port?")
        case .unreachable:
            Explanation(
                title: "The network or host reported an error",
                meaning: "An ICMP error ended the attempt.",
                recognition: "ICMP or ICMPv6 error that quotes this tuple and x: hard, admin or soft.",
                reference: "RFC 1122 4.2.3.9; RFC 5461",
                causes: "No route, a reject rule, a host that is down.",
                next: "The record names type, code and who sent it.")
        case .invalid:
            Explanation(
                title: "The numbers never came right",
                meaning: "The handshake's arithmetic failed and it did not recover.",
                recognition: "Only SYN-ACKs that do not acknowledge x+1, or final ACKs that never fit y+1 or x+1.",
                reference: "RFC 9293 3.4, 3.10.7.3",
                causes: "Sequence rewriting in one direction, two servers behind one address, spoofing.",
                next: "Compare expected and actual in arithmetic.")
        case .challenged:
            Explanation(
                title: "The server answered with an ACK",
                meaning: "The SYN met a connection that the server still holds: live, half-open or in TIME-WAIT.",
                recognition: "The only answer is a segment without SYN or RST.",
                reference: "RFC 5961 section 4; RFC 9293 Figures 9, 10",
                causes: "A client that reuses its port too early or that lost state; an old duplicate.",
                next: "See half-open-discovered and the related attempts.")
        case .halfOpen:
            Explanation(
                title: "The client did not finish",
                meaning: "The server answered and heard no more.",
                recognition: "A valid SYN-ACK, nothing that completes or resets, long enough ago.",
                reference: "RFC 9293 3.5; RFC 4987",
                causes:
                    "A SYN flood, the SYN-ACK lost after the capture point, a client that vanished, "
                    + "capture of one direction.",
                next: "See synack-lost; many at one server are a flood.")
        case .unanswered:
            Explanation(
                title: "No answer",
                meaning: "Nothing came back to the SYN, or the client gave up.",
                recognition: "SYNs, nothing from the server, long enough ago; or the client's RST with SEQ x.",
                reference: "RFC 9293 3.8.1",
                causes: "A filter that drops, a host that is down, a full accept queue, loss.",
                next: "Capture on the server: does the SYN get there?")
        case .superseded:
            Explanation(
                title: "Replaced by a new attempt",
                meaning: "The client gave up early and started anew on the same ports.",
                recognition: "No answer, and another x on the tuple within 7 s.",
                reference: "RFC 9293 3.4.1",
                causes: "An application timeout with a bound source port, scanners.",
                next: "See the related attempt.")
        case .pending:
            Explanation(
                title: "Too early to tell",
                meaning:
                    "The capture ended, or the attempt had to be let go, before it could be decided. Not a failure.",
                recognition: "The first segment less than 7 s old, or the last less than 1 s.",
                reference: "RFC 6298",
                causes: "A capture that was stopped in between.",
                next: "Capture a little longer.")
        case .partial:
            Explanation(
                title: "The SYN was not seen",
                meaning: "The capture began after the SYN, or missed it.",
                recognition: "A SYN-ACK without its SYN. What was not seen is null.",
                reference: "RFC 9293 3.5",
                causes: "The capture started in the middle, one direction is missing, capture loss.",
                next: "completed_by still says whether it completed.")
        }
    }
}
