public import PacketWire

/// A situation happened to several attempts and has one likely cause.
public struct Situation: Sendable, Hashable {
    public var code: SituationCode
    public var scope: Scope
    /// Attempts within the scope and the time, and those to which it happened.
    public var attempts: Int
    public var affected: Int
    /// The times of the first and the last of them that it happened to, in nanoseconds since the epoch.
    public var window: ClosedRange<Int64>
    /// How many spells there were: more than one where it ended and came back.
    public var spells = 1
    /// When the last attempt of the scope went well before, and the first behind; nil where none did.
    public var wellBefore: Int64?
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

    public struct Shift: Hashable, Sendable {
        public var before: Int64
        public var since: Int64
    }

    /// Attempts that lost a segment of each kind.
    public struct Losses: Hashable, Sendable {
        public var syn: Int
        public var synAck: Int
        public var ack: Int
    }

    public enum Answer: String, Hashable, Sendable {
        case nothing
        case rst
        case icmpError = "icmp-error"
    }

    /// Attempts that were no part of the situation, for comparison.
    public struct Contrast: Hashable, Sendable {
        public enum Kind: String, Sendable, CaseIterable {
            case otherClients = "other-clients"
            case otherPorts = "other-ports"
            case otherServers = "other-servers"
            case otherTimes = "other-times"
        }
        public var kind: Kind
        public var attempts: Int
        /// Those that came to the same.
        public var affected: Int
    }
}
