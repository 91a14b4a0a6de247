import Dispatch
import Foundation
import PacketCapture
import PacketWire
import Simulation
import Synchronization

/// Compares the captures of so many paths with what happened on them.
/// - Returns: the exit status.
func paths(from: UInt64, _ seeds: UInt64) -> Int32 {
    let tally = Mutex((counts: PathVerdictCounts(), examples: [String: UInt64]()))
    let began = Date()
    DispatchQueue.concurrentPerform(iterations: Int(seeds)) { index in
        let seed = from + UInt64(index)
        // One path in eight has a SYN proxy.
        let counts = seed % 8 == 0 ? ProxyWorld(seed: seed).judged() : PathWorld(seed: seed).judged()
        tally.withLock {
            $0.counts.add(counts)
            if seeds == 1 {
                ($0.counts.listings, $0.counts.notMatchedExamples) = (counts.listings, counts.notMatchedExamples)
            }
            for wrong in counts.wrong {
                let sort = String(wrong.map { $0.isNumber ? "0" : $0 })
                $0.examples[sort] = min(seed, $0.examples[sort] ?? .max)
            }
        }
    }
    let (counts, examples) = tally.withLock { $0 }
    if seeds == 1 { for listing in counts.wrong + counts.listings + counts.notMatchedExamples { print(listing) } }
    for (sort, seed) in examples.sorted(by: { $0.value < $1.value }).prefix(20) { print("seed \(seed): \(sort)") }
    for (sort, count) in counts.unmatched.sorted(by: { $0.value > $1.value }).prefix(20) {
        print("\(count) not matched: \(sort)")
    }
    let share = Double(counts.matched) * 100 / Double(max(1, counts.seenTwice))
    print(
        "\(counts.matched) of \(counts.seenTwice) segments that two points captured are matched "
            + "(\(String(format: "%.3f", share)) %), \(counts.falseMatches) matches are false")
    print(
        "\(counts.lost) segments were lost between points: \(counts.saidLost) said lost, \(counts.saidUnclear) lost or "
            + "not captured; \(counts.notCaptured) said to have passed a capture that lacks them; "
            + "\(counts.doubleFaults) said lost that a capture lost, with their answers; "
            + "\(counts.heldBack) that came when their attempt was over")
    print(
        "proxies: \(counts.proxied) attempts said to have two handshakes, \(counts.notProxied) that nothing tells from "
            + "rewritten numbers")
    print(
        "\(counts.bands) bands of clocks, \(counts.mixedCopies) false since the network doubled a packet and a "
            + "capture lost one of the two; \(counts.refused) of \(seeds) comparisons refused")
    let seconds = String(format: "%.1f", Date().timeIntervalSince(began))
    print(
        "paths \(from) to \(from + seeds - 1), \(counts.connections) connections, "
            + "\(counts.wrong.count) contradictions, \(seconds) s"
    )
    return counts.wrong.isEmpty ? 0 : 1
}

/// Writes the captures of a path's points into a folder.
func writePath(_ seed: UInt64, to folder: String) throws {
    let path = PathWorld(seed: seed)
    for point in path.points {
        var writer = SavefileWriter(.pcap, [.init(linkType: .ethernet, snaplen: 262_144)])
        for frame in point.frames { writer.write(frame.octets, wireLength: frame.octets.count, time: frame.time) }
        try Data(writer.octets).write(to: URL(filePath: folder).appending(path: "\(point.place).pcap"))
    }
}
