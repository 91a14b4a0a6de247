import Fixtures
import Foundation
import PacketCapture
import PacketWire
import TestSupport
import Testing

@Suite("Old versions of pcap")
struct OldVersionTests {
    /// One frame of 58 octets, 56 of them captured, with its lengths in one order.
    private func file(version: (UInt16, UInt16), lengths: [UInt32]) throws -> Reading {
        let order = PcapngWriter(isBig: true)
        let frame = Array(SavefileTests.handshake.frames()[0].bytes.prefix(56))
        var bytes = order.octets(UInt32(0xa1b2_c3d4)) + order.octets(version.0) + order.octets(version.1)
        bytes += [UInt8](repeating: 0, count: 8) + order.octets(UInt32(56)) + order.octets(UInt32(1))
        bytes += order.octets(UInt32(1)) + order.octets(UInt32(0)) + lengths.flatMap { order.octets($0) } + frame
        return try Reading([TemporaryFile(bytes)])
    }

    @Test("Before 2.3 the original length comes first; in 2.3 the smaller is the captured one")
    func swapped() throws {
        for (version, lengths) in [
            ((2, 4), [56, 58]), ((2, 2), [58, 56]), ((2, 1), [58, 56]), ((543, 0), [58, 56]), ((2, 3), [56, 58]),
            ((2, 3), [58, 56]),
        ] as [((UInt16, UInt16), [UInt32])] {
            let reading = try file(version: version, lengths: lengths)
            #expect(reading.segments.count == 1 && reading.failures.isEmpty, "\(version)")
        }
    }

    @Test("Other versions are unknown")
    func unknown() {
        #expect(throws: CaptureError.self) { try file(version: (3, 0), lengths: [56, 58]) }
    }
}
