import ArgumentParser

/// Scripts that shells load to complete the program's words. Each asks `complete-words`.
enum CompletionScript {
    /// The script that a command line asks for; nil where it asks for none, or for a shell that is not known.
    static func requested(_ arguments: some Collection<String>) -> String? {
        let option = "--generate-completion-script"
        guard let first = arguments.first, first == option || first.hasPrefix(option + "=") else { return nil }
        let name = first == option ? arguments.dropFirst().first : String(first.dropFirst(option.count + 1))
        let shell = name.map { CompletionShell(rawValue: $0) } ?? CompletionShell.autodetected()
        switch shell {
        case .bash?: return bash
        case .zsh?: return zsh
        case .fish?: return fish
        default: return nil
        }
    }

    private static let bash = #"""
        # Completion of synscope for bash.
        _synscope() {
            local program=${COMP_WORDS[0]/#\~/$HOME} line first rest
            COMPREPLY=()
            while IFS= read -r line; do
                first=${line%%$'\t'*}
                rest=${line##*$'\t'}
                case $first in
                    :nospace) compopt -o nospace ;;
                    :folders) compopt -o filenames && _synscope_add -d -- "$2" ;;
                    :files)
                        compopt -o filenames
                        if [[ -n $rest ]]; then
                            _synscope_add -o plusdirs -f -X "!*.@($rest)" -- "$2"
                        else
                            _synscope_add -f -- "$2"
                        fi
                        ;;
                    *) COMPREPLY+=("$first") ;;
                esac
            done < <("$program" complete-words bash "${COMP_LINE:0:COMP_POINT}" "$2" 2> /dev/null)
        }

        _synscope_add() {
            local name extglob
            extglob=$(shopt -p extglob)
            shopt -s extglob
            while IFS= read -r name; do COMPREPLY+=("$name"); done < <(compgen "$@")
            $extglob
        }

        complete -F _synscope synscope
        """#

    private static let zsh = #"""
        #compdef synscope
        # Completion of synscope for zsh.
        _synscope() {
            local line program=${(Q)words[1]/#\~/$HOME}
            local -a parts values meanings space
            while IFS= read -r line; do
                parts=("${(@ps:\t:)line}")
                case $parts[1] in
                    (:nospace) space=(-S '') ;;
                    (:folders) [[ -n $parts[2] ]] && compset -P "${(b)parts[2]}"; _files -/ ;;
                    (:files)
                        [[ -n $parts[2] ]] && compset -P "${(b)parts[2]}"
                        if [[ -n $parts[3] ]]; then _files -g "*.(${parts[3]}|)"; else _files; fi
                        ;;
                    (*)
                        values+=("$parts[1]")
                        meanings+=("$parts[1]${parts[2]:+  -- $parts[2]}")
                        ;;
                esac
            done < <("$program" complete-words zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2> /dev/null)
            (( $#values )) && compadd -l "${space[@]}" -d meanings -a values
        }

        if [[ $funcstack[1] == _synscope ]]; then
            _synscope "$@"
        elif (( $+functions[compdef] )); then
            compdef _synscope synscope
        fi
        """#

    private static let fish = #"""
        # Completion of synscope for fish.
        function __synscope_complete
            set -l words (commandline -opc)
            set -l current (commandline -ct)
            for line in ($words[1] complete-words fish $words[2..-1] "$current" 2> /dev/null)
                set -l parts (string split \t -- $line)
                switch $parts[1]
                    case :nospace
                    case :folders
                        for name in (__fish_complete_directories (string replace -- "$parts[2]" '' $current))
                            printf '%s%s\n' "$parts[2]" $name
                        end
                    case :files
                        set -l rest (string replace -- "$parts[2]" '' $current)
                        for name in (__fish_complete_path $rest)
                            set -l path (string split \t -- $name)[1]
                            if test -z "$parts[3]"; or string match -qr "(/|\\.($parts[3]))\$" -- $path
                                printf '%s%s\n' "$parts[2]" $name
                            end
                        end
                    case '*'
                        printf '%s\n' $line
                end
            end
        end

        complete -c synscope -f -a '(__synscope_complete)'
        """#
}
