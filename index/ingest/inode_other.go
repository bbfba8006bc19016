//go:build !unix

package ingest

import "io/fs"

func inodeOf(fs.FileInfo) uint64 { return 0 }
