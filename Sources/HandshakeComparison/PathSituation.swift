package import HandshakeRecord

/// The stable names of what captures at several points show together: they appear in JSON and in `synscope explain`.
package enum PathSituationCode: String, CaseIterable, Sendable {
    /// Segments are lost between two points.
    case lostBetween = "lost-between"
    /// RSTs, ICMP errors or SYN-ACKs come from something between two points.
    case answeredBetween = "answered-between"
    /// Answers pass one point only.
    case answerByAnotherPath = "answer-by-another-path"
    /// Something between two points ends handshakes and begins others.
    case proxiedBetween = "proxied-between"
    /// Fields are changed between two points.
    case rewrittenBetween = "rewritten-between"

    package var severity: Severity {
        switch self {
        case .lostBetween, .answeredBetween: .error
        case .answerByAnotherPath: .warning
        case .proxiedBetween, .rewrittenBetween: .note
        }
    }

    /// What else would look the same.
    package var alternatives: [String] {
        switch self {
        case .lostBetween:
            ["the second point's capture lacks these frames, and they were lost behind it"]
        case .answeredBetween:
            ["the capture at the point nearer to the sender lacks these frames, and the sender made them"]
        case .answerByAnotherPath:
            [
                "something between the points answered in the other side's name",
                "the capture of the point without answers has one direction only",
            ]
        case .proxiedBetween:
            ["a box that rewrites sequence numbers and timestamps, and delays nothing"]
        case .rewrittenBetween: []
        }
    }

    /// The text of `synscope explain`.
    package var explanation: Explanation {
        switch self {
        case .lostBetween:
            Explanation(
                title: "Segments are lost between two capture points",
                meaning:
                    "The point nearer to the sender has them, the other has not, and the receiver did not get them.",
                recognition:
                    "Sender's copies that no answer names (TSecr), that are repeated before any answer came, or that "
                    + "nothing ever answered.",
                reference: "RFC 9293 3.8.1; RFC 7323 4",
                causes: "A filter, a full queue, a broken link or a route without an end between the two points.",
                next: "Capture at a point between these two, and compare again: the stretch gets shorter each time.")
        case .answeredBetween:
            Explanation(
                title: "Something between two capture points answers",
                meaning: "A RST, ICMP error or SYN-ACK is captured nearer to the client and not nearer to the server.",
                recognition:
                    "Segments in the server's name, or ICMP errors, that the point nearer to the server lacks.",
                reference: "RFC 9293 3.10.7; RFC 5927",
                causes: "A firewall that rejects, a load balancer or proxy that answers, a router's ICMP error.",
                next: "Compare the segment's hop limit with the server's own (synscope draw): it tells how far it came."
            )
        case .answerByAnotherPath:
            Explanation(
                title: "Answers pass one capture point only",
                meaning: "SYNs pass both points, and SYN-ACKs of the same connections pass one.",
                recognition: "Attempts whose SYN both points have, with a SYN-ACK at the client's point alone.",
                reference: "RFC 9293 3.5",
                causes: "Asymmetric routes, a second uplink, direct server return.",
                next: "Capture on the other way too; stateful firewalls on either way see half of each connection.")
        case .proxiedBetween:
            Explanation(
                title: "A proxy stands between two capture points",
                meaning: "The client's handshake ends at the proxy; another one goes on to the server.",
                recognition:
                    "SYN-ACKs of one connection with other sequence numbers at the two points, and proof that they are "
                    + "two: the one nearer to the server took longer, or came later by the clocks; that of the client "
                    + "has a window of 0; the timestamps are others; or the server's SYN repeats timestamps of what "
                    + "the client's point captured later.",
                reference: "RFC 4987 3.6",
                causes: "A SYN proxy, a load balancer that ends connections, a firewall's flood protection.",
                next: "Judge the client's wait by its own point. What the proxy offers is not the server's offer.")
        case .rewrittenBetween:
            Explanation(
                title: "Fields are changed between two capture points",
                meaning: "A packet has other values at the second point than at the first.",
                recognition: "Segments that both points captured, compared field by field.",
                reference: "RFC 3022; RFC 2979; RFC 9293 3.7.1",
                causes:
                    "Address translation, an MSS clamp, a firewall that removes options or hides sequence numbers. If "
                    + "the server's numbers differ, a proxy that leaves no other trace would look the same.",
                next: "Nothing, if it is meant. The table of changes says which box to look for: between which points.")
        }
    }
}

/// What happened between two points to many attempts.
package struct PathSituation: Sendable {
    package var code: PathSituationCode
    /// Numbers of the two points, in the direction of the segments.
    package var stretch: Stretch
    /// Attempts or segments that it happened to, and of how many.
    package var count: Int
    package var of: Int
    /// A sentence without its full stop.
    package var sentence: String
    /// Attempts that show it, by their places.
    package var examples: [Int]
}
