package import HandshakeRecord
package import PacketWire

/// What a report knows of an attempt beside its record: where its packets came from.
package struct RecordContext: Sendable {
    /// The numbering of frames.
    package var numbering: DisplayFilter.Numbering
    /// Where frames are, if there are several files.
    package var places: FramePlaces?
    /// The file, if there is one; of several each attempt has its own.
    package var file: String?
    /// The interface, if there is one and it is known.
    package var interface: String?
    /// The user's name for where the packets were captured.
    package var sensor: String?
    /// The seed of the Community ID.
    package var communitySeed = CommunityID.usualSeed

    package init(_ numbering: DisplayFilter.Numbering = .oneFile, places: FramePlaces? = nil) {
        (self.numbering, self.places) = (numbering, places)
    }

    /// Takes file or interface from a description of the capture.
    package mutating func take(_ capture: CaptureDescription) {
        guard capture.files.count == 1, let only = capture.files.first else { return }
        if only.format == "live" { interface = only.name } else { file = only.name }
    }
}

/// An attempt as formats write it.
package struct ReportedAttempt {
    package let record: AttemptRecord
    package let context: RecordContext

    package init(_ record: AttemptRecord, _ context: RecordContext) { (self.record, self.context) = (record, context) }
}
