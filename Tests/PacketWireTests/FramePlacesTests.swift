import PacketWire
import Testing

@Suite("Where frames of several files are")
struct FramePlacesTests {
    @Test("Each frame of files that take turns has its file and its own number there")
    func turns() throws {
        let places = FramePlaces(["a", "b", "c"])
        // Files in turns of one to three frames.
        var (number, own, expected): (UInt64, [UInt64], [(file: Int, frame: UInt64)]) = (1, [1, 1, 1], [])
        for turn in 0..<100 {
            let (file, length) = (turn * 7 % 3, UInt64(turn % 3 + 1))
            places.begin(number, own: own[file], of: file)
            for frame in 0..<length { expected.append((file, own[file] + frame)) }
            number += length
            own[file] += length
        }
        for order in [
            Array(expected.indices), expected.indices.reversed(), expected.indices.map { $0 * 17 % expected.count },
        ] {
            for position in order {
                let place = try #require(places[UInt64(position) + 1])
                #expect(place == expected[position], "frame \(position + 1)")
            }
        }
        #expect(places[0] == nil)
    }

    @Test("Of too many turns the oldest are forgotten, and the newer frames are where they were")
    func bound() throws {
        let places = FramePlaces(["a", "b"], maximum: 8)
        for turn in UInt64(0)..<100 { places.begin(turn + 1, own: turn / 2 + 1, of: Int(turn % 2)) }
        #expect(places[1] == nil)
        #expect(places[90] == nil)
        for frame in UInt64(98)...100 {
            let place = try #require(places[frame])
            #expect(place == (Int((frame - 1) % 2), (frame - 1) / 2 + 1))
        }
    }
}
