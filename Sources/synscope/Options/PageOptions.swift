import ArgumentParser

/// What a page says of whom.
struct PageOptions: ParsableArguments {
    @Flag(
        help: """
            In place of addresses the page has names: host-1, network-1, numbered as they appear. It leaves out names \
            of files, comments of captures and the filters that have addresses.
            """)
    var pseudonyms = false
}
