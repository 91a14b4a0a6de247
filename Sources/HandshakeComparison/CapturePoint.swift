package import HandshakeRecord

/// One place where the traffic was captured, and what its capture has.
package struct CapturePoint: Sendable {
    package var name: String
    package var files: [String]
    package var log: PointLog
    package var summary: HandshakeSummary
    package var loss: CaptureLoss
    /// Nanoseconds that its clock counts in.
    package var tick: Int64

    package init(
        name: String, files: [String], log: PointLog, summary: HandshakeSummary, loss: CaptureLoss, tick: Int64
    ) {
        (self.name, self.files, self.log) = (name, files, log)
        (self.summary, self.loss, self.tick) = (summary, loss, tick)
    }

    /// Whether its capture says itself that it lacks frames.
    var admitsLoss: Bool {
        (loss.kernelDropped ?? 0) > 0 || (loss.interfaceDropped ?? 0) > 0
    }

    func has(_ quality: CaptureQuality) -> Bool { summary.quality.contains { $0.code == quality } }
}

/// Why captures cannot be compared.
package struct ComparisonError: Error, Sendable {
    package var message: String
}
