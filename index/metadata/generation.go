package metadata

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// isGeneration tells the settings that Stable Diffusion's programs write where a
// comment could stand.
func isGeneration(text string) bool {
	return strings.Contains(text, "Steps: ") && (strings.Contains(text, "Sampler: ") || strings.Contains(text, "Seed: "))
}

// generation is what the program that made a picture wrote of how.
func (s *statements) generation() string {
	text := s.text
	if settings := text["parameters"]; settings != "" {
		return settings
	}
	for _, comment := range []string{s.exif.comment(), s.own("exif:UserComment"), text["comment"]} {
		if isGeneration(comment) {
			return comment
		}
	}
	for _, name := range []string{"prompt", "workflow"} {
		if graph := text[name]; graph != "" {
			return first(promptsOf(graph), graph)
		}
	}
	if text["software"] == "NovelAI" {
		return strings.TrimSpace(text["description"] + " " + text["comment"])
	}
	return first(text["invokeai_metadata"], text["sd-metadata"], text["dream"], text["generation_data"])
}

// promptsOf gives the prompts and settings in a graph of ComfyUI's: the texts, then
// the numbers and names, without the wires between them.
func promptsOf(graph string) string {
	var nodes map[string]struct {
		Inputs map[string]any `json:"inputs"`
	}
	if len(graph) > maxInflatedBytes || !shallow([]byte(graph)) || json.Unmarshal([]byte(graph), &nodes) != nil {
		return ""
	}
	var prompts, settings []string
	for _, id := range sortedKeys(nodes) {
		inputs := nodes[id].Inputs
		for _, name := range sortedKeys(inputs) {
			switch value := inputs[name].(type) {
			case string:
				if strings.Contains(name, "text") || strings.Contains(name, "prompt") {
					prompts = append(prompts, value)
				} else {
					settings = append(settings, name+": "+value)
				}
			case float64:
				settings = append(settings, fmt.Sprintf("%s: %v", name, value))
			}
		}
	}
	return strings.Join(append(uniqueLong(prompts), strings.Join(uniqueLong(settings), ", ")), "\n")
}

func uniqueLong(list []string) (kept []string) {
	seen := map[string]bool{}
	for _, text := range list {
		if text != "" && !seen[text] {
			seen[text] = true
			kept = append(kept, text)
		}
	}
	return kept
}

func sortedKeys[V any](values map[string]V) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
