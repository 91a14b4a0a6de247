import PacketWire

/// A line of a plain attempt with the places of its figures. Attempts of one shape have equal lines but for these, and
/// to copy the text between them is three times as fast as to write a record.
final class LineTemplate: Sendable {
    /// The most shapes that are kept; attempts of others have their records written.
    static let maximumKept = 4096

    /// The text before each figure, and after the last.
    let text: PaddedText
    /// Where each part ends.
    let ends: [Int]
    /// Octets of the longest line.
    var maximumOctets: Int { text.count + ends.count * LineTemplate.longest }
    /// Octets of the longest figure, an IPv6 address.
    private static let longest = 45

    init(_ text: [UInt8], _ ends: [Int]) { (self.text, self.ends) = (PaddedText(text), ends) }

    /// A line that is written. Its template is handed to it each time: to hold that would count references.
    struct Line {
        var stage: OutputStage
        fileprivate var part = 0
        private var read = 0

        init(_ stage: OutputStage) { self.stage = stage }

        /// The part before the next figure.
        @inline(__always)
        mutating func nextPart(_ template: LineTemplate) {
            let end = template.ends[part]
            stage.put(template.text, from: read, to: end)
            read = end
            part &+= 1
        }

        @inline(__always)
        mutating func figure(_ number: DecimalText, _ template: LineTemplate) {
            nextPart(template)
            stage.put(number)
        }

        /// Returns where the address stands, to be written again.
        mutating func place(_ address: IPAddress, _ template: LineTemplate) -> Range<Int> {
            nextPart(template)
            let start = stage.used
            stage.put(address)
            return start..<stage.used
        }

        mutating func again(_ place: Range<Int>, _ template: LineTemplate) {
            nextPart(template)
            stage.putAgain(place)
        }

        mutating func figure(time: Int64, _ template: LineTemplate) {
            nextPart(template)
            stage.put(time: time)
        }

        mutating func finish(_ template: LineTemplate) {
            nextPart(template)
            precondition(part == template.ends.count)
        }
    }
}
