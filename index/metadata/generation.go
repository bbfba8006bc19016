package metadata

import (
	"encoding/json"
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
	for _, name := range []string{"prompt", "workflow"} {
		for _, tag := range []uint16{tagModel, tagMake, tagImageDescription} {
			if found, graph := graphOf(s.exif.text(tag)); found == name {
				return first(promptsOf(graph), graph)
			}
		}
	}
	if text["software"] == "NovelAI" {
		return strings.TrimSpace(text["description"] + " " + text["comment"])
	}
	return first(text["invokeai_metadata"], text["sd-metadata"], text["dream"], text["generation_data"])
}

// graphOf splits what ComfyUI writes into a WebP's EXIF, where the camera's maker and
// model stand in photographs: "prompt:" or "workflow:" and a graph.
func graphOf(text string) (name, graph string) {
	name, graph, found := strings.Cut(text, ":")
	name, graph = strings.ToLower(name), strings.TrimSpace(graph)
	if !found || name != "prompt" && name != "workflow" || !strings.HasPrefix(graph, "{") {
		return "", ""
	}
	return name, graph
}

// notGraph leaves out such a graph.
func notGraph(text string) string {
	if name, _ := graphOf(text); name != "" {
		return ""
	}
	return text
}

// promptsOf gives the prompts and settings in a graph of ComfyUI's: the texts, then
// the numbers and names, without the wires between them.
func promptsOf(graph string) string {
	var nodes map[string]struct {
		Inputs map[string]any `json:"inputs"`
	}
	if len(graph) > maxInflatedBytes || !shallow([]byte(graph)) {
		return ""
	}
	decoder := json.NewDecoder(strings.NewReader(graph))
	decoder.UseNumber() // seeds have more digits than a float64
	if decoder.Decode(&nodes) != nil {
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
			case json.Number:
				settings = append(settings, name+": "+value.String())
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
