import CLinux
package import PacketWire

/// A capture file's description of itself, or of its first interface.
package struct SavefileDescription: Sendable {
    package var name: String
    /// `pcap` or `pcapng`.
    package var format: String
    package var linkType: LinkType
    /// Octets; 0 in pcapng means no limit.
    package var snaplen: Int
    /// Nanoseconds that the smallest step of a time stands for.
    package var timeResolution: Int64
    /// A pcapng file's description of itself, and of the interfaces before its first frame.
    package var interfaces: [InterfaceNote] = []
    /// How many more interfaces it describes there.
    package var interfacesOmitted = 0
    package var section = SectionNote()
}

extension SavefileDescription {
    /// The formats that are read, and what of each.
    package static let formats: [(name: String, summary: String)] = [
        (
            "pcap",
            "both byte orders, micro- and nanoseconds, versions 2.0 to 2.4 with lengths in either order; A. Kuznetzov's variants (Red Hat 6.1, SuSE 6.3), Nokia's, AIX's, Ixia's"
        ),
        (
            "pcapng",
            "both byte orders, any number of sections and interfaces, each with its link type, snaplen and time resolution; enhanced, simple and obsolete packet blocks; comments, names, statistics; other blocks are passed over"
        ),
    ]

    package static let compressions: [(name: String, summary: String)] = [
        ("gzip", "RFC 1952, several members too"), ("zstd", "RFC 8878, several frames too"),
        ("lz4", "the LZ4 frame format, several frames too"),
    ]
}
