// Package seed makes the disk from which a server's operating system learns who it is:
// a NoCloud seed, which is an ISO 9660 image labelled cidata with the files meta-data,
// user-data and network-config (cloud-init's documentation, "NoCloud"; the layout of
// network-config is "Networking config Version 2").
//
// [Build] is a pure function: the same server gives the same bytes, nothing is written
// to disk, and no clock is read.
//
// # What goes where
//
//   - Keys go to meta-data, where every agent looks, also when the caller's user data
//     are no #cloud-config.
//   - Password and files become a #cloud-config of ours. Where the caller has user data
//     too, both travel in one MIME message; the caller's come first and win where both
//     say the same thing, while lists are joined.
//   - Every text from outside is a double-quoted YAML string, so that neither YAML 1.1
//     nor 1.2 takes it for anything else.
//
// # Oddities
//
//   - The image has two directories of the same files: ISO 9660 names in capitals and
//     Joliet's, which Windows and Linux prefer. There is no Rock Ridge.
//   - It holds the password in clear: agents take it so. Whoever reads the seed has it.
package seed
