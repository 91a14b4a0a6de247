package import HandshakeScenario
package import PacketWire

/// A capture of many worlds at once. Each world has a client of its own, so all parts of the tuples are in use.
///
/// All its worlds were captured in the same way: what a whole capture has in common (a coarse clock, frames that come
/// twice) then shows as it does in a capture of one world.
package struct WorldCapture: Sendable {
    /// The kind, the worlds' trait, and a number: no two captures of one call have the same.
    package let name: String
    package let linkType: LinkType
    package let snaplen: Int
    /// In the order of their times.
    package let frames: [ScenarioFrame]

    /// Worlds in a capture.
    package static let most = 100
    /// Nanoseconds from the start of one world to that of the next.
    private static let interval: Int64 = 50_000_000

    /// The captures of the worlds of some seeds.
    package static func all(of seeds: Range<UInt64>) -> [WorldCapture] {
        let sorts = Dictionary(grouping: seeds) { seed in
            [CaptureKind(seed: seed).rawValue, World(seed: seed).trait?.rawValue].compactMap(\.self)
                .joined(separator: "-")
        }
        return sorts.keys.sorted().flatMap { sort in
            let seeds = sorts[sort] ?? []
            return stride(from: 0, to: seeds.count, by: most).map { start in
                let number = String(start / most + 1)
                let name = "\(sort)-\(String(repeating: "0", count: max(0, 4 - number.count)))\(number)"
                return WorldCapture(name, seeds[start..<min(start + most, seeds.count)], CaptureKind(seed: seeds[0]))
            }
        }
    }

    private init(_ name: String, _ seeds: ArraySlice<UInt64>, _ kind: CaptureKind) {
        self.name = name
        var all: [ScenarioFrame] = []
        let scenarios = seeds.enumerated().map { index, seed in
            let client = Endpoint(IPAddress(v4: 0x0a01_0000 + UInt32(index) + 1), 40_000 + UInt16(index))
            return Oracle(World(seed: seed), kind: kind).scenario(client: client)
        }
        for (index, scenario) in scenarios.enumerated() {
            all += scenario.frames().map { frame in
                var later = frame
                later.time += Int64(index) * WorldCapture.interval
                return later
            }
        }
        linkType = scenarios[0].linkType
        snaplen = scenarios[0].snaplen
        // Of equal times in the order of the worlds.
        let order = all.indices.sorted { (all[$0].time, $0) < (all[$1].time, $1) }
        frames = order.map { all[$0] }
    }
}
