import Fixtures
import Foundation
import PacketCapture
import PacketWire
import TestSupport
import Testing

/// A file that is not read, with what the error must say.
struct ForeignFile: Sendable, CustomTestStringConvertible {
    var octets: [UInt8]
    /// The error's name for it.
    var name: String
    /// Part of the advice.
    var advice: String
    var testDescription: String { name }

    init(_ octets: [UInt8], _ name: String, _ advice: String) {
        (self.octets, self.name, self.advice) = (octets, name, advice)
    }

    init(_ text: String, _ name: String, _ advice: String) { self.init(Array(text.utf8), name, advice) }

    static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    /// Octets that are all of a format's sign.
    static let magics: [ForeignFile] = [
        ForeignFile("snoop\0\0\0", "a snoop capture (Solaris)", "editcap -F pcapng"),
        ForeignFile("RTSS", "a Network Monitor 1 capture (Microsoft)", "editcap -F pcapng"),
        ForeignFile("GMBU", "a Network Monitor 2 capture (Microsoft)", "editcap -F pcapng"),
        ForeignFile("VL\0\0", "a NetXRay 1 capture", "editcap -F pcapng"),
        ForeignFile("XCP\0", "a Sniffer or NetXRay capture (Windows)", "editcap -F pcapng"),
        ForeignFile("TRSNIFF data    \u{1a}", "a Sniffer capture (DOS)", "editcap -F pcapng"),
        ForeignFile("iptrace 1.0", "an iptrace capture (AIX)", "editcap -T ether -F pcapng"),
        ForeignFile("iptrace 2.0", "an iptrace capture (AIX)", "editcap -T ether -F pcapng"),
        ForeignFile([0, 0, 0, 1, 0, 0, 0, 0, 0, 7, 0xd0, 0], "a nettl trace (HP-UX)", "editcap -T ether -F pcapng"),
        ForeignFile(Array("TR\0d\0\0\0\0\0\0\0".utf8) + [0x80], "a nettl trace (HP-UX)", "editcap -T ether -F pcapng"),
        ForeignFile("ObserverPktBufferVersion=", "an Observer capture", "editcap -F pcapng"),
        ForeignFile([0x7f, 0x76, 0x65, 0x72], "an OmniPeek capture", "editcap -F pcapng"),
        ForeignFile([5, 0x56, 0x4e, 0x46], "a Visual Networks capture", "editcap -F pcapng"),
        ForeignFile([0xaa, 0xaa, 0xaa, 0xaa], "a 5View capture", "editcap -F pcapng"),
        ForeignFile([0x42, 0xd2, 0, 0x34, 0x12, 0x66, 0x22, 0x88], "a RADCOM capture", "editcap -F pcapng"),
        ForeignFile(
            zeros(0x48) + [2, 0, 2, 0xc0, 0, 0, 0, 0], "an event trace of Windows (ETL)", "etl2pcapng"),
        ForeignFile(
            zeros(0x48) + [2, 0, 1, 0xc0, 0, 0, 0, 0], "an event trace of Windows (ETL)", "etl2pcapng"),
        ForeignFile("1MOyo", "a capture in base64", "base64 -d < "),
        ForeignFile("TTyyo", "a capture in base64", "base64 -d < "),
        ForeignFile("obLD1", "a capture in base64", "base64 -d < "),
        ForeignFile("Cg0NC", "a capture in base64", "base64 -d < "),
        ForeignFile(
            [0x0d, 0x0a, 0x0d, 0x0d, 0x0d, 0x0a], "a pcapng capture that a terminal has changed (LF is CR LF)",
            "without -t"),
        ForeignFile([0xff, 0xfe, 0x74, 0], "text in UTF-16, as PowerShell's > writes it", "tcpdump -w"),
        ForeignFile([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "compressed with xz", "xz -dc < "),
        ForeignFile("BZh91AY&SY", "compressed with bzip2", "bzip2 -dc < "),
        ForeignFile("LZIP", "compressed with lzip", "lzip -dc < "),
        ForeignFile([0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a], "compressed with lzop", "lzop -dc < "),
        ForeignFile([0x1f, 0x9d, 0x90, 0], "compressed with compress", "gzip -dc < "),
        ForeignFile([2, 0x21, 0x4c, 0x18], "compressed with lz4's legacy format", "lz4 -dc < "),
        ForeignFile([0x50, 0x2a, 0x4d, 0x18], "compressed with pzstd", "zstd -dc < "),
        ForeignFile("PK\u{3}\u{4}", "a zip archive", "unzip "),
        ForeignFile("PK\u{5}\u{6}", "a zip archive", "unzip "),
        ForeignFile(zeros(257) + Array("ustar".utf8), "a tar archive", "tar -xf - < "),
        ForeignFile([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7-Zip archive", "7z x "),
        ForeignFile("Rar!\u{1a}\u{7}", "a RAR archive", "unar "),
        ForeignFile("MSCF\0\0\0\0", "a cabinet archive", "cabextract "),
        ForeignFile(
            "version https://git-lfs.github.com/spec/", "a pointer of Git LFS, not the file", "git lfs pull"),
    ]

    static let texts: [ForeignFile] = [
        ForeignFile("<!DOCTYPE html>\n<html>", "a web page (HTML)", "curl -LO"),
        ForeignFile("\n  <html lang=en>", "a web page (HTML)", "curl -LO"),
        ForeignFile("<?xml version='1.0'?>\n<html xmlns='x'>", "a web page (HTML)", "curl -LO"),
        ForeignFile("00000000: d4c3 b2a1 0200 0400  ........\n", "a hex dump of a capture file (xxd)", "xxd -r < "),
        ForeignFile("000000 0a 0d 0d 0a 6c 00 00 00\n", "a hex dump of a capture file (xxd)", "xxd -r < "),
        ForeignFile(
            "00000000  d4 c3 b2 a1 02 00 04 00  00 00 |........|\n", "a hex dump of a capture file (hexdump -C)",
            "sed 's/|.*//; s/  */ /g' "),
        ForeignFile("d4c3b2a1020004000000000000000000\n", "a hex dump of a capture file (xxd -p)", "xxd -r -p < "),
        ForeignFile(
            "12:00:00.000000 IP 192.0.2.1.1 > 192.0.2.2.2: Flags [S]\n\t0x0000:  4500 0038 0065 4000  E..8\n",
            "tcpdump's text with octets from the IP header on (-x, -X)", "-l 101"),
        ForeignFile(
            "12:00:00.000000 IP6 2001:db8::1.1 > 2001:db8::2.2: Flags [S]\n\t0x0000:  6000 0000 0014 0640\n",
            "tcpdump's text with octets from the IP header on (-x, -X)", "-l 101"),
        ForeignFile(
            "12:00:00.000000 IP 192.0.2.1.1 > 192.0.2.2.2: Flags [S]\n\t0x0000:  0200 0000 0002 0200\n",
            "tcpdump's text with octets (-xx, -XX)", "text2pcap -q -t %H:%M:%S.%f - -"),
        ForeignFile("0000  45 00 00 38 00 65 40 00   E..8.e@.\n", "a hex dump of IP packets", "-l 101 - - < "),
        ForeignFile("0000  02 00 00 00 00 02 02 00   ........\n", "a hex dump of frames", "text2pcap -q - - < "),
        ForeignFile(
            "12:00:00.000000 IP 192.0.2.1.1 > 192.0.2.2.2: Flags [S], seq 1\n",
            "tcpdump's text, without the octets of packets", "tcpdump -w"),
        ForeignFile(
            "tcpdump: verbose output suppressed\n1767225600.000000 IP6 ::1.1 > ::1.2: Flags [S], seq 1\n",
            "tcpdump's text, without the octets of packets", "tcpdump -w"),
        ForeignFile(
            "12:00:00.0 02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv4 (0x0800), length 70\n",
            "tcpdump's text, without the octets of packets", "tcpdump -w"),
        ForeignFile(
            "    1 0.000000000    192.0.2.1 → 198.51.100.1 TCP 70 40000 → 443 [SYN] Seq=0\n",
            "tshark's text, without the octets of packets", "tshark -w"),
        ForeignFile(
            "Frame 1: 70 bytes on wire (560 bits)\n    Encapsulation type: Ethernet (1)\n",
            "tshark's text, without the octets of packets", "tshark -w"),
        ForeignFile(
            "[\n  {\n    \"_index\": \"packets-2026-01-01\",\n", "a report of tshark (JSON or XML)", "tshark -w"),
        ForeignFile(
            "{\"index\":{\"_index\":\"packets-2026-01-01\"}}\n", "a report of tshark (JSON or XML)", "tshark -w"),
        ForeignFile(
            "<?xml version=\"1.0\"?>\n<pdml version=\"0\">\n", "a report of tshark (JSON or XML)", "tshark -w"),
    ]

    /// Three records of Endace's format: Ethernet frames a second apart.
    static var erf: ForeignFile {
        let records = (0..<3).flatMap { number -> [UInt8] in
            [0, 0, 0, 0] + (UInt32(1_767_225_600) + UInt32(number)).little + [2, 0, 0, 40, 0, 0, 0, 20] + zeros(24)
        }
        return ForeignFile(records, "an ERF capture (Endace)", "editcap -T ether -F pcapng")
    }
}

@Suite("Files that are not read")
struct ForeignFormatTests {
    private func error(_ octets: [UInt8]) throws -> CaptureError {
        let file = try TemporaryFile(octets)
        let error = #expect(throws: CaptureError.self) { try Reading([file]) }
        #expect(error?.description.hasPrefix(file.path) == true)
        return try #require(error)
    }

    // MARK: What they are

    @Test(
        "Each is named, with what to do", arguments: ForeignFile.magics + ForeignFile.texts + [ForeignFile.erf])
    func named(_ file: ForeignFile) throws {
        let error = try error(file.octets)
        #expect(error.kind == .unknownFormat)
        #expect(error.reason == "is \(file.name)")
        #expect(error.advice?.contains(file.advice) == true)
        #expect(!error.description.contains("damaged"))
    }

    @Test("Each is named with more octets behind its sign", arguments: ForeignFile.magics)
    func longer(_ file: ForeignFile) throws {
        #expect(try error(file.octets + [UInt8](repeating: 0x80, count: 70_000)).reason == "is \(file.name)")
    }

    @Test("A sign that is cut is not taken for it", arguments: ForeignFile.magics)
    func cut(_ file: ForeignFile) throws {
        #expect(try error(file.octets.dropLast()).reason != "is \(file.name)")
    }

    @Test("No format is untried, or missing in docs/formats.md")
    func complete() throws {
        let tried = Set((ForeignFile.magics + ForeignFile.texts + [ForeignFile.erf]).map(\.name))
        #expect(Set(ForeignFormat.all.map(\.name)) == tried)
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/formats.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        for format in ForeignFormat.all { #expect(text.contains("| \(format.name) |"), "\(format.name) has no row") }
    }

    // MARK: Near misses

    @Test("A capture whose first frame begins like a zip archive is a capture")
    func zipInFrame() throws {
        let frames = [(time: Conversation.epoch, bytes: Array("PK\u{3}\u{4}".utf8) + ForeignFile.zeros(60))]
        let reading = try Reading([TemporaryFile(PcapVariant.all[0].file(frames, isBig: false))])
        #expect(reading.kinds.count == 1 && reading.failures.isEmpty)
    }

    @Test(
        "Text that only mentions tools and formats is text",
        arguments: [
            "Run tcpdump -w trace.pcap, then open it.\n", "snoop and tcpdump are alike\n", "the magic is 0xd4c3b2a1\n",
            "BZhello\n", "see https://git-lfs.github.com/spec/v1\n", "a page says <html> here\n", "12:00 > noon\n",
            "100 0.5 a b\n", "0000 no digits follow\n",
            "0000000 d4 c3 b2 a1 02 00 04 00 00 00 00 00 00 00 00 00\n0000020 00 00 04 00\n",
        ])
    func mentions(_ text: String) throws {
        #expect(try error(Array(text.utf8)).reason == "is text, not a capture file")
    }

    @Test("Octets that are neither text nor known are told as they are")
    func unknown() throws {
        let error = try error([0, 1, 2, 0x83] + ForeignFile.zeros(1000))
        #expect(error.reason == "is not a capture file: it begins with 0x00010283")
    }

    @Test(
        "Records whose types, lengths or times make no sense are not ERF",
        arguments: [(8, 0), (8, 60), (11, 8), (46, 0xff), (86, 0)] as [(Int, UInt8)])
    func notERF(_ position: Int, _ value: UInt8) throws {
        var octets = ForeignFile.erf.octets
        octets[position] = value
        #expect(try error(octets).reason == "is not a capture file: it begins with 0x00000000")
    }

    @Test("Records of ERF that are cut are not taken for it")
    func cutERF() throws {
        #expect(try error(ForeignFile.erf.octets.dropLast()).reason.contains("0x00000000"))
    }

    // MARK: Behind something else

    static let banner = "tcpdump: listening on eth0, link-type EN10MB (Ethernet), snapshot length 262144 bytes\n"

    @Test("A capture behind a tool's text is told with its place and what cuts the text off")
    func behindText() throws {
        let text = Array(Self.banner.utf8)
        for capture in [SavefileTests.handshake.pcap(), PcapVariant.all[0].file([], isBig: true)] {
            let error = try error(text + capture)
            #expect(error.offset == UInt64(text.count))
            #expect(error.reason == "the capture begins here, behind a tool's text")
            #expect(error.advice?.contains("tail -c +\(text.count + 1) < ") == true)
        }
    }

    @Test("A pcapng capture behind a tool's text is told, too")
    func pcapngBehindText() throws {
        var file = PcapngWriter()
        file.section()
        file.interface(.ethernet)
        #expect(try error(Array(Self.banner.utf8) + file.bytes).offset == UInt64(Self.banner.utf8.count))
    }

    @Test("A capture behind other octets than text is told, too")
    func behindOctets() throws {
        let error = try error(ForeignFile.zeros(128) + SavefileTests.handshake.pcap())
        #expect(error.offset == 128)
        #expect(error.reason == "a capture begins here, behind something else")
    }

    @Test("A magic without its version, or without the rest of a file header, is no capture behind a text")
    func noCaptureBehind() throws {
        let text = Array(Self.banner.utf8)
        let magic: [UInt8] = [0xd4, 0xc3, 0xb2, 0xa1]
        #expect(try error(text + magic + [9, 9, 9, 9] + ForeignFile.zeros(100)).offset == nil)
        #expect(try error(text + magic + [2, 0, 4, 0]).offset == nil)
    }

    // MARK: What to do

    /// Runs a command of an error without synscope at its end.
    private func run(_ advice: String) throws -> [UInt8] {
        let command = try #require(advice.split(separator: ": ", maxSplits: 1).last)
        let run = try Run.shell(String(command).replacing(" | synscope -", with: ""))
        #expect(run.status == 0)
        return run.octets
    }

    /// A file that a command makes of a capture.
    private func packed(_ capture: [UInt8], by command: String) throws -> [UInt8] {
        let plain = try TemporaryFile(capture)
        return try run("x: \(command) < \(plain.path)")
    }

    @Test(
        "The command of the error makes the capture",
        arguments: ["xz", "bzip2", "base64", "xxd", "xxd -p", "od -A x -t x1 -v", "hexdump -C"])
    func commandMakesCapture(_ tool: String) throws {
        let capture = SavefileTests.handshake.pcap()
        let error = try error(try packed(capture, by: tool))
        let file = try TemporaryFile(try packed(capture, by: tool))
        let advice = try #require(error.advice).replacing(error.file, with: file.path)
        #expect(try run(advice) == capture)
    }

    @Test("The command of the error cuts a text off, also of a compressed file", arguments: ["cat", "gzip"])
    func commandCutsText(_ tool: String) throws {
        let capture = SavefileTests.handshake.pcap()
        let file = try TemporaryFile(try packed(Array(Self.banner.utf8) + capture, by: tool))
        let error = try #require(throws: CaptureError.self) { try Reading([file]) }
        #expect(error.isDecompressed == (tool == "gzip"))
        #expect(try run(try #require(error.advice)) == capture)
    }

    @Test("A command has the file's name as a shell takes it")
    func quotedName() throws {
        let folder = try TemporaryFolder("synscope ")
        let capture = SavefileTests.handshake.pcap()
        let path = try folder.write("it's a $(capture).pcap", Array(Self.banner.utf8) + capture)
        let error = try #require(throws: CaptureError.self) { try CaptureReader(paths: [path]) }
        #expect(try run(try #require(error.advice)) == capture)
    }
}
