/// A quality of the capture itself: it bounds what can be said of the attempts in it.
public enum CaptureQuality: String, CaseIterable, Sendable {
    /// The capture has one direction only.
    case oneDirection = "one-direction"
    /// The capture has only some kinds of segments.
    case filtered
    /// The capture has its packets twice.
    case doubled
    /// The capture has packets of two capture points.
    case twoPlaces = "two-places"
    /// The capture has connections before and behind an address translator.
    case translated
    /// The capture is of mirror sessions.
    case mirrors
    /// Frames were sliced before they were captured.
    case sliced
    /// Frames were cut by the snaplen.
    case cut
    /// The capture's clock stepped.
    case clockUneven = "clock-uneven"
    /// The capture's clock is coarse.
    case clockCoarse = "clock-coarse"
    /// Checksums of some senders say nothing.
    case checksumsUntrusted = "checksums-untrusted"

    /// The text of `synscope explain`.
    public var explanation: Explanation {
        switch self {
        case .oneDirection:
            Explanation(
                title: "The capture has one direction only",
                meaning: "No connection in it has segments of both sides: what the other side did is not known.",
                recognition: "At least one handshake completed, and none has segments of both sides.",
                reference: "docs/correctness.md",
                causes: "A mirror port of one direction, asymmetric routes, a filter on source or destination.",
                next: "Capture both directions. Judge neither round trips nor answers by this capture.")
        case .filtered:
            Explanation(
                title: "The capture has only some kinds of segments",
                meaning: "What a filter left out is missing from every attempt, so its absence says nothing.",
                recognition:
                    "SYN-ACKs of two attempts or more, and no segment without SYN; or none without SYN, FIN and RST.",
                reference: "pcap-filter(7)",
                causes:
                    "A capture filter such as tcp[tcpflags] & tcp-syn != 0. Nothing but half-open "
                    + "handshakes would look the same.",
                next: "Capture without the filter; then half-open and reset attempts can be told.")
        case .doubled:
            Explanation(
                title: "The capture has its packets twice",
                meaning: "Most attempts have packets that were captured more than once; they are counted once.",
                recognition: "At least half of the attempts have capture duplicates.",
                reference: "RFC 791 section 3.2 (identification)",
                causes: "A mirror of both directions of a port, capture on \"any\", two captures merged.",
                next: "Nothing, if round trips are given. To be rid of it, capture on one interface.")
        case .twoPlaces:
            Explanation(
                title: "The capture has packets of two capture points",
                meaning: "Packets were seen with different hop limits: round trips take the times of one point.",
                recognition: "Sightings of one packet, in both directions, that differ in the hop limit.",
                reference: "RFC 9293 3.4; docs/correctness.md",
                causes: "Captures of both ends merged, a router's two sides.",
                next: "Keep the files apart if their clocks differ.")
        case .translated:
            Explanation(
                title: "The capture has connections before and behind an address translator",
                meaning: "One connection appears under two tuples; totals count it once.",
                recognition:
                    "SYNs of equal x and TSval on another tuple, at another hop limit or place, within a round trip.",
                reference: "RFC 3022",
                causes: "Capture on a gateway, on a container host's \"any\", or two merged captures.",
                next: "Read the attempt of the client's side: it says what the client got.")
        case .mirrors:
            Explanation(
                title: "The capture is of mirror sessions",
                meaning:
                    "All TCP came in GRE, ERSPAN, VXLAN or Geneve: what is inside is taken as what was "
                    + "mirrored, also where only one end of a tunnel was heard.",
                recognition: "No TCP segment outside such tunnels.",
                reference: "RFC 2784, RFC 7348, RFC 8926",
                causes: "Capture on a collector of mirrored traffic.",
                next:
                    "Nothing. Whoever can send to the collector can make up connections: --tunnel and a "
                    + "capture filter on the mirrors' addresses keep others out."
            )
        case .sliced:
            Explanation(
                title: "Frames were sliced before they were captured",
                meaning: "IP packets are longer than their frames: octets were cut off on the way to the capture.",
                recognition: "The IP length is beyond the frame's own.",
                reference: "RFC 791 section 3.1",
                causes: "A packet broker or a mirror session that keeps the first octets only.",
                next: "Keep at least 96 octets: options such as the MSS are unknown otherwise.")
        case .cut:
            Explanation(
                title: "Frames were cut by the snaplen",
                meaning: "Headers are missing from some frames.",
                recognition: "Captured octets end inside a TCP header, or before it.",
                reference: "pcap(3PCAP), pcap_set_snaplen",
                causes: "A small snapshot length (tcpdump -s).",
                next: "Capture with -s 0, or at least 96.")
        case .clockUneven:
            Explanation(
                title: "The capture's clock stepped",
                meaning: "Times before and after a step cannot be compared.",
                recognition:
                    "Two frames that agree on a time more than 10 s before the clock's, or steps within attempts.",
                reference: "pcapng, Enhanced Packet Block timestamps",
                causes: "NTP that steps, a virtual machine that was paused, files merged in the wrong order.",
                next: "No round trip is given across a step.")
        case .clockCoarse:
            Explanation(
                title: "The capture's clock is coarse",
                meaning: "Times count whole seconds or milliseconds: round trips have bounds, no figures.",
                recognition:
                    "An interface declares milliseconds or coarser units; or four frames or more, all on whole "
                    + "seconds; "
                    + "or a hundred or more, all on whole milliseconds.",
                reference: "pcapng, if_tsresol",
                causes: "A text dump that was converted, a device with a slow clock.",
                next: "Capture with microseconds or finer.")
        case .checksumsUntrusted:
            Explanation(
                title: "Checksums of some senders say nothing",
                meaning: "All checksums of a sender are bad, so its segments count in spite of them.",
                recognition: "Two segments or more of a side, all with bad checksums, and none with a good one.",
                reference: "RFC 9293 3.1",
                causes: "A capture that was rewritten without new checksums, hardware that fills them in later.",
                next: "tcprewrite --fixcsum, or capture on the wire.")
        }
    }
}

/// Sides and places of the capture that an attempt's log shows.
package struct AttemptSides: Hashable, Sendable {
    package var client = false
    package var server = false
    package var hasTwoPlaces = false
    package var distrustsChecksums = false
}

/// One thing that holds of a capture.
public struct CaptureQualityFinding: Sendable, Hashable {
    /// The quality.
    public var code: CaptureQuality
    /// A sentence without its full stop.
    public var text: String

    package init(_ code: CaptureQuality, _ text: String) { (self.code, self.text) = (code, text) }
}
