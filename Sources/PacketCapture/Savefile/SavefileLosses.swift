package import PacketWire

/// A pcapng file's description of itself.
package struct SectionNote: Sendable, Equatable {
    package var hardware: String?
    package var system: String?
    package var application: String?
    package var comments: [String] = []
}

/// A pcapng file's description of an interface.
package struct InterfaceNote: Sendable, Equatable {
    package var linkType: LinkType
    /// Octets; 0 is no limit.
    package var snaplen: Int
    /// Nanoseconds that the smallest step of a time stands for.
    package var timeResolution: Int64
    package var name: String?
    package var description: String?
    package var comments: [String] = []
}

/// Drops that a pcapng file tells of: by its interfaces' statistics, and of its packets' drop
/// counts.
package struct SavefileLosses: Sendable {
    /// Nil where the file says nothing, as below.
    package var received: UInt64?
    package var droppedByInterface: UInt64?
    package var droppedBySystem: UInt64?

    package init(received: UInt64? = nil, droppedByInterface: UInt64? = nil, droppedBySystem: UInt64? = nil) {
        self.received = received
        self.droppedByInterface = droppedByInterface
        self.droppedBySystem = droppedBySystem
    }

    package mutating func add(_ other: SavefileLosses) {
        func sum(_ a: UInt64?, _ b: UInt64?) -> UInt64? {
            guard let a, let b else { return a ?? b }
            let sum = a.addingReportingOverflow(b)
            return sum.overflow ? .max : sum.partialValue
        }
        received = sum(received, other.received)
        droppedByInterface = sum(droppedByInterface, other.droppedByInterface)
        droppedBySystem = sum(droppedBySystem, other.droppedBySystem)
    }
}
