package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"mekiki/internal/hint"
)

// StrictArguments makes command and those below it answer wrong arguments with
// the status of wrong usage and with what to write instead. A verb that only
// holds others shows its help.
func StrictArguments(command *cobra.Command) {
	command.SuggestionsMinimumDistance = 2
	if !command.Runnable() {
		command.RunE = func(command *cobra.Command, _ []string) error { return command.Help() }
	}
	if check := command.Args; check != nil {
		command.Args = func(command *cobra.Command, arguments []string) error {
			return explainArguments(command, arguments, check)
		}
	}
	for _, child := range command.Commands() {
		StrictArguments(child)
	}
}

// explainArguments says what is wrong with arguments that check refuses.
func explainArguments(command *cobra.Command, arguments []string, check cobra.PositionalArgs) error {
	err := check(command, arguments)
	if err == nil {
		return nil
	}
	if decided := (*statusError)(nil); errors.As(err, &decided) {
		return err
	}
	if command.HasSubCommands() {
		return UnknownVerb(command, arguments[0])
	}
	path, wanted := command.CommandPath(), strings.TrimPrefix(command.Use, command.Name()+" ")
	switch {
	case wanted == command.Name() || wanted == "":
		err = UsageError("%q takes no arguments; %q is one too many", path, arguments[0])
	case tooFew(command, arguments, check):
		err = UsageError("%q needs %s", path, wanted)
	default:
		err = UsageError("%q takes %s; %q is one too many", path, wanted, arguments[len(arguments)-1])
	}
	return hint.Wrap(err, exampleOf(command))
}

// tooFew reports whether check would take more arguments.
func tooFew(command *cobra.Command, arguments []string, check cobra.PositionalArgs) bool {
	more := append([]string(nil), arguments...)
	for range 3 {
		more = append(more, "argument")
		if check(command, more) == nil {
			return true
		}
	}
	return false
}

// exampleOf is the first of a verb's examples and where there are more.
func exampleOf(command *cobra.Command) string {
	help := command.CommandPath() + " --help"
	first, _, _ := strings.Cut(strings.TrimSpace(command.Example), "\n")
	if first == "" {
		return help
	}
	return first + ", or " + help
}

// UnknownVerb says that command has no such verb and names the ones it is close to.
func UnknownVerb(command *cobra.Command, name string) error {
	err := UsageError("unknown command %q", strings.TrimSpace(command.CommandPath()+" "+name))
	if !command.HasParent() {
		err = UsageError("unknown command %q", name)
	}
	near := command.SuggestionsFor(name)
	if len(near) == 0 {
		return hint.Wrap(err, command.CommandPath()+" --help")
	}
	for i, verb := range near {
		near[i] = command.CommandPath() + " " + verb
	}
	return hint.Wrap(err, strings.Join(near, ", or "))
}

// FlagError explains a flag that cannot be read.
func FlagError(command *cobra.Command, err error) error {
	remedy := command.CommandPath() + " --help"
	takesQuery := command.Name() == "search" || command.Name() == "similar"
	if takesQuery && strings.Contains(err.Error(), "unknown") {
		remedy = `put a query with a dash in quotes, as in 'a cat -dog', and -- before one that begins with it; ` + remedy
	}
	return hint.Wrap(UsageError("%w", err), remedy)
}

// NewHelpCommand shows the help of a verb, and refuses what is none.
func NewHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [VERB…]",
		Short: "Show the help of a verb",
		Args:  cobra.ArbitraryArgs,
		RunE: func(command *cobra.Command, verbs []string) error {
			found, rest, err := command.Root().Find(verbs)
			if err != nil || len(rest) > 0 {
				return UnknownVerb(found, append(rest, verbs...)[0])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
