package import PacketWire

/// Traffic as a text describes it: packets that pass a capture point, and what must be found in them
/// (docs/scenarios.md).
///
/// A scenario is read from text (`init(text:name:)`), becomes frames (`frames()`), is compared with what analysis makes
/// of those frames (`check()`), and becomes text again (`text`).
package struct Scenario: Sendable {
    /// One connection attempt that relative numbers refer to. Several flows may share a tuple.
    package struct Flow: Sendable, Hashable {
        /// Empty for the flow that needs none.
        package var name: String
        package var client: Endpoint
        package var server: Endpoint
        /// x and y.
        package var clientISN: UInt32
        package var serverISN: UInt32

        package init(name: String = "", client: Endpoint, server: Endpoint, clientISN: UInt32, serverISN: UInt32) {
            self.name = name
            self.client = client
            self.server = server
            self.clientISN = clientISN
            self.serverISN = serverISN
        }

        /// The flow of a scenario that declares none.
        package static let standard = Flow(
            client: Endpoint(IPAddress(v4: 0xc000_0201), 40_000), server: Endpoint(IPAddress(v4: 0xc633_6401), 443),
            clientISN: 1000, serverISN: 5000)
    }

    /// A TCP segment and how it was captured.
    package struct Packet: Sendable, Hashable {
        /// An index in `flows`.
        package var flow: Int
        package var isFromClient: Bool
        /// Its options are in `optionArea`; `options` is not used.
        package var segment: Segment
        /// A multiple of four octets, at most 40.
        package var optionArea: [UInt8] = []
        /// The sender's link address, where it is not the usual one.
        package var senderMAC: [UInt8]?
        /// Octets of the frame that were captured, where it was cut.
        package var capturedLength: Int?
        /// Octets of the IP packet's payload that each fragment holds, where it is sent in several.
        package var pieces: [Range<Int>] = []

        package init(flow: Int, isFromClient: Bool, segment: Segment) {
            self.flow = flow
            self.isFromClient = isFromClient
            self.segment = segment
        }
    }

    package enum Content: Sendable {
        case packet(Packet)
        /// An ICMP error that quotes so many octets of a segment's TCP header.
        case icmp(ICMPError, about: Packet, quoted: Int)
        /// A UDP datagram: no attempt's, it lets time pass.
        case idle
        /// A frame's octets as they are.
        case octets([UInt8])
    }

    /// Packets, and when they are captured.
    package struct Step: Sendable {
        /// Nanoseconds since the scenario's start.
        package var time: Int64
        package var content: Content

        package init(time: Int64, _ content: Content) {
            self.time = time
            self.content = content
        }
    }

    package var linkType = LinkType.ethernet
    /// The most octets of a frame that are captured.
    package var snaplen = Scenario.wholeFrames
    /// Octets of a frame that reached the capture, which took so many for all of it.
    package var slice = Scenario.wholeFrames
    package var flows: [Flow]
    package var steps: [Step] = []
    package var expectations: [Expectation] = []
    /// Its name in diagnostics.
    package var name = ""

    package static let wholeFrames = 262_144
    /// Octets of a scenario's text, and of all its frames.
    package static let maximumOctets = 4 << 20
    package static let maximumFrameOctets = 256 << 20
    /// Mistakes, or differences, that are told.
    package static let maximumDiagnostics = 100
    /// When every scenario starts: 2026-01-01T00:00:00Z, in nanoseconds since the epoch.
    package static let epoch: Int64 = 1_767_225_600_000_000_000

    package init(flows: [Flow] = [.standard]) { self.flows = flows }
}
