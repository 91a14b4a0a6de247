import Foundation
import Simulation

// simulate SEEDS [FROM]: so many worlds, each from its seed. Fails on any contradiction; prints the smallest capture that
// shows it, as a scenario, for the first few.
let arguments = CommandLine.arguments.dropFirst().map { UInt64($0) }
guard let count = arguments.first ?? nil, arguments.count <= 2, let from = arguments.count == 2 ? arguments[1] : 1 else {
    FileHandle.standardError.write(Data("usage: simulate SEEDS [FROM]\n".utf8))
    exit(2)
}
let began = Date()
var contradicted = 0
var connections = 0
var frames = 0
for seed in from..<from + count {
    let world = World(seed: seed)
    connections += world.attempts.count
    frames += world.sightings.count
    let oracle = Oracle(world)
    if oracle.contradictions().isEmpty { continue }
    contradicted += 1
    if contradicted <= 5 { print(oracle.shrunk().report()) }
}
let seconds = String(format: "%.1f", Date().timeIntervalSince(began))
print("\(count) seeds, \(frames) frames, \(seconds) s")
print("\(connections) connections, \(contradicted) contradictions")
exit(contradicted == 0 ? 0 : 1)
