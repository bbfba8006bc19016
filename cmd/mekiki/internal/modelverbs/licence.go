package modelverbs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/embed/hub"
	"mekiki/internal/hint"
)

// errLicence says that a licence was not accepted.
var errLicence = errors.New("the licence was not accepted")

// acceptLicences says under which licences the published models among the names are, and wants those that forbid some uses
// to be accepted: by the flag, or by an answer on a terminal.
func acceptLicences(app *cli.App, accepted bool, names []string) error {
	for _, model := range hub.Named(names) {
		licence := model.Licence
		if !licence.Restricted() {
			if !app.Quiet && !app.AsJSON {
				fmt.Fprintf(app.Stderr, "%s: licence %s, %s\n", model.Name, licence.Name, licence.Address)
			}
			continue
		}
		if !app.AsJSON {
			fmt.Fprintf(app.Stderr, "%s: %s. %s Read it at %s\n", model.Name, licence.Name, licence.Terms, licence.Address)
		}
		if accepted {
			continue
		}
		if !askLicence(app) {
			return hint.Wrap(fmt.Errorf("%s: %w: %s", model.Name, errLicence, licence.Terms),
				"give --accept-licence if you accept it; blip2-flan-t5-xl is free for any use")
		}
	}
	return nil
}

// askLicence asks on a terminal. Where there is none, nothing is accepted.
func askLicence(app *cli.App) bool {
	if app.AsJSON || !cli.IsTerminal(app.In) {
		return false
	}
	fmt.Fprint(app.Stderr, "Do you accept it? [y/N] ")
	return acceptedAnswer(app.In)
}

// acceptedAnswer reads a line and reports whether it says yes.
func acceptedAnswer(input io.Reader) bool {
	const longest = 64
	answer, err := bufio.NewReader(io.LimitReader(input, longest)).ReadString('\n')
	if err != nil {
		return false
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}
