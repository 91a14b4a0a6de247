/// A finding: what was seen, on which frames, and what goes with it.
public struct Finding: Sendable, Hashable {
    /// Where the evidence puts a loss, seen from the capture point.
    public enum Location: String, CaseIterable, Sendable {
        /// Lost before it could be captured.
        case beforeCapture = "before-capture"
        /// Lost, or dropped, behind the capture point.
        case afterCapture = "after-capture"
        /// The packets do not tell.
        case unknown
    }
    /// The code of the finding.
    public var code: FindingCode
    /// Numbers of the frames that show it.
    public var frames: [UInt64]
    /// The number that the standard asks for, and the number that was there; nil where the finding is not about one.
    public var expected: UInt32?
    /// The number that was found, where one was expected.
    public var actual: UInt32?
    /// Nanoseconds between repetitions, and the schedule that they fit.
    public var gaps: [Int64]?
    /// The schedule that the gaps of a repetition fit.
    public var schedule: RetransmissionSchedule?
    /// Where a loss happened, seen from the capture point.
    public var location: Location?
    /// Why this is concluded, and what else would look the same.
    public var evidence: String?
    /// What else would look the same, each a clause.
    public var alternatives: [String]

    package init(_ code: FindingCode, _ frames: [UInt64]) {
        self.code = code
        self.frames = frames
        alternatives = []
    }
}
