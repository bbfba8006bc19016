// Package architecture holds the tests that keep the shape of the project:
// which package may import which, who alone may import a dependency, and what
// every package must say of itself.
package architecture
