// Package hub brings the files of published checkpoints onto this machine: from Hugging Face, from the storage of LAVIS,
// or from any address.
//
// A pull can be broken off at any moment, by a signal, a crash or the network, and goes on from there the next time. Large
// files come in several ranges at once. Nothing is called complete before its size and, wherever the server publishes one,
// its hash agree; until then it lies under a name that ends in ".part". Two pulls of one model take turns.
//
// The environment variables of the Hugging Face client are honoured (HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE,
// HF_HUB_OFFLINE), and files in its cache are used instead of being downloaded again. The token is sent to the endpoint
// and to nobody else, whatever redirects say.
package hub
