// Package answering is the second stage: an [Engine] lets a language model go on with texts about images. An image's
// tokens become [ImageStates], once; a [Prompt] of these and a text becomes tokens and is read; then tokens are drawn one
// by one, as package decode chooses, and become [Generated] texts. Score compares given texts instead.
package answering
