package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mekiki/internal/folders"
	"mekiki/internal/hint"
)

// maximumConfigurationBytes bounds the configuration file before it is read.
const maximumConfigurationBytes = 1 << 20

// applySettings gives each flag of command that the command line leaves out its
// value from the environment (MEKIKI_ and the flag's name in capitals), else
// from the configuration file: from the table named after the verb, then from
// the top level. Unknown keys of the file are errors, so that a typing mistake
// does not pass unseen.
func applySettings(command *cobra.Command) error {
	path, err := folders.Config()
	if err != nil {
		return err
	}
	settings, err := readConfiguration(path)
	if err != nil {
		return err
	}
	if err := checkKeys(command.Root(), path, settings); err != nil {
		return err
	}
	table, _ := settings[command.Name()].(map[string]any)
	var problems []error
	command.Flags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed || flag.Name == "help" || flag.Name == "version" {
			return
		}
		value, source := "", ""
		if text, found := os.LookupEnv(environmentName(flag.Name)); found && text != "" {
			value, source = text, environmentName(flag.Name)
		} else if found, ok := table[flag.Name]; ok {
			value, source = settingText(found), path
		} else if found, ok := settings[flag.Name]; ok {
			value, source = settingText(found), path
		} else {
			return
		}
		if err := command.Flags().Set(flag.Name, value); err != nil {
			problems = append(problems, usage("%s in %s: %w", flag.Name, source, err))
		}
	})
	return errors.Join(problems...)
}

func environmentName(flag string) string {
	return "MEKIKI_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settingText is a TOML value as a flag takes it: lists joined by commas.
func settingText(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	parts := make([]string, len(list))
	for i, item := range list {
		parts[i] = fmt.Sprint(item)
	}
	return strings.Join(parts, ",")
}

func readConfiguration(path string) (map[string]any, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if info.Size() > maximumConfigurationBytes {
		return nil, fmt.Errorf("read configuration %s: %d bytes are more than a configuration can have", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var settings map[string]any
	if _, err := toml.Decode(string(data), &settings); err != nil {
		return nil, hint.Wrap(fmt.Errorf("read configuration %s: %w", path, err), "correct the file, or move it away")
	}
	return settings, nil
}

// checkKeys reports each key that is neither a global flag nor a verb with that flag.
func checkKeys(root *cobra.Command, path string, settings map[string]any) error {
	var unknown []string
	for key, value := range settings {
		table, isTable := value.(map[string]any)
		if !isTable {
			if root.PersistentFlags().Lookup(key) == nil {
				unknown = append(unknown, key)
			}
			continue
		}
		verb, _, err := root.Find([]string{key})
		if err != nil || verb == root {
			unknown = append(unknown, "["+key+"]")
			continue
		}
		for name := range table {
			if verb.Flags().Lookup(name) == nil && root.PersistentFlags().Lookup(name) == nil {
				unknown = append(unknown, key+"."+name)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return hint.Wrap(usage("configuration %s has unknown settings: %s", path, strings.Join(unknown, ", ")),
		"settings have the names of the flags in \"mekiki help\"")
}
