public import PacketWire

/// A situation happened to several attempts and has one likely cause.
public struct Situation: Sendable, Hashable {
    /// What it is.
    public var code: SituationCode
    /// Whom it concerns.
    public var scope: Scope
    /// Attempts within the scope and the time, and those to which it happened.
    public var attempts: Int
    /// Attempts that show it.
    public var affected: Int
    /// The times of the first and the last of them that it happened to, in nanoseconds since the epoch.
    public var window: ClosedRange<Int64>
    /// How many spells there were: more than one where it ended and came back.
    public var spells = 1
    /// When the last attempt of the scope went well before, and the first behind; nil where none did.
    public var wellBefore: Int64?
    /// When the last attempt without it began, nanoseconds since the epoch.
    public var wellAfter: Int64?
    /// Other attempts of the same time, and the same ones at other times.
    public var contrasts: [Contrast] = []
    /// The answer to the SYNs; nil where they were answered with SYN-ACKs.
    public var answer: Answer?
    /// Who sent the ICMP errors, where one did.
    public var reporter: IPAddress?
    /// The share that is affected lies within, with 95 % confidence; nil where all are.
    public var share: ClosedRange<Double>?
    /// The median before and since, in nanoseconds, of what changed.
    public var shift: Shift?
    /// Which segments were lost; nil where the situation is not about that.
    public var losses: Losses?
    /// Hosts that it was found at.
    public var hosts = 1
    /// Ids of attempts that show it: three at most.
    public var evidence: [UInt64]
    /// At most so probable by chance, all places that were looked at included; nil where there is nothing to compare
    /// with.
    public var chance: Double?
    /// Whether counts are estimates: there were more attempts than are kept one by one.
    public var isEstimate = false

    /// A round trip that stepped.
    public struct Shift: Hashable, Sendable {
        /// The median before the step, nanoseconds.
        public var before: Int64
        /// The median since, nanoseconds.
        public var since: Int64
    }

    /// Attempts that lost a segment of each kind.
    public struct Losses: Hashable, Sendable {
        /// Attempts that lost a SYN.
        public var syn: Int
        /// Attempts that lost a SYN-ACK.
        public var synAck: Int
        /// Attempts that lost their final ACK.
        public var ack: Int
    }

    /// What came back.
    public enum Answer: String, Hashable, Sendable {
        /// Nothing.
        case nothing
        /// A RST.
        case rst
        /// An ICMP error.
        case icmpError = "icmp-error"
    }

    /// Attempts that were no part of the situation, for comparison.
    public struct Contrast: Hashable, Sendable {
        /// The group that an affected one is compared with.
        public enum Kind: String, Sendable, CaseIterable {
            /// Other clients of the same server.
            case otherClients = "other-clients"
            /// Other ports of the same server.
            case otherPorts = "other-ports"
            /// Other servers of the same clients.
            case otherServers = "other-servers"
            /// The same at other times.
            case otherTimes = "other-times"
        }
        /// The group.
        public var kind: Kind
        /// Attempts of that group.
        public var attempts: Int
        /// Those that came to the same.
        public var affected: Int
    }
}
