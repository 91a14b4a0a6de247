package import HandshakeRecord
import HandshakeReport
import PacketWire

/// The servers that attempts of a live run wait for: each is told once, as soon as it is seen.
package struct WaitingCourse: Sendable {
    /// A server is told again if none waited for it for so long: nanoseconds.
    package static let quiet: Int64 = 60_000_000_000
    /// The most servers that are told at once; the others are counted.
    package static let maximumTold = 8
    /// The most servers that are remembered.
    private static let maximumKept = 4096

    /// Nanoseconds since the epoch at which an attempt last waited for a server that was told.
    private var lastSeen: [Endpoint: Int64] = [:]

    package init() {}

    package var rememberedServers: Int { lastSeen.count }

    /// Servers that were not told yet.
    package struct News: Sendable, Hashable {
        /// Nanoseconds since the epoch.
        package let time: Int64
        package let servers: [WaitingAttempts.Server]
        /// Servers that are new too, and are counted only.
        package let others: Int

        /// `10.0.0.5:8443  3 attempts, 6 SYNs, no answer yet (oldest 3 s)`, a line a server.
        package var lines: [String] {
            let lines = servers.map(\.text)
            return others == 0 ? lines : lines + ["and \(Format.count(others, "more server"))"]
        }
    }

    /// - Parameter now: nanoseconds since the epoch.
    /// - Returns: nil if there is nothing new.
    package mutating func take(_ waiting: WaitingAttempts, now: Int64) -> News? {
        let new = waiting.servers.filter { lastSeen[$0.server] == nil }
        for entry in waiting.servers where lastSeen[entry.server] != nil || lastSeen.count < Self.maximumKept {
            lastSeen[entry.server] = now
        }
        lastSeen = lastSeen.filter { now &- $0.value < Self.quiet }
        if new.isEmpty { return nil }
        let told = new.prefix(Self.maximumTold)
        return News(time: now, servers: Array(told), others: new.count - told.count)
    }
}

extension WaitingAttempts.Server {
    /// `10.0.0.5:8443  3 attempts, 6 SYNs, no answer yet (oldest 3 s)`.
    package var text: String {
        let counts = "\(Format.count(attempts, "attempt")), \(Format.count(syns, "SYN"))"
        return "\(server)  \(counts), \(state) (oldest \(oldest / 1_000_000_000) s)"
    }
}
