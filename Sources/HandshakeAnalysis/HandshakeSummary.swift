import Histogram
import PacketWire

/// Frames by what they were. The counts add up to `read`.
public struct FrameCounts: Sendable {
    public internal(set) var segments: UInt64 = 0
    /// By reason; ICMP errors are here too: no segment of a connection, but used as evidence.
    public internal(set) var ignored: [String: UInt64] = [:]
    public internal(set) var malformed: [String: UInt64] = [:]
    /// Cut by the snaplen before a TCP header's flags.
    public internal(set) var cut: UInt64 = 0

    public var read: UInt64 {
        segments + cut + ignored.values.reduce(0, +) + malformed.values.reduce(0, +)
    }

    mutating func count(_ frame: Frame) {
        switch frame {
        case .segment: segments += 1
        case .icmpError: ignored[IgnoredReason.icmpError.name, default: 0] += 1
        case .ignored(let reason): ignored[reason.name, default: 0] += 1
        case .malformed(let malformation): malformed[malformation.name, default: 0] += 1
        case .cut: cut += 1
        }
    }
}

/// Totals over all attempts, kept while they are decided.
public struct HandshakeSummary {
    public internal(set) var frames = FrameCounts()
    public internal(set) var attempts = 0
    public internal(set) var byOutcome: [Outcome: Int] = [:]
    /// Attempts that have a finding, by its code.
    public internal(set) var findings: [FindingCode: Int] = [:]
    /// Attempts of which a SYN was sent more than once.
    public internal(set) var retransmittedSYNs = 0
    /// Connections of which neither SYN nor SYN-ACK was seen.
    public internal(set) var midstreamFlows = 0
    /// Attempts decided early because the table was full.
    public internal(set) var evicted = 0
    /// Reported connections forgotten early for the same reason: what comes of them later counts as midstream.
    public internal(set) var forgottenEarly = 0
    /// SYNs and SYN-ACKs that came after their attempt was reported.
    public internal(set) var lateSegments = 0
    public internal(set) var unrelatedICMPErrors = 0
    public internal(set) var clockStepsBack = 0
    public internal(set) var patterns = TrafficPatterns()
    public internal(set) var roundTrips = RoundTripTimes()

    mutating func count(_ record: AttemptRecord) {
        attempts += 1
        byOutcome[record.outcome, default: 0] += 1
        if record.has(.synRetransmitted) { retransmittedSYNs += 1 }
        for (position, finding) in record.findings.enumerated()
        where !record.findings[..<position].contains(where: { $0.code == finding.code }) {
            findings[finding.code, default: 0] += 1
        }
        if let total = record.total?.nanoseconds { roundTrips.record(total) }
        patterns.decided(record)
    }

    /// What the attempts together look like: floods, scans, backscatter.
    public var patternFindings: [TrafficPatterns.Pattern] { patterns.findings() }
}

/// The distribution of handshake round trips, in nanoseconds; only pairs that are known count.
public struct RoundTripTimes {
    /// Quantiles are within this fraction of a value that was recorded.
    public static let relativeError = 0.001
    private var histogram = Histogram<UInt64>(numberOfSignificantValueDigits: .three)
    public private(set) var count = 0
    public private(set) var minimum: Int64?
    public private(set) var maximum: Int64?

    mutating func record(_ nanoseconds: Int64) {
        count += 1
        minimum = min(minimum ?? .max, nanoseconds)
        maximum = max(maximum ?? .min, nanoseconds)
        histogram.record(UInt64(max(0, nanoseconds)))
    }

    /// The smallest recorded value that at least `percentile` percent do not exceed; nil without any.
    public func percentile(_ percentile: Double) -> Int64? {
        guard count > 0, let minimum, let maximum else { return nil }
        return min(maximum, max(minimum, Int64(clamping: histogram.valueAtPercentile(percentile))))
    }
}
