import Dispatch
import Foundation
import HandshakeScenario
import PacketCapture
import PacketWire
import Simulation
import Synchronization

// simulate SEEDS [FROM] --captures FOLDER: writes the worlds of so many seeds into captures, and judges nothing.
//
// simulate SEEDS [FROM]: so many worlds, each from its seed, each captured in a way that the seed draws too (one
// alone is printed whole). Fails on any contradiction, and on any finding that was wrong to say; prints the smallest
// capture that shows it, as a scenario, for the first few; then a line for each finding: said, right, wrong, and how
// many of the observable were missed.
//
// simulate SEEDS [FROM] --paths: so many paths with two or three capture points, and what their comparison said.
//
// simulate SEED --captures FOLDER --paths: writes the captures of that path's points.
//
// simulate SEEDS [FROM] --incidents: so many worlds with an incident of each kind, and as many healthy ones as all of
// them; what their diagnosis found, by kind. Fails where it is wrong too often.
var words = Array(CommandLine.arguments.dropFirst())
if words.last == "--incident", words.count == 4, let seed = UInt64(words[0]) {
    let kind = IncidentWorld.Kind(rawValue: words[1])
    do { try show(seed, kind, to: words[2]) } catch {
        FileHandle.standardError.write(Data("\(words[2]): \(error.localizedDescription)\n".utf8))
        exit(3)
    }
    exit(0)
}
let asksForPaths = words.last == "--paths"
if asksForPaths { words.removeLast() }
let asksForIncidents = words.last == "--incidents"
if asksForIncidents { words.removeLast() }
var folder: String?
if words.count > 2, words[words.count - 2] == "--captures" {
    folder = words.removeLast()
    words.removeLast()
}
let arguments = words.compactMap { UInt64($0) }
guard (1...2).contains(arguments.count), arguments.count == words.count else {
    FileHandle.standardError.write(
        Data(
            """
            usage: simulate SEEDS [FROM] [--captures FOLDER | --incidents | --paths]
                   simulate SEED KIND PATH --incident

            """
            .utf8))
    exit(2)
}
let seeds = arguments[0]
let from = arguments.count == 2 ? arguments[1] : 1

if asksForIncidents { exit(incidents(from: from, seeds)) }

if asksForPaths, let folder {
    do { try writePath(seeds, to: folder) } catch {
        FileHandle.standardError.write(Data("\(folder): \(error.localizedDescription)\n".utf8))
        exit(3)
    }
    exit(0)
}
if asksForPaths { exit(paths(from: from, seeds)) }

if let folder {
    for capture in WorldCapture.all(of: from..<from + seeds) {
        var writer = SavefileWriter(.pcap, [.init(linkType: capture.linkType, snaplen: capture.snaplen)])
        for frame in capture.frames { writer.write(frame.octets, wireLength: frame.wireLength, time: frame.time) }
        let path = URL(filePath: folder).appending(path: capture.name + ".pcap")
        do { try Data(writer.octets).write(to: path) } catch {
            FileHandle.standardError.write(Data("\(path.path): \(error.localizedDescription)\n".utf8))
            exit(3)
        }
    }
    exit(0)
}

struct Tally {
    var connections = 0
    var frames = 0
    var contradicted: [UInt64] = []
    var findings = FindingTally()
    var kinds: [CaptureKind: Int] = [:]
    var examples: [String: UInt64] = [:]
}
let tally = Mutex(Tally())
let began = Date()
let piece: UInt64 = 500
DispatchQueue.concurrentPerform(iterations: Int((seeds + piece - 1) / piece)) { index in
    let first = from + UInt64(index) * piece
    var own = Tally()
    for seed in first..<min(first + piece, from + seeds) {
        let world = World(seed: seed)
        let oracle = Oracle(world, kind: CaptureKind(seed: seed))
        own.connections += world.attempts.count
        own.frames += oracle.sightings.count
        own.kinds[oracle.kind, default: 0] += 1
        let (contradictions, findings) = oracle.judged()
        own.findings.add(findings)
        if let first = contradictions.first {
            own.contradicted.append(seed)
            // One example of each sort is printed.
            let sort = Oracle.sort(of: first)
            own.examples[sort] = min(seed, own.examples[sort] ?? .max)
        }
    }
    tally.withLock {
        $0.connections += own.connections
        $0.frames += own.frames
        $0.contradicted += own.contradicted
        $0.findings.add(own.findings)
        $0.kinds.merge(own.kinds, uniquingKeysWith: +)
        $0.examples.merge(own.examples, uniquingKeysWith: min)
    }
}
let result = tally.withLock { $0 }
if seeds == 1 { print(Oracle(World(seed: from), kind: CaptureKind(seed: from)).report()) }
for seed in result.examples.values.sorted().prefix(12) {
    print(Oracle(World(seed: seed), kind: CaptureKind(seed: seed)).shrunk().report())
}
print(result.findings.table)
let kinds = result.kinds.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.value) \($0.key.rawValue)" }
print("captures: \(kinds.joined(separator: ", "))")
let seconds = String(format: "%.1f", Date().timeIntervalSince(began))
print("seeds \(from) to \(from + seeds - 1), \(result.frames) frames, \(seconds) s")
print(
    "\(result.connections) connections, \(result.contradicted.count) contradictions, \(result.findings.wrong) findings wrong"
)
exit(result.contradicted.isEmpty ? 0 : 1)
