import HandshakeAnalysis
import HandshakeScenario

/// Five attempts that the tables ask of, in the order of their names.
enum Records {
    static let names = ["web", "lossy", "closed", "filtered", "v6"]

    /// web: established, 21 ms, MSS 1460 and 1400. lossy: its SYN was sent twice without timestamps, so the round trip
    /// is known between 21 ms and 1.021 s. closed: refused after 3 ms, two SYNs. filtered: no answer to three SYNs. v6:
    /// over IPv6, established, 6 ms.
    static let five: [AttemptRecord] = {
        let text = """
            flow web 192.0.2.10:50000 > 198.51.100.1:443 isn 1000 5000
            flow lossy 192.0.2.11:50001 > 198.51.100.1:443 isn 2000 6000
            flow closed 192.0.2.12:50002 > 198.51.100.1:8443 isn 3000 0
            flow filtered 192.0.2.13:50003 > 203.0.113.9:25 isn 4000 0
            flow v6 [2001:db8::10]:50004 > [2001:db8::1]:443 isn 5000 8000

            0      web > S <mss 1460,sackOK,nop,wscale 7>
            +20ms  web < S. <mss 1400,nop,wscale 9>
            +1ms   web > .
            0.1s   lossy > S <mss 1460>
            1.1s   lossy > S <mss 1460>
            +20ms  lossy < S. <mss 1460>
            +1ms   lossy > .
            2s     closed > S <mss 1460>
            +3ms   closed < R. -3000
            2.5s   closed > S <mss 1460>
            +3ms   closed < R. -3000
            3s     filtered > S <mss 536>
            4s     filtered > S <mss 536>
            6s     filtered > S <mss 536>
            7s     v6 > S
            +5ms   v6 < S.
            +1ms   v6 > .
            +90s   idle
            +1s    idle
            """
        do {
            let attempts = try Scenario(text: text, name: "records").analysed().attempts
            return attempts.sorted { $0.id < $1.id }
        } catch {
            fatalError("\(error)")
        }
    }()
}
