import PacketWire

/// Names in place of addresses: `host-1`, `network-1`, numbered as they appear. One address has one name, so that a
/// reader still sees what is the same; nothing leads back to the address.
package final class Pseudonyms {
    private var hosts: [IPAddress: Int] = [:]
    private var networks: [String: Int] = [:]

    package init() {}

    /// The same text with names in place of the IP addresses in it, and of the networks: `10.0.0.0/24`.
    package func replacing(in text: String) -> String {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let octet = rest.first {
            let isWithinWord = result.last.map(Pseudonyms.isWord) ?? false
            if !isWithinWord, Pseudonyms.isOfAddress(octet), !Pseudonyms.endsWithStandard(result),
                let (address, length) = Pseudonyms.address(rest)
            {
                rest = rest.dropFirst(length)
                result += Array(name(address, &rest).utf8)
            } else {
                result.append(octet)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// - Parameter rest: what follows the address; loses the bits of a network.
    private func name(_ address: IPAddress, _ rest: inout ArraySlice<UInt8>) -> String {
        let digits = rest.dropFirst().prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
        guard rest.first == UInt8(ascii: "/"), !digits.isEmpty else {
            let number = hosts[address] ?? hosts.count + 1
            hosts[address] = number
            return "host-\(number)"
        }
        let network = "\(address)/\(String(decoding: digits, as: UTF8.self))"
        rest = rest.dropFirst(digits.count + 1)
        let number = networks[network] ?? networks.count + 1
        networks[network] = number
        return "network-\(number)"
    }

    /// The longest address that octets begin with, and its length.
    private static func address(_ octets: ArraySlice<UInt8>) -> (IPAddress, length: Int)? {
        var run = octets.prefix(while: isOfAddress)
        // The longest text of an address has 45 characters.
        if run.count > 45 { run = run.prefix(45) }
        while run.count > 1 {
            let next = octets.dropFirst(run.count).first
            if !(next.map(isHexadecimal) ?? false), let address = IPAddress(String(decoding: run, as: UTF8.self)) {
                return (address, run.count)
            }
            run = run.dropLast()
        }
        return nil
    }

    /// Whether it ends with `RFC 9293 `: a section follows, such as 3.10.7.3.
    private static func endsWithStandard(_ octets: [UInt8]) -> Bool {
        let words = octets.suffix(10).split(separator: UInt8(ascii: " "))
        guard octets.last == UInt8(ascii: " "), words.count >= 2 else { return false }
        return words[words.count - 2].elementsEqual("RFC".utf8)
    }

    private static func isHexadecimal(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            true
        default: false
        }
    }

    private static func isOfAddress(_ octet: UInt8) -> Bool {
        isHexadecimal(octet) || octet == UInt8(ascii: ".") || octet == UInt8(ascii: ":")
    }

    private static func isWord(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}
