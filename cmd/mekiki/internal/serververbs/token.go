package serververbs

import (
	"fmt"

	"github.com/spf13/cobra"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/server/auth"
)

const tokenLong = `Make tokens for "mekiki serve" on an address that others can reach.

A token is shown once, on standard error; the line for the tokens file, which
holds only a hash, goes to standard output. To revoke a token, delete its line and
restart the server.`

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
	create := &cobra.Command{
		Use:     "new",
		Short:   "Make a token",
		Long:    tokenLong,
		Example: tokenExample,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runTokenNew(app, name, scope) },
	}
	create.Flags().StringVar(&name, "name", "default", "name of the person or program that uses it, shown in the log")
	create.Flags().StringVar(&scope, "scope", "read", "what it allows: read, write (and read) or admin (everything)")
	command.AddCommand(create)
	return command
}

func runTokenNew(app *cli.App, name, scopeName string) error {
	scope, err := auth.ParseScope(scopeName)
	if err != nil {
		return cli.UsageError("--scope: %w", err)
	}
	token, secret, err := auth.NewToken(name, scope)
	if err != nil {
		return cli.UsageError("--name: %w", err)
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
