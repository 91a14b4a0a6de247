import CPcap
import CLinux
import Glibc
package import PacketWire

/// How to capture on an interface.
package struct LiveOptions: Sendable {
    /// Octets of a frame that are captured.
    package var snaplen = LiveOptions.handshakeSnaplen
    /// Octets that the kernel may hold until they are read.
    package var bufferSize = 32 << 20
    package var isPromiscuous = true
    /// Each frame is handed over when it comes, instead of in blocks: sooner, at a higher cost.
    package var isImmediate = false
    /// An expression of pcap-filter(7).
    package var filter: String?
    /// Whether the kernel passes only what handshakes need.
    package var isHandshakesOnly = false
    /// Whether an interface that is not there is waited for.
    package var waits = false
    package init() {}

    /// Two Ethernet headers with VLAN tags, two IPv6 headers, UDP, VXLAN and the longest TCP header are 226 octets.
    package static let handshakeSnaplen = 256
    /// Octets: what libpcap takes.
    package static let snaplens = 64...262_144

    /// Segments with SYN, FIN or RST, empty segments, ICMP errors; in IPv4 and IPv6. libpcap compiles no look into TCP
    /// over IPv6: its header is taken to follow the fixed one.
    private static let handshakes = """
        ((tcp and (tcp[13] & 7 != 0 or ip[2:2] - ((ip[0] & 15) << 2) - ((tcp[12] & 240) >> 2) = 0)) \
        or (icmp and (icmp[0] = 3 or icmp[0] = 11)) \
        or (ip6 and ip6[6] = 6 and (ip6[53] & 7 != 0 or ip6[4:2] - ((ip6[52] & 240) >> 2) = 0)) \
        or (ip6 and ip6[6] = 58 and (ip6[40] = 1 or ip6[40] = 2 or ip6[40] = 3)))
        """

    /// The expression that the kernel filters by; nil for none. After `vlan` an expression looks behind the tag.
    package func kernelFilter(for linkType: LinkType) -> String? {
        guard isHandshakesOnly else { return filter }
        let passes = filter.map { "(\($0)) and \(LiveOptions.handshakes)" } ?? LiveOptions.handshakes
        return linkType == .ethernet ? "(\(passes)) or (vlan and ((\(passes)) or (vlan and \(passes))))" : passes
    }
}

/// The kernel's counts of a live capture, from its start.
package struct LiveStatistics: Sendable, Equatable {
    /// Frames that passed the filter, dropped ones included.
    package var received: UInt64 = 0
    /// Frames for which the kernel's buffer had no room.
    package var dropped: UInt64 = 0
    /// Frames that the interface or its driver lost.
    package var droppedByInterface: UInt64 = 0
    package init() {}

    package static func + (a: LiveStatistics, b: LiveStatistics) -> LiveStatistics {
        var sum = a
        sum.received += b.received
        sum.dropped += b.dropped
        sum.droppedByInterface += b.droppedByInterface
        return sum
    }
}

/// A live capture on one interface. Used by one thread.
@safe package final class LiveInterface {
    package let name: String
    package let linkType: LinkType
    /// Nanoseconds that the smallest step of a time stands for.
    package let timeResolution: Int64
    package let snaplen: Int
    /// Readable when there are frames.
    let descriptor: Int32
    private let handle: OpaquePointer
    private let position: Int
    private let isDevice: Bool
    // The kernel's counters as libpcap gives them are 32 bits wide: they are carried on here.
    private var previous = pcap_stat()
    private var totals = LiveStatistics()

    /// - Parameter position: its place among the interfaces captured on.
    /// - Throws: `CaptureError` of kind `notPermitted`, `noInterface`, `filter` or `unreadable`.
    init(_ name: String, _ options: LiveOptions, position: Int) throws(CaptureError) {
        self.name = name
        self.position = position
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = unsafe pcap_create(name, &message) else {
            throw CaptureError(.noInterface, name, LiveInterface.text(message))
        }
        var isOpen = false
        defer { if !isOpen { unsafe pcap_close(handle) } }
        unsafe pcap_set_snaplen(handle, Int32(options.snaplen))
        unsafe pcap_set_promisc(handle, options.isPromiscuous && name != "any" ? 1 : 0)
        unsafe pcap_set_buffer_size(handle, Int32(clamping: options.bufferSize))
        // Blocks are handed over at least this often; what is in one that is not must be waited for at the end.
        unsafe pcap_set_timeout(handle, LiveCapture.blockMilliseconds)
        unsafe pcap_set_immediate_mode(handle, options.isImmediate ? 1 : 0)
        let hasNanoseconds = unsafe pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO) == 0
        let status = unsafe pcap_activate(handle)
        if status < 0 { throw unsafe LiveInterface.failure(name, status, handle) }
        linkType = unsafe LiveInterface.chooseLinkType(handle)
        guard linkType.isDecoded else {
            throw CaptureError(.noInterface, name, "frames of link type \(linkType.name) are not decoded")
        }
        if let expression = options.kernelFilter(for: linkType) {
            var program = unsafe bpf_program()
            guard unsafe pcap_compile(handle, &program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0 else {
                throw CaptureError(
                    .filter, "filter '\(options.filter ?? expression)'", unsafe String(cString: pcap_geterr(handle)),
                    advice: "See pcap-filter(7)")
            }
            defer { unsafe pcap_freecode(&program) }
            guard unsafe pcap_setfilter(handle, &program) == 0 else {
                throw CaptureError(.filter, "filter '\(expression)'", unsafe String(cString: pcap_geterr(handle)))
            }
        }
        guard unsafe pcap_setnonblock(handle, 1, &message) == 0 else {
            throw CaptureError(.unreadable, name, LiveInterface.text(message))
        }
        descriptor = unsafe pcap_get_selectable_fd(handle)
        // Programs that this process starts must not read along.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        isDevice = unsafe clinux_interface_is_up(descriptor, name) >= 0
        timeResolution = hasNanoseconds ? 1 : 1000
        snaplen = Int(unsafe pcap_snapshot(handle))
        unsafe self.handle = handle
        isOpen = true
    }

    deinit { unsafe pcap_close(handle) }

    /// Cooked captures have a second version, which says which interface a frame came by. Where the usual type is not
    /// decoded, another that is offered may be.
    private static func chooseLinkType(_ handle: OpaquePointer) -> LinkType {
        let usual = unsafe LinkType(dlt: pcap_datalink(handle))
        if usual.isDecoded, usual != .linuxSLL { return usual }
        let offered = unsafe linkTypes(of: handle)
        let better = offered.contains(.linuxSLL2) ? .linuxSLL2 : offered.first(where: \.isDecoded)
        guard let better, unsafe pcap_set_datalink(handle, better.dlt) == 0 else { return usual }
        return better
    }

    /// Those that an active handle can switch to.
    static func linkTypes(of handle: OpaquePointer) -> [LinkType] {
        var list: UnsafeMutablePointer<Int32>?
        let count = unsafe pcap_list_datalinks(handle, &list)
        guard count > 0, let list = unsafe list else { return [] }
        defer { unsafe pcap_free_datalinks(list) }
        return (0..<Int(count)).map { unsafe LinkType(dlt: list[$0]) }
    }

    private static func failure(_ name: String, _ status: Int32, _ handle: OpaquePointer) -> CaptureError {
        let detail = unsafe String(cString: pcap_geterr(handle))
        let words = detail.isEmpty ? unsafe String(cString: pcap_statustostr(status)) : detail
        switch status {
        case PCAP_ERROR_PERM_DENIED, PCAP_ERROR_PROMISC_PERM_DENIED:
            return CaptureError(.notPermitted, name, "capturing is not permitted")
        case PCAP_ERROR_NO_SUCH_DEVICE:
            return CaptureError(
                .noInterface, name, "there is no such interface", advice: "synscope interfaces lists them")
        case PCAP_ERROR_IFACE_NOT_UP: return CaptureError(.noInterface, name, "the interface is down")
        default: return CaptureError(.noInterface, name, words)
        }
    }

    static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The callback's context: libpcap hands it one pointer.
    @unsafe private struct Destination {
        var frames: UnsafeMutablePointer<CapturedFrames>
        var interface: Int
        var unit: Int64
    }

    /// Takes what the kernel holds, up to about `maximum` frames, without waiting.
    func read(into frames: inout CapturedFrames, maximum: Int) throws(CaptureError) {
        errno = 0
        let count = unsafe withUnsafeMutablePointer(to: &frames) { store in
            var destination = unsafe Destination(frames: store, interface: position, unit: timeResolution)
            return unsafe withUnsafeMutableBytes(of: &destination) { user in
                unsafe pcap_dispatch(
                    handle, Int32(maximum), LiveInterface.store, user.baseAddress!.assumingMemoryBound(to: UInt8.self))
            }
        }
        // Netlink captures call it an error that there is nothing yet.
        if count < 0, errno != EAGAIN {
            throw CaptureError(.noInterface, name, unsafe String(cString: pcap_geterr(handle)))
        }
    }

    private static let store: pcap_handler = { user, header, bytes in
        guard let user = unsafe user, let record = unsafe header?.pointee, let bytes = unsafe bytes else { return }
        let destination = unsafe UnsafeRawPointer(user).load(as: Destination.self)
        unsafe destination.frames.pointee.append(
            UnsafeRawBufferPointer(start: bytes, count: Int(record.caplen)), wireLength: Int(record.len),
            time: Int64(record.ts.tv_sec) * 1_000_000_000 + Int64(record.ts.tv_usec) * destination.unit,
            interface: destination.interface)
    }

    /// Whether it is up; what is no network device (any, nflog) always is.
    var isUp: Bool { unsafe !isDevice || clinux_interface_is_up(descriptor, name) == 1 }

    /// Makes the kernel hold nothing new for this capture; what it holds can still be taken.
    func close() { _ = clinux_refuse_packets(descriptor) }

    package func statistics() -> LiveStatistics {
        var now = pcap_stat()
        guard unsafe pcap_stats(handle, &now) == 0 else { return totals }
        totals.received += UInt64(now.ps_recv &- previous.ps_recv)
        totals.dropped += UInt64(now.ps_drop &- previous.ps_drop)
        totals.droppedByInterface += UInt64(now.ps_ifdrop &- previous.ps_ifdrop)
        previous = now
        return totals
    }
}

extension LinkType {
    /// libpcap's DLT_ values are LINKTYPE_ values but for raw IP.
    init(dlt: Int32) {
        self =
            switch dlt {
            case 11: .atmRFC1483
            case 12: .raw
            default: LinkType(rawValue: UInt16(clamping: dlt))
            }
    }

    var dlt: Int32 {
        switch self {
        case .atmRFC1483: 11
        case .raw: 12
        default: Int32(rawValue)
        }
    }
}
