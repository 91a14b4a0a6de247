@testable import HandshakeDiagnosis
import PacketWire
import Testing

@Suite("Scopes of situations")
struct ScopeTests {
    private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    @Test(
        "A prefix is the first address of its network, and is written with its length unless it is one address",
        arguments: [
            ("10.1.2.3", 24, "10.1.2.0/24"), ("10.1.2.3", 32, "10.1.2.3"), ("10.1.2.3", 0, "0.0.0.0/0"),
            ("2001:db8:1:2:3::4", 64, "2001:db8:1:2::/64"), ("2001:db8:1:2:3::4", 48, "2001:db8:1::/48"),
            ("2001:db8:1:2:3::4", 128, "2001:db8:1:2:3::4"), ("2001:db8::ff:0:1", 100, "2001:db8::ff:0:0/100"),
        ])
    func prefix(_ text: String, _ bits: Int, _ expected: String) throws {
        let prefix = AddressPrefix(of: try address(text), bits: bits)
        #expect(prefix.description == expected)
        #expect(prefix.contains(try address(text)))
    }

    @Test("A prefix contains no address of the other version, nor one beside it")
    func contains() throws {
        let prefix = AddressPrefix(of: try address("10.1.2.0"), bits: 24)
        #expect(!prefix.contains(try address("10.1.3.0")))
        #expect(!prefix.contains(try address("::ffff:10.1.2.1")))
    }

    @Test("The prefix that covers some addresses is the longest of those that are looked at")
    func covering() throws {
        func covering(_ texts: String...) throws -> String? {
            AddressPrefix.covering(try texts.map { try address($0) })?.description
        }
        #expect(try covering("10.1.2.3", "10.1.2.9") == "10.1.2.0/24")
        #expect(try covering("10.1.2.3", "10.1.9.9") == "10.1.0.0/16")
        #expect(try covering("10.1.2.3") == "10.1.2.3")
        #expect(try covering("10.1.2.3", "10.2.2.3") == nil)
        #expect(try covering("10.1.2.3", "2001:db8::1") == nil)
    }
}
