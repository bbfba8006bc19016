// Package maintain checks every byte of a library, and writes and reads its backups.
package maintain
