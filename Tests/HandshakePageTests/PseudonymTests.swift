import HandshakeReport
import Testing

@Suite("Names in place of addresses")
struct PseudonymTests {
    @Test(
        "Each kind of text that has an address",
        arguments: [
            ("10.0.0.5:8443 does not answer 10.1.0.0/24", "host-1:8443 does not answer network-1"),
            ("[2001:db8::1]:443 and 2001:db8::2.", "[host-1]:443 and host-2."),
            ("::1 is not ::ffff:10.0.0.1", "host-1 is not host-2"),
            ("(10.0.0.1), 10.0.0.1; 10.0.0.2", "(host-1), host-1; host-2"),
            ("ip.addr==10.0.0.1&&tcp.port==1", "ip.addr==host-1&&tcp.port==1"),
            ("2001:db8::/32 of fe80::1%eth0", "network-1 of host-1%eth0"),
            ("10.0.0.1-10.0.0.9", "host-1-host-2"),
        ])
    func texts(_ text: String, _ hidden: String) { #expect(Pseudonyms().replacing(in: text) == hidden) }

    @Test(
        "What looks like an address and is none stays",
        arguments: [
            "00:02:10 to 00:05:00", "RFC 9293 3.10.7.3", "1.020 s, 2.020 s", "x+1 = 1000+1", "face: deadbeef",
            "2026-01-01T00:00:00.000000000Z", "v1.2.3.4x", "00:11:22:33:44:55", "10.0.0", "256.1.1.1", ":", "",
        ])
    func others(_ text: String) { #expect(Pseudonyms().replacing(in: text) == text) }

    @Test("One address has one name in all texts")
    func stable() {
        let names = Pseudonyms()
        #expect(names.replacing(in: "10.0.0.1 to 10.0.0.2") == "host-1 to host-2")
        #expect(names.replacing(in: "10.0.0.2:80, 10.0.0.3") == "host-2:80, host-3")
        // Another way to write the same address.
        #expect(names.replacing(in: "2001:db8::1") == names.replacing(in: "2001:0db8:0:0:0:0:0:1"))
    }
}
