import Foundation
import PacketWire
import Testing

/// A line of Independent/frames.tsv.
struct IndependentFrame: CustomTestStringConvertible, Sendable {
    var name: String
    var linkType: LinkType
    var octets: [UInt8]
    var expected: String
    var testDescription: String { name }

    static let all: [IndependentFrame] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Independent/frames.tsv")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let columns = line.split(separator: "\t")
            let digits = Array(columns[2].utf8)
            let octets = stride(from: 0, to: digits.count, by: 2).map {
                UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)!
            }
            return IndependentFrame(
                name: String(columns[0]), linkType: LinkType(rawValue: UInt16(columns[1])!), octets: octets,
                expected: String(columns[3]))
        }
    }()
}

@Suite("Frames that others made")
struct IndependentFrameTests {
    /// What was decoded, in the words of the table.
    static func words(_ frame: IndependentFrame) -> String {
        var slot = DecodedFrame()
        FrameDecoder(frame.linkType).decode(frame.octets.span.bytes, wireLength: frame.octets.count, into: &slot)
        switch slot.frame {
        case .ignored(.unknownLinkType): return "ignored link-type-\(slot.number)"
        case .ignored(let reason): return "ignored \(reason.name)" + (slot.number == 0 ? "" : " \(slot.number)")
        case .segment(let segment):
            var parts = ["\(segment.source) > \(segment.destination) \(segment.flags) seq \(segment.seq)"]
            if segment.options.has(.mss) { parts[0] += " mss \(segment.options.mss)" }
            if segment.checksum != .good { parts[0] += " checksum \(segment.checksum)" }
            let tags = segment.vlan.identifiers.map { "\($0)" }
            if !tags.isEmpty { parts.append("vlan \(tags.joined(separator: " "))") }
            let layers = segment.path.layers.map { $0.tunnel.name + ($0.id.map { " \($0)" } ?? "") }
            if !layers.isEmpty { parts.append(layers.joined(separator: ", ")) }
            if let outer = segment.path.outer { parts.append("outer \(outer.source) > \(outer.destination)") }
            if segment.network != .none { parts.append("network \(segment.network.kind) \(segment.network.id)") }
            #expect(
                Tunnels(rawValue: segment.tunnels.rawValue).names.allSatisfy { name in
                    layers.contains { $0.hasPrefix(name) }
                })
            return parts.joined(separator: " | ")
        case let other: return "\(other)"
        }
    }

    @Test(
        "A frame made by an independent program decodes to what that program put into it",
        arguments: IndependentFrame.all)
    func decodes(_ frame: IndependentFrame) {
        #expect(IndependentFrameTests.words(frame) == frame.expected)
    }

    @Test("Cut anywhere, it is a segment, cut or ignored, never malformed", arguments: IndependentFrame.all)
    func cuts(_ frame: IndependentFrame) {
        for length in 0..<frame.octets.count {
            let decoded = decode(Array(frame.octets.prefix(length)), frame.linkType, wireLength: frame.octets.count)
            if case .malformed(let malformation) = decoded { Issue.record("cut to \(length): \(malformation)") }
        }
    }

    @Test("Ended anywhere, or with any octet changed, it still decodes to something", arguments: IndependentFrame.all)
    func damage(_ frame: IndependentFrame) {
        for position in frame.octets.indices {
            _ = decode(Array(frame.octets.prefix(position)), frame.linkType)
            for value in [0, 1, 0x7f, 0xff] as [UInt8] where frame.octets[position] != value {
                var octets = frame.octets
                octets[position] = value
                _ = FrameDecoder(frame.linkType).decode(octets.span.bytes, wireLength: octets.count)
                let cut = octets.prefix(position + 1)
                _ = FrameDecoder(frame.linkType).decode(Array(cut).span.bytes, wireLength: octets.count)
            }
        }
    }

    @Test("docs/formats.md has the row of every link type and encapsulation")
    func documented() throws {
        let project = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: project.appending(path: "docs/formats.md"), encoding: .utf8)
        let rows =
            LinkType.catalogue.map { "| \($0.type.rawValue) | \($0.name) | \($0.summary) |" }
            + Tunnel.allCases.map { "| \($0.name) | \($0.summary) |" }
        #expect(rows.filter { !text.contains($0) } == [])
    }

    @Test("Every link type and encapsulation of the catalogue has such a frame")
    func catalogueIsCovered() {
        let linkTypes = Set(IndependentFrame.all.filter { !$0.expected.hasPrefix("ignored") }.map(\.linkType))
        #expect(LinkType.catalogue.map(\.type).filter { !linkTypes.contains($0) } == [])
        let words = IndependentFrame.all.map(\.expected).joined(separator: " | ")
        #expect(Tunnel.allCases.map(\.name).filter { !words.contains($0) } == [])
    }
}
