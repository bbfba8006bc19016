package serververbs

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/server/auth"
)

const tokenLong = `Make tokens for "mekiki serve" on an address that others can reach.

A token is shown once, on standard error; the line for the tokens file, which
holds only a hash, goes to standard output. To revoke a token, delete its line: a
server that runs with the file sees it at once. Over HTTP, a token with the scope
admin makes, lists, expires and revokes tokens (docs/api.md).`

const tokenExample = `  mekiki token new --name alice --scope read >> tokens.txt
  mekiki serve --addr :8080 --token-file tokens.txt`

// NewTokenCommand makes the verb "token".
func NewTokenCommand(app *cli.App) *cobra.Command {
	command := &cobra.Command{
		Use:   "token",
		Short: "Make tokens for the server",
		Long:  tokenLong,
		Args:  cobra.NoArgs,
		RunE:  func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	var name, scope string
	var lifetime time.Duration
	create := &cobra.Command{
		Use:     "new",
		Short:   "Make a token",
		Long:    tokenLong,
		Example: tokenExample,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runTokenNew(app, name, scope, lifetime) },
	}
	create.Flags().StringVar(&name, "name", "default", "name of the person or program that uses it, shown in the log")
	create.Flags().StringVar(&scope, "scope", "read", "what it allows: read, write (and read) or admin (everything)")
	create.Flags().DurationVar(&lifetime, "expires-in", 0, "how long it is good, such as 720h (0: until it is revoked)")
	command.AddCommand(create)
	return command
}

func runTokenNew(app *cli.App, name, scopeName string, lifetime time.Duration) error {
	scope, err := auth.ParseScope(scopeName)
	if err != nil {
		return cli.UsageError("--scope: %w", err)
	}
	token, secret, err := auth.NewToken(name, scope)
	if err != nil {
		return cli.UsageError("--name: %w", err)
	}
	if lifetime < 0 {
		return cli.UsageError("--expires-in must not be negative")
	}
	if lifetime > 0 {
		token.Expires = time.Now().Add(lifetime)
	}
	if app.AsJSON {
		return app.PrintJSON(map[string]string{"name": token.Name, "scope": scope.String(), "token": secret, "line": token.String()})
	}
	if _, err := fmt.Fprintln(app.Out, token); err != nil {
		return err
	}
	_, err = fmt.Fprintf(app.Stderr, "token for %s (%s), shown only once:\n%s\n", token.Name, scope, secret)
	return err
}
