// Package memory is a cloud in memory: for trying dragoman out, for tests and for
// benchmarks. It keeps Nova's state rules, takes its time over long work when told
// to, and can be made slow or faulty. Its servers end with the process.
//
// # Oddities
//
//   - Long work is finished when the next call notices that its time has come: there
//     are no goroutines and nothing to close.
//   - Ids of flavors, images and networks are UUIDv5 of their names, the same in every
//     process; ids of servers and snapshots are random.
//   - Keypairs and zones are known by name alone.
//   - What a create points to and is not there is InvalidRequest with its field.
//   - Images hold the bytes that are uploaded, up to Options.ImageBytes in all; the one
//     that the cloud begins with is a blank disk. Nothing is fetched from URLs.
//   - Guests write three lines to their console each time they boot.
//   - There are no volumes, interfaces or server groups: a create that names them is
//     refused as Unsupported by field.
package memory
