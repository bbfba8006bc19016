package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mekiki/internal/bounded"
	"mekiki/internal/folders"
	"mekiki/internal/hint"
)

// ApplySettings gives each flag of command that the command line leaves out its
// value from the environment (MEKIKI_ and the flag's name in capitals), else
// from the configuration file: from the table named after the verb, as in
// [texts.add], then from those around it. Unknown keys of the file are errors,
// so that a typing mistake does not pass unseen.
func ApplySettings(command *cobra.Command) error {
	path, err := folders.Config()
	if err != nil { // a service may have no home, and then no configuration
		path = ""
	}
	settings, err := readConfiguration(path)
	if err != nil {
		return err
	}
	if unknown := unknownKeys(command.Root(), "", settings); len(unknown) > 0 {
		slices.Sort(unknown)
		return hint.Wrap(UsageError("configuration %s has unknown settings: %s", path, strings.Join(unknown, ", ")),
			"settings have the names of the flags in \"mekiki help\", those of a verb alone in a table of its name")
	}
	tables := tablesOf(command, settings)
	var problems []error
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || flag.Name == "help" || flag.Name == "version" {
			return
		}
		values, source := environmentValues(flag)
		for i := 0; i < len(tables) && source == ""; i++ {
			if found, ok := tables[i][flag.Name]; ok {
				values, source = settingValues(found), path
			}
		}
		if source == "" {
			return
		}
		if err := setFlag(command.Flags(), flag, values); err != nil {
			problems = append(problems, hint.Wrap(UsageError("%s in %s: %w", flag.Name, source, err), "correct or remove it"))
		}
	})
	return errors.Join(problems...)
}

// tablesOf returns the tables of the configuration that concern command, the
// nearest first: [texts.add], then [texts], then what stands before all tables.
func tablesOf(command *cobra.Command, settings map[string]any) []map[string]any {
	if !command.HasParent() {
		return []map[string]any{settings}
	}
	around := tablesOf(command.Parent(), settings)
	own, _ := around[0][command.Name()].(map[string]any)
	return append([]map[string]any{own}, around...)
}

// setFlag gives a flag its value, or a list of them.
func setFlag(flags *pflag.FlagSet, flag *pflag.Flag, values []string) error {
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		flag.Changed = true
		return list.Replace(values)
	}
	return flags.Set(flag.Name, strings.Join(values, ","))
}

// environmentValues returns the value of a flag's environment variable, and the
// variable's name. Lists have commas between their values.
func environmentValues(flag *pflag.Flag) (values []string, source string) {
	text := os.Getenv(environmentName(flag.Name))
	if text == "" {
		return nil, ""
	}
	if _, list := flag.Value.(pflag.SliceValue); list {
		return strings.Split(text, ","), environmentName(flag.Name)
	}
	return []string{text}, environmentName(flag.Name)
}

func environmentName(flag string) string {
	return "MEKIKI_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settingValues is a TOML value, or a list of them, as a flag takes it. A path
// may begin with ~, which no shell expands here.
func settingValues(value any) []string {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	values := make([]string, len(list))
	for i, item := range list {
		values[i] = fmt.Sprint(item)
		if below, ok := strings.CutPrefix(values[i], "~/"); ok {
			if home, err := os.UserHomeDir(); err == nil {
				values[i] = filepath.Join(home, below)
			}
		}
	}
	return values
}

func readConfiguration(path string) (map[string]any, error) {
	const remedy = "correct the file, or name another with " + folders.ConfigVariable
	if path == "" {
		return nil, nil
	}
	data, err := bounded.ReadFile(path, maximumConfigurationBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("read configuration: %w", err), remedy)
	}
	var settings map[string]any
	if _, err := toml.Decode(string(data), &settings); err != nil {
		return nil, hint.Wrap(fmt.Errorf("read configuration %s: %w", path, err), remedy)
	}
	return settings, nil
}

// unknownKeys lists the keys of a table that are neither flags of its verb nor
// tables of the verbs below it. prefix stands before their names.
func unknownKeys(verb *cobra.Command, prefix string, table map[string]any) []string {
	var unknown []string
	for key, value := range table {
		if below, isTable := value.(map[string]any); isTable {
			if child := childNamed(verb, key); child != nil {
				unknown = append(unknown, unknownKeys(child, prefix+key+".", below)...)
			} else {
				unknown = append(unknown, "["+prefix+key+"]")
			}
			continue
		}
		if verb.Root().PersistentFlags().Lookup(key) == nil && (!verb.HasParent() || verb.Flags().Lookup(key) == nil) {
			unknown = append(unknown, prefix+key)
		}
	}
	return unknown
}

func childNamed(verb *cobra.Command, name string) *cobra.Command {
	for _, child := range verb.Commands() {
		if child.Name() == name {
			return child
		}
	}
	return nil
}
