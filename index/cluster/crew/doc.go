// Package crew shares work among the processes that do the same work on one library of a cluster at the same time.
//
//	crews/captions/k3f…   a process, which writes its object again every few seconds
//	crews/captions/p81…   another one
//
// Each content falls to one of those that are alive: to the one whose name, hashed together with the content, is the largest
// (rendezvous hashing; Thaler and Ravishankar, 1998). So nobody talks to anybody, and when one comes or goes only its own share
// moves. Two that do not know of each other yet may do the same work; they never leave any out.
package crew
