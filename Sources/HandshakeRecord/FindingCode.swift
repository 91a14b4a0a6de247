/// How much a finding matters by itself.
public enum Severity: String, CaseIterable, Sendable, Comparable {
    /// Good to know.
    case info
    /// Unusual, and harmless by itself.
    case note
    /// Costs time or points at trouble.
    case warning
    /// Breaks the protocol's arithmetic.
    case error

    /// By how much they matter.
    public static func < (a: Severity, b: Severity) -> Bool {
        allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
    }
}

/// The stable identifiers of what can be found: they appear in JSON, in assertions and in `synscope explain`.
///
/// A new finding is a case here with its row in `entry`, and a place in the judge that says it. JSON, `explain`,
/// completions, severities and the schema's list (by a test) follow.
public enum FindingCode: String, CaseIterable, Sendable {
    /// The same packet was captured twice.
    case captureDuplicate = "capture-duplicate"
    /// The SYN was sent again.
    case synRetransmitted = "syn-retransmitted"
    /// The SYN was sent again after a refusal.
    case synAfterRefusal = "syn-after-refusal"
    /// A SYN did not take.
    case synLost = "syn-lost"
    /// A SYN-ACK did not reach the client, or the capture point.
    case synackLost = "synack-lost"
    /// The final ACK did not take.
    case ackLost = "ack-lost"
    /// The SYN-ACK was sent again.
    case synackRetransmitted = "synack-retransmitted"
    /// SYN-ACKs with different sequence numbers.
    case synackIsnChanged = "synack-isn-changed"
    /// The tuple was used again.
    case tupleReused = "tuple-reused"
    /// Another SYN while the first was unanswered.
    case synIsnChanged = "syn-isn-changed"
    /// A SYN on a live connection.
    case synOnEstablished = "syn-on-established"
    /// A repeated SYN dropped options.
    case synOptionsChanged = "syn-options-changed"
    /// The MSS differs between copies.
    case mssChanged = "mss-changed"
    /// The MSS was rewritten on the way.
    case mssClamped = "mss-clamped"
    /// No MSS option.
    case mssAbsent = "mss-absent"
    /// A very small MSS.
    case mssTiny = "mss-tiny"
    /// The SYN-ACK does not acknowledge x+1.
    case synackWrongAck = "synack-wrong-ack"
    /// The final ACK does not acknowledge y+1.
    case ackWrongAck = "ack-wrong-ack"
    /// The final ACK's sequence number is not x+1.
    case ackWrongSeq = "ack-wrong-seq"
    /// A RST that its receiver ignores.
    case rstUnacceptable = "rst-unacceptable"
    /// A RST inside the window but not exact.
    case rstInexact = "rst-inexact"
    /// A RST came before the SYN-ACK.
    case rstBeforeSynack = "rst-before-synack"
    /// Reset right after completion.
    case resetAfterEstablished = "reset-after-established"
    /// The RST may not be the peer's.
    case rstFromMiddlebox = "rst-from-middlebox"
    /// A half-open connection was discovered.
    case halfOpenDiscovered = "half-open-discovered"
    /// The SYN-ACK echoes a timestamp that was not sent.
    case synackBadTsecr = "synack-bad-tsecr"
    /// A SYN-ACK that nobody asked for.
    case synackUnsolicited = "synack-unsolicited"
    /// A SYN-ACK from the client.
    case synackWrongDirection = "synack-wrong-direction"
    /// Payload before the handshake was complete.
    case dataBeforeEstablished = "data-before-established"
    /// Only the client's direction was seen.
    case oneSided = "one-sided"
    /// A socket connected to itself.
    case selfConnect = "self-connect"
    /// One connection under two tuples.
    case nat
    /// All of it came in a tunnel of which one end only was heard.
    case oneWayTunnel = "one-way-tunnel"
    /// Segments of this attempt in a tunnel that proves nothing.
    case foreignTunnel = "foreign-tunnel"
    /// What decided the attempt may be forged.
    case possibleForgery = "possible-forgery"
    /// Bad checksum.
    case checksumBad = "checksum-bad"
    /// Checksum left to the network card.
    case checksumOffload = "checksum-offload"
    /// A handshake segment came in an IP fragment.
    case fragmented
    /// Fragments of a handshake segment overlapped.
    case fragmentsOverlap = "fragments-overlap"
    /// The capture cut the TCP header.
    case snaplenCut = "snaplen-cut"
    /// Reserved bits are set.
    case reservedFlags = "reserved-flags"
    /// An ICMP error quotes the attempt.
    case icmpError = "icmp-error"
    /// The capture's order is not the network's.
    case reorderedCapture = "reordered-capture"
    /// Time runs backwards within the attempt.
    case clockStepped = "clock-stepped"
    /// The server may be using SYN cookies.
    case syncookieSuspect = "syncookie-suspect"
    /// Window scale above 14.
    case wscaleOver14 = "wscale-over-14"
    /// A malformed TCP option.
    case optionMalformed = "option-malformed"
    /// A TCP option occurs twice.
    case optionRepeated = "option-repeated"
    /// The SYN-ACK has an option that the SYN did not offer.
    case optionNotOffered = "option-not-offered"
    /// Fast Open data was not taken.
    case fastOpenDataIgnored = "fast-open-data-ignored"
    /// The MPTCP option was taken out.
    case mptcpStripped = "mptcp-stripped"
    /// The SYN-ACK opens no window.
    case synackNoWindow = "synack-no-window"
    /// SYN with FIN, RST or URG.
    case synOddFlags = "syn-odd-flags"
    /// Initial sequence number zero.
    case isnZero = "isn-zero"
    /// Port 0.
    case portZero = "port-zero"
    /// Many handshakes at one server are left open.
    case synFlood = "syn-flood"
    /// One source tried many targets.
    case portScan = "port-scan"
    /// Answers that nobody asked for.
    case backscatter

    /// Its place in the catalogue.
    package var order: Int { FindingCode.orders[self] ?? 0 }

    private static let orders = Dictionary(uniqueKeysWithValues: allCases.enumerated().map { ($1, $0) })

    /// How much it matters by itself.
    public var severity: Severity { entry.severity }

    /// The text of `synscope explain`.
    public var explanation: Explanation { entry.explanation }

    private struct Entry {
        let severity: Severity
        let explanation: Explanation

        init(
            _ severity: Severity, title: String, meaning: String, recognition: String, reference: String,
            causes: String, next: String
        ) {
            self.severity = severity
            explanation = Explanation(
                title: title, meaning: meaning, recognition: recognition, reference: reference, causes: causes,
                next: next)
        }
    }

    /// The catalogue: a row each.
    private var entry: Entry {
        switch self {
        case .captureDuplicate:
            Entry(
                .info,
                title: "The same packet was captured twice",
                meaning:
                    "One packet passed the capture point, or two capture points, twice. It is no "
                    + "retransmission and counts as none.",
                recognition:
                    "Equal in every field that does not change on the way, less than 200 ms apart, and an "
                    + "equal non-zero IP identification, another hop limit, VLAN, link address, or "
                    + "neighbours that are doubled alike. Equal bytes alone do not prove it: Linux sends "
                    + "equal SYN-ACKs microseconds apart.",
                reference: "RFC 791 section 3.2 (identification)",
                causes:
                    "A mirror port that copies both directions, capture on \"any\" where a packet passes "
                    + "several interfaces, two merged captures of the same link.",
                next: "Capture on one interface, or mirror one direction.")
        case .synRetransmitted:
            Entry(
                .note,
                title: "The SYN was sent again",
                meaning:
                    "The client sent a SYN with the same sequence number again because nothing that it "
                    + "accepted had come back.",
                recognition:
                    "Same tuple and same x, the handshake unfinished, no refusal in between. The gaps are listed, "
                    + "and the schedule that they fit within -5 and +15 percent: rfc6298, linear, rfc1122, bsd, "
                    + "or prompted (10 to 35 ms after an answer that the client rejected).",
                reference: "RFC 9293 3.8.1; RFC 6298 sections 2 and 5",
                causes:
                    "Loss of the SYN or of the SYN-ACK, a full accept queue, a filter that drops, a round "
                    + "trip longer than the first timeout of 1 s.",
                next: "Look at syn-lost and synack-lost of the same attempt for where; capture closer to the server.")
        case .synAfterRefusal:
            Entry(
                .note,
                title: "The SYN was sent again after a refusal",
                meaning: "The client tried the same sequence number again although a RST had refused it.",
                recognition:
                    "Same x after a RST that acknowledged it. This is no retransmission: the SYN had been answered.",
                reference: "RFC 9293 3.10.7.3",
                causes: "Windows retries a refused connect twice, 500 ms apart.",
                next: "Nothing about the network: see why the port is closed.")
        case .synLost:
            Entry(
                .warning,
                title: "A SYN did not take",
                meaning: "One or more SYNs were lost, or dropped by the server, before the one that counted.",
                recognition:
                    "after-capture: the SYN-ACK echoes the timestamp of a later SYN and none came before "
                    + "it. unknown: there are no timestamps to tell, or no answer at all.",
                reference: "RFC 7323 4.3; RFC 6298",
                causes:
                    "Loss between the capture point and the server, a full accept queue (Linux drops SYNs "
                    + "silently), a filter.",
                next:
                    "On the server: nstat -az TcpExtListenDrops TcpExtListenOverflows. Capture there at the same time.")
        case .synackLost:
            Entry(
                .warning,
                title: "A SYN-ACK did not reach the client, or the capture point",
                meaning: "The server answered, and the answer was lost.",
                recognition:
                    "after-capture: the SYN came again after the SYN-ACK had passed here, or the final ACK "
                    + "echoes a later SYN-ACK. before-capture: the SYN-ACK echoes an earlier SYN than the "
                    + "last. unknown: SYN-ACKs repeated and nothing tells why.",
                reference: "RFC 7323 4.3; RFC 9293 3.8.1",
                causes:
                    "Loss on the way back, asymmetric routes through a stateful filter, a client that "
                    + "rejects the SYN-ACK.",
                next: "Capture on the client; compare the two captures.")
        case .ackLost:
            Entry(
                .warning,
                title: "The final ACK did not take",
                meaning: "The handshake's last ACK was lost or dropped.",
                recognition:
                    "after-capture: the SYN-ACK of the same y came again, later than the server's round "
                    + "trip and 200 ms after the ACK. before-capture: the final ACK echoes an earlier "
                    + "SYN-ACK than the last.",
                reference: "RFC 9293 3.8.1; RFC 7323 4.3",
                causes:
                    "Loss, a full accept queue (Linux then drops the ACK and repeats the SYN-ACK at 1, 3 "
                    + "and 7 s), deferred accept.",
                next: "On the server: ss -ltn (Recv-Q against Send-Q), TCP_DEFER_ACCEPT.")
        case .synackRetransmitted:
            Entry(
                .note,
                title: "The SYN-ACK was sent again",
                meaning: "The server repeated its SYN-ACK.",
                recognition: "More than one SYN-ACK with the same y, not captured twice.",
                reference: "RFC 9293 3.8.1",
                causes: "Its timer, or a SYN that came again: both may happen within microseconds.",
                next: "See synack-lost and ack-lost for which it was.")
        case .synackIsnChanged:
            Entry(
                .warning,
                title: "SYN-ACKs with different sequence numbers",
                meaning: "Two valid SYN-ACKs announce different y. The final ACK says which one the client took.",
                recognition: "Both acknowledge the SYN; their SEQ differs.",
                reference: "RFC 9293 3.4.1",
                causes:
                    "SYN cookies under timestamps that moved on, a load balancer that asked two servers, a "
                    + "server that forgot its request and answered the next SYN anew, spoofing.",
                next: "Compare hop limits of both SYN-ACKs.")
        case .tupleReused:
            Entry(
                .info,
                title: "The tuple was used again",
                meaning: "A new connection took the addresses and ports of one that had ended.",
                recognition:
                    "A SYN with another x after both FINs or a RST on the tuple, which is remembered for "
                    + "75 s. The evidence says whether RFC 6191 lets it through TIME-WAIT.",
                reference: "RFC 6191 section 2; RFC 9293 3.6.1",
                causes: "A client with few ports, or that binds its source port.",
                next: "If the reuse is refused: more source ports, timestamps, or fewer short connections.")
        case .synIsnChanged:
            Entry(
                .warning,
                title: "Another SYN while the first was unanswered",
                meaning: "The client started over with another sequence number instead of repeating its SYN.",
                recognition: "A SYN with another x on a tuple whose earlier SYN had no answer.",
                reference: "RFC 9293 3.4.1, 3.8.1",
                causes:
                    "An application that gives up and connects again from a bound port, a scanner, a proxy "
                    + "that restarts, an old duplicate.",
                next: "See both attempts; the earlier one is related.")
        case .synOnEstablished:
            Entry(
                .note,
                title: "A SYN on a live connection",
                meaning: "A SYN arrived on a tuple whose connection was up.",
                recognition: "SYN after completion, before any FIN or RST.",
                reference: "RFC 5961 section 4; RFC 9293 3.10.7.4",
                causes:
                    "An old duplicate, a client that rebooted and forgot (half-open), a copy that crossed "
                    + "the handshake's end, an injected SYN.",
                next: "A challenge ACK should follow: see challenged, half-open-discovered.")
        case .synOptionsChanged:
            Entry(
                .note,
                title: "A repeated SYN dropped options",
                meaning:
                    "A SYN was repeated without ECN, MPTCP, Fast Open, window scale, timestamps or SACK "
                    + "that the first had.",
                recognition: "The copies of one SYN differ in these.",
                reference: "RFC 3168 6.1.1.1; RFC 8684 3.1; RFC 7413 4.1.3",
                causes:
                    "Stacks do so on purpose when they suspect a middlebox that drops such SYNs. Linux "
                    + "drops ECN at the second copy, MPTCP at the fourth; macOS drops window scale and "
                    + "timestamps from late copies.",
                next: "If the copy without them succeeds at once, something on the path drops the option.")
        case .mssChanged:
            Entry(
                .note,
                title: "The MSS differs between copies",
                meaning: "Copies of one SYN or SYN-ACK announce different MSS.",
                recognition:
                    "Different MSS options under the same sequence number, not captured twice; or an MSS on one side "
                    + "of an address translator only (see nat).",
                reference: "RFC 9293 3.7.1",
                causes: "A route change towards another clamp, a stack that lowers the MSS after losses.",
                next: "See mss-clamped for proof of rewriting.")
        case .mssClamped:
            Entry(
                .note,
                title: "The MSS was rewritten on the way",
                meaning: "Something between two sightings of one packet changed its MSS option.",
                recognition:
                    "The same packet (see capture-duplicate), or one SYN before and behind an address translator (see "
                    + "nat), with another MSS.",
                reference: "RFC 9293 3.7.1",
                causes: "MSS clamping on a router, tunnel or firewall (iptables TCPMSS).",
                next: "Usually wanted. If segments are still too large, clamp lower.")
        case .mssAbsent:
            Entry(
                .info,
                title: "No MSS option",
                meaning: "A SYN or SYN-ACK announces no MSS: its peer must assume 536 (IPv4) or 1220 (IPv6).",
                recognition: "A SYN or SYN-ACK that was seen whole, without the option.",
                reference: "RFC 9293 3.7.1 (MUST-15)",
                causes: "Minimal stacks, scanners, a middlebox that strips options, SYN proxies.",
                next: "Expect small segments. Look for what strips the option.")
        case .mssTiny:
            Entry(
                .warning,
                title: "A very small MSS",
                meaning: "The announced MSS is below the default that every host must accept.",
                recognition: "MSS below 536 (IPv4) or 1220 (IPv6).",
                reference: "RFC 9293 3.7.1",
                causes:
                    "A link with a small MTU, a misconfigured interface or clamp, a resource exhaustion "
                    + "attempt (many tiny segments).",
                next: "Check the MTU of the announcing side.")
        case .synackWrongAck:
            Entry(
                .error,
                title: "The SYN-ACK does not acknowledge x+1",
                meaning:
                    "The server's SYN-ACK acknowledges something other than the client's SYN. The client "
                    + "rejects it with a RST and goes on.",
                recognition: "SEG.ACK outside [x+1, x+1+L].",
                reference: "RFC 9293 3.10.7.3",
                causes:
                    "An answer to an older SYN, a half-open connection, a NAT or load balancer that mixes "
                    + "up flows, a faulty SYN proxy.",
                next: "Compare expected and actual: the difference tells which SYN it answers.")
        case .ackWrongAck:
            Entry(
                .error,
                title: "The final ACK does not acknowledge y+1",
                meaning: "The client acknowledges something that this server did not send.",
                recognition:
                    "A client ACK after the SYN-ACK whose ACK is outside [y+1, the highest SEQ+LEN of the server].",
                reference: "RFC 9293 3.10.7.4",
                causes:
                    "A sequence-rewriting middlebox, an old segment, ACK scanning, a second server behind one address.",
                next: "The server answers RST with SEQ = that ACK; the handshake may still complete.")
        case .ackWrongSeq:
            Entry(
                .error,
                title: "The final ACK's sequence number is not x+1",
                meaning: "The ACK acknowledges y+1 but its SEQ is outside the window.",
                recognition: "Right ACK, SEQ outside [x+1, x+1 plus the server's window].",
                reference: "RFC 9293 3.10.7.4",
                causes: "A sequence-rewriting middlebox that rewrites one direction, an injected segment.",
                next: "Compare expected and actual; a constant difference points at rewriting.")
        case .rstUnacceptable:
            Entry(
                .note,
                title: "A RST that its receiver ignores",
                meaning: "A RST does not fit the state that it was sent to.",
                recognition: "In SYN-SENT: no ACK, or one that is not x+1. Later: SEQ outside the window.",
                reference: "RFC 9293 3.10.7.3; RFC 5961 section 3",
                causes: "Injected resets, an answer to something older, a broken stack.",
                next: "The connect goes on. Look who sent it (hop limit).")
        case .rstInexact:
            Entry(
                .note,
                title: "A RST inside the window but not exact",
                meaning:
                    "The RST's SEQ lies in the window and is not RCV.NXT: it draws a challenge ACK and resets nothing.",
                recognition: "SEQ in the window beyond y+1.",
                reference: "RFC 5961 section 3.2",
                causes: "A guessed or late RST; or data that was not captured, as in a file of handshakes alone.",
                next: "None, unless they are many and the data before them was captured: then someone guesses.")
        case .rstBeforeSynack:
            Entry(
                .warning,
                title: "A RST came before the SYN-ACK",
                meaning: "The server's side reset and then accepted the same SYN.",
                recognition: "A server RST, then a valid SYN-ACK, no SYN between.",
                reference: "RFC 9293 3.10.7",
                causes:
                    "Two machines behind one address, a middlebox that resets while the server accepts, reordering.",
                next: "Compare hop limits; see rst-from-middlebox.")
        case .resetAfterEstablished:
            Entry(
                .warning,
                title: "Reset right after completion",
                meaning: "A RST ended the connection before the server acknowledged any data.",
                recognition: "A RST in the window after the final ACK, before late evidence closed the attempt.",
                reference: "RFC 9293 3.10.7.4",
                causes:
                    "tcp_abort_on_overflow with a full accept queue, a service that closes without "
                    + "reading, a load balancer without a backend, a port or health check.",
                next: "See from whom: the direction is in the segments.")
        case .rstFromMiddlebox:
            Entry(
                .warning,
                title: "The RST may not be the peer's",
                meaning: "The RST differs from what its supposed sender sent otherwise. A hint, no proof.",
                recognition:
                    "Another number of hops than its supposed sender's other packets; in the server's name also "
                    + "an IP identification far from those that it counts, SEQ 0 or payload.",
                reference: "RFC 3360",
                causes: "Firewalls and content filters that reset.",
                next: "Capture on the server: if it did not send the RST, something between did.")
        case .halfOpenDiscovered:
            Entry(
                .warning,
                title: "A half-open connection was discovered",
                meaning: "The server still held an old connection on the tuple; the client reset it.",
                recognition: "An ACK answers the SYN, and the client sends RST with SEQ equal to that ACK.",
                reference: "RFC 9293 3.5.1, Figures 9 and 10",
                causes: "The client crashed or lost state and connected again from the same port.",
                next: "Nothing: the next SYN should succeed. If not, see challenged.")
        case .synackBadTsecr:
            Entry(
                .warning,
                title: "The SYN-ACK echoes a timestamp that was not sent",
                meaning:
                    "TSecr equals no TSval of the SYNs. The client rejects such a SYN-ACK with RST and tries again.",
                recognition: "Both have timestamps, and no SYN that was seen carries that TSval.",
                reference: "RFC 7323 3.2, 4.3",
                causes: "A middlebox that rewrites timestamps in one direction only, a broken SYN proxy.",
                next: "Switch timestamps off on one side to confirm.")
        case .synackUnsolicited:
            Entry(
                .note,
                title: "A SYN-ACK that nobody asked for",
                meaning: "A SYN-ACK more than 7 s into the capture without a SYN, and the client says nothing but RST.",
                recognition: "No SYN on the tuple, no ACK or data of the client.",
                reference: "RFC 9293 3.10.7.2",
                causes: "Backscatter of a flood with spoofed addresses, asymmetric capture, a scan.",
                next: "See backscatter in the summary.")
        case .synackWrongDirection:
            Entry(
                .error,
                title: "A SYN-ACK from the client",
                meaning: "The side that sent the SYN also sent a SYN-ACK, and no SYN had crossed.",
                recognition: "SYN-ACK from the client, no SYN of the server seen (else it is a simultaneous open).",
                reference: "RFC 9293 3.5, Figure 7",
                causes:
                    "A simultaneous open half of which was not captured, evasion of an intrusion detector, "
                    + "injected segments.",
                next: "Capture both directions.")
        case .dataBeforeEstablished:
            Entry(
                .note,
                title: "Payload before the handshake was complete",
                meaning:
                    "A segment of the client carried payload before it could be delivered, or a SYN-ACK did, "
                    + "and no Fast Open option allows it.",
                recognition: "Payload on SYN, SYN-ACK or an early segment of the client without Fast Open.",
                reference: "RFC 9293 3.4, 3.10.7.3; RFC 7413",
                causes: "Test tools, evasion of an intrusion detector, old T/TCP.",
                next: "Legal, and queued or ignored by the receiver.")
        case .oneSided:
            Entry(
                .warning,
                title: "Only the client's direction was seen",
                meaning: "The handshake's SYN and ACK passed, its SYN-ACK did not.",
                recognition: "SYN x, then an ACK with SEQ x+1, no SYN-ACK.",
                reference: "RFC 9293 Figure 6",
                causes: "Asymmetric routes, a mirror port of one direction, capture loss.",
                next: "y, its options and the server's round trip are unknown: capture the other direction too.")
        case .selfConnect:
            Entry(
                .note,
                title: "A socket connected to itself",
                meaning: "Source and destination are the same address and port.",
                recognition: "Both endpoints are equal.",
                reference: "RFC 9293 Figure 7",
                causes:
                    "A client in a loop on the loopback interface whose source port met its destination "
                    + "port; a LAND packet.",
                next: "Bind the client outside the server's ports.")
        case .nat:
            Entry(
                .info,
                title: "One connection under two tuples",
                meaning:
                    "An address translator stands between two sightings of one SYN, or the answer to a SYN "
                    + "came from an address that the client did not call. The client's attempt says what the "
                    + "client got; a copy behind the translator is listed, and counts in no total and no "
                    + "assertion.",
                recognition:
                    "A SYN of equal x less than 200 ms apart on another tuple, with equal TSval or IP "
                    + "identification (not 0) and another hop limit; at the same hop limit both, and another "
                    + "link address. Or a SYN-ACK to the client's address and port that acknowledges x+1. It "
                    + "is looked for in the first 256 of each 65,536 frames, and in the 65,536 frames after "
                    + "each that was found.",
                reference: "RFC 3022",
                causes:
                    "Capture on a gateway or a container host, captures of both sides merged. An answer "
                    + "that was not translated back: direct server return that is set up wrong, an "
                    + "asymmetric route past the translator, a server that answers from another of its "
                    + "addresses.",
                next:
                    "Where an answer came from elsewhere, look for the translator that it should have "
                    + "passed on its way back."
            )
        case .oneWayTunnel:
            Entry(
                .note,
                title: "All of it came in a tunnel of which one end only was heard",
                meaning:
                    "The attempt is as its segments say, if they are true. Whoever can send a packet to "
                    + "the tunnel's end could have made them up, so no assertion holds or fails by this "
                    + "attempt.",
                recognition:
                    "Each segment came in one tunnel (its kind and its two outer addresses), and no TCP "
                    + "came out of that tunnel's other end. Which inner direction they have proves nothing. "
                    + "Where all TCP of a capture came in GRE, ERSPAN, VXLAN or Geneve, it is a capture of "
                    + "mirrors, and not named.",
                reference: "RFC 2784, RFC 7348; docs/correctness.md, What a forger can do",
                causes:
                    "A mirror session beside other traffic, a tunnel whose other direction takes another "
                    + "way, a forgery.",
                next:
                    "--tunnel A-B says that the tunnel between A and B is yours: then it counts. "
                    + "--no-tunnels, or --tunnels with the kinds that you use, looks into no others."
            )
        case .foreignTunnel:
            Entry(
                .warning,
                title: "Segments of this attempt in a tunnel that proves nothing",
                meaning:
                    "The SYN did not come in this tunnel, and one end of the tunnel only was heard: the "
                    + "segments decide nothing. What else came says what became of the attempt; assertions "
                    + "on it are not known unless it completed all the same.",
                recognition:
                    "A segment of the tuple in a tunnel that is neither declared nor two-way (TCP out of "
                    + "both outer ends), and no second sighting of a segment that counts. It counts after "
                    + "all where a segment that counts echoes its TSval or acknowledges its number.",
                reference: "RFC 9293 3.10; docs/correctness.md, What a forger can do",
                causes:
                    "A forgery sent to a tunnel's end, an asymmetric route through a tunnel, a mirror of "
                    + "one direction.",
                next:
                    "If the tunnel is yours, --tunnel A-B says so. If not, look for who sent the outer "
                    + "packets; --no-tunnels leaves them out."
            )
        case .possibleForgery:
            Entry(
                .warning,
                title: "What decided the attempt may be forged",
                meaning:
                    "A segment that decided the outcome came from another distance, or counts its IP "
                    + "identifications elsewhere, than its sender's other segments.",
                recognition:
                    "The hop limit left, taken from the next initial value (32, 64, 128, 255), differs by "
                    + "more than one hop between the final ACK and the client's SYNs, or between the SYN-ACK "
                    + "and a RST that answers the SYN. Segments seen at two places are not compared.",
                reference: "RFC 9293 3.10.7.3; docs/correctness.md, What a forger can do",
                causes:
                    "Somebody on the path, or with raw sockets, who sends in another's name; a proxy that "
                    + "answers handshakes for its servers; a route that changed during the handshake.",
                next: "Capture at the client or at the server, and see whether it sent the segment."
            )
        case .checksumBad:
            Entry(
                .warning,
                title: "Bad checksum",
                meaning:
                    "The segment's TCP or IP checksum is wrong. Its receiver drops it. It completes and decides "
                    + "nothing, unless it is proven that the receiver took it, or all sums of its sender are bad. "
                    + "A SYN with a bad sum still begins an attempt, with less confidence.",
                recognition:
                    "The sum is wrong and the field is not the pseudo-header's partial sum. Where all of a "
                    + "sender's sums are bad, two at least, they say nothing: its frames were rewritten. "
                    + "Proof is a segment of the peer that echoes its TSval or acknowledges its numbers. "
                    + "Frames that the snaplen cut are not verified.",
                reference: "RFC 9293 3.1 (MUST-2, MUST-3)",
                causes: "Corruption, a middlebox that rewrites without fixing the sum, an anonymised capture.",
                next: "Capture on the receiver.")
        case .checksumOffload:
            Entry(
                .info,
                title: "Checksum left to the network card",
                meaning: "The field holds the partial sum that the card was to finish: captured before it did.",
                recognition: "The field equals the pseudo-header's sum.",
                reference: "RFC 9293 3.1",
                causes: "Capture on the sending host or a virtual link.",
                next: "Nothing.")
        case .fragmented:
            Entry(
                .note,
                title: "A handshake segment came in an IP fragment",
                meaning: "The segment's IP packet was fragmented.",
                recognition: "More-fragments is set on the packet that holds the TCP header.",
                reference: "RFC 791 section 3.2; RFC 8200 section 4.5",
                causes: "Data on a SYN over a small MTU, evasion.",
                next: "Unusual: look at the path's MTU.")
        case .fragmentsOverlap:
            Entry(
                .warning,
                title: "Fragments of a handshake segment overlapped",
                meaning:
                    "The IP packet of the segment came in fragments that hold the same octets twice. "
                    + "Receivers discard such a packet, or differ on which copy counts: what is reported is "
                    + "what came first.",
                recognition:
                    "Two fragments of one packet (addresses, protocol, identification) cover the same "
                    + "octets, without being the same fragment again.",
                reference: "RFC 5722 section 3 (IPv6: discard); RFC 791 section 3.2, RFC 1858 section 4 (IPv4)",
                causes:
                    "An attempt to pass a filter that looks at other octets than the host does; a broken "
                    + "sender; two packets with one identification.",
                next: "Look at the fragments' octets. Nothing on the Internet fragments a handshake segment by itself.")
        case .snaplenCut:
            Entry(
                .note,
                title: "The capture cut the TCP header",
                meaning: "What lies beyond the snaplen is unknown: options may be there.",
                recognition: "Captured length ends within the TCP header.",
                reference: "pcap: snaplen",
                causes: "tcpdump -s with a small number.",
                next: "Capture with -s 128 or more.")
        case .reservedFlags:
            Entry(
                .note,
                title: "Reserved bits are set",
                meaning: "A segment of the handshake sets one of the three bits that must be zero.",
                recognition: "Header bits 4 to 6 of the thirteenth octet.",
                reference: "RFC 9293 3.1",
                causes: "Test tools, corruption, experiments.",
                next: "Some middleboxes drop such segments.")
        case .icmpError:
            Entry(
                .note,
                title: "An ICMP error quotes the attempt",
                meaning: "A router or host reported an error about a segment of this attempt.",
                recognition:
                    "ICMP or ICMPv6 error with the tuple in its quote. It decides the outcome only if it "
                    + "quotes this x and is not about packet size.",
                reference: "RFC 1122 4.2.3.9; RFC 5461",
                causes: "A reject rule, no route, a size limit.",
                next: "The evidence names type, code and sender.")
        case .reorderedCapture:
            Entry(
                .warning,
                title: "The capture's order is not the network's",
                meaning:
                    "A SYN-ACK stands before its SYN, an ACK before its SYN-ACK, or the final ACK behind what "
                    + "shows that it "
                    + "was sent. No round trip is computed from them.",
                recognition: "Frame order against the handshake's.",
                reference: "RFC 9293 3.5",
                causes: "Several receive queues, merged captures.",
                next: "reordercap, or capture on one queue.")
        case .clockStepped:
            Entry(
                .warning,
                title: "Time runs backwards within the attempt",
                meaning: "A later frame has an earlier time. No round trip is computed.",
                recognition: "Times decrease while frame numbers increase.",
                reference: "pcap: timestamps",
                causes: "The capture host's clock was set, or several unsynchronised sources.",
                next: "Synchronise clocks before capture.")
        case .syncookieSuspect:
            Entry(
                .info,
                title: "The server may be using SYN cookies",
                meaning: "The SYN-ACKs of one y echo each copy's own timestamp: the server keeps no state.",
                recognition: "TSecr advances with the copies.",
                reference: "RFC 4987 3.6",
                causes: "A SYN flood, tcp_syncookies=2.",
                next: "nstat -az TcpExtSyncookiesSent.")
        case .wscaleOver14:
            Entry(
                .warning,
                title: "Window scale above 14",
                meaning: "The shift count is above the maximum; its receiver uses 14.",
                recognition: "Shift above 14.",
                reference: "RFC 7323 2.3",
                causes: "A broken stack, fuzzing.",
                next: "Nothing: the receiver copes.")
        case .optionMalformed:
            Entry(
                .warning,
                title: "A malformed TCP option",
                meaning: "An option's length is wrong or runs past the header; what follows it was not read.",
                recognition: "Length below 2, beyond the header, or not the kind's.",
                reference: "RFC 9293 3.2 (MUST-7)",
                causes: "Fuzzing, a broken middlebox.",
                next: "Look at the frame's option area.")
        case .optionRepeated:
            Entry(
                .note,
                title: "A TCP option occurs twice",
                meaning: "The last one counts, as in Linux.",
                recognition: "The same kind twice in one header.",
                reference: "RFC 9293 3.2",
                causes: "Fuzzing, a middlebox that appends.",
                next: "Receivers differ in which they use.")
        case .optionNotOffered:
            Entry(
                .warning,
                title: "The SYN-ACK has an option that the SYN did not offer",
                meaning: "Window scale, SACK, timestamps or MPTCP may only answer an offer.",
                recognition: "Present in the SYN-ACK, in no copy of the SYN.",
                reference: "RFC 7323 1.3, 2.2; RFC 2018 section 2; RFC 8684 3.1",
                causes: "A middlebox stripped it from the SYN after the capture point or adds it, a broken SYN proxy.",
                next: "Compare captures at both ends.")
        case .fastOpenDataIgnored:
            Entry(
                .note,
                title: "Fast Open data was not taken",
                meaning: "The SYN carried data with a Fast Open cookie, and the SYN-ACK acknowledges the SYN alone.",
                recognition: "SYN with payload and option; ACK equals x+1.",
                reference: "RFC 7413 4.2.2",
                causes: "An old cookie, Fast Open off at the server, its queue full.",
                next: "The data is sent again after the handshake: one round trip more.")
        case .mptcpStripped:
            Entry(
                .note,
                title: "The MPTCP option was taken out",
                meaning:
                    "The option was there at one sighting and not at the other, or negotiated and absent "
                    + "from the third ACK.",
                recognition:
                    "Two sightings of one packet differ; or SYN and SYN-ACK carry it and the exact final ACK does not.",
                reference: "RFC 8684 3.1, 3.7",
                causes: "A middlebox that removes unknown options.",
                next: "MPTCP falls back to TCP.")
        case .synackNoWindow:
            Entry(
                .note,
                title: "The SYN-ACK opens no window",
                meaning:
                    "Its window is 0: the client may not send yet. The round trip is that to whoever answered, which "
                    + "may be a proxy before the server.",
                recognition: "SEG.WND 0 in the SYN-ACK.",
                reference: "RFC 9293 3.8.6",
                causes:
                    "A SYN proxy, which opens the window once it has a connection to the server; a tarpit; a server "
                    + "without memory.",
                next: "Compare hop limits of the SYN-ACK and later segments; capture at the server.")
        case .synOddFlags:
            Entry(
                .note,
                title: "SYN with FIN, RST or URG",
                meaning: "A SYN carries flags that no stack sends with it.",
                recognition: "SYN together with FIN, RST or URG.",
                reference: "RFC 9293 3.1, 3.10.7",
                causes: "Scanners, fingerprinting, evasion.",
                next: "See who sends it.")
        case .isnZero:
            Entry(
                .info,
                title: "Initial sequence number zero",
                meaning: "x or y is 0: legal, one in four thousand million.",
                recognition: "SEQ 0 on SYN or SYN-ACK.",
                reference: "RFC 9293 3.4.1",
                causes: "Chance; scanners and simple stacks use constants.",
                next: "None.")
        case .portZero:
            Entry(
                .note,
                title: "Port 0",
                meaning: "One port is 0, which cannot be bound by the usual means.",
                recognition: "Source or destination port 0.",
                reference: "RFC 6335 section 6",
                causes: "Scanners, fingerprinting, broken code.",
                next: "See who sends it.")
        case .synFlood:
            Entry(
                .warning,
                title: "Many handshakes at one server are left open",
                meaning:
                    "A hundred or more attempts at one address and port stayed half-open, unanswered or "
                    + "undecided, and more than completed.",
                recognition: "Counted over all attempts; in the summary.",
                reference: "RFC 4987",
                causes: "A SYN flood, a dead service that many clients retry.",
                next: "Look whether sources are spoofed (never a final ACK); tcp_syncookies.")
        case .portScan:
            Entry(
                .warning,
                title: "One source tried many targets",
                meaning:
                    "The source tried twenty or more ports or hosts and did not use them. It may have used others.",
                recognition:
                    "Distinct targets of attempts that were refused, reset by the client or not answered; "
                    + "in the summary.",
                reference: "RFC 4778 2.5",
                causes: "A scan, an inventory tool, a service discovery gone wrong.",
                next: "Identify the source.")
        case .backscatter:
            Entry(
                .note,
                title: "Answers that nobody asked for",
                meaning: "Twenty or more SYN-ACKs or RSTs from one address without anything before them.",
                recognition: "Counted over the capture; in the summary.",
                reference: "RFC 4987",
                causes:
                    "That address is under a flood with spoofed sources, of which yours is one; or the "
                    + "capture is one-sided.",
                next: "None, unless it is your address that is flooded.")
        }
    }
}
