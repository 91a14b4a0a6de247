/// Totals over all attempts of a capture.
public struct HandshakeSummary: Hashable, Sendable {
    /// Frames by what became of them; they add up to the frames read.
    public package(set) var frames = FrameCounts()
    /// Attempts that were decided, translated copies left out.
    public package(set) var attempts = 0
    /// Attempts by outcome.
    public package(set) var byOutcome: [Outcome: Int] = [:]
    /// Attempts that the end of the capture cut off: what came of them is not known.
    public package(set) var undecided = 0
    /// Attempts that have a finding, by its code.
    public package(set) var findings: [FindingCode: Int] = [:]
    /// Attempts of which a SYN was sent more than once.
    public package(set) var retransmittedSYNs = 0
    /// Connections of which neither SYN nor SYN-ACK was seen.
    public package(set) var midstreamFlows = 0
    /// Attempts decided early because the table was full.
    public package(set) var evicted = 0
    /// Reported connections forgotten early for the same reason: what comes of them later counts as midstream.
    public package(set) var forgottenEarly = 0
    /// SYNs and SYN-ACKs that came after their attempt was reported.
    public package(set) var lateSegments = 0
    /// SYNs that may have been connections of their own: they had the x of one that was decided, and nothing tells when
    /// they were sent.
    public package(set) var doubtfulSYNs = 0
    /// ICMP errors that quote no attempt that is known.
    public package(set) var unrelatedICMPErrors = 0
    /// Attempts that are another one's copy behind an address translator: nothing else counts them.
    public package(set) var translatedCopies = 0
    /// SYN-ACKs with a bad checksum that belong to no attempt.
    public package(set) var badChecksumsIgnored = 0
    /// How often the capture's time went back.
    public package(set) var clockStepsBack = 0
    /// Nanoseconds of the largest of them.
    public package(set) var clockLargestStepBack: Int64 = 0
    /// Steps of a live capture that its steady clock does not bear out.
    public package(set) var clockStepsForward = 0
    /// The distribution of the handshakes' whole round trips.
    public package(set) var roundTrips = RoundTripTimes()
    /// The times of the capture's first and last frame, in nanoseconds since the epoch, as far as its clock goes; nil
    /// without frames.
    public package(set) var span: ClosedRange<Int64>?
    /// Qualities of the capture that bound what can be said of its attempts.
    public package(set) var quality: [CaptureQualityFinding] = []
    /// Patterns of many attempts: floods, scans, backscatter.
    public package(set) var patterns: [TrafficPattern] = []
    /// The servers with the most attempts that came to no connection, the worst first: five at most.
    public package(set) var troubledServers: [TroubledServer] = []

    package init() {}

    /// Totals over saved attempts, of which the capture is not here.
    /// - Parameters:
    ///   - attempts: sums over the attempts.
    ///   - frames: nil where they are not known.
    package init(
        of attempts: HandshakeSummary, span: ClosedRange<Int64>?, frames: FrameCounts?,
        quality: [CaptureQualityFinding]
    ) {
        self = attempts
        (self.span, self.frames, self.quality) = (span, frames ?? FrameCounts(), quality)
        patterns = []
    }

    /// Why an assertion that no attempt breaks may not hold all the same: what else happened, or did not, is not known.
    public var doubts: [String] {
        var doubts: [String] = []
        if doubtfulSYNs > 0 {
            doubts.append("\(doubtfulSYNs) late SYNs may be attempts that are not reported")
        }
        if evicted > 0 { doubts.append("\(evicted) attempts were decided early, since the table was full") }
        for quality in quality where quality.code == .filtered || quality.code == .oneDirection {
            doubts.append("the capture is \(quality.text)")
        }
        return doubts
    }
}
