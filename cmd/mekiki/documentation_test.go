package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mekiki/cmd/mekiki/internal/cli"
)

var update = flag.Bool("update", false, "write the golden files anew")

const documentationFile = "../../docs/cli.md"

// TestCommandLineDocumentation keeps docs/cli.md equal to what the code says of
// its verbs and flags. Write it anew with: go test ./cmd/mekiki -run Documentation -update.
func TestCommandLineDocumentation(t *testing.T) {
	var page bytes.Buffer
	page.WriteString("# Command line\n\n<!-- Written from the code by: go test ./cmd/mekiki -run Documentation -update -->\n\n")
	root := newRootCommand(&cli.App{})
	root.InitDefaultCompletionCmd()
	describe(&page, root)
	if *update {
		if err := os.WriteFile(documentationFile, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(documentationFile)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(written), page.String()); difference != "" {
		t.Errorf("docs/cli.md is stale; run: go test ./cmd/mekiki -run Documentation -update\n%s", difference)
	}
}

func describe(page *bytes.Buffer, command *cobra.Command) {
	if command.Hidden || command.Name() == "help" {
		return
	}
	fmt.Fprintf(page, "## %s\n\n", command.CommandPath())
	text := command.Long
	if text == "" {
		text = command.Short + "."
	}
	fmt.Fprintf(page, "```text\n%s\n```\n\n", strings.TrimSpace(text))
	if command.Runnable() && command.HasParent() {
		fmt.Fprintf(page, "Usage: `%s`\n\n", command.UseLine())
	}
	if command.Example != "" {
		fmt.Fprintf(page, "```sh\n%s\n```\n\n", strings.Trim(strings.ReplaceAll("\n"+command.Example, "\n  ", "\n"), "\n"))
	}
	flags := command.NonInheritedFlags()
	if !command.HasParent() {
		flags = command.PersistentFlags()
	}
	describeFlags(page, flags)
	for _, child := range command.Commands() {
		if command.Name() != "completion" {
			describe(page, child)
		}
	}
}

func describeFlags(page *bytes.Buffer, flags *pflag.FlagSet) {
	var rows []string
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden || flag.Name == "help" {
			return
		}
		name := "--" + flag.Name
		if flag.Shorthand != "" {
			name = "-" + flag.Shorthand + ", " + name
		}
		standard := flag.DefValue
		if standard == "" || standard == "[]" || standard == "false" {
			standard = ""
		} else {
			standard = "`" + standard + "`"
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", name, strings.ReplaceAll(flag.Usage, "|", "\\|"), standard))
	})
	if len(rows) > 0 {
		fmt.Fprintf(page, "| flag | | default |\n|---|---|---|\n%s\n\n", strings.Join(rows, "\n"))
	}
}
