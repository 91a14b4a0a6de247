import ArgumentParser

/// Attempts of an earlier run in a capture's place.
struct SavedOptions: ParsableArguments {
    @Option(
        name: .customLong("saved"),
        help: ArgumentHelp(
            "Attempts that were saved with -T jsonl, instead of a capture; - is standard input.", valueName: "file"),
        completion: .file(extensions: ["jsonl"]))
    var attempts: String?

    @Option(
        help: ArgumentHelp(
            "With --saved: the totals that --summary saved, which say what the capture was.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var summary: String?

    /// Refuses a capture beside it, and asks for one without it.
    func validate(beside input: InputOptions) throws {
        if summary != nil, attempts == nil {
            throw ValidationError("--summary goes with --saved: a capture is looked at")
        }
        if attempts == nil { return try input.requireFile() }
        if !input.arguments.isEmpty || !input.files.isEmpty {
            throw ValidationError("--saved takes the place of a capture: name one or the other")
        }
    }
}
