package translation

import "mekiki/embed/hub"

// Published is the name of the published translator from a language into English, as pull takes it; "" where none is listed.
func Published(language string) string {
	name := "opus-mt-" + language + "-" + English
	for _, model := range hub.Models() {
		if model.Name == name {
			return name
		}
	}
	return ""
}
