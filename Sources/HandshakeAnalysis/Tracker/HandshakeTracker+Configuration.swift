public import PacketWire

extension HandshakeTracker {
    /// Limits, and what is handed out.
    public struct Configuration: Sendable {
        /// The most attempts and connections that are remembered at a time; beyond it the oldest are let go, and
        /// counted.
        public var maximumAttempts = 1 << 20
        /// The most octets that what is remembered may take, the index of it included: beyond it too the oldest are let
        /// go. At least `leastMemory`.
        public var maximumMemory = Int.max
        /// The least `maximumMemory`, octets.
        public static let leastMemory = 1 << 20
        /// The range of `maximumAttempts`; another number counts as the nearest.
        public static let allowedAttempts = 16...1 << 24
        /// The seed of the hash table; nil draws one, since traffic chooses the keys. It changes no result.
        public var hashSeed: UInt64?
        /// Whether segments whose checksum is bad are kept out of the state. Those of a sender all of whose checksums
        /// are bad are not: then its frames were rewritten, or its checksums are the network card's to fill.
        public var excludesBadChecksums = true
        /// The form in which decided attempts are handed out, beside the sums (`summary`).
        package enum Listing: Sendable {
            /// No attempts, which costs least.
            case sums
            /// A record of each, but of plain attempts what they are (`PlainAttempt`), by `moveDecisions(into:)`.
            case plainAndRecords
            /// A record of each.
            case records
            /// A record of each, and the frames that were evidence, by `takeEvidence`. Each attempt then has its detail
            /// at once.
            case recordsAndEvidence
        }
        package var listing = Listing.records
        /// Whether decided attempts are handed out; if not they are counted only (`summary`), which costs less.
        public var listsAttempts: Bool {
            get { listing != .sums }
            set { listing = newValue ? .records : .sums }
        }
        /// How many decided attempts are kept at a time where they are taken as they are decided: about so many.
        package var maximumDecided = 512
        /// The tunnels, by their two outer addresses, whose segments are believed though they came from one end only.
        public var declaredTunnels: [(IPAddress, IPAddress)] = []
        /// Whether ordinary attempts go without detail. It changes no result, but for what a memory limit, or a log
        /// that is full, lets go of: with detail there is more of it.
        package var usesShortForms = true
        /// How many shards the tuples are shared out among, a power of two; nil for as many as the limits have room
        /// for. Full tables let go of other attempts where there are more.
        package var shards: Int?
        /// How many sorts of segments are told apart, a power of two: attempts with others have their detail at once.
        package var maximumProfiles = 1 << 14
        /// Whether an attempt that was refused, reset or given up is decided after 10 s of quiet rather than 75 s. Who
        /// watches live wants to know; a SYN with the same x after that is then an attempt of its own.
        package var decidesEndsEarly = false
        /// Takes memory of the table that it will need soon, so that another thread has it provided: nil where there is
        /// none.
        package var announcesMemory: MemoryAhead.Announcement?
        /// The defaults of the command.
        public init() {}

        /// With limits that there can be.
        var inBounds: Configuration {
            var bounded = self
            bounded.maximumMemory = max(maximumMemory, Configuration.leastMemory)
            bounded.maximumAttempts = min(
                max(maximumAttempts, Configuration.allowedAttempts.lowerBound), Configuration.allowedAttempts.upperBound
            )
            return bounded
        }

        /// The most trackers that share the tuples out.
        package var maximumWorkers: Int { shards ?? Shard.count(attempts: maximumAttempts, memory: maximumMemory) }
    }
}
