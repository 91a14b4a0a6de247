import HandshakeRecord

/// Counts of attempts that say what their capture is.
struct QualityCounts: Sendable {
    /// Completed handshakes of which one side's segments are in the capture, and attempts that have both sides'.
    var clientOnly = 0
    var serverOnly = 0
    var bothSides = 0
    var twoPlaces = 0
    var untrustedChecksums = 0
    var answered = 0

    mutating func add(_ other: QualityCounts) {
        clientOnly += other.clientOnly
        serverOnly += other.serverOnly
        bothSides += other.bothSides
        twoPlaces += other.twoPlaces
        untrustedChecksums += other.untrustedChecksums
        answered += other.answered
    }

    mutating func count(_ record: AttemptRecord) {
        let sides = record.sides
        if sides.client, sides.server {
            bothSides += 1
        } else if record.completedBy != nil {
            if sides.client { clientOnly += 1 } else { serverOnly += 1 }
        }
        if sides.hasTwoPlaces { twoPlaces += 1 }
        if sides.distrustsChecksums { untrustedChecksums += 1 }
        if record.synAckCount > 0 { answered += 1 }
    }

    mutating func countPlain(_ count: Int) {
        bothSides += count
        answered += count
    }
}
