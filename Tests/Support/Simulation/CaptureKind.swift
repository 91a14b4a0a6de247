/// How a world was captured: what of its sightings came into the file, and with which times. Drawn apart from the
/// world, so that one world can be looked at in several ways.
public enum CaptureKind: String, CaseIterable, Sendable {
    case whole
    /// A mirror that shows every frame twice, microseconds apart, at the same hop limit.
    case mirrored
    /// Both sides of a router: every frame twice, one hop on.
    case twoPlaces = "two-places"
    case clientOnly = "client-only"
    case serverOnly = "server-only"
    /// Filters: segments with SYN; with SYN, FIN or RST.
    case synOnly = "syn-only"
    case synFinRst = "syn-fin-rst"
    /// A range of frames is missing.
    case burstLoss = "burst-loss"
    /// Times in whole milliseconds.
    case coarse
    /// All checksums of one side are bad.
    case badServerSums = "bad-server-sums"
    case badClientSums = "bad-client-sums"
    /// All in GTP-U, whose ids differ by direction.
    case tunnelled
    /// The client's direction in IP-in-IP, as a load balancer hands it on; the server answers directly.
    case directReturn = "direct-return"
    /// On "any" of a host with an overlay: each packet plain, and microseconds later in VXLAN.
    case overlay
    /// A mirror session's copy before each packet.
    case mirrorCopies = "mirror-copies"
    /// Behind each packet one in the name of either side, that a stranger who knows x and y sends to a tunnel's end.
    case forged
    /// Captures of both ends, the server's clock two seconds ahead.
    case twoEnds = "two-ends"
    /// The clock is a day ahead for some of the frames.
    case steppedClock = "stepped-clock"
    /// The clock is an hour behind from some frame on.
    case setBack = "set-back"
    /// Times in whole seconds.
    case wholeSeconds = "whole-seconds"
    /// Frames are cut behind the TCP header's fixed part; behind 12 octets of its options.
    case slicedHeaders = "sliced-54"
    case slicedOptions = "sliced-66"
    /// Captured on the client, whose network card fills in the checksums.
    case offloaded
    /// Both sides of address translation: each packet once with the client's address, once with the translator's.
    case translated
    /// On the air: frames are repeated on the link, and of some only the repetition was heard.
    case linkRetries = "link-retries"
    /// As `sliced-54` and `sliced-66`, by a box before the capture, whose file has the shorter length for the frame's.
    case shortHeaders = "short-54"
    case shortOptions = "short-66"
    /// A tap whose two directions are merged: the client's frames come later than they passed.
    case lateClient = "late-client"

    /// Kinds that came later. They are drawn apart, so that all other seeds keep their worlds.
    private static let later: [CaptureKind] = [
        .linkRetries, .shortHeaders, .shortOptions, .lateClient,
    ]

    /// Half of all worlds are captured whole.
    public init(seed: UInt64) {
        var draw = Draw(seed: seed ^ 0x5ca1_ab1e)
        let first = CaptureKind.allCases.filter { !CaptureKind.later.contains($0) }
        self = draw.chance(0.5) ? .whole : draw.pick(first)
        var apart = Draw(seed: seed ^ 0x0802_1100)
        if apart.chance(0.08) { self = apart.pick(CaptureKind.later) }
    }

    /// What is captured of a world.
    func sightings(of world: World) -> [Sighting] {
        let all = world.sightings
        func kept(_ isKept: (Sent) -> Bool) -> [Sighting] { all.filter { isKept(world.packets[$0.packet]) } }
        switch self {
        case .whole, .badServerSums, .badClientSums, .forged, .slicedHeaders, .slicedOptions, .offloaded,
            .shortHeaders, .shortOptions:
            return all
        case .linkRetries: return repeatedOnLink(world)
        case .lateClient:
            var draw = Draw(seed: world.seed ^ 0x1a7e)
            let delay = draw.nanoseconds(0.01...100)
            return all.map { sighting in
                var late = sighting
                if world.packets[sighting.packet].fromClient { late.time += delay }
                return late
            }.sorted { $0.time < $1.time }
        case .tunnelled:
            return all.map { sighting in
                var carried = sighting
                carried.carriage = .gtp
                return carried
            }
        case .directReturn:
            return all.map { sighting in
                var carried = sighting
                if world.packets[sighting.packet].fromClient { carried.carriage = .ipInIP }
                return carried
            }
        case .translated:
            // The translator that such a world lacks on its way back is not this one.
            if world.trait == .answersElsewhere { return all }
            return all.flatMap { sighting in
                var (inside, outside) = (sighting, sighting)
                outside.carriage = .translated
                let isFromClient = world.packets[sighting.packet].fromClient
                if isFromClient {
                    outside.time += 20_000
                    outside.isCaptureDuplicate = true
                } else {
                    inside.time += 20_000
                    inside.isCaptureDuplicate = true
                }
                return sighting.isCaptureDuplicate ? [] : isFromClient ? [inside, outside] : [outside, inside]
            }.sorted { $0.time < $1.time }
        case .overlay, .mirrorCopies:
            return all.flatMap { sighting in
                var (first, second) = (sighting, sighting)
                second.time += 20_000
                if self == .overlay {
                    second.isCaptureDuplicate = true
                    second.carriage = .vxlan
                } else {
                    first.isCaptureDuplicate = true
                    first.isBesideFirst = true
                    first.carriage = .gre
                }
                return sighting.isCaptureDuplicate ? [] : [first, second]
            }.sorted { $0.time < $1.time }
        case .twoEnds:
            return all.flatMap { sighting in
                var far = sighting
                far.time += 2_001_000_000
                far.isCaptureDuplicate = true
                far.isNearSender = !world.packets[sighting.packet].fromClient
                return sighting.isCaptureDuplicate ? [] : [sighting, far]
            }.sorted { $0.time < $1.time }
        case .steppedClock:
            guard all.count > 2 else { return all }
            return all.enumerated().map { index, sighting in
                var stepped = sighting
                if index > all.count / 3, index <= 2 * all.count / 3 { stepped.time += 86_400_000_000_000 }
                return stepped
            }
        case .setBack:
            return all.enumerated().map { index, sighting in
                var stepped = sighting
                // Times of a scenario begin at 0.
                stepped.time += index > all.count / 2 ? 0 : 3_600_000_000_000
                return stepped
            }
        case .mirrored, .twoPlaces:
            return all.flatMap { sighting in
                var again = sighting
                again.time += 4_000
                again.isCaptureDuplicate = true
                again.isBesideFirst = self == .mirrored
                // A second sighting of a second sighting says nothing new.
                return sighting.isCaptureDuplicate ? [] : [sighting, again]
            }.sorted { $0.time < $1.time }
        case .clientOnly: return kept { $0.fromClient }
        case .serverOnly: return kept { !$0.fromClient }
        case .synOnly: return kept { $0.letters.contains("S") }
        case .synFinRst: return kept { $0.letters.contains { "SFR".contains($0) } }
        case .burstLoss:
            guard all.count > 2 else { return all }
            var draw = Draw(seed: world.seed ^ 0xb0a7)
            let start = draw.int(0...all.count - 1)
            let end = min(all.count, start + draw.int(1...3))
            return Array(all[..<start] + all[end...])
        case .coarse, .wholeSeconds:
            return all.map { sighting in
                var rounded = sighting
                rounded.time -= rounded.time % tick
                return rounded
            }
        }
    }

    /// Each frame with its link's sequence number; some twice, of some the repetition alone.
    private func repeatedOnLink(_ world: World) -> [Sighting] {
        var draw = Draw(seed: world.seed ^ 0xa1e)
        // Each transmitter counts its own frames, modulo 4096.
        var next = (client: UInt16(draw.int(0...4095)), server: UInt16(draw.pick([0, 4094, 4095])))
        var seen: [Sighting] = []
        for var sighting in world.sightings where !sighting.isCaptureDuplicate {
            if world.packets[sighting.packet].fromClient {
                sighting.linkSequence = next.client
                next.client = (next.client + 1) % 4096
            } else {
                sighting.linkSequence = next.server
                next.server = (next.server + 1) % 4096
            }
            var again = sighting
            again.isLinkRetry = true
            again.time += draw.nanoseconds(0.1...30)
            switch draw.int(0...9) {
            case 0: seen.append(again)
            case 1...3:
                again.isCaptureDuplicate = true
                again.isBesideFirst = true
                seen += [sighting, again]
            default: seen.append(sighting)
            }
        }
        return seen.sorted { $0.time < $1.time }
    }

    /// Whether a packet's checksum is bad in the capture.
    func hasBadChecksum(_ packet: Sent) -> Bool {
        switch self {
        case .badServerSums: !packet.fromClient
        case .badClientSums: packet.fromClient
        default: false
        }
    }

    /// Whether outcomes, counts and round trips are compared too: the truth of those is known by what passed the
    /// capture point, which a filter, a coarse clock, a sum that is not trusted or a tunnel of one direction leaves
    /// open.
    var comparesOutcomes: Bool {
        switch self {
        case .whole, .burstLoss, .tunnelled, .forged, .slicedHeaders, .slicedOptions, .offloaded, .translated,
            .linkRetries, .shortHeaders, .shortOptions:
            true
        default: false
        }
    }

    /// Nanoseconds of the clock's tick.
    var tick: Int64 {
        switch self {
        case .coarse: 1_000_000
        case .wholeSeconds: 1_000_000_000
        default: 1
        }
    }

    /// Octets of each frame that are kept; nil for all.
    var keptOctets: Int? {
        switch self {
        case .slicedHeaders, .shortHeaders: 54
        case .slicedOptions, .shortOptions: 66
        default: nil
        }
    }

    /// Whether all of the TCP options were cut off, and of ICMP errors what they quote.
    var cutsOptions: Bool { self == .slicedHeaders || self == .shortHeaders }

    /// Whether the capture took what it got of a frame for the whole frame.
    var hidesCut: Bool { self == .shortHeaders || self == .shortOptions }
}
