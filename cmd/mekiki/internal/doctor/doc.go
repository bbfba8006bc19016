// Package doctor has the verb that finds what keeps Mekiki from working on a machine: doctor.go the verb and its report,
// checks.go what it looks at on this machine, cluster.go in a library on several machines.
package doctor
