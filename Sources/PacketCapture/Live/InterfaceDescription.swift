import CPcap
import Glibc
package import PacketWire

/// An interface that can be captured on, as libpcap lists it.
package struct InterfaceDescription: Sendable {
    package var name: String
    /// libpcap's words; nil where it has none.
    package var description: String?
    package var isUp: Bool
    package var isRunning: Bool
    package var isLoopback: Bool
    package var isWireless: Bool
    /// Nil where it makes no sense, or is unknown.
    package var isConnected: Bool?
    package var addresses: [IPAddress]
    /// Link types that it offers; empty where this process may not open it.
    package var linkTypes: [LinkType]

    /// - Throws: `CaptureError` where libpcap cannot list them.
    package static func all() throws(CaptureError) -> [InterfaceDescription] {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        var first: UnsafeMutablePointer<pcap_if_t>?
        guard unsafe pcap_findalldevs(&first, &message) == 0 else {
            throw CaptureError(.unreadable, "interfaces", LiveInterface.text(message))
        }
        defer { unsafe pcap_freealldevs(first) }
        var found: [InterfaceDescription] = []
        var next = unsafe first
        while let device = unsafe next {
            unsafe found.append(InterfaceDescription(device.pointee))
            unsafe next = device.pointee.next
        }
        return found
    }

    private init(_ device: pcap_if_t) {
        name = unsafe String(cString: device.name)
        description = unsafe device.description.map { unsafe String(cString: $0) }
        let flags = unsafe device.flags
        isUp = flags & UInt32(PCAP_IF_UP) != 0
        isRunning = flags & UInt32(PCAP_IF_RUNNING) != 0
        isLoopback = flags & UInt32(PCAP_IF_LOOPBACK) != 0
        isWireless = flags & UInt32(PCAP_IF_WIRELESS) != 0
        isConnected =
            switch flags & UInt32(PCAP_IF_CONNECTION_STATUS) {
            case UInt32(PCAP_IF_CONNECTION_STATUS_CONNECTED): true
            case UInt32(PCAP_IF_CONNECTION_STATUS_DISCONNECTED): false
            default: nil
            }
        addresses = []
        var next = unsafe device.addresses
        while let entry = unsafe next {
            if let address = unsafe entry.pointee.addr.flatMap({ unsafe IPAddress($0) }) { addresses.append(address) }
            unsafe next = entry.pointee.next
        }
        linkTypes = InterfaceDescription.linkTypes(of: name)
    }

    private static func linkTypes(of name: String) -> [LinkType] {
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let handle = unsafe pcap_create(name, &message) else { return [] }
        defer { unsafe pcap_close(handle) }
        guard unsafe pcap_activate(handle) >= 0 else { return [] }
        return unsafe LiveInterface.linkTypes(of: handle)
    }
}

extension IPAddress {
    /// The address of a socket address of either family; nil of another family.
    fileprivate init?(_ address: UnsafeMutablePointer<sockaddr>) {
        let raw = UnsafeRawPointer(address)
        switch Int32(unsafe address.pointee.sa_family) {
        case AF_INET:
            let value = unsafe raw.load(as: sockaddr_in.self).sin_addr.s_addr
            self.init(v4: UInt32(bigEndian: value))
        case AF_INET6:
            let value = unsafe raw.load(as: sockaddr_in6.self).sin6_addr
            let halves = unsafe withUnsafeBytes(of: value) {
                unsafe ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            }
            self.init(v6High: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1))
        default: return nil
        }
    }
}
