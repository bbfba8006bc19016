package translation

import (
	"fmt"

	"mekiki/embed/hub"
)

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

// Missing says that no translator of a language is installed, and how to get one.
func Missing(language string) string {
	message := fmt.Sprintf("no translator is installed for the language of the words (%s)", language)
	if name := Published(language); name != "" {
		message += "; get one with: mekiki pull " + name
	}
	return message
}
