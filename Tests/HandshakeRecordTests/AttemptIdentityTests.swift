import PacketWire
import Testing

@testable import HandshakeRecord

@Suite("Hashes of identities")
struct AttemptIdentityTests {
    private func digest(_ octets: [UInt8]) -> [UInt32] {
        var hash = SHA1()
        for octet in octets { hash.append(UInt32(octet), octets: 1) }
        let words = hash.digest()
        return [words.0, words.1, words.2, words.3, words.4]
    }

    @Test("SHA-1 is that of FIPS 180-4, up to a block")
    func sha1() {
        #expect(digest(Array("abc".utf8)) == [0xa999_3e36, 0x4706_816a, 0xba3e_2571, 0x7850_c26c, 0x9cd0_d89d])
        #expect(digest([]) == [0xda39_a3ee, 0x5e6b_4b0d, 0x3255_bfef, 0x9560_1890, 0xafd8_0709])
        let longest = [UInt8](repeating: UInt8(ascii: "a"), count: SHA1.maximum)
        #expect(digest(longest) == [0xc1c8_bbdc, 0x22796e28, 0xc0e15163, 0xd20899b6, 0x5621d65a])
    }

    /// From the baseline of the Community ID's specification.
    @Test(
        "Community IDs are those of the published baseline",
        arguments: [
            ("128.232.110.120", 34855, "66.35.250.204", 80, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            ("66.35.250.204", 80, "128.232.110.120", 34855, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            ("128.232.110.120", 34855, "66.35.250.204", 80, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="),
        ] as [(String, UInt16, String, UInt16, UInt16, String)])
    func baseline(_ a: String, _ p: UInt16, _ b: String, _ q: UInt16, _ seed: UInt16, _ expected: String) throws {
        let (one, other) = (try #require(IPAddress(a)), try #require(IPAddress(b)))
        #expect(CommunityID.text(Endpoint(one, p), Endpoint(other, q), seed: seed).description == expected)
    }
}
