/// A kind of file that is not read: how it is recognised, what it is called, and what makes a capture of it.
///
/// A new kind is one literal of `all`, a row of docs/formats.md and an input in `ForeignFormatTests`.
package struct ForeignFormat: Sendable {
    /// The words after "is" in the error: `a snoop capture (Solaris)`.
    package let name: String
    let sign: Sign
    let remedy: Remedy

    enum Sign: Sendable {
        /// All octets of one of the lists stand in their places.
        case magic([[Magic]])
        /// The file begins with text, and its first lines have this property.
        case text(@Sendable (FirstLines) -> Bool)
        /// The first octets have a structure that no magic announces.
        case structure(@Sendable ([UInt8]) -> Bool)
    }

    enum Remedy: Sendable {
        /// A command that turns its input into a capture, or unpacks it.
        case filter(_ words: String, _ command: String, makesCapture: Bool = true)
        /// A command that is given the file, and reads it compressed too.
        case command(_ words: String, _ command: String)
        /// A command that is given the file, and cannot read it compressed.
        case plainCommand(_ words: String, _ command: String)
        /// There is no command that makes a capture of it.
        case words(String)

        static let editcap = Remedy.command("Convert it", "editcap -F pcapng FILE - | synscope -")
        /// For formats whose records may have several link types, or headers of their own: editcap must be told which.
        static let editcapEthernet = Remedy.command(
            "Convert it, if it is of Ethernet", "editcap -T ether -F pcapng FILE - | synscope -")
        static func decompress(_ tool: String) -> Remedy { .filter("Decompress it", "\(tool) -dc") }
        static func unpack(_ command: String) -> Remedy {
            .plainCommand("Unpack it and name the captures in it", command)
        }
    }

    /// Octets at a fixed place.
    struct Magic: Sendable, ExpressibleByStringLiteral, ExpressibleByArrayLiteral {
        var offset = 0
        var octets: [UInt8]

        init(stringLiteral text: String) { octets = Array(text.utf8) }
        init(arrayLiteral octets: UInt8...) { self.octets = octets }

        static func at(_ offset: Int, _ magic: Magic) -> Magic {
            var magic = magic
            magic.offset = offset
            return magic
        }

        func stands(in head: [UInt8]) -> Bool { head.dropFirst(offset).starts(with: octets) }
    }

    private init(_ name: String, _ magic: Magic..., remedy: Remedy) {
        (self.name, sign, self.remedy) = (name, .magic([magic]), remedy)
    }

    private init(_ name: String, anyOf magics: [Magic], remedy: Remedy) {
        (self.name, sign, self.remedy) = (name, .magic(magics.map { [$0] }), remedy)
    }

    private init(_ name: String, text: @escaping @Sendable (FirstLines) -> Bool, remedy: Remedy) {
        (self.name, sign, self.remedy) = (name, .text(text), remedy)
    }

    private init(_ name: String, structure: @escaping @Sendable ([UInt8]) -> Bool, remedy: Remedy) {
        (self.name, sign, self.remedy) = (name, .structure(structure), remedy)
    }

    /// Magics of captures are those of Wireshark's wiretap.
    package static let all: [ForeignFormat] = [
        // Captures of other tools.
        .init("a snoop capture (Solaris)", "snoop\0\0\0", remedy: .editcap),
        .init("a Network Monitor 1 capture (Microsoft)", "RTSS", remedy: .editcap),
        .init("a Network Monitor 2 capture (Microsoft)", "GMBU", remedy: .editcap),
        .init("a NetXRay 1 capture", "VL\0\0", remedy: .editcap),
        .init("a Sniffer or NetXRay capture (Windows)", "XCP\0", remedy: .editcap),
        .init("a Sniffer capture (DOS)", "TRSNIFF data    \u{1a}", remedy: .editcap),
        .init("an iptrace capture (AIX)", anyOf: ["iptrace 1.0", "iptrace 2.0"], remedy: .editcapEthernet),
        .init(
            "a nettl trace (HP-UX)",
            anyOf: [[0, 0, 0, 1, 0, 0, 0, 0, 0, 7, 0xd0, 0], [0x54, 0x52, 0, 0x64, 0, 0, 0, 0, 0, 0, 0, 0x80]],
            remedy: .editcapEthernet),
        .init("an Observer capture", "ObserverPktBufferVersion=", remedy: .editcap),
        .init("an OmniPeek capture", "\u{7f}ver", remedy: .editcap),
        .init("a Visual Networks capture", "\u{5}VNF", remedy: .editcap),
        .init("a 5View capture", [0xaa, 0xaa, 0xaa, 0xaa], remedy: .editcap),
        .init("a RADCOM capture", [0x42, 0xd2, 0, 0x34, 0x12, 0x66, 0x22, 0x88], remedy: .editcap),
        // Behind the buffer's header (0x48 octets) stands the trace's: version 2, of 32 or 64 bits, event type 0.
        .init("an event trace of Windows (ETL)", .at(0x48, [2, 0, 2, 0xc0]), .at(0x4e, [0, 0]), remedy: etl),
        .init("an event trace of Windows (ETL)", .at(0x48, [2, 0, 1, 0xc0]), .at(0x4e, [0, 0]), remedy: etl),
        .init("an ERF capture (Endace)", structure: isERF, remedy: .editcapEthernet),
        // Captures that something has changed on their way.
        .init(
            "a capture in base64", anyOf: ["1MOyo", "TTyyo", "obLD1", "Cg0NC"],
            remedy: .filter("Decode it", "base64 -d")),
        .init(
            "a pcapng capture that a terminal has changed (LF is CR LF)", [0x0d, 0x0a, 0x0d, 0x0d, 0x0d, 0x0a],
            remedy: .words("Capture again without a terminal: ssh, docker exec and kubectl exec without -t")),
        .init(
            "text in UTF-16, as PowerShell's > writes it", [0xff, 0xfe], .at(3, [0]),
            remedy: .words("Capture again, and have the tool write the file: tcpdump -w FILE")),
        // Compressed files.
        .init("compressed with xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], remedy: .decompress("xz")),
        .init("compressed with bzip2", "BZh", .at(4, "1AY&SY"), remedy: .decompress("bzip2")),
        .init("compressed with lzip", "LZIP", remedy: .decompress("lzip")),
        .init("compressed with lzop", [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a], remedy: .decompress("lzop")),
        .init("compressed with compress", [0x1f, 0x9d], remedy: .decompress("gzip")),
        .init("compressed with lz4's legacy format", [2, 0x21, 0x4c, 0x18], remedy: .decompress("lz4")),
        .init("compressed with pzstd", [0x50, 0x2a, 0x4d, 0x18], remedy: .decompress("zstd")),
        // Archives.
        .init("a zip archive", anyOf: ["PK\u{3}\u{4}", "PK\u{5}\u{6}"], remedy: .unpack("unzip FILE")),
        .init(
            "a tar archive", .at(257, "ustar"),
            remedy: .filter("Unpack it and name the captures in it", "tar -xf -", makesCapture: false)),
        .init("a 7-Zip archive", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], remedy: .unpack("7z x FILE")),
        .init("a RAR archive", "Rar!\u{1a}\u{7}", remedy: .unpack("unar FILE")),
        .init("a cabinet archive", "MSCF\0\0\0\0", remedy: .unpack("cabextract FILE")),
        // Text.
        .init(
            "a pointer of Git LFS, not the file", "version https://git-lfs.github.com/spec/",
            remedy: .words("Fetch the file, in its clone: git lfs pull")),
        .init(
            "a web page (HTML)", text: \.isHTML,
            remedy: .words("Download the capture itself, by the address of its raw file: curl -LO URL")),
        .init(
            "a hex dump of a capture file (xxd)", text: { $0.dump == .captureFile },
            remedy: .filter("Undo it", "xxd -r")),
        .init(
            "a hex dump of a capture file (hexdump -C)", text: { $0.dump == .captureFileInColumns },
            remedy: .filter("Undo it", "sed 's/|.*//; s/  */ /g' | xxd -r")),
        .init(
            "a hex dump of a capture file (xxd -p)", text: { $0.dump == .captureFilePlain },
            remedy: .filter("Undo it", "xxd -r -p")),
        .init(
            "tcpdump's text with octets from the IP header on (-x, -X)", text: { $0.dump == .tcpdumpPackets },
            remedy: .filter("Convert it", tcpdumpFilter + " -l 101 - -")),
        .init(
            "tcpdump's text with octets (-xx, -XX)", text: { $0.dump == .tcpdumpFrames },
            remedy: .filter("Convert it", tcpdumpFilter + " - -")),
        .init(
            "a hex dump of IP packets", text: { $0.dump == .packets },
            remedy: .filter("Convert it, with times that are made up", "text2pcap -q -l 101 - -")),
        .init(
            "a hex dump of frames", text: { $0.dump == .frames },
            remedy: .filter("Convert it, with times that are made up", "text2pcap -q - -")),
        .init("tcpdump's text, without the octets of packets", text: \.isTcpdump, remedy: tcpdump),
        .init("tshark's text, without the octets of packets", text: \.isTshark, remedy: tshark),
        .init("a report of tshark (JSON or XML)", text: \.isTsharkReport, remedy: tshark),
    ]

    private static let etl = Remedy.plainCommand("Convert it on Windows", "etl2pcapng FILE OUT.pcapng")
    private static let tcpdump = Remedy.words("Capture again, into a file: tcpdump -w FILE")
    private static let tshark = Remedy.words("Write the packets themselves: tshark -w FILE")
    /// Has octets one by one, as text2pcap wants them, and the time before each packet.
    private static let tcpdumpFilter =
        #"awk -F ':?  +' '/^\t0x/ {gsub(/ /, "", $2); gsub(/../, " &", $2); print substr($1, 4) $2} "#
        + #"/^[0-9]/ {match($0, /[0-9:]+\.[0-9]+/); print substr($0, RSTART, RLENGTH)}' "#
        + "| text2pcap -q -t %H:%M:%S.%f"

    /// Recognises Endace's format, which has no magic, as Wireshark does: three records in a row make sense, or all of
    /// a shorter file.
    private static func isERF(_ head: [UInt8]) -> Bool {
        // time 8 (little-endian, seconds in the upper half), type 1, flags 1, record length 2, losses 2, length 2
        var start = 0
        var last: UInt64?
        for number in 0..<3 {
            if start == head.count, number > 0 { return last != nil }
            guard start + 16 <= head.count else { return false }
            let time = (0..<8).reduce(UInt64(0)) { $0 | UInt64(head[start + $1]) << (8 * UInt64($1)) }
            let type = head[start + 8] & 0x7f
            let length = Int(head[start + 10]) << 8 | Int(head[start + 11])
            guard (1...48).contains(type), length >= 16, start + length <= head.count else { return false }
            start += length
            // Padding has no time.
            if type == 48 { continue }
            // Records may be a second late, and are not a week apart.
            if let last {
                guard time >= last ? time - last < 604_800 << 32 : last - time < 2 << 32 else { return false }
            }
            // A time of this format's age: from 1990 on.
            guard time >> 32 > 631_152_000 else { return false }
            last = time
        }
        return last != nil
    }
}

// MARK: Recognition

extension ForeignFormat {
    /// Octets of a file that are looked at.
    private static let headSize = 1 << 16

    /// Says of a file that begins like none that is read which one it is, and how to go on.
    static func error(_ reader: inout ByteReader) -> CaptureError {
        // A pipe's writer is waited for while what it wrote is too little for any format, or still text.
        var isAll = false
        while true {
            let head = unsafe reader.bytes.extracting(first: min(reader.available, headSize)).withUnsafeBytes {
                unsafe Array($0)
            }
            if let error = error(head, reader.name, reader.decompressor) { return error }
            let isText = FirstLines.isText(head)
            if isAll || head.count >= headSize || head.count >= 512 && !isText {
                return unknown(head, isText: isText, reader.name)
            }
            isAll = reader.follows || !reader.has(max(512, head.count * 2))
        }
    }

    private static func unknown(_ head: [UInt8], isText: Bool, _ path: String) -> CaptureError {
        if isText {
            return CaptureError(
                .unknownFormat, path, "is text, not a capture file", advice: "Capture into a file: tcpdump -w FILE")
        }
        let digits = head.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return CaptureError(
            .unknownFormat, path, "is not a capture file: it begins with 0x\(digits)",
            advice: "Other tools' captures are converted by Wireshark's editcap: "
                + command("editcap -F pcapng FILE - | synscope -", path))
    }

    private static func error(_ head: [UInt8], _ path: String, _ decompressor: String?) -> CaptureError? {
        let lines = FirstLines(head)
        // A capture behind a text comes before what that text may be.
        for format in all {
            guard case .magic(let magics) = format.sign,
                magics.contains(where: { $0.allSatisfy { $0.stands(in: head) } })
            else { continue }
            return format.error(path, decompressor)
        }
        if let begin = captureBegin(head) {
            let isBehindText = FirstLines.isText(Array(head.prefix(begin)))
            var error = CaptureError(
                .unknownFormat, path, at: UInt64(begin),
                isBehindText
                    ? "the capture begins here, behind a tool's text" : "a capture begins here, behind something else",
                advice: Remedy.filter("Cut off what comes before", "tail -c +\(begin + 1)").advice(path, decompressor))
            error.isDecompressed = decompressor != nil
            return error
        }
        for format in all {
            switch format.sign {
            case .magic: continue
            case .text(let holds): guard let lines, holds(lines) else { continue }
            case .structure(let holds): guard lines == nil, holds(head) else { continue }
            }
            return format.error(path, decompressor)
        }
        return nil
    }

    private func error(_ path: String, _ decompressor: String?) -> CaptureError {
        CaptureError(.unknownFormat, path, "is \(name)", advice: remedy.advice(path, decompressor))
    }

    /// Finds a capture's header behind other octets.
    private static func captureBegin(_ head: [UInt8]) -> Int? {
        guard head.count > 24 else { return nil }
        for begin in 1...head.count - 24 {
            let first = head[begin]
            guard first == 0xa1 || first == 0xd4 || first == 0x4d || first == 0x0a else { continue }
            if CaptureMagic.begins(head[begin...]) { return begin }
        }
        return nil
    }

    /// A command with a file's name in it, as a shell takes it.
    private static func command(_ command: String, _ path: String) -> String {
        guard path != "-" else { return command }
        var parts = command.split(separator: "FILE", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 { parts.insert(Substring(quoted(path)), at: 1) }
        return parts.joined()
    }

    private static func quoted(_ path: String) -> String {
        let plain = path.utf8.allSatisfy { octet in
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...0xff: true
            default: "_-./+,:@%=".utf8.contains(octet)
            }
        }
        let path = path.hasPrefix("-") ? "./" + path : path
        if plain { return path }
        return "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#) + "'"
    }
}

extension ForeignFormat.Remedy {
    /// The advice, in one sentence.
    /// - Parameter decompressor: the command that decompresses the file, where it is compressed.
    func advice(_ path: String, _ decompressor: String?) -> String {
        func line(_ words: String, _ command: String) -> String {
            "\(words): \(ForeignFormat.command(command, path))"
        }
        switch self {
        case .words(let words): return words
        case .command(let words, let command): return line(words, command)
        case .plainCommand(let words, let command):
            if let decompressor { return line("Decompress it first", "\(decompressor) FILE > OUT") }
            return line(words, command)
        case .filter(let words, let filter, let makesCapture):
            let end = makesCapture ? " | synscope -" : ""
            if let decompressor { return line(words, "\(decompressor) FILE | \(filter)\(end)") }
            // The first command of a filter takes the file.
            guard let bar = filter.firstRange(of: " | ") else { return line(words, "\(filter) < FILE\(end)") }
            return line(words, "\(filter[..<bar.lowerBound]) FILE\(filter[bar.lowerBound...])\(end)")
        }
    }
}

/// The first octets of captures that are read.
enum CaptureMagic {
    /// Micro- and nanoseconds of pcap in either order, and pcapng.
    private static let magics: [[UInt8]] = [
        [0xa1, 0xb2, 0xc3, 0xd4], [0xd4, 0xc3, 0xb2, 0xa1], [0xa1, 0xb2, 0x3c, 0x4d], [0x4d, 0x3c, 0xb2, 0xa1],
        [0x0a, 0x0d, 0x0d, 0x0a],
    ]

    /// A file header of pcap or pcapng is recognised by magic and version.
    static func begins(_ octets: ArraySlice<UInt8>) -> Bool {
        let octets = Array(octets.prefix(24))
        guard octets.count == 24 else { return false }
        if isMagic(octets), octets[0] != 0x0a {
            let isBig = octets[0] == 0xa1
            let version =
                isBig ? (octets[5], octets[4], octets[7], octets[6]) : (octets[4], octets[5], octets[6], octets[7])
            return version.0 == 2 && version.1 == 0 && version.2 <= 4 && version.3 == 0
        }
        let order = Array(octets[8..<12])
        return isMagic(octets) && (order == [0x1a, 0x2b, 0x3c, 0x4d] || order == [0x4d, 0x3c, 0x2b, 0x1a])
    }

    static func isMagic(_ octets: [UInt8]) -> Bool { magics.contains { octets.starts(with: $0) } }
}
