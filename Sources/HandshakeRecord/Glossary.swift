import PacketWire

/// A word of records and reports that is neither outcome nor finding: what it means, and what follows from it.
public struct GlossaryTerm: Hashable, Sendable {
    /// The word in JSON.
    public let name: String
    /// The kind of word: `confidence`, `provenance`, `ending`.
    public let kind: String
    /// What it means.
    public let meaning: String
    /// The consequence for the reader.
    public let consequence: String
}

/// The words of records that `synscope explain` knows beside outcomes, findings and capture qualities. They are made
/// from their enumerations, so none is missing.
public enum Glossary {
    /// Every word of the records that is neither outcome, finding, quality nor situation.
    public static let terms: [GlossaryTerm] =
        Confidence.allCases.map { term($0.rawValue, "confidence", $0.words) }
        + Provenance.allCases.map { term($0.rawValue, "provenance of a round trip", $0.words) }
        + CompletedBy.allCases.map { term($0.rawValue, "what completed the handshake", $0.words) }
        + HandshakeForm.allCases.map { term($0.rawValue, "form of the handshake", $0.words) }
        + Ending.allCases.map { term($0.rawValue, "what decided the attempt", $0.words) }
        + RoundTripGap.allCases.map {
            term(
                $0.rawValue, "why there is no round trip",
                ("No figure is given: \($0.text).", "Legs that are known are in the record all the same."))
        }
        + FailureReason.allCases.map {
            term($0.rawValue, "why it failed", ("The client did not get its connection: \($0.text).", $0.next))
        }
        + RetransmissionSchedule.allCases.map { term($0.rawValue, "retransmission schedule", $0.words) }
        + ICMPError.Severity.allCases.map { term($0.rawValue, "what an ICMP error means for TCP", $0.words) }
        + Tunnel.allCases.map {
            term(
                $0.name, "encapsulation",
                (
                    "The attempt came inside of it. Decoded: \($0.summary).",
                    "What came inside another one is another's; --tunnel declares who answers whom."
                ))
        }

    /// An error of ICMP or ICMPv6 by type and code, as `3/13`, `icmp 3/13` or `icmpv6 1/1`: what it means for an
    /// attempt. Of a number alone both are told.
    /// - Returns: nothing if the text is no type and code, or the two are no error that quotes a segment.
    public static func icmp(_ text: String) -> [GlossaryTerm] {
        let words = text.split(separator: " ")
        let numbers = (words.last ?? "").split(separator: "/", omittingEmptySubsequences: false).map { UInt8($0) }
        guard words.count <= 2, numbers.count == 2, let type = numbers[0], let code = numbers[1] else { return [] }
        let protocols = [("icmp", IPAddress(v4: 0)), ("icmpv6", IPAddress(v6High: 0, low: 0))]
        return protocols.compactMap { name, address in
            guard words.count == 1 || words[0] == name,
                let codes = ICMPError.codes(ofErrors: type, address.version), codes.contains(code)
            else { return nil }
            let end = Endpoint(address, 0)
            let error = ICMPError(reporter: address, type: type, code: code, source: end, destination: end)
            let report = UnreachableReport(
                type: type, code: code, severity: error.severity, reporter: address, frame: 0)
            let reason = report.reason
            return GlossaryTerm(
                name: "\(name) \(type)/\(code)", kind: "type and code of an ICMP error",
                meaning: "\(reason.text.prefix(1).uppercased())\(reason.text.dropFirst()): failed_because is "
                    + "\(reason.rawValue), the severity is \(error.severity.rawValue).",
                consequence: "\(error.severity.words.1) \(reason.next)")
        }
    }

    private static func term(
        _ name: String, _ kind: String, _ words: (meaning: String, consequence: String)
    ) -> GlossaryTerm {
        GlossaryTerm(name: name, kind: kind, meaning: words.meaning, consequence: words.consequence)
    }
}

extension Confidence {
    fileprivate var words: (String, String) {
        switch self {
        case .full:
            (
                "Nothing in the attempt's own segments speaks against what the record says.",
                "Take it as it is, but read what the capture is: one of one direction, or a filtered one, has no "
                    + "answers to show."
            )
        case .oneDirection:
            (
                "Only one side's segments were captured.",
                "What the other side sent is inferred from acknowledgments. Capture where both directions pass."
            )
        case .reordered:
            (
                "The capture has frames out of order, or its clock stepped during the attempt.",
                "Outcomes hold; times between segments do not. Capture on one queue, or sort by hardware time."
            )
        case .cut:
            (
                "Frames were cut before the end of the headers: options may be missing.",
                "Use a snaplen of 128 or more (tcpdump -s 0)."
            )
        case .lossy:
            (
                "The capture misses segments that an acknowledgment or an echo proves were sent.",
                "Figures that need them are not given. Look at drops of the capture; see kernel_dropped."
            )
        case .inferred:
            (
                "What decided the attempt was not seen itself, but what followed shows it; or what was "
                    + "seen may be another's.",
                "The outcome is likely, the numbers of the segment that is missing are not known."
            )
        }
    }
}

extension Provenance {
    fileprivate var words: (String, String) {
        switch self {
        case .exact:
            (
                "One segment of each kind was seen: nothing can be confused.",
                "The figure is what passed the capture point."
            )
        case .timestamp:
            (
                "A segment was sent several times, and TCP timestamps tell which copy was answered (RFC 7323).",
                "The figure is as good as an exact one."
            )
        case .ambiguous:
            (
                "A segment was sent several times, and nothing tells which copy was answered (Karn's rule, "
                    + "RFC 6298 section 3).",
                "There are bounds and no figure. Quantiles leave it out."
            )
        }
    }
}

extension CompletedBy {
    fileprivate var words: (String, String) {
        switch self {
        case .ack: ("An empty ACK with the right numbers completed it.", "The usual case (RFC 9293 3.5).")
        case .data:
            ("The client's first data carried the final ACK.", "Legal; some stacks and accelerators do it always.")
        case .inferred:
            (
                "No segment that completes it was captured while the attempt was open; later ones show that the client "
                    + "had its connection.",
                "Times that need it are not given. It may also stand before the SYN, in a capture with its "
                    + "frames out of "
                    + "order."
            )
        }
    }
}

extension HandshakeForm {
    fileprivate var words: (String, String) {
        switch self {
        case .threeWay: ("SYN, SYN-ACK, ACK (RFC 9293 3.5, Figure 6).", "The usual case.")
        case .simultaneous:
            (
                "Both sides sent a SYN, and both crossed (RFC 9293 3.5, Figure 7).",
                "Rare; peers that dial each other do it."
            )
        case .split: ("The server sent its ACK and its SYN apart.", "Legal; firewalls may refuse it.")
        }
    }
}

extension Ending {
    fileprivate var words: (String, String) {
        switch self {
        case .evidence: ("A segment decided it.", "Nothing later changes it.")
        case .timeout:
            (
                "Nothing of the attempt came for so long that its silence decided it.",
                "75 s after the last segment, live 10 s after an end."
            )
        case .captureEnd: ("The capture ended before the attempt was decided.", "Capture longer where it matters.")
        case .evicted:
            ("Memory was full, and the attempt was among the oldest.", "Raise --max-attempts or --max-memory.")
        case .clientAbort:
            ("The client gave it up for another attempt on the same ports.", "See the attempt that superseded it.")
        }
    }
}

extension FailureReason {
    /// What to do next.
    fileprivate var next: String {
        switch self {
        case .refused: "See whether the service listens (ss -ltn on the server), and whether a firewall answers for it."
        case .noAnswer: "Capture at the server: does the SYN arrive there, does an answer leave?"
        case .unacceptableReset: "See who sends the RST: it does not acknowledge the SYN, so the client ignores it."
        case .noFinalAck: "See whether the SYN-ACK reaches the client: another way back, a filter, a spoofed source."
        case .clientReset: "See explain reset-by-client."
        case .serverReset: "See explain reset-by-server."
        case .challengeOnly: "The server still has an old connection of these ports (RFC 5961). See explain challenged."
        case .stale: "None: an old SYN came late."
        case .invalid: "See explain invalid."
        case .networkUnreachable, .hostUnreachable:
            "Look at the routes and neighbours of the router that reports it (hs.icmp.reporter)."
        case .protocolUnreachable, .portUnreachable:
            "A filter with REJECT answers so, too: see who reports it (hs.icmp.reporter)."
        case .prohibited: "A filter rejects it: hs.icmp.reporter is who to ask."
        case .packetTooBig: "A SYN is small: look at tunnels on the way, and at who reports it."
        case .timeExceeded: "Look for a routing loop at the reporter (traceroute)."
        case .otherICMPError: "See type and code in the record (icmp)."
        }
    }
}

extension RetransmissionSchedule {
    fileprivate var words: (String, String) {
        let origin: String
        switch self {
        case .rfc6298: origin = "RFC 6298 sections 2 and 5.5"
        case .linear: origin = "Linux from 6.5 on (tcp_syn_linear_timeouts), BSD and macOS"
        case .rfc1122: origin = "RFC 1122 4.2.3.1"
        case .bsd: origin = "BSD"
        case .prompted:
            return (
                "The SYN was repeated 10 to 35 ms after an answer that the client rejected, not by a timer.",
                "Look at the answer: its numbers are another connection's, or forged."
            )
        }
        let gaps = seconds.prefix(6).map { "\($0)" }.joined(separator: ", ")
        return (
            "The gaps between the SYNs are those of \(origin): \(gaps) s and so on, each within -5 and +15 percent.",
            "It says which kind of stack sent them, not that nothing else can."
        )
    }
}

extension ICMPError.Severity {
    /// RFC 1122 4.2.3.9, RFC 5461.
    fileprivate var words: (String, String) {
        switch self {
        case .hard:
            (
                "Protocol or port unreachable (ICMP 3/2, 3/3; ICMPv6 1/1, 1/4).",
                "RFC 1122 lets a client give up at once; many do not (RFC 5461)."
            )
        case .admin:
            (
                "Administratively prohibited: a filter rejects it (ICMP 3/9, 3/10, 3/13).",
                "Look at the filters of who sent it. Not every client gives up."
            )
        case .soft:
            (
                "Network or host unreachable, or the time to live ran out: it may pass.",
                "A client goes on sending its SYN. Look at the route from who sent it."
            )
        case .pmtu:
            (
                "The packet was too big for the way (ICMP 3/4, ICMPv6 2).",
                "A SYN is small: something on the way is misconfigured, or the error is forged."
            )
        }
    }
}
