package import HandshakeRecord
package import HandshakeReport
import PacketWire

/// Attempts by group, in bounded memory. Once there are more groups than are kept, half of them are let go: those with
/// the fewest failures, of these those with the fewest attempts. What was let go is counted; a group that comes later
/// may have been among it, so its counts are lower bounds.
package struct GroupTable: Sendable {
    package static let usualMaximum = 20_000

    package let grouping: Grouping
    private let maximum: Int
    private var groups: [AttemptGroup] = []
    /// Places in `groups` and one more, by hash; 0 where there is none.
    private var index = [Int32](repeating: 0, count: 64)
    private let seed = UInt64.random(in: .min ... .max)
    /// The negotiated MSS by the shape of a plain attempt: all of one have the same.
    private var sizes: [PlainAttempt.Shape: SegmentSize] = [:]
    private var lastShape: (shape: PlainAttempt.Shape, size: SegmentSize)?

    /// Octets; nil where it is not known.
    private struct SegmentSize { var octets: UInt16? }

    /// Attempts that were counted, each once.
    package private(set) var attempts = 0
    /// Groups that were let go, and how often attempts were counted in them.
    package private(set) var evictedGroups = 0
    package private(set) var evictedAttempts = 0

    /// Whether groups keep round trips and MSS values too.
    private let keepsFigures: Bool

    /// - Parameters:
    ///   - maximum: groups that are kept, from 2 on.
    ///   - keepsFigures: whether groups keep round trips and MSS values too; without them they cost a third.
    package init(_ grouping: Grouping, maximum: Int = GroupTable.usualMaximum, keepsFigures: Bool = true) {
        self.grouping = grouping
        self.keepsFigures = keepsFigures
        self.maximum = max(2, maximum)
    }

    package mutating func add(_ record: AttemptRecord) {
        // A copy behind a translator is another one's: it counts once.
        if record.copyOf != nil { return }
        attempts += 1
        var keys: [GroupKey] = []
        grouping.keys(of: record) { keys.append($0) }
        for key in keys { groups[place(of: key)].add(record, keepsFigures: keepsFigures) }
    }

    /// - Parameter record: makes its record.
    @inline(__always)
    package mutating func add(_ plain: borrowing PlainAttempt, record: () -> AttemptRecord) {
        guard grouping.isQuick else { return add(record()) }
        attempts += 1
        let place = place(of: grouping.key(of: plain))
        guard keepsFigures else { return groups[place].addEstablished(plain.firstTime) }
        groups[place].add(plain, size(of: plain.shape, record))
    }

    @inline(__always)
    private mutating func size(of shape: PlainAttempt.Shape, _ record: () -> AttemptRecord) -> UInt16? {
        if let lastShape, lastShape.shape == shape { return lastShape.size.octets }
        let size = sizes[shape] ?? SegmentSize(octets: record().negotiatedMSS)
        sizes[shape] = size
        lastShape = (shape, size)
        return size.octets
    }

    @inline(__always)
    private mutating func place(of key: GroupKey) -> Int {
        let mask = index.count - 1
        var position = key.hash(grouping.columns.count, seed: seed) & mask
        while index[position] != 0 {
            let place = Int(index[position]) - 1
            if groups[place].key == key { return place }
            position = (position + 1) & mask
        }
        return insert(key, at: position)
    }

    @inline(never)
    private mutating func insert(_ key: GroupKey, at position: Int) -> Int {
        if groups.count == maximum {
            evict()
            return place(of: key)
        }
        groups.append(AttemptGroup(key, isLowerBound: evictedGroups > 0))
        index[position] = Int32(groups.count)
        if groups.count * 2 > index.count { rebuild(size: index.count * 2) }
        return groups.count - 1
    }

    private mutating func evict() {
        groups.sort { ($0.failed, $0.attempts) > ($1.failed, $1.attempts) }
        let kept = maximum / 2
        for group in groups[kept...] { evictedAttempts += group.attempts }
        evictedGroups += groups.count - kept
        groups.removeSubrange(kept...)
        rebuild(size: index.count)
    }

    private mutating func rebuild(size: Int) {
        index = [Int32](repeating: 0, count: size)
        for place in groups.indices {
            var position = groups[place].key.hash(grouping.columns.count, seed: seed) & (size - 1)
            while index[position] != 0 { position = (position + 1) & (size - 1) }
            index[position] = Int32(place + 1)
        }
    }

    // MARK: Results

    package enum Order: String, CaseIterable, Sendable {
        case failed, share, attempts, retransmitted, rtt, first, last, key
    }

    package var count: Int { groups.count }

    /// The groups in an order; equals by their keys as text.
    /// - Parameter top: so many at most.
    package func sorted(by order: Order, top: Int? = nil) -> [AttemptGroup] {
        func figures(_ group: AttemptGroup) -> (Double, Double) {
            switch order {
            case .failed: (Double(group.failed), Double(group.attempts))
            case .share: (group.failedShare ?? -1, Double(group.failed))
            case .attempts: (Double(group.attempts), Double(group.failed))
            case .retransmitted: (group.retransmittedShare ?? -1, Double(group.retransmitted))
            case .rtt: (Double(group.total.quantile(0.5) ?? -1), Double(group.attempts))
            case .first: (-Double(group.firstTime), 0)
            case .last: (Double(group.lastTime), 0)
            case .key: (0, 0)
            }
        }
        let ranked = groups.indices.map { (place: $0, figures: figures(groups[$0])) }.sorted {
            if $0.figures != $1.figures { return $0.figures > $1.figures }
            return isBefore(groups[$0.place].key, groups[$1.place].key)
        }
        return ranked.prefix(top ?? .max).map { groups[$0.place] }
    }

    /// Numbers, times and addresses by their size, the rest as text.
    private func isBefore(_ a: GroupKey, _ b: GroupKey) -> Bool {
        for column in grouping.columns.indices {
            switch (a[column], b[column]) {
            case (.number(let x), .number(let y)) where x != y: return x < y
            case (.duration(let x), .duration(let y)) where x != y: return x < y
            case (.time(let x), .time(let y)) where x != y: return x < y
            case (.address(let x), .address(let y)) where x != y: return x < y
            case (.network(let x, _), .network(let y, _)) where x != y: return x < y
            case (.name(let x), .name(let y)) where x != y: return x < y
            case (let x, let y) where x != y:
                let (one, other) = (grouping.text(x, column), grouping.text(y, column))
                if one != other { return one < other }
            default: continue
            }
        }
        return false
    }

    /// A key's values as text.
    package func text(_ key: GroupKey, _ zone: Zone = .utc) -> [String] {
        grouping.columns.indices.map { grouping.text(key[$0], $0, zone) }
    }

    /// The display filter of Wireshark that shows a group's frames; nil where Wireshark has no field for one of its
    /// keys.
    package func displayFilter(_ key: GroupKey) -> String? {
        var parts = ["tcp"]
        for column in grouping.columns.indices {
            let name = grouping.columns[column].field.name
            guard let part = GroupTable.displayFilter(key[column], name, grouping.columns[column].step) else {
                return nil
            }
            parts.append(part)
        }
        return parts.joined(separator: " && ")
    }

    private static func displayFilter(_ value: GroupValue, _ name: String, _ step: Grouping.Step) -> String? {
        let ports = ["tcp.srcport", "tcp.dstport", "tcp.port"]
        // Either direction's frames: a server's address is the source of its own.
        switch (value, step) {
        case (.address(let address), _) where name.hasPrefix("ip."):
            return "\(address.version == .v4 ? "ip" : "ipv6").addr == \(address)"
        case (.network(let address, let bits), _) where name.hasPrefix("ip."):
            return "\(address.version == .v4 ? "ip" : "ipv6").addr == \(address)/\(bits)"
        case (.number(let port), .none) where ports.contains(name): return "tcp.port == \(FigureText.plain(port))"
        case (.number(let low), .width(let width)) where ports.contains(name):
            return "tcp.port in {\(FigureText.plain(low))..\(FigureText.plain(min(65_535, low + width - 1)))}"
        case (.number(let version), .none) where name == "ip.version": return version == 4 ? "ip" : "ipv6"
        case (.number(let id), .none) where name == "vlan.id": return "vlan.id == \(FigureText.plain(id))"
        // Frames of that time: an attempt that began in it may have later ones.
        case (.time(let low), .width(let width)):
            return "frame.time >= \"\(Format.rfc3339(low))\" && frame.time < \"\(Format.rfc3339(low &+ Int64(width)))\""
        default: return nil
        }
    }
}
