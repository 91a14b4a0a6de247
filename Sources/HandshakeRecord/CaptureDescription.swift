/// The capture itself, as reports describe it.
package struct CaptureDescription: Sendable {
    package struct Interface: Sendable {
        package var name: String?
        package var description: String?
        package var linkType: String
        /// Octets; 0 is no limit.
        package var snaplen: Int
        /// Nanoseconds.
        package var timeResolution: Int64
        package var comments: [String]

        package init(
            name: String?, description: String?, linkType: String, snaplen: Int, timeResolution: Int64,
            comments: [String]
        ) {
            self.name = name
            self.description = description
            self.linkType = linkType
            self.snaplen = snaplen
            self.timeResolution = timeResolution
            self.comments = comments
        }
    }

    package struct File: Sendable {
        package var name: String
        package var format: String
        package var linkType: String
        /// Octets.
        package var snaplen: Int
        /// Nanoseconds.
        package var timeResolution: Int64
        /// A pcapng file's description of itself, and of the interfaces before its first frame.
        package var hardware: String?
        package var system: String?
        package var application: String?
        package var comments: [String] = []
        package var interfaces: [Interface] = []
        /// How many more interfaces it describes there.
        package var interfacesOmitted = 0

        package init(name: String, format: String, linkType: String, snaplen: Int, timeResolution: Int64) {
            self.name = name
            self.format = format
            self.linkType = linkType
            self.snaplen = snaplen
            self.timeResolution = timeResolution
        }
    }

    package var files: [File]
    package var filter: String?
    /// Nanoseconds since the epoch of the first frame.
    package var started: Int64?

    package init(files: [File], filter: String?, started: Int64?) {
        self.files = files
        self.filter = filter
        self.started = started
    }
}

/// Frames and attempts that were lost before analysis or report.
package struct CaptureLoss: Sendable {
    /// Frames that passed the kernel's filter, dropped ones included; nil where the input cannot say, as below.
    package var received: UInt64?
    package var kernelDropped: UInt64?
    package var interfaceDropped: UInt64?
    /// A file ended, or broke, in the middle.
    package var isTruncated = false
    /// Frames that the filter stopped.
    package var filteredOut: UInt64 = 0
    /// Attempts that a live run did not report since its output's reader was slow, and handshake frames that it did not
    /// write since the disk was.
    package var unreportedRecords: UInt64 = 0
    package var unwrittenFrames: UInt64 = 0
    package init() {}
}
