// Package reading reads the words in the pictures of a library.
package reading
