/// A finding: what was seen, on which frames, and what goes with it.
public struct Finding: Sendable, Hashable {
    public enum Location: String, Sendable {
        case beforeCapture = "before-capture"
        case afterCapture = "after-capture"
        case unknown
    }
    public var code: FindingCode
    public var frames: [UInt64]
    /// The number that the standard asks for, and the number that was there; nil where the finding is not about one.
    public var expected: UInt32?
    public var actual: UInt32?
    /// Nanoseconds between repetitions, and the schedule that they fit.
    public var gaps: [Int64]?
    public var schedule: String?
    /// Where a loss happened, seen from the capture point.
    public var location: Location?
    /// Why this is concluded, and what else would look the same.
    public var evidence: String?
    public var alternatives: [String]

    package init(_ code: FindingCode, _ frames: [UInt64]) {
        self.code = code
        self.frames = frames
        alternatives = []
    }
}
