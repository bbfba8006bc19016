// Package askverbs has the verbs that put questions to pictures: ask and chat. Each has a file of its name;
// pictures.go reads what they are about.
package askverbs
