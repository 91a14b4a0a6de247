package import HandshakeAnalysis
package import HandshakeExpectation
import HandshakeReport
import HandshakeScenario

/// What several fuzz targets have in common.
package enum FuzzInput {
    /// The octets that libFuzzer hands over.
    package static func octets(_ start: UnsafePointer<UInt8>, _ count: Int) -> [UInt8] {
        Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// Octets that no output may hold when they come from outside: control characters but the line feed.
    package static func isClean(_ text: some Sequence<UInt8>) -> Bool {
        text.allSatisfy { $0 >= 32 && $0 != 127 || $0 == 10 }
    }

    /// Whether no line is a command to those that read logs: `::` where it begins, or `##[` anywhere.
    package static func holdsNoCommand(_ octets: [UInt8]) -> Bool {
        let (space, colon, hash, bracket) = (UInt8(32), UInt8(58), UInt8(35), UInt8(91))
        var isLineStart = true
        for (position, octet) in octets.enumerated() where position + 2 < octets.count {
            let next = octets[position + 1]
            if isLineStart, octet == colon, next == colon { return false }
            if octet == hash, next == hash, octets[position + 2] == bracket { return false }
            isLineStart = octet == 10 || isLineStart && octet == space
        }
        return true
    }

    /// Judges the attempts by rules, and writes a report of it.
    /// - Parameter choice: chooses which.
    package static func judge(_ rules: [Rule], choice: Int) {
        var check = RuleCheck(rules, keepsFrames: true)
        for attempt in attempts { check.take(attempt) }
        let report = CheckReport(
            check.verdict(), CheckContext(), style: TextStyle(usesColor: false, usesUnicode: false, width: 80))
        let format = CheckFormat.allCases[choice % CheckFormat.allCases.count]
        var out = OutputBuffer()
        report.write(format, to: &out)
        precondition(isClean(out.bytes), "\(format) is a clean text")
        precondition(format == .github || holdsNoCommand(out.bytes), "\(format) holds no command")
    }

    /// Attempts with different outcomes: established, one of them after a SYN was lost, refused, unanswered, over IPv6,
    /// and one in a tunnel that nobody vouches for.
    package static let attempts: [AttemptRecord] = {
        let text = """
            flow web 192.0.2.10:50000 > 198.51.100.1:443 isn 1000 5000
            flow lossy 192.0.2.11:50001 > 198.51.100.1:443 isn 2000 6000
            flow closed 192.0.2.12:50002 > 198.51.100.1:8443 isn 3000 0
            flow filtered 192.0.2.13:50003 > 203.0.113.9:25 isn 4000 0
            flow v6 [2001:db8::10]:50004 > [2001:db8::1]:443 isn 5000 8000
            flow forged 192.0.2.14:50005 > 198.51.100.1:443 isn 6000 9000

            0      web > S <mss 1460,sackOK,nop,wscale 7>
            +20ms  web < S. <mss 1400,nop,wscale 9>
            +1ms   web > .
            0.1s   lossy > S
            1.1s   lossy > S
            +20ms  lossy < S.
            +1ms   lossy > .
            2s     closed > S
            +3ms   closed < R. -3000
            3s     filtered > S
            4s     filtered > S
            7s     v6 > S
            +5ms   v6 < S.
            +1ms   v6 > .
            8s     forged > S in gtp 1 from 203.0.113.1 to 203.0.113.2
            +5ms   forged < S. in gtp 1 from 203.0.113.1 to 203.0.113.2
            +1ms   forged > . in gtp 1 from 203.0.113.1 to 203.0.113.2
            +90s   idle
            +1s    idle
            """
        do {
            return try Scenario(text: text, name: "attempts").analysed().attempts
        } catch {
            fatalError("\(error)")
        }
    }()
}
