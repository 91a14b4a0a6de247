import ArgumentParser
import Foundation

/// The argument parser's own description of the commands, as `--experimental-dump-help` prints it.
struct HelpData: Decodable {
    var command: Command

    struct Command: Decodable {
        var commandName: String
        var abstract: String?
        var shouldDisplay: Bool?
        var defaultSubcommand: String?
        var subcommands: [Command]?
        var arguments: [Argument]?

        /// Arguments that help shows.
        var shownArguments: [Argument] { (arguments ?? []).filter(\.shouldDisplay) }
        /// Commands that help shows.
        var shownCommands: [Command] { (subcommands ?? []).filter { $0.shouldDisplay != false } }
    }

    struct Argument: Decodable {
        enum Kind: String, Decodable { case positional, option, flag }

        enum Completion: Decodable {
            case list(values: [String])
            case file(extensions: [String])
            case directory
            case shellCommand(command: String)
            case custom
            case customAsync
            case customDeprecated
        }

        var kind: Kind
        var shouldDisplay: Bool
        var sectionTitle: String?
        var isOptional: Bool
        var isRepeating: Bool
        var names: [Name]?
        var preferredName: Name?
        var valueName: String?
        var defaultValue: String?
        var allValues: [String]?
        var completionKind: Completion?
        var abstract: String?
    }

    struct Name: Decodable {
        enum Kind: String, Decodable { case long, short, longWithSingleDash }

        var kind: Kind
        var name: String

        /// With its dashes.
        var text: String { (kind == .long ? "--" : "-") + name }
    }

    /// The root command, with everything below it.
    static func read() throws -> Command {
        try JSONDecoder().decode(HelpData.self, from: Data(Synscope._dumpHelp().utf8)).command
    }
}
