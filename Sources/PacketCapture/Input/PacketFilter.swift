import CPcap
import PacketWire

/// A filter expression (pcap-filter(7)), compiled by libpcap for each link type that occurs.
@safe package final class PacketFilter {
    package let expression: String
    private var programs: [UInt16: Program] = [:]

    /// Compiles an expression for whatever link types occur later. Names of hosts and services in it are looked up
    /// now, and not again.
    package init(_ expression: String) {
        self.expression = expression
        // A faulty expression is reported once a file's link type is known.
        guard (try? compile(.ethernet)) != nil else { return }
        for entry in LinkType.catalogue where entry.type != .ethernet { try? compile(entry.type) }
    }

    /// - Throws: `CaptureError` of kind `filter` with libpcap's words, where the expression is wrong for `linkType`.
    func require(_ linkType: LinkType) throws(CaptureError) {
        guard programs[linkType.rawValue] == nil else { return }
        do throws(CaptureError) {
            try compile(linkType)
        } catch {
            // libpcap compiles for some link types only: where this one is of that kind, others may follow in the file.
            guard linkType != .ethernet, programs[LinkType.ethernet.rawValue] != nil else { throw error }
        }
    }

    /// A compiled program, freed with its last user.
    @safe private final class Program {
        var code = unsafe bpf_program()
        deinit { unsafe pcap_freecode(&code) }
    }

    private func compile(_ linkType: LinkType) throws(CaptureError) {
        guard let handle = unsafe pcap_open_dead(linkType.dlt, 262_144) else {
            throw CaptureError(.filter, "filter", "libpcap has no memory")
        }
        defer { unsafe pcap_close(handle) }
        let program = Program()
        if unsafe pcap_compile(handle, &program.code, expression, 1, PCAP_NETMASK_UNKNOWN) != 0 {
            let message = unsafe String(cString: pcap_geterr(handle))
            throw CaptureError(
                .filter, "filter '\(expression)'", "\(message) (link type \(linkType.name))",
                advice: "See pcap-filter(7); files come first, the filter after them or with -f")
        }
        programs[linkType.rawValue] = program
    }

    /// Whether a frame passes. An expression that has no meaning for a link type passes none of its frames.
    func passes(_ header: FrameHeader, _ bytes: UnsafeRawPointer) -> Bool {
        if programs[header.linkType.rawValue] == nil {
            do { try compile(header.linkType) } catch { programs[header.linkType.rawValue] = Program() }
        }
        guard let program = programs[header.linkType.rawValue], unsafe program.code.bf_insns != nil else {
            return false
        }
        var record = pcap_pkthdr()
        record.caplen = UInt32(header.capturedLength)
        record.len = UInt32(clamping: header.wireLength)
        return unsafe pcap_offline_filter(&program.code, &record, bytes.assumingMemoryBound(to: UInt8.self)) != 0
    }
}

/// libpcap's own words on its version.
package func libpcapVersion() -> String { unsafe String(cString: pcap_lib_version()) }
