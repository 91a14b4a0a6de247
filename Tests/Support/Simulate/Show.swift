import Foundation
import HandshakeDiagnosis
import PacketCapture
import PacketWire
import Simulation

/// Writes one world of an incident into a capture, and prints what there was to find and what was found.
func show(_ seed: UInt64, _ kind: IncidentWorld.Kind?, to path: String) throws {
    let world = IncidentWorld(seed: seed, kind: kind)
    var writer = SavefileWriter(.pcap, [.init(linkType: .ethernet, snaplen: 262_144)])
    for frame in world.frames { writer.write(frame.octets, wireLength: frame.octets.count, time: frame.time) }
    try Data(writer.octets).write(to: URL(filePath: path))
    if let truth = world.truth {
        let servers = truth.servers.sorted().map(\.description).joined(separator: " ")
        let clients = truth.clients.sorted().map(\.description).joined(separator: " ")
        let begin = truth.begin.map(String.init) ?? "the start"
        print(
            "truth: \(truth.code.rawValue), servers \(servers), clients \(clients), from \(begin), rate \(truth.rate)")
    }
    for situation in IncidentVerdict(world).situations { print(situation) }
}
