import Foundation
import FoundationXML
import TestSupport
import Testing

@Suite("synscope draw -T svg")
struct PictureTests {
    /// The document's texts by their element; nil where it is not well-formed.
    private final class Texts: NSObject, XMLParserDelegate {
        var all: [(element: String, text: String)] = []
        private var open: [String] = []

        init?(_ octets: [UInt8]) {
            super.init()
            let parser = XMLParser(data: Data(octets))
            parser.delegate = self
            if !parser.parse() { return nil }
        }

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            open.append(name)
            all.append((name, ""))
        }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            open.removeLast()
        }

        func parser(_ parser: XMLParser, foundCharacters text: String) {
            if open.last == all.last?.element { all[all.count - 1].text += text }
        }

        func of(_ element: String) -> [String] { all.filter { $0.element == element }.map(\.text) }
    }

    private static let captures =
        (try? FileManager.default.contentsOfDirectory(atPath: Place.captures.path))?
        .filter { $0.hasSuffix(".pcap") }.sorted() ?? []

    @Test(
        "Pictures of every capture are well-formed, have a title and a description, and at most 20 KB",
        arguments: captures)
    func all(capture: String) throws {
        let folder = try TemporaryFolder()
        let run = try Run(
            ["draw", Place.capture(capture), "--first", "1000", "-T", "svg", "-o", folder.path("")])
        #expect(run.status == 0, "\(run.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path(""))
        #expect(!names.isEmpty)
        for name in names {
            let octets = Array(try Data(contentsOf: URL(filePath: folder.path(name))))
            #expect(octets.count <= 20_000)
            let texts = try #require(Texts(octets), "\(name)")
            #expect(texts.of("title").first?.hasPrefix("attempt ") == true)
            #expect(texts.of("desc").first?.isEmpty == false)
            #expect(texts.of("path").isEmpty == false)
        }
    }

    @Test("The picture says what the ladder of text says")
    func words() throws {
        let capture = Place.capture("kernel-syn-lost.pcap")
        let picture = try #require(Texts(try Run(["draw", capture, "-T", "svg"]).octets))
        let ladder = try Run(["draw", capture, "--width", "400"]).output
        let texts = picture.of("text").joined(separator: " ")
        for word in [
            "SYN seq x (766640384)", "x+1 = 766640384+1 = 766640385; SYN-ACK acknowledges 766640385", "syn-lost",
            "1.013 s",
        ] {
            #expect(texts.contains(word), "\(word)")
            #expect(ladder.contains(word), "\(word)")
        }
    }

    @Test("Each failed attempt has a picture of its own, named for its id")
    func failures() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("ladders")
        let run = try Run(["draw", Place.capture("outage.pcap"), "--all-failed", "-T", "svg", "-o", path])
        #expect(run.status == 0, "\(run.errors)")
        let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        #expect(names == [110, 113, 121, 131, 70].map { "attempt-\($0).svg" })
    }

    @Test(
        "Wrong usage says what is expected",
        arguments: [
            (["--all-failed", "-T", "svg"], 2, "need a folder"), (["-o", "x.svg"], 2, "-T svg"),
            (["--all-failed", "--attempt", "70"], 2, "--all-failed chooses by itself"),
            (["--attempt", "70", "-T", "svg", "-o", "/nowhere/x.svg"], 3, "cannot be written"),
            (["--all-failed", "-T", "svg", "-o", "/proc/x"], 3, "cannot be made"), (["-T", "png"], 2, "svg"),
        ] as [([String], Int32, String)])
    func usage(words: [String], status: Int32, message: String) throws {
        let run = try Run(["draw", Place.capture("outage.pcap")] + words)
        #expect(run.status == status)
        #expect(run.errors.contains(message), "\(run.errors)")
    }
}
