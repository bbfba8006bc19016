// Package rules says which files and folders a run leaves out: globs, folders of systems and
// storage devices, and ignore files.
package rules
