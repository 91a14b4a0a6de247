import Fixtures
import Foundation
import PacketCapture
import PacketWire
import TestSupport
import Testing

/// What a reader delivered.
struct Reading {
    var times: [Int64] = []
    var numbers: [UInt64] = []
    var kinds: [DecodedFrame.Kind] = []
    var segments: [Segment] = []
    var failures: [CaptureError] = []
    var filteredOut: UInt64 = 0
    var descriptions: [SavefileDescription] = []
    var comments = FrameComments()
    var losses = SavefileLosses()
    /// Frames without a valid time.
    var untimed: UInt64 = 0
    /// Nanoseconds of the last batch's clock tick.
    var tick: Int64 = 0

    init(_ files: [TemporaryFile], filter: String? = nil, limit: UInt64? = nil) throws {
        let reader = try CaptureReader(paths: files.map(\.path), .init(filter: filter, limit: limit))
        descriptions = reader.descriptions
        var batch = FrameBatch(seed: 1)
        while true {
            reader.fill(&batch)
            if batch.count == 0 { break }
            tick = batch.traits.tick
            for position in 0..<batch.count {
                times.append(batch.heads[position].time)
                numbers.append(batch.heads[position].number)
                kinds.append(batch.heads[position].isUsual ? .segment : batch.others[position].kind)
                if case .segment(let segment) = batch.frame(position) { segments.append(segment) }
            }
        }
        failures = reader.failures
        filteredOut = reader.filteredOut
        comments = reader.comments
        losses = reader.losses
        untimed = reader.untimed
    }
}

/// Writes pcapng blocks in either byte order.
struct PcapngWriter {
    var isBig = false
    var bytes: [UInt8] = []

    func octets<T: FixedWidthInteger>(_ value: T) -> [UInt8] { isBig ? value.little.reversed() : value.little }

    mutating func block(_ type: UInt32, _ body: [UInt8]) {
        let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
        let length = octets(UInt32(padded.count + 12))
        bytes += octets(type) + length + padded + length
    }

    mutating func section() {
        block(0x0a0d_0d0a, octets(UInt32(0x1a2b_3c4d)) + octets(UInt16(1)) + octets(UInt16(0)) + octets(Int64(-1)))
    }

    mutating func interface(_ linkType: LinkType, snaplen: UInt32 = 0, options: [UInt8] = []) {
        block(1, octets(linkType.rawValue) + [0, 0] + octets(snaplen) + options)
    }

    func option(_ code: UInt16, _ value: [UInt8]) -> [UInt8] {
        octets(code) + octets(UInt16(value.count)) + value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
    }

    mutating func packet(_ frame: [UInt8], interface: UInt32 = 0, time: UInt64) {
        let head = octets(interface) + octets(UInt32(time >> 32)) + octets(UInt32(time & 0xffff_ffff))
        block(6, head + octets(UInt32(frame.count)) + octets(UInt32(frame.count)) + frame)
    }
}

@Suite("Savefiles")
struct SavefileTests {
    static var handshake: Conversation {
        var c = Conversation()
        c.handshake(at: 0)
        return c
    }

    // MARK: pcap

    @Test(
        "Classic pcap in both byte orders, micro- and nanoseconds, and the modified variant",
        arguments: [
            (0xa1b2_c3d4, 1000, 0), (0xa1b2_3c4d, 1, 0), (0xa1b2_cd34, 1000, 8),
        ] as [(UInt32, Int64, Int)], [true, false])
    func classic(_ variant: (UInt32, Int64, Int), _ isBig: Bool) throws {
        let (magic, unit, extra) = variant
        let order = PcapngWriter(isBig: isBig)
        var bytes = order.octets(magic) + order.octets(UInt16(2)) + order.octets(UInt16(4))
        bytes += [UInt8](repeating: 0, count: 8) + order.octets(UInt32(65535)) + order.octets(UInt32(1))
        for (time, frame) in SavefileTests.handshake.frames() {
            bytes += order.octets(UInt32(time / 1_000_000_000))
            bytes += order.octets(UInt32(time % 1_000_000_000 / unit))
            bytes += order.octets(UInt32(frame.count)) + order.octets(UInt32(frame.count))
            bytes += [UInt8](repeating: 0, count: extra) + frame
        }
        let reading = try Reading([TemporaryFile(bytes)])
        #expect(reading.segments.count == 3)
        #expect(reading.times == SavefileTests.handshake.frames().map(\.time))
        #expect(reading.descriptions[0].timeResolution == unit)
        #expect(reading.failures.isEmpty)
    }

    @Test(
        "A record whose fraction is a second or more has no time: it stands at its place, and is counted",
        arguments: [(0xa1b2_c3d4, 1000), (0xa1b2_3c4d, 1)] as [(UInt32, Int64)], [0, 2, 5])
    func invalidFraction(_ variant: (magic: UInt32, unit: Int64), _ bad: Int) throws {
        let order = PcapngWriter()
        let second: Int64 = 1_000_000_000
        let frame = SavefileTests.handshake.frames()[0].bytes
        var bytes = order.octets(variant.magic) + order.octets(UInt16(2)) + order.octets(UInt16(4))
        bytes += [UInt8](repeating: 0, count: 8) + order.octets(UInt32(65535)) + order.octets(UInt32(1))
        for n in 0..<8 {
            // One less is the last valid one.
            let fraction = (n == bad ? second : second - variant.unit) / variant.unit
            bytes += order.octets(UInt32(1000 + n)) + order.octets(UInt32(fraction))
            bytes += order.octets(UInt32(frame.count)) + order.octets(UInt32(frame.count)) + frame
        }
        let reading = try Reading([TemporaryFile(bytes)])
        var times = (0..<8).map { Int64(1001 + $0) * second - variant.unit }
        times[bad] = bad == 0 ? 1000 * second : times[bad - 1]
        #expect(reading.times == times)
        #expect(reading.segments.map(\.isUntimed) == (0..<8).map { $0 == bad })
        #expect(reading.untimed == 1)
        #expect(reading.failures.isEmpty)
    }

    @Test("A file cut anywhere delivers every whole frame before the cut, and tells where it broke")
    func everyCut() throws {
        let bytes = SavefileTests.handshake.pcap()
        let ends = SavefileTests.handshake.frames().reduce(into: [24]) { $0.append($0.last! + 16 + $1.bytes.count) }
        for length in 24...bytes.count {
            let reading = try Reading([TemporaryFile(Array(bytes.prefix(length)))])
            #expect(reading.kinds.count == ends.count { $0 <= length } - 1)
            if ends.contains(length) {
                #expect(reading.failures.isEmpty)
            } else {
                let failure = try #require(reading.failures.first)
                #expect(failure.kind == .cutShort)
                #expect(failure.offset.map { ends.contains(Int($0)) } == true)
            }
        }
    }

    @Test("A record that claims gigabytes is corrupt, without memory for it")
    func hugeRecord() throws {
        var bytes = SavefileTests.handshake.pcap()
        let second = 24 + 16 + SavefileTests.handshake.frames()[0].bytes.count
        bytes.replaceSubrange(second + 8..<second + 12, with: [0xff, 0xff, 0xff, 0x7f])
        let reading = try Reading([TemporaryFile(bytes)])
        #expect(reading.kinds.count == 1)
        #expect(reading.failures.first?.kind == .corrupt)
        #expect(reading.failures.first?.offset == UInt64(second))
    }

    @Test("Link types decode", arguments: [LinkType.ethernet, .linuxSLL, .linuxSLL2, .raw, .ipv4, .null, .loop])
    func linkTypes(_ linkType: LinkType) throws {
        let reading = try Reading([TemporaryFile(SavefileTests.handshake.pcap(linkType))])
        #expect(reading.segments.count == 3)
        #expect(reading.descriptions[0].linkType == linkType)
    }

    // MARK: pcapng

    @Test("pcapng in both byte orders, unknown blocks skipped", arguments: [true, false])
    func pcapng(_ isBig: Bool) throws {
        var file = PcapngWriter(isBig: isBig)
        file.section()
        file.block(0x0bad, [1, 2, 3, 4, 5])
        file.interface(.ethernet)
        for (time, frame) in SavefileTests.handshake.frames() { file.packet(frame, time: UInt64(time / 1000)) }
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.segments.count == 3)
        #expect(reading.times == SavefileTests.handshake.frames().map(\.time))
    }

    @Test("Interfaces may differ in link type and time resolution, powers of ten and of two, with an offset")
    func interfaces() throws {
        let frames = SavefileTests.handshake.frames()
        let raw = SavefileTests.handshake.frames(.raw)
        let seconds = UInt64(Conversation.epoch / 1_000_000_000)
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet, options: file.option(9, [9]) + file.option(0, []))
        file.interface(.raw, options: file.option(9, [0x80 | 10]) + file.option(0, []))
        file.interface(.ethernet, options: file.option(9, [3]) + file.option(14, file.octets(Int64(100))))
        file.packet(frames[0].bytes, interface: 0, time: UInt64(frames[0].time))
        file.packet(raw[1].bytes, interface: 1, time: seconds << 10 | 512)
        file.packet(frames[2].bytes, interface: 2, time: (seconds - 100) * 1000 + 21)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.segments.count == 3)
        #expect(
            reading.times == [Conversation.epoch, Conversation.epoch + 500_000_000, Conversation.epoch + 21_000_000])
    }

    @Test(
        "An interface that declares milliseconds or coarser units has a coarse clock, however few its frames",
        arguments: [
            (3, 1_000_000), (1, 100_000_000), (0, 1_000_000_000), (6, 0), (0x80 | 10, 0), (0x80 | 9, 1_953_125),
        ])
    func declaredTick(_ resolution: UInt8, _ tick: Int64) throws {
        let frame = SavefileTests.handshake.frames()[0].bytes
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet, options: file.option(9, [resolution]))
        file.packet(frame, time: 1)
        #expect(try Reading([TemporaryFile(file.bytes)]).tick == tick)
    }

    @Test("Several sections, each with its own interfaces and byte order")
    func sections() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        let frames = SavefileTests.handshake.frames()
        file.packet(frames[0].bytes, time: UInt64(frames[0].time / 1000))
        file.isBig = true
        file.section()
        file.interface(.ethernet)
        file.packet(frames[1].bytes, time: UInt64(frames[1].time / 1000))
        #expect(try Reading([TemporaryFile(file.bytes)]).segments.count == 2)
    }

    @Test("A section's first interface is its own, whatever the section before it had")
    func sectionsOwnInterfaces() throws {
        var file = PcapngWriter()
        let frame = SavefileTests.handshake.frames()[0].bytes
        for resolution: UInt8 in [6, 9, 3] {
            file.section()
            file.interface(.ethernet, options: file.option(9, [resolution]))
            file.packet(frame, time: 7)
        }
        #expect(try Reading([TemporaryFile(file.bytes)]).times == [7000, 7, 7_000_000])
    }

    @Test("Simple and obsolete packet blocks")
    func otherPackets() throws {
        let frame = SavefileTests.handshake.frames()[0].bytes
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet, snaplen: 100)
        file.block(3, file.octets(UInt32(frame.count)) + frame)
        file.block(
            2,
            [0, 0, 0, 0] + file.octets(UInt32(0)) + file.octets(UInt32(5)) + file.octets(UInt32(frame.count))
                + file.octets(UInt32(frame.count)) + frame)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.segments.count == 2)
        #expect(reading.times == [0, 5000])
        #expect(reading.segments.map(\.isUntimed) == [true, false])
    }

    @Test("A simple packet block behind a run of packets has the time of the last of them")
    func simpleBehindRun() throws {
        let frames = SavefileTests.handshake.frames()
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet, snaplen: 100)
        for number in 1...6 { file.packet(frames[0].bytes, time: UInt64(number)) }
        file.block(3, file.octets(UInt32(frames[0].bytes.count)) + frames[0].bytes)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.times == [1000, 2000, 3000, 4000, 5000, 6000, 6000])
        #expect(reading.segments.map(\.isUntimed) == (1...7).map { $0 == 7 })
    }

    @Test("A packet of an interface that was not described is corrupt; what came before is delivered")
    func unknownInterface() throws {
        let frame = SavefileTests.handshake.frames()[0].bytes
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        file.packet(frame, time: 1)
        let broken = file.bytes.count
        file.packet(frame, interface: 7, time: 1)
        let reading = try Reading([TemporaryFile(file.bytes)])
        #expect(reading.kinds.count == 1)
        #expect(reading.failures.first?.kind == .corrupt && reading.failures.first?.offset == UInt64(broken))
    }

    @Test(
        "Times beyond 64 bits stop there, and do not trap", arguments: [0, 6, 9, 0x80, 0xbf, 127, 0xff, 20] as [UInt8])
    func extremeTimes(_ resolution: UInt8) throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet, options: file.option(9, [resolution]) + file.option(14, file.octets(Int64.min)))
        file.interface(.ethernet, options: file.option(9, [resolution]) + file.option(14, file.octets(Int64.max)))
        for interface in [UInt32(0), 1] {
            for time in [UInt64(0), 1, .max] { file.packet([0], interface: interface, time: time) }
        }
        #expect(try Reading([TemporaryFile(file.bytes)]).kinds.count == 6)
    }

    // MARK: Compressed

    /// What the tool of that name makes of it.
    private func compressed(_ bytes: [UInt8], by tool: String = "gzip") throws -> [UInt8] {
        let plain = try TemporaryFile(bytes)
        // lz4's blocks of 4 MiB would hold all of a small file.
        let options = tool == "lz4" ? "-q -B4" : "-q"
        let run = try Run.shell("\(tool) \(options) -c '\(plain.path)'")
        try #require(run.status == 0, "\(tool) is installed")
        return run.octets
    }

    static let tools = ["gzip", "zstd", "lz4"]

    @Test("Compressed files are decompressed as they are read, also several members or frames", arguments: tools)
    func compressedFile(_ tool: String) throws {
        let bytes = SavefileTests.handshake.pcap()
        let members =
            try compressed(Array(bytes.prefix(100)), by: tool) + compressed(Array(bytes.dropFirst(100)), by: tool)
        let reading = try Reading([TemporaryFile(members)])
        #expect(reading.segments.count == 3 && reading.failures.isEmpty)
        #expect(reading.times == SavefileTests.handshake.frames().map(\.time))
    }

    @Test("More than the decompressor's pieces hold comes whole", arguments: tools)
    func largeCompressedFile(_ tool: String) throws {
        var c = Conversation()
        for n in 0..<80_000 { c.client("S", at: Double(n), seq: Int64(n) * 7919) }
        let reading = try Reading([TemporaryFile(try compressed(c.pcap(), by: tool))])
        #expect(reading.kinds.count == 80_000 && reading.failures.isEmpty)
    }

    @Test("Zeros after the last member of a gzip file are no damage")
    func paddedArchive() throws {
        let archive = try compressed(SavefileTests.handshake.pcap()) + [UInt8](repeating: 0, count: 5000)
        let reading = try Reading([TemporaryFile(archive)])
        #expect(reading.segments.count == 3 && reading.failures.isEmpty)
    }

    @Test("A cut archive delivers what came before, and says so", arguments: tools)
    func cutArchive(_ tool: String) throws {
        var c = Conversation()
        var numbers = RandomNumbers(seed: 1)
        for n in 0..<40_000 { c.client("S", at: Double(n), seq: Int64.random(in: 0..<1 << 32, using: &numbers)) }
        let archive = try compressed(c.pcap(), by: tool)
        let reading = try Reading([TemporaryFile(Array(archive.prefix(archive.count / 2)))])
        #expect(reading.kinds.count > 100 && reading.kinds.count < 40_000)
        #expect(reading.failures.first?.description.contains("\(tool) data end in the middle") == true)
    }

    @Test("A damaged archive is corrupt, and does not trap", arguments: tools)
    func damagedArchive(_ tool: String) throws {
        var c = Conversation()
        for n in 0..<300 { c.client("S", at: Double(n)) }
        let archive = try compressed(c.pcap(), by: tool)
        for position in stride(from: 6, to: archive.count, by: max(1, archive.count / 60)) {
            var damaged = archive
            damaged[position] ^= 0x55
            do {
                let reading = try Reading([TemporaryFile(damaged)])
                // Whole, or ended by an error that names the file; never more than there was.
                #expect(reading.kinds.count == 300 || !reading.failures.isEmpty, "octet \(position)")
                #expect(reading.kinds.count <= 300, "octet \(position)")
            } catch let error as CaptureError {
                #expect(error.description.contains("/"), "octet \(position): \(error.description)")
            }
        }
    }

    // MARK: Not captures

    @Test(
        "What is no capture says what it is, and what to do",
        arguments: [
            ([UInt8](), "is empty"), ([1, 2], "too short"), (Array("hello, world".utf8), "not a capture file"),
            ([0x1f, 0x8b, 8, 0, 0, 0], "gzip data end in the middle"),
            ([0x28, 0xb5, 0x2f, 0xfd, 0], "zstd data end in the middle"),
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz -dc"),
            ([0xd4, 0xc3, 0xb2, 0xa1, 2, 0], "ends within the file header"),
        ] as [([UInt8], String)])
    func unknown(_ bytes: [UInt8], _ words: String) throws {
        let file = try TemporaryFile(bytes)
        let error = #expect(throws: CaptureError.self) { try Reading([file]) }
        #expect(error?.description.contains(words) == true)
        #expect(error?.description.contains(file.path) == true)
    }

    // MARK: Several files, filters, limits

    @Test("Several files are one capture, in the order of time, numbered through")
    func merged() throws {
        var a = Conversation(from: "192.0.2.1")
        var b = Conversation(from: "192.0.2.2")
        a.client("S", at: 0)
        b.client("S", at: 5)
        a.server("S.", at: 10)
        b.server("S.", at: 15)
        let reading = try Reading([TemporaryFile(b.pcap()), TemporaryFile(a.pcap(.raw))])
        #expect(reading.numbers == [1, 2, 3, 4])
        #expect(reading.times == reading.times.sorted())
        #expect(reading.segments[0].source == a.clientEnd)
    }

    @Test("A file that cannot be read beside one that can is a failure, not the end")
    func oneUnreadable() throws {
        let reading = try Reading([TemporaryFile(SavefileTests.handshake.pcap()), TemporaryFile([1, 2, 3])])
        #expect(reading.segments.count == 3)
        #expect(reading.failures.count == 1)
    }

    @Test("Frames that the filter stops keep their numbers and are counted")
    func filter() throws {
        let reading = try Reading([TemporaryFile(SavefileTests.handshake.pcap())], filter: "tcp src port 443")
        #expect(reading.numbers == [2])
        #expect(reading.filteredOut == 2)
    }

    @Test("A filter that does not compile says so, in libpcap's words")
    func wrongFilter() throws {
        let file = try TemporaryFile(SavefileTests.handshake.pcap())
        let error = #expect(throws: CaptureError.self) { try Reading([file], filter: "tcp prot 80") }
        #expect(error?.kind == .filter)
    }

    @Test("A limit stops after so many frames")
    func limit() throws {
        #expect(try Reading([TemporaryFile(SavefileTests.handshake.pcap())], limit: 2).numbers == [1, 2])
    }
}
